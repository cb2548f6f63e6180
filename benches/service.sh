#!/usr/bin/env bash
# service.sh: how fast requests are served, beside the raw drivers sending the same statements.
#
# All in one run on one machine: ratios are what counts. Markdown tables go to stdout, service.json to the folder, plots to
# docs/pictures if gnuplot is there. BENCH_SCALE sets the amount (1: questions about a million pieces, up to 10,000 tenants; try
# 0.02 first), BENCH_ROUNDS the repetitions (3), BENCH_ENGINE one engine alone, BENCH_DIR the folder, which is kept then.
# BENCH_ONLY names one measure alone (keys, requests, points, signed, questions, tenants). BENCH_PLOTS=0 leaves the pictures as they are. BENCH_TENANTS=1 makes all 10,000 tenants' files, visits them, and measures nothing
# else: half an hour and 15 GB of disk.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

work=${BENCH_DIR:-$(mktemp -d)}
mkdir -p "$work"
chmod 755 "$work"
finish() {
  scripts/postgres.sh stop "$work/postgres" || true
  [ -n "${BENCH_DIR:-}" ] || rm -rf "$work"
}
trap finish EXIT

eval "$(scripts/duckdb.sh)"
arguments=("$work" --scale "${BENCH_SCALE:-1}" --rounds "${BENCH_ROUNDS:-3}")
if [ -n "${BENCH_ENGINE:-}" ]; then arguments+=(--engine "$BENCH_ENGINE"); fi
if [ -n "${BENCH_ONLY:-}" ]; then arguments+=(--only "$BENCH_ONLY"); fi
if [ "${BENCH_TENANTS:-0}" = 1 ]; then arguments+=(--tenants); fi
database=trimaran_bench_$$
url=
if [ "${BENCH_TENANTS:-0}" = 0 ] && [ "${BENCH_ENGINE:-postgres}" = postgres ]; then
  url=$(POSTGRES_SETTINGS="max_wal_size=8GB shared_buffers=512MB checkpoint_timeout=30min" scripts/postgres.sh start "$work/postgres")
  psql -qX "$url" -c "CREATE DATABASE $database"
  arguments+=(--postgres "$(printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*)/[^?]*#\1/$database#")")
fi
# shellcheck disable=SC2086 # flags are words
cargo bench -p trimaran-migrator $TRIMARAN_MIGRATOR_FLAGS --bench service -- "${arguments[@]}"
if [ -n "$url" ]; then psql -qX "$url" -c "DROP DATABASE $database"; fi

if [ "${BENCH_PLOTS:-1}" != 0 ] && [ "${BENCH_TENANTS:-0}" = 0 ] && [ -z "${BENCH_ENGINE:-}${BENCH_ONLY:-}" ]; then
  if have gnuplot && have python3; then
    benches/plots.sh "$work/service.json"
  else
    say "no pictures: there is no gnuplot or no python3"
  fi
fi
