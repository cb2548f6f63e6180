//! What a Trimaran store is, with no database driver in the dependency tree.
//!
//! - [`types`]: the logical types, and one table of how each engine keeps them;
//! - [`value`]: one cell, borrowed from whichever engine holds it;
//! - [`digest`]: canonical bytes of a row, and the order-independent sum that proves two tables equal;
//! - [`escape`]: the reversible codec that carries hostile text through engines that refuse it;
//! - [`json`], [`temporal`], [`decimal`]: the rules for values that engines keep as text;
//! - [`error`]: the one error type of the workspace;
//! - [`location`]: the URLs that name a database;
//! - [`config`]: settings, their layers and their origins;
//! - [`model`], [`repository`], [`store`]: what applications keep, the storage traits, units of work;
//! - [`secret`]: passwords and tokens;
//! - [`access`]: who may call which repository;
//! - [`clock`], [`id`], [`page`], [`capabilities`]: what every storage trait is made of.

pub mod access;
pub mod capabilities;
pub mod clock;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod decimal;
pub mod digest;
pub mod engine;
pub mod error;
pub mod escape;
pub mod id;
pub mod json;
pub mod json_notes;
pub mod location;
pub mod model;
pub mod page;
pub mod repository;
pub mod secret;
pub mod store;
pub mod temporal;
pub mod types;
pub mod value;

pub use capabilities::Capabilities;
pub use clock::{Clock, Timestamp};
pub use engine::Engine;
pub use error::{Error, ErrorKind, Result};
pub use id::{IdSource, TenantId};
pub use location::Location;
pub use page::{Cursor, Page, PageRequest};
pub use repository::{Application, Configuration, Content, Conversation, Identity};
pub use store::{Store, UnitOfWork};
pub use types::LogicalType;
pub use value::Value;
