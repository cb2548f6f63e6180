#!/usr/bin/env bash
# load.sh [SECONDS]: 64 users at once over the whole API, for so long (60) on each engine, one test after the other; then while Postgres is
# killed and started again, and while the process is killed. Says what was done and how often a call had to be tried again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

export TRIMARAN_LOAD_SECONDS=${1:-60}
say "64 users for $TRIMARAN_LOAD_SECONDS s on each engine"
exec scripts/test.sh --test it load:: -- --nocapture --test-threads 1
