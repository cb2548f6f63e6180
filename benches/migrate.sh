#!/usr/bin/env bash
# migrate.sh: how long `trimaran migrate run` takes beside psql's own binary COPY of the same rows, in one run on one server.
#
# The floor is psql loading a file of binary COPY rows: one stream, no keys. Ratios to it are what counts; seconds depend
# on the machine. BENCH_ROWS sets the rows (1,000,000, about 900 bytes each), BENCH_ROUNDS the repetitions (3),
# BENCH_MEMORY the budget (256MiB). Peak memory is the program's VmHWM, as the kernel counted it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

rows=${BENCH_ROWS:-1000000}
rounds=${BENCH_ROUNDS:-3}
memory=${BENCH_MEMORY:-256MiB}
work=${BENCH_DIR:-$(mktemp -d)}
mkdir -p "$work"
chmod 755 "$work"
finish() {
  scripts/postgres.sh stop "$work/postgres" || true
  [ -n "${BENCH_DIR:-}" ] || rm -rf "$work"
}
trap finish EXIT

eval "$(scripts/duckdb.sh)"
# shellcheck disable=SC2086 # flags are words
cargo build --release -p trimaran-migrator $TRIMARAN_CARGO_FLAGS --bin trimaran --example sample_data
release=${CARGO_TARGET_DIR:-target}/release
if [ ! -e "$work/prompts.sqlite" ]; then
  say "writing $rows rows"
  "$release/examples/sample_data" bench "$work" "$rows"
fi
url=$(POSTGRES_SETTINGS="max_wal_size=8GB shared_buffers=512MB checkpoint_timeout=30min" scripts/postgres.sh start "$work/postgres")
database=trimaran_bench_$$
psql -qX "$url" -c "CREATE DATABASE $database"
target=$(printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*)/[^?]*#\1/$database#")
q() { psql -qX -v ON_ERROR_STOP=1 "$target" "$@"; }

# json FIELD…: a phase's seconds out of a report.
phase() { python3 -c 'import json,sys; print("%.2f" % dict(json.load(open(sys.argv[1]))["seconds"])[sys.argv[2]])' "$1" "$2"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
seconds() {
  local begun
  begun=$(date +%s.%N)
  "$@" >&2
  awk -v a="$begun" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f", b - a }'
}

printf '%-8s %-6s %9s %9s %9s %9s %9s %9s %9s\n' source round check copy keys verify floor ratio 'peak MiB'
for source in duckdb sqlite; do
  for round in $(seq "$rounds"); do
    q -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' -c CHECKPOINT 2>/dev/null
    /usr/bin/time -f %M -o "$work/peak" "$release/trimaran" migrate run --from "$source://$work/prompts.$source" \
      --to "$target" --memory "$memory" --quiet --json >"$work/report.json"
    q -c '\copy prompt_entries TO '"'$work/rows.bin'"' (FORMAT binary)'
    q -c 'CREATE TABLE floor_entries AS SELECT * FROM prompt_entries WITH NO DATA' -c CHECKPOINT
    floor=$(seconds psql -qX -v ON_ERROR_STOP=1 "$target" -c '\copy floor_entries FROM '"'$work/rows.bin'"' (FORMAT binary)')
    copy=$(phase "$work/report.json" copy)
    printf '%-8s %-6s %9s %9s %9s %9s %9s %9s %9s\n' "$source" "$round" "$(phase "$work/report.json" check)" "$copy" \
      "$(phase "$work/report.json" keys)" "$(phase "$work/report.json" verify)" "$floor" "$(ratio "$copy" "$floor")" \
      "$(($(cat "$work/peak") / 1024))"
  done
done
rm -f "$work/rows.bin"
psql -qX "$url" -c "DROP DATABASE $database"
