//! Content: objects in namespaces.

mod body;
mod namespace;
mod object;
pub mod rules;

pub use body::{Body, ByteStream};
pub use namespace::Namespace;
pub use object::{Condition, ETag, NewObject, Object, ObjectInfo, ObjectVersion, Swept};
