//! The storage traits, a folder per area, one trait per aggregate.
//!
//! What holds for every call:
//!
//! - Absence is `None` or an empty list; an error is a failure, with a kind to branch on
//!   ([`ErrorKind`](crate::ErrorKind)). Kinds that are said nowhere else: `Unavailable`, `Timeout`, `Locked` and `Aborted` of the engine
//!   ([`Error::is_retryable`](crate::Error::is_retryable)), and `Corrupt`, naming table, column and key, for a row that is not what was written.
//! - A call takes effect as a whole or not at all. Outside a unit of work it has taken effect when it returns; within one,
//!   when the unit is committed.
//! - A call that fails within a unit of work may doom the unit: roll it back and begin again.
//! - What a call returned is durable and seen by every later call, of whichever process. (Where results are kept, what another
//!   process wrote is seen in them within the configured time.)
//! - Points in time come from the store's [`Clock`](crate::Clock), in UTC, to the microsecond; ids from its
//!   [`IdSource`](crate::IdSource).
//! - Lists are in the order of ids, which is that of creation, and the same on every engine.
//!
//! Required methods only are in the traits; conveniences are in the `…Ext` traits, which nobody else implements.

pub mod application;
pub mod configuration;
pub mod content;
pub mod conversation;
pub mod identity;

pub use application::{ApiKeys, Application, Sessions, SessionsExt, Settings, SettingsExt};
pub use configuration::{Components, ComponentsExt, Configuration, Datasets, DatasetsExt};
pub use content::{Content, ContentExt, Resources};
pub use conversation::{
    Analytics, AttackResults, AttackResultsExt, Conversation, Conversations, Embeddings, Pieces,
    ScenarioResults, Scores, ScoresExt, Seeds,
};
pub use identity::{Assignments, Groups, GroupsExt, Identity, Roles, RolesExt, Users, UsersExt};

/// Declares a private supertrait for an `…Ext` trait: nobody else implements the latter, so that it can grow.
macro_rules! sealed {
    ($repository:ident) => {
        mod sealed {
            pub trait Sealed {}
            impl<T: super::$repository + ?Sized> Sealed for T {}
        }
    };
}
use sealed;

/// The error for what was asked for by id and isn't there.
fn not_found(operation: &str, what: &str, id: impl std::fmt::Display) -> crate::Error {
    crate::Error::new(crate::ErrorKind::NotFound, operation).context(format!("there is no {what} {id}"))
}
