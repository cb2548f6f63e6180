//! See `trimaran_backends::testing::fuzz::text_codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trimaran_backends::testing::fuzz::text_codec(bytes));
