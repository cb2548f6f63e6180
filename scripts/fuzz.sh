#!/usr/bin/env bash
# fuzz.sh [TARGET…]: lets libFuzzer look for inputs that break the encodings, FUZZ_SECONDS (60) for each target.
#
# The sanitizer that cargo-fuzz asks for is a nightly compiler's; a stable one takes it with RUSTC_BOOTSTRAP=1, so that no other
# toolchain is installed. What is found stays in fuzz/artifacts, what the fuzzer has learnt in fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

version=0.13.2
if ! cargo fuzz --version >/dev/null 2>&1; then
  say "installing cargo-fuzz $version"
  cargo install cargo-fuzz --version "$version" --locked >&2
fi
export RUSTC_BOOTSTRAP=1
# Instrumented builds are none of the workspace's.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
if [ $# = 0 ]; then mapfile -t targets < <(cargo fuzz list); else targets=("$@"); fi
say "building: the first time takes as long as a release build"
cargo fuzz build
for target in "${targets[@]}"; do
  say "$target: ${FUZZ_SECONDS:-60} s"
  cargo fuzz run "$target" -- -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=4096 -print_final_stats=1 ||
    fail "$target: an input fails, see above; put it into the test what_was_found_before_stays_mended with the change that mends it"
done
