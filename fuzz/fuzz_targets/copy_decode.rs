//! See `trimaran_backends::testing::fuzz::copy_decode`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trimaran_backends::testing::fuzz::copy_decode(bytes));
