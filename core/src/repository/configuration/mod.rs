//! What a user configures: components and datasets.

use std::sync::Arc;

pub mod components;
pub mod datasets;

pub use components::{Components, ComponentsExt};
pub use datasets::{Datasets, DatasetsExt};

/// The repositories of the area, for one tenant, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Generators, scorers and converters.
    pub components: Arc<dyn Components>,
    /// Datasets and their prompts.
    pub datasets: Arc<dyn Datasets>,
}
