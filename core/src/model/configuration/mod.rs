//! What a user configures: components and datasets.

pub mod component;
pub mod dataset;
pub mod document;
pub mod parameters;

pub use component::{
    Component, ComponentFilter, ComponentKind, NewComponent, READY, TestOutcome, TestResult,
};
pub use dataset::{Dataset, DatasetPrompt, NewDataset, NewDatasetPrompt, PromptPlace};
pub use parameters::Parameters;
