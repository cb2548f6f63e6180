//! Trimaran.
pub use trimaran_core as core;
