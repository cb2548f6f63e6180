//! The store over SQL: what is kept under one URL, and units of work in it.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{IsolationLevel, TransactionOptions};
use trimaran_core::config::Area;
use trimaran_core::repository::{Application, Configuration, Conversation, Identity};
use trimaran_core::secret::{Keyring, PasswordHasher};
use trimaran_core::{
    Capabilities, Clock, Engine, Error, ErrorKind, IdSource, Result, Store, TenantId, UnitOfWork,
};

use crate::cache::{ResultCache, TenantResults, watched};
use crate::repository::conversation::{Buffer, BufferSettings, Open, Tables};
use crate::repository::{Resources, TenantResources};
use crate::{Connection, Executor, Transaction};

/// A store over a connection of any engine. The schema must be there already. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqlStore {
    connection: Connection,
    areas: Arc<[Area]>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    passwords: PasswordHasher,
    tenant: Option<(TenantId, Arc<Keyring>)>,
    buffer: Option<Arc<Buffer>>,
    results: Option<Arc<TenantResults>>,
}

impl SqlStore {
    /// The store that keeps `areas`.
    pub fn new(
        connection: Connection,
        areas: &[Area],
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        passwords: PasswordHasher,
    ) -> Self {
        Self {
            connection,
            areas: areas.into(),
            clock,
            ids,
            passwords,
            tenant: None,
            buffer: None,
            results: None,
        }
    }

    /// The same store for one tenant, whose areas it keeps: the connection must be the tenant's. Its secrets are under the
    /// keys of `keyring`.
    #[must_use]
    pub fn of_tenant(self, tenant: TenantId, keyring: Arc<Keyring>) -> Self {
        let (shared, connection, keys) = (self.parts(), self.connection.clone(), Arc::clone(&keyring));
        let open: Open = Box::new(move || {
            let (shared, keyring) =
                (shared.resources(Executor::Connection(connection.clone())), Arc::clone(&keys));
            let resources = TenantResources { shared, tenant, keyring, buffer: None, results: None };
            Box::pin(std::future::ready(Ok(resources)))
        });
        let buffer = Buffer::new(Box::new(Tables(open)), BufferSettings::default());
        self.of_tenant_with(tenant, keyring, buffer)
    }

    /// The same; what is put aside to be appended later is in `buffer`, which all stores of the tenant share.
    #[must_use]
    pub(crate) fn of_tenant_with(
        mut self,
        tenant: TenantId,
        keyring: Arc<Keyring>,
        buffer: Arc<Buffer>,
    ) -> Self {
        self.tenant = Some((tenant, keyring));
        self.buffer = Some(buffer);
        self
    }

    /// The same tenant's store, which keeps results in `cache`. Whatever is to be noticed of the tenant's writes must go through this store or
    /// one made so.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the store is no tenant's.
    pub fn keeping_results(mut self, cache: &ResultCache) -> Result<Self> {
        let Some((tenant, keyring)) = self.tenant.take() else {
            return Err(Error::new(ErrorKind::Configuration, "keep a tenant's results")
                .context("the store is no tenant's")
                .hint("call it after of_tenant"));
        };
        self.connection = watched(self.connection, tenant);
        // What is put aside goes through the connection, too.
        let mut store = self.of_tenant(tenant, keyring);
        store.results = Some(cache.of(tenant));
        Ok(store)
    }

    /// The same, over a connection that is watched already.
    #[must_use]
    pub(crate) fn with_results(mut self, results: Option<Arc<TenantResults>>) -> Self {
        self.results = results;
        self
    }

    fn parts(&self) -> ResourceParts {
        let Self { clock, ids, passwords, .. } = self;
        ResourceParts { clock: Arc::clone(clock), ids: Arc::clone(ids), passwords: passwords.clone() }
    }

    /// The connection, for a consumer's own entities.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Begins a unit of work whose transaction a consumer's own entities can join.
    ///
    /// # Errors
    /// As for [`Store::begin`].
    pub async fn begin_unit(&self) -> Result<SqlUnitOfWork> {
        Ok(self.unit(self.connection.transaction().await?))
    }

    fn unit(&self, transaction: Transaction) -> SqlUnitOfWork {
        SqlUnitOfWork { store: self.clone(), transaction }
    }

