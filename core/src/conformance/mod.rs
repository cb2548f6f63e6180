//! The suite that every engine must pass (feature `conformance`): one list of cases, each a named test on a fresh store, run
//! for every engine and configuration with one [`conformance_suite!`](crate::conformance_suite) each.
//!
//! A case is a function that takes a [`Fixture`] and panics where the store breaks its word; its name is the sentence that it
//! holds the store to. To add one, write it and name it in `list.rs`.
//!
//! What an engine can't do is no silent gap: the caller names the case and the reason, and the test shows as ignored.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a case fails by panicking")]
#![allow(missing_docs, reason = "a case's name is its documentation")]

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::ManualClock;
use crate::model::{NewUser, Permission, User};
use crate::repository::{Application, Configuration, Conversation, Identity};
use crate::{Error, ErrorKind, Result, Store, UnitOfWork};

pub mod access;
pub mod application;
mod at_once;
pub mod configuration;
pub mod content;
pub mod conversation;
pub mod engine;
pub mod identity;
pub mod isolation;
pub mod list;
pub mod moved;
pub mod paging;
mod suite;
pub mod text;
pub mod transaction;

/// A fresh store for one case, and what only a test may do to it.
#[async_trait]
pub trait Fixture: Debug + Send + Sync {
    /// The store of identity and application: empty, with the schema.
    fn store(&self) -> Arc<dyn Store>;

    /// A tenant's store of configuration and conversation: empty, with the schema.
    fn tenant(&self) -> Arc<dyn Store>;

    /// The same of another tenant, as close by as the engine allows.
    fn other_tenant(&self) -> Arc<dyn Store>;

    /// The clock that the store goes by.
    fn clock(&self) -> &ManualClock;

    /// Runs SQL statements, past all repositories, in one transaction that is committed if none fails.
    ///
    /// # Errors
    /// The first statement's that failed, or the commit's.
    async fn run_sql(&self, statements: &[&str]) -> Result<()>;

    /// The same on behalf of the [tenant](Self::tenant): where the engine itself keeps tenants apart, nobody else reaches its rows.
    ///
    /// # Errors
    /// As for [`Self::run_sql`].
    async fn run_tenant_sql(&self, statements: &[&str]) -> Result<()>;

    /// Lets the engine get to know what was written, where it plans queries by statistics that it has not taken yet: cases call it that
    /// ask much of what they wrote. Nothing but time depends on it.
    async fn settle(&self) {}
}

/// What a case needs of a store; it fails if the store doesn't have it.
impl dyn Fixture + '_ {
    fn identity(&self) -> Identity {
        self.store().identity().unwrap()
    }

    fn application(&self) -> Application {
        self.store().application().unwrap()
    }

    fn configuration(&self) -> Configuration {
        self.tenant().configuration().unwrap()
    }

    fn conversation(&self) -> Conversation {
        self.tenant().conversation().unwrap()
    }

    async fn begin(&self) -> Box<dyn UnitOfWork> {
        self.store().begin().await.unwrap()
    }

    /// A user of this name.
    async fn user(&self, name: &str) -> User {
        self.identity().users.create(NewUser::named(name)).await.unwrap()
    }
}

/// The kind of the error that must have come.
#[track_caller]
fn kind<T: Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

/// Whether it may come of two writers at the same moment: which of these is the engine's affair.
fn is_lost_race(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Aborted | ErrorKind::Locked)
}

fn permission(name: &str) -> Permission {
    Permission::new(name).unwrap()
}

fn permissions<const N: usize>(names: [&str; N]) -> std::collections::BTreeSet<Permission> {
    names.into_iter().map(permission).collect()
}

#[cfg(test)]
mod tests;
