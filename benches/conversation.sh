#!/usr/bin/env bash
# conversation.sh: how fast prompt pieces are written and read beside the raw drivers, and beside PyRIT's own memory class.
#
# All in one run on one machine: ratios are what counts. BENCH_SCALE sets the amount (1: bulk appends of 100,000 pieces, label
# filters over a million; try 0.02 first), BENCH_ROUNDS the repetitions (3), BENCH_ENGINE one engine alone.
# PyRIT is installed from PyPI into virtual environments below the cache, about a gigabyte for each of its two versions:
# BENCH_PYRIT=0 leaves it out. BENCH_PYRIT_PIECES sets how many pieces it gets (10,000); figures are per piece.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scale=${BENCH_SCALE:-1}
rounds=${BENCH_ROUNDS:-3}
pieces=${BENCH_PYRIT_PIECES:-10000}
work=${BENCH_DIR:-$(mktemp -d)}
mkdir -p "$work"
chmod 755 "$work"
finish() {
  scripts/postgres.sh stop "$work/postgres" || true
  [ -n "${BENCH_DIR:-}" ] || rm -rf "$work"
}
trap finish EXIT

eval "$(scripts/duckdb.sh)"
arguments=("$work" --scale "$scale" --rounds "$rounds")
if [ -n "${BENCH_ENGINE:-}" ]; then arguments+=(--engine "$BENCH_ENGINE"); fi
database=trimaran_bench_$$
url=
if [ "${BENCH_ENGINE:-postgres}" = postgres ]; then
  url=$(POSTGRES_SETTINGS="max_wal_size=8GB shared_buffers=512MB checkpoint_timeout=30min" scripts/postgres.sh start "$work/postgres")
  psql -qX "$url" -c "CREATE DATABASE $database"
  arguments+=(--postgres "$(printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*)/[^?]*#\1/$database#")")
fi
# shellcheck disable=SC2086 # flags are words
cargo bench -p trimaran-migrator $TRIMARAN_MIGRATOR_FLAGS --bench conversation -- "${arguments[@]}"
if [ -n "$url" ]; then psql -qX "$url" -c "DROP DATABASE $database"; fi

# pyrit VERSION: measures it, or says why not.
pyrit() {
  local home="$cache/pyrit-$1"
  if [ ! -x "$home/bin/python" ] || ! "$home/bin/python" -c 'import importlib.metadata as m; m.version("pyrit")' 2>/dev/null; then
    say "installing PyRIT $1 into $home"
    if ! { python3 -m venv "$home" && "$home/bin/pip" install --quiet "pyrit==$1"; } >&2; then
      rm -rf "$home"
      say "PyRIT $1 is left out: it could not be installed (see above)"
      return 0
    fi
  fi
  say "measuring PyRIT $1"
  if ! "$home/bin/python" benches/pyrit_memory.py "$work" "$pieces" "$rounds" "$work/figures.tsv"; then
    say "PyRIT $1 is left out: it failed (see above)"
  fi
}
if [ "${BENCH_PYRIT:-1}" != 0 ]; then
  if have python3; then
    pyrit 0.8.1
    pyrit 1.1.0
  else
    say "PyRIT is left out: there is no python3"
  fi
fi
