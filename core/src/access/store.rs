//! A whole store that asks before each call, units of work included.

use std::sync::Arc;

use async_trait::async_trait;

use super::guard::Guard;
use super::{Actor, Policy};
use crate::config::Area;
use crate::repository::{Application, Configuration, Conversation, Identity};
use crate::{Capabilities, Engine, Result, Store, UnitOfWork};

/// A store whose repositories, those of its units of work included, make each call as one actor. Units themselves may be
/// begun by everybody: what can be done in them is asked call by call.
#[derive(Debug, Clone)]
pub struct ActingStore {
    inner: Arc<dyn Store>,
    guard: Guard,
}

impl ActingStore {
    /// `store`, each call made by `actor` and asked of `policy`.
    pub fn new(store: Arc<dyn Store>, actor: Actor, policy: Arc<dyn Policy>) -> Self {
        Self { inner: store, guard: Guard::new(actor, policy) }
    }

    fn guarded(&self, unit: Box<dyn UnitOfWork>) -> Box<dyn UnitOfWork> {
        Box::new(ActingUnit { inner: unit, guard: self.guard.clone() })
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for ActingStore {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn areas(&self) -> &[Area] {
        self.inner.areas()
    }

    fn identity(&self) -> Result<Identity> {
        Ok(self.inner.identity()?.guarded(&self.guard))
    }

    fn application(&self) -> Result<Application> {
        Ok(self.inner.application()?.guarded(&self.guard))
    }

    fn configuration(&self) -> Result<Configuration> {
        Ok(self.inner.configuration()?.guarded(&self.guard))
    }

    fn conversation(&self) -> Result<Conversation> {
        Ok(self.inner.conversation()?.guarded(&self.guard))
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>> {
        Ok(self.guarded(self.inner.begin().await?))
    }

    async fn begin_serializable(&self) -> Result<Box<dyn UnitOfWork>> {
        Ok(self.guarded(self.inner.begin_serializable().await?))
    }
}

#[derive(Debug)]
struct ActingUnit {
    inner: Box<dyn UnitOfWork>,
    guard: Guard,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl UnitOfWork for ActingUnit {
    fn identity(&self) -> Result<Identity> {
        Ok(self.inner.identity()?.guarded(&self.guard))
    }

    fn application(&self) -> Result<Application> {
        Ok(self.inner.application()?.guarded(&self.guard))
    }

    fn configuration(&self) -> Result<Configuration> {
        Ok(self.inner.configuration()?.guarded(&self.guard))
    }

    fn conversation(&self) -> Result<Conversation> {
        Ok(self.inner.conversation()?.guarded(&self.guard))
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(Self { inner: self.inner.begin().await?, guard: self.guard.clone() }))
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.inner.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.inner.rollback().await
    }
}
