#!/usr/bin/env bash
# migrate.sh: how long `trimaran migrate run` takes beside what else could be had, all in one run on one server.
#
# The floor is psql loading a file of the same rows in binary COPY: one stream, no keys. The steps are what psql takes to load
# them, to make the primary key and to read all of them again, as a proof must, looking at nothing. Beside it: DuckDB's own postgres extension
# (from PyPI), which copies without keys or proof, and pgloader (where the distribution has it). Ratios are what counts;
# seconds depend on the machine. Then the cost of a row as tables grow, drawn to docs/pictures if gnuplot is there.
#
# BENCH_ROWS sets the rows (1,000,000, about 900 bytes each), BENCH_ROUNDS the repetitions (3), BENCH_MEMORY the budget
# (256MiB), BENCH_PEERS=0 leaves the others out, BENCH_SIZES the narrow tables' rows ("100000 1000000 10000000"; empty for
# none). BENCH_DIR keeps the folder, and the rows in it. Peak memory is the program's VmHWM, as the kernel counted it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

rows=${BENCH_ROWS:-1000000}
rounds=${BENCH_ROUNDS:-3}
memory=${BENCH_MEMORY:-256MiB}
sizes=${BENCH_SIZES-100000 1000000 10000000}
peers=${BENCH_PEERS:-1}
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
cargo build --release -p trimaran-migrator $TRIMARAN_MIGRATOR_FLAGS --bin trimaran --example sample_data
release=${CARGO_TARGET_DIR:-target}/release
if [ ! -e "$work/prompts.sqlite" ]; then
  say "writing $rows rows"
  "$release/examples/sample_data" bench "$work" "$rows"
fi

# The others. What can't be had is told and left out.
python=$cache/duckdb-1.5.5/bin/python
has_extension() { [ -x "$python" ] && "$python" -c 'import duckdb, duckdb_extension_postgres_scanner' 2>/dev/null; }
if [ "$peers" != 0 ] && ! has_extension; then
  say "installing DuckDB's Python package and its postgres extension into $cache/duckdb-1.5.5"
  { python3 -m venv "$cache/duckdb-1.5.5" &&
    "$cache/duckdb-1.5.5/bin/pip" install --quiet duckdb==1.5.5 duckdb-extension-postgres-scanner==1.5.5; } >&2 || true
  has_extension || say "DuckDB's postgres extension is left out: it could not be installed (see above)"
fi
if [ "$peers" != 0 ] && ! have pgloader; then say "pgloader is left out: it is not installed"; fi

