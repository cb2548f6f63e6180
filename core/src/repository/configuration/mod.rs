//! What a user configures: components and datasets.

/// The repositories of the area, for one tenant, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Configuration {}
