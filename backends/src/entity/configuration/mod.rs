//! What a user configures: components and datasets.

pub mod component;
pub mod dataset;
pub mod dataset_prompt;
