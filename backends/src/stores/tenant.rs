//! One tenant's stores.

use std::collections::BTreeMap;
use std::sync::Arc;

use trimaran_core::config::Area;
use trimaran_core::repository::{Configuration, Content, Conversation};
use trimaran_core::secret::{Keyring, PasswordHasher};
use trimaran_core::{Clock, Error, ErrorKind, IdSource, Result, Store as _, TenantId};

use super::buffers::Buffers;
use crate::cache::ResultCache;
use crate::store::ResourceParts;
use crate::tenant::administration::{Home, find_home};
use crate::tenant::{TenantCatalogue, TenantRecord, TenantStores};
use crate::{Connection, ContentStore, SqlStore};

/// What all tenants' stores are made with.
#[derive(Debug, Clone)]
pub(super) struct TenantParts {
    pub(super) catalogue: TenantCatalogue,
    pub(super) homes: Arc<BTreeMap<String, Home>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) passwords: PasswordHasher,
    pub(super) keyring: Arc<Keyring>,
    pub(super) content: ContentStore,
    pub(super) buffers: Arc<Buffers>,
    pub(super) cache: Option<ResultCache>,
    /// How many tenants' files may be open at a time.
    pub(super) open_files: usize,
    /// Whether somebody may ask for figures over all tenants.
    pub(super) administration: bool,
}

impl TenantParts {
    /// What repositories work with, but for where statements go.
    pub(super) fn shared(&self) -> ResourceParts {
        let Self { clock, ids, passwords, .. } = self.clone();
        ResourceParts { clock, ids, passwords }
    }
}

/// The error for an area that has no tenants.
pub(super) fn not_per_tenant(area: Area) -> Error {
    Error::new(ErrorKind::Configuration, format!("use a tenant's {area}"))
        .context("the area is not kept per tenant")
        .hint("ask stores.store(area)")
}

/// Where the tenant's part of an area is.
pub(super) fn stores_of<'h>(
    homes: &'h BTreeMap<String, Home>,
    tenant: &TenantRecord,
    area: Area,
) -> Result<&'h TenantStores> {
    find_home(homes, tenant)?.get(&area).ok_or_else(|| not_per_tenant(area))
}

/// Opens the tenant's store. Where that would make a file, the catalogue is asked first: whoever still holds what he found before
/// the tenant was renamed or deleted must not begin another file under the old name.
pub(super) async fn open(
    stores: &TenantStores,
    catalogue: &TenantCatalogue,
    tenant: &TenantRecord,
) -> Result<Connection> {
    if !stores.is_there(tenant)? {
        catalogue.confirm(tenant).await?;
    }
    stores.open(tenant).await
}

/// What is kept for one tenant. Nothing that comes from here reaches another tenant's rows.
#[derive(Debug, Clone)]
pub struct Tenant {
    record: TenantRecord,
    parts: TenantParts,
}

impl Tenant {
    pub(super) fn new(record: TenantRecord, parts: TenantParts) -> Self {
        Self { record, parts }
    }

    /// Its id: what `tenant_id` is in every one of its rows.
    pub fn id(&self) -> TenantId {
        self.record.id
    }

    /// What the catalogue says of it.
    pub fn record(&self) -> &TenantRecord {
        &self.record
    }

    /// The tenant's components and datasets; each call takes effect by itself. Hold them no longer than a request: see
    /// [`Self::connection`].
    ///
    /// # Errors
    /// As for [`Self::connection`].
    pub async fn configuration(&self) -> Result<Configuration> {
        self.store(Area::Configuration).await?.configuration()
    }

    /// The tenant's conversations, scores and results; each call takes effect by itself. Hold them no longer than a request: see
    /// [`Self::connection`].
    ///
    /// # Errors
    /// As for [`Self::connection`].
    pub async fn conversation(&self) -> Result<Conversation> {
        self.store(Area::Conversation).await?.conversation()
    }

    /// The tenant's objects: configuration files, datasets, templates and reports. Nothing of it keeps a file open.
    pub fn content(&self) -> Arc<dyn Content> {
        self.parts.content.tenant(self.id())
    }

    /// The tenant's store that keeps an area, to begin units of work in. Hold it no longer than a request: see
    /// [`Self::connection`].
    ///
    /// # Errors
    /// As for [`Self::connection`].
    pub async fn store(&self, area: Area) -> Result<SqlStore> {
        let stores = self.stores(area)?;
        let connection = self.connection(area).await?;
        let ResourceParts { clock, ids, passwords } = self.parts.shared();
        let keyring = Arc::clone(&self.parts.keyring);
        let buffer = self.parts.buffers.of(&self.record, &self.parts);
        let store = SqlStore::new(connection, stores.areas(), clock, ids, passwords);
        let results = self.parts.cache.as_ref().map(|cache| cache.of(self.id()));
        Ok(store.of_tenant_with(self.id(), keyring, buffer).with_results(results))
    }

    /// A connection to what is kept of `area` for this tenant; opens the tenant's file if it is not open. Hold it no longer than
    /// a request: a file in use can't be closed to make room for another.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an area that is not kept per tenant, and for a place that is not configured;
    /// [`ErrorKind::Corrupt`] if the file is another tenant's; [`ErrorKind::Forbidden`] for a link in its place, or a file of
    /// somebody else; [`ErrorKind::Aborted`], `Locked` or `NotFound` if the tenant was renamed or deleted since it was found;
    /// else the engine's.
    pub async fn connection(&self, area: Area) -> Result<Connection> {
        open(self.stores(area)?, &self.parts.catalogue, &self.record).await
    }

    fn stores(&self, area: Area) -> Result<&TenantStores> {
        stores_of(&self.parts.homes, &self.record, area)
    }
}
