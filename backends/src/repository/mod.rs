//! The storage traits over SQL, written once for all engines: a folder per area, a file per trait.
//!
//! Rules for whoever adds one:
//!
//! - A call of several statements runs in [`Executor::begin`](crate::Executor::begin).
//! - What must exist for a row to be inserted is held first ([`parent`]); what belongs to a row that is deleted is deleted
//!   with it. Foreign keys are declared where the engine has them, but nothing relies on them alone.
//! - Text that users choose goes through the [codec](text), in filters, too.
//! - Nothing is ordered by text: engines differ in it.
//! - Points in time are compared in Rust where it matters: a store that moved to SQLite may spell them in another way.

pub mod application;
pub mod configuration;
pub mod conversation;
pub mod identity;
pub(crate) mod ids;
mod paging;
pub mod parent;
mod repetition;
mod resources;
pub(crate) mod retried;
mod tenant_resources;
pub mod text;
mod time;

pub use resources::Resources;
pub use tenant_resources::TenantResources;
