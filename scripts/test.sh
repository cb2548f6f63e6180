#!/usr/bin/env bash
# test.sh [ARGUMENT…]: all tests of the workspace, against a real Postgres. Arguments go to cargo test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scripts/setup.sh test
eval "$(scripts/duckdb.sh)"
if [ -z "${TRIMARAN_TEST_POSTGRES_URL:-}" ] && scripts/docker.sh status; then
  if image=$(scripts/postgres-image.sh); then
    export TRIMARAN_TEST_POSTGRES_IMAGE=$image
  elif [ -n "${TRIMARAN_TEST_POSTGRES_IMAGE:-}" ]; then
    exit 1
  else
    say "no Postgres image can be had: tests will run Postgres from this machine's server binaries"
    scripts/setup.sh binaries
  fi
fi
# shellcheck disable=SC2086 # the flags are words
exec cargo test --workspace --locked $TRIMARAN_CARGO_FLAGS --features testing "$@"
