#!/usr/bin/env bash
# flame.sh SOURCE-URL TARGET-URL: draws where `trimaran migrate run` spends its own processor time, by phase, as docs/pictures/flame.svg.
#
# The target must be empty. Needs perf (Debian: linux-perf) and inferno (cargo install inferno); threads are named by phase.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
from=${1:?where the rows come from} to=${2:?an empty database}
have perf || fail "there is no perf: install linux-perf"
have inferno-flamegraph || fail "there is no inferno: cargo install inferno"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
eval "$(scripts/duckdb.sh)"
# The example with it, as for the bench and the demonstration: by itself the program's dependencies would be built anew.
# shellcheck disable=SC2086 # flags are words
cargo build --release -p trimaran-migrator $TRIMARAN_MIGRATOR_FLAGS --bin trimaran --example sample_data
perf record --freq 199 --call-graph dwarf,16384 --output "$work/perf.data" \
  "${CARGO_TARGET_DIR:-target}/release/trimaran" migrate run --from "$from" --to "$to" --jobs 2 --quiet --json >"$work/report.json"
perf script --input "$work/perf.data" --no-inline 2>/dev/null | inferno-collapse-perf >"$work/folded"
inferno-flamegraph --minwidth 0.3 --title "The processor time of trimaran migrate run, without the servers'" "$work/folded" \
  >docs/pictures/flame.svg
say "drawn: docs/pictures/flame.svg"