    fn resources(&self, area: Area, executor: Executor) -> Result<Resources> {
        if !self.areas.contains(&area) {
            return Err(Error::new(ErrorKind::Configuration, format!("use the area {}", area.name()))
                .context("it isn't kept in this store")
                .hint("ask the store that keeps it"));
        }
        Ok(self.parts().resources(executor))
    }

    fn tenant_resources(&self, area: Area, executor: Executor) -> Result<TenantResources> {
        let shared = self.resources(area, executor)?;
        let Some((tenant, keyring)) = self.tenant.clone() else {
            return Err(Error::new(ErrorKind::Configuration, format!("use the area {}", area.name()))
                .context("it is kept per tenant, and this store is nobody's")
                .hint("ask stores.tenant(id) for the tenant's"));
        };
        let (buffer, results) = match &shared.executor {
            Executor::Connection(_) => (self.buffer.clone(), self.results.clone()),
            // They would outlive the unit.
            Executor::Transaction(_) => (None, None),
        };
        Ok(TenantResources { shared, tenant, keyring, buffer, results })
    }
}

/// What repositories work with, but for where statements go.
#[derive(Debug, Clone)]
pub(crate) struct ResourceParts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) passwords: PasswordHasher,
}

impl ResourceParts {
    pub(crate) fn resources(&self, executor: Executor) -> Resources {
        let Self { clock, ids, passwords } = self.clone();
        Resources { executor, clock, ids, passwords }
    }
}

#[async_trait]
impl Store for SqlStore {
    fn engine(&self) -> Engine {
        self.connection.engine()
    }

    fn capabilities(&self) -> Capabilities {
        self.connection.capabilities()
    }

    fn areas(&self) -> &[Area] {
        &self.areas
    }

    fn identity(&self) -> Result<Identity> {
        let executor = Executor::Connection(self.connection.clone());
        Ok(self.resources(Area::Identity, executor)?.identity())
    }

    fn application(&self) -> Result<Application> {
        let executor = Executor::Connection(self.connection.clone());
        Ok(self.resources(Area::Application, executor)?.application())
    }

    fn configuration(&self) -> Result<Configuration> {
        let executor = Executor::Connection(self.connection.clone());
        Ok(self.tenant_resources(Area::Configuration, executor)?.configuration())
    }

    fn conversation(&self) -> Result<Conversation> {
        let executor = Executor::Connection(self.connection.clone());
        Ok(self.tenant_resources(Area::Conversation, executor)?.conversation())
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>> {
        Ok(Box::new(self.begin_unit().await?))
    }

    async fn begin_serializable(&self) -> Result<Box<dyn UnitOfWork>> {
        if !self.capabilities().serializable {
            return Err(Error::new(ErrorKind::Unsupported, "begin a serializable unit of work")
                .context(format!("{} has no serializable transactions", self.engine()))
                .hint("write a row that both units write: then one of them fails"));
        }
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::Serializable),
            ..TransactionOptions::default()
        };
        Ok(Box::new(self.unit(self.connection.transaction_with(options).await?)))
    }
}

/// A unit of work over a transaction.
#[derive(Debug)]
pub struct SqlUnitOfWork {
    store: SqlStore,
    transaction: Transaction,
}

impl SqlUnitOfWork {
    /// Where a consumer's own entities send their statements, to take effect with the rest of the unit.
    pub fn executor(&self) -> Executor {
        Executor::Transaction(self.transaction.handle())
    }
}

#[async_trait]
impl UnitOfWork for SqlUnitOfWork {
    fn identity(&self) -> Result<Identity> {
        Ok(self.store.resources(Area::Identity, self.executor())?.identity())
    }

    fn application(&self) -> Result<Application> {
        Ok(self.store.resources(Area::Application, self.executor())?.application())
    }

    fn configuration(&self) -> Result<Configuration> {
        Ok(self.store.tenant_resources(Area::Configuration, self.executor())?.configuration())
    }

    fn conversation(&self) -> Result<Conversation> {
        Ok(self.store.tenant_resources(Area::Conversation, self.executor())?.conversation())
    }

    async fn begin(&self) -> Result<Box<dyn UnitOfWork>> {
        let transaction = self.transaction.handle().begin_inner().await?;
        Ok(Box::new(SqlUnitOfWork { store: self.store.clone(), transaction }))
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.transaction.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.transaction.rollback().await
    }
}
