//! Components and datasets.

pub mod components;
pub mod datasets;
pub mod prompts;
pub mod secrets;
