//! Content: objects in namespaces, of the installation or of one tenant.

mod diff;
mod objects;
pub mod resources;

pub use diff::{Diff, MAX_DIFF_BYTES};
pub use objects::{Content, ContentExt};
pub use resources::Resources;
