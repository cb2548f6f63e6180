//! A store: what is kept under one URL, and units of work in it.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::config::Area;
use crate::repository::{Application, Configuration, Conversation, Identity};
use crate::{Capabilities, Engine, Result};

/// What is kept under one URL: one or several areas, in one database. Of areas that are kept per tenant it is one tenant's.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// The engine that keeps it.
    fn engine(&self) -> Engine;

    /// What the engine can do beyond the least.
    fn capabilities(&self) -> Capabilities;

    /// The areas that are kept here.
    fn areas(&self) -> &[Area];

    /// Users, roles, groups and assignments; each call takes effect by itself.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here.
    fn identity(&self) -> Result<Identity>;

    /// API keys, sessions and settings; each call takes effect by itself.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here.
    fn application(&self) -> Result<Application>;

    /// The tenant's components and datasets; each call takes effect by itself.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here, or the store isn't a tenant's.
    fn configuration(&self) -> Result<Configuration>;

    /// The tenant's conversations, scores and results; each call takes effect by itself.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here, or the store isn't a tenant's.
    fn conversation(&self) -> Result<Conversation>;

    /// Begins a unit of work at the engine's usual isolation: on Postgres read committed, on DuckDB a snapshot, on SQLite one
    /// writer at a time.
    ///
    /// # Errors
    /// Where the engine has one writer at a time and another one doesn't end: `Locked` or `Timeout`. Else the engine's.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>>;

    /// Begins a unit of work that is serializable: committed units have an effect as if they had run one after another.
    /// One that can't be so fails with `Aborted`, at any call or at the commit: begin it again.
    ///
    /// # Errors
    /// `Unsupported` where [`Capabilities::serializable`] is false; else as for [`Self::begin`].
    async fn begin_serializable(&self) -> Result<Box<dyn UnitOfWork>>;
}

/// Calls of several repositories that take effect together or not at all. Dropped, it takes no effect.
///
/// A statement that fails dooms it, on every engine: what follows fails with `Aborted`, and so does the commit, with
/// everything rolled back. Repositories that outlive their unit fail with `Aborted`, too.
#[async_trait]
pub trait UnitOfWork: Debug + Send + Sync {
    /// Users, roles, groups and assignments, within the unit.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here.
    fn identity(&self) -> Result<Identity>;

    /// API keys, sessions and settings, within the unit.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here.
    fn application(&self) -> Result<Application>;

    /// The tenant's components and datasets, within the unit.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here, or the store isn't a tenant's.
    fn configuration(&self) -> Result<Configuration>;

    /// The tenant's conversations, scores and results, within the unit.
    ///
    /// # Errors
    /// `Configuration` if the area isn't kept here, or the store isn't a tenant's.
    fn conversation(&self) -> Result<Conversation>;

    /// Begins a unit within this one, for code that needs one and may find itself in one. It shares this one's
    /// transaction: committed, it takes effect when the outermost is; rolled back or dropped, it dooms the outermost.
    ///
    /// # Errors
    /// `Aborted` if this one is doomed or has ended.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>>;

    /// Makes everything take effect.
    ///
    /// # Errors
    /// `Aborted` if the unit was doomed or lost against another one, `Conflict` for a key that another one took first: with
    /// either, nothing has taken effect. `Unavailable` where it can't be known.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Makes everything undone.
    ///
    /// # Errors
    /// The engine's; nothing has taken effect all the same.
    async fn rollback(self: Box<Self>) -> Result<()>;
}
