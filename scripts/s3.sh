#!/usr/bin/env bash
# s3.sh [ARGUMENT…]: the tests of content on S3. TRIMARAN_TEST_S3_URL names a bucket, such as http://localhost:5000/bucket; without
# it a server is installed (moto, from PyPI, into the target folder), started for the tests and stopped after them.
# Arguments go to the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

if [ -z "${TRIMARAN_TEST_S3_URL:-}" ]; then
  if ! have python3; then fail "python3 is missing: install it, or set TRIMARAN_TEST_S3_URL"; fi
  place=${CARGO_TARGET_DIR:-target}/s3-server
  if [ ! -x "$place/bin/moto_server" ]; then
    say "installing moto into $place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet 'moto[server]==5.2.5'
  fi
  port=${TRIMARAN_TEST_S3_PORT:-5057}
  "$place/bin/moto_server" --host 127.0.0.1 --port "$port" >"$place/log" 2>&1 &
  server=$!
  trap 'kill "$server"' EXIT
  for _ in $(seq 100); do
    if "$place/bin/python" -c "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:$port/trimaran', method='PUT'))" 2>/dev/null; then
      export TRIMARAN_TEST_S3_URL=http://127.0.0.1:$port/trimaran
      break
    fi
    sleep 0.2
  done
  if [ -z "${TRIMARAN_TEST_S3_URL:-}" ]; then fail "the server didn't start: see $place/log"; fi
fi
eval "$(scripts/duckdb.sh)"
# shellcheck disable=SC2086 # the flags are words
cargo test --workspace --locked --lib $TRIMARAN_CARGO_FLAGS -- --ignored files::tests::s3 "$@"
