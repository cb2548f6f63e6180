#!/usr/bin/env bash
# lint.sh: formatting, clippy with warnings denied for all targets and for the engines one by one and together, documentation
# without warnings, links that lead somewhere, and shellcheck where it is installed. Nothing is linked, so no DuckDB library is needed or built.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

scripts/setup.sh build
if ! have cargo-clippy || ! have rustfmt; then fail "clippy or rustfmt is missing: rustup component add clippy rustfmt"; fi
everything=postgres,sqlite,duckdb,parquet,s3,redis,testing

step() {
  say "$*"
  "$@"
}

step cargo fmt --all --check
step cargo clippy --workspace --locked --all-targets --no-default-features --features $everything -- -D warnings
# Each engine alone finds what depends on another one unseen; two of them, what is there for the two that are files.
for subset in "" parquet,s3,redis postgres sqlite duckdb sqlite,duckdb; do
  step cargo clippy --workspace --locked --lib --bins --no-default-features --features "$subset" -- -D warnings
done
RUSTDOCFLAGS="-D warnings" step cargo doc --workspace --lib --locked --no-deps --no-default-features --features $everything
step scripts/links.sh
if have shellcheck; then
  step shellcheck --external-sources scripts/*.sh benches/*.sh .ci/run
else
  say "shellcheck is not installed: the scripts were not checked"
fi
