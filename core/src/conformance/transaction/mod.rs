//! Units of work: what takes effect, what others see, and who wins.

pub mod concurrency;
pub mod nesting;
pub mod outcome;
