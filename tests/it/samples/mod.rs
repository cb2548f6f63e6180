//! Databases like those that users already have, made on the spot with made-up content.

#[allow(dead_code, reason = "for the benchmark, not for the tests")]
pub(crate) mod prompts;
pub(crate) mod pyrit;
pub(crate) mod violentutf;
