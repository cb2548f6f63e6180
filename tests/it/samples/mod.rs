//! Databases like those that users already have, made on the spot with made-up content.

pub mod pyrit;
pub mod violentutf;