url=$(POSTGRES_SETTINGS="max_wal_size=8GB shared_buffers=512MB checkpoint_timeout=30min" scripts/postgres.sh start "$work/postgres")
database=trimaran_bench_$$
psql -qX "$url" -c "CREATE DATABASE $database"
target=$(printf '%s' "$url" | sed -E "s#^(postgres(ql)?://[^/]*)/[^?]*#\1/$database#")
q() { psql -qX -v ON_ERROR_STOP=1 "$target" "$@"; }
fresh() { q -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' -c CHECKPOINT 2>/dev/null; }
counted() { psql -AtX "$target" -c "SELECT count(*) FROM $1" 2>/dev/null || echo none; }

# phase FILE NAME: a phase's seconds out of a report.
phase() { python3 -c 'import json,sys; print("%.3f" % dict(json.load(open(sys.argv[1]))["seconds"])[sys.argv[2]])' "$1" "$2"; }
# moved FILE: the seconds from the beginning of the copy to the end of the verification, which goes on beside the keys.
moved() {
  python3 - "$1" <<'P'
import json, sys
spans = [s for s in json.load(open(sys.argv[1]))["timeline"] if "table" not in s and s["phase"] in ("copy", "keys", "verify")]
print("%.2f" % (max(s["to"] for s in spans) - min(s["from"] for s in spans)))
P
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (a == "-" || b == "-") print "-"; else printf "%.2f", a / b }'; }
seconds() {
  local begun
  begun=$(date +%s.%N)
  "$@" >&2
  awk -v a="$begun" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f", b - a }'
}
# migrate SOURCE FILE: moves it, the report to report.json and the peak of memory to peak.
migrate() {
  /usr/bin/time -f %M -o "$work/peak" "$release/trimaran" migrate run --from "$1://$2" --to "$target" --memory "$memory" \
    --jobs 2 --quiet --json >"$work/report.json"
}

# peer SOURCE: the seconds that the other takes for the same rows, or why there are none.
peer() {
  local loaded
  if [ "$peers" = 0 ]; then
    echo "-"
  elif [ "$1" = duckdb ] && has_extension; then
    fresh
    "$python" benches/duckdb_extension.py "$work/prompts.duckdb" prompt_entries "$target" || echo "-"
  elif [ "$1" = sqlite ] && have pgloader; then
    fresh
    cat >"$work/load" <<L
load database from sqlite://$work/prompts.sqlite into ${target/#postgres:/postgresql:}
 with include drop, create tables, create indexes, reset sequences, workers = 2, concurrency = 1, prefetch rows = 5000;
L
    loaded=$(seconds pgloader "$work/load") || say "pgloader ended with an error"
    [ "$(counted prompt_entries)" = "$rows" ] || say "pgloader moved $(counted prompt_entries) of $rows rows"
    echo "${loaded:--}"
  else
    echo "-"
  fi
}

say "floor: psql's binary COPY; steps: psql's COPY in, primary key, COPY out; other: DuckDB's extension without keys, pgloader with keys; none proves anything"
printf '%-8s %-6s %7s %7s %7s %7s %7s %7s %7s %7s %7s %11s %11s %9s\n' \
  source round check copy keys verify c+k+v floor steps other copy/fl "c+k+v/steps" "c+k+v/other" 'peak MiB'
for source in duckdb sqlite; do
  for round in $(seq "$rounds"); do
    other=$(peer "$source")
    fresh
    migrate "$source" "$work/prompts.$source"
    q -c '\copy prompt_entries TO '"'$work/rows.bin'"' (FORMAT binary)'
    q -c 'CREATE TABLE floor_entries AS SELECT * FROM prompt_entries WITH NO DATA' -c CHECKPOINT
    floor=$(seconds psql -qX -v ON_ERROR_STOP=1 "$target" -c '\copy floor_entries FROM '"'$work/rows.bin'"' (FORMAT binary)')
    again=$(seconds q -c 'ALTER TABLE floor_entries ADD PRIMARY KEY (id)' -c '\copy floor_entries TO /dev/null (FORMAT binary)')
    steps=$(awk -v a="$floor" -v b="$again" 'BEGIN { printf "%.2f", a + b }')
    copy=$(phase "$work/report.json" copy)
    keys=$(phase "$work/report.json" keys)
    verify=$(phase "$work/report.json" verify)
    all=$(moved "$work/report.json")
    printf '%-8s %-6s %7s %7s %7s %7s %7s %7s %7s %7s %7s %11s %11s %9s\n' "$source" "$round" "$(phase "$work/report.json" check)" \
      "$copy" "$keys" "$verify" "$all" "$floor" "$steps" "$other" "$(ratio "$copy" "$floor")" "$(ratio "$all" "$steps")" \
      "$(ratio "$all" "$other")" "$(($(cat "$work/peak") / 1024))"
  done
done
rm -f "$work/rows.bin"

if [ -n "$sizes" ]; then
  say "the cost of a row as tables grow: rows of about 90 bytes"
  printf '%-8s %10s %9s %14s %14s %9s\n' source rows copy 'copy, µs a row' 'all, µs a row' 'peak MiB'
  : >"$work/growth.tsv"
  for size in $sizes; do
    rm -f "$work"/narrow.*
    "$release/examples/sample_data" narrow "$work" "$size"
    for source in duckdb sqlite; do
      fresh
      migrate "$source" "$work/narrow.$source"
      copy=$(phase "$work/report.json" copy)
      all=$(python3 -c 'import json,sys; print(max(s["to"] for s in json.load(open(sys.argv[1]))["timeline"]))' "$work/report.json")
      awk -v s="$source" -v n="$size" -v c="$copy" -v a="$all" -v p="$(cat "$work/peak")" -v tsv="$work/growth.tsv" 'BEGIN {
        printf "%-8s %10d %9.2f %14.3f %14.3f %9d\n", s, n, c, c * 1e6 / n, a * 1e6 / n, p / 1024
        printf "%s\t%d\t%.4f\t%.4f\n", s, n, c * 1e6 / n, a * 1e6 / n >> tsv }'
    done
  done
  if have gnuplot; then benches/growth_plot.sh "$work/growth.tsv"; else say "no picture: there is no gnuplot"; fi
fi
rm -f "$work"/narrow.*
psql -qX "$url" -c "DROP DATABASE $database"
