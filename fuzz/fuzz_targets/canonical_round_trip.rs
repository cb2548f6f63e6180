//! See `trimaran_backends::testing::fuzz::canonical_round_trip`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trimaran_backends::testing::fuzz::canonical_round_trip(bytes));
