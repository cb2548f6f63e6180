//! See `trimaran_backends::testing::fuzz::decimal_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trimaran_backends::testing::fuzz::decimal_text(bytes));
