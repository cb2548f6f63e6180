//! The installation: every area's store, opened from a configuration.
//!
//! - [`Opener`]: from a [`Config`] to [`Stores`];
//! - [`Tenant`]: one tenant's stores;
//! - [`analytics`]: figures over all tenants;
//! - [`connect()`]: from a location to a connection, by scheme.

pub mod analytics;
mod buffers;
mod connect;
mod kept_key;
mod opener;
pub mod proof;
mod secrets_key;
#[cfg(feature = "postgres")]
mod signing;
mod tenant;
mod tenant_key;

use std::collections::BTreeMap;
use std::sync::Arc;

use trimaran_core::config::{Area, Config};
use trimaran_core::repository::{Application, Content, Identity};
use trimaran_core::{Error, ErrorKind, Result, TenantId};

pub use analytics::{AdministratorCapability, AnalyticsOfAll, MissingTenant, OfAll, OfTenant};
pub(crate) use buffers::Buffers;
pub use connect::connect;
pub use opener::Opener;
pub use tenant::Tenant;

use crate::cache::{CacheCounts, ResultCache};
use crate::tenant::{TenantAdministration, TenantCatalogue};
use crate::{ContentStore, SqlStore};

/// Opens the stores that `config` names, and brings their schemas up to date if it says so. With a consumer's own migrations,
/// clock or ids: [`Opener`].
///
/// # Errors
/// As for [`Opener::open`].
pub async fn open(config: &Config) -> Result<Stores> {
    Opener::new(config).open().await
}

/// An installation: one place per area. Areas with equal URLs share a store. Cheap to clone.
///
/// It has no `begin`: a unit of work never spans two stores. Begin one in the [`store`](Self::store) that keeps what is to
/// change.
#[derive(Debug, Clone)]
pub struct Stores {
    stores: BTreeMap<Area, SqlStore>,
    identity: Identity,
    application: Application,
    tenants: tenant::TenantParts,
    content: ContentStore,
}

impl Stores {
    /// Users, roles, groups and assignments; each call takes effect by itself.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// API keys, sessions and settings; each call takes effect by itself.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// The store that keeps an area: to begin units of work in, and for a consumer's own entities on its connection.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an area that is kept per tenant, which [`tenant`](Self::tenant) leads to, and for
    /// [`Area::Content`].
    pub fn store(&self, area: Area) -> Result<&SqlStore> {
        self.stores.get(&area).ok_or_else(|| {
            let error = Error::new(ErrorKind::Configuration, format!("use the store of {area}"));
            if area.is_per_tenant() {
                error
                    .context("it is kept per tenant")
                    .hint("ask stores.tenant(id) for the tenant's connection")
            } else {
                error.context("no database keeps it")
            }
        })
    }

    /// Which tenants there are, and whose they are.
    pub fn tenants(&self) -> &TenantCatalogue {
        &self.tenants.catalogue
    }

    /// What an administrator does to tenants: call them otherwise, put them under another key, delete them. It reaches every tenant, and
    /// asks no access policy: whoever has these stores is the application. Check that the caller is an administrator before you
    /// call it, and hand on neither this nor the stores to what runs on behalf of a user.
    pub fn administration(&self) -> TenantAdministration {
        let tenant::TenantParts { catalogue, homes, content, buffers, .. } = self.tenants.clone();
        TenantAdministration::new(catalogue, homes, content, buffers)
    }

    /// An id that was never given before: for a conversation, say.
    pub fn new_id(&self) -> uuid::Uuid {
        self.tenants.ids.next()
    }

    /// One tenant's stores: the only way to per-tenant data.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such tenant; [`ErrorKind::Locked`] while it is being renamed or deleted, naming the
    /// command that finishes that; else the application store's.
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant> {
        let record = self.tenants.catalogue.find(id).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "find a tenant")
                .context(format!("there is none with the id {id}"))
                .hint("stores.tenants().find_by_user_name finds one by its user, create makes one")
        })?;
        record.usable()?;
        Ok(Tenant::new(record, self.tenants.clone()))
    }

    /// The installation's objects: configuration files, datasets, templates and reports that are no tenant's.
    pub fn content(&self) -> Arc<dyn Content> {
        self.content.installation()
    }

    /// How often results that were kept were of use; `None` if nothing is kept.
    pub fn cache_counts(&self) -> Option<CacheCounts> {
        self.tenants.cache.as_ref().map(ResultCache::counts)
    }

    /// Appends what was put aside ([`append_buffered`](trimaran_core::repository::Pieces::append_buffered)), ends all sessions once
    /// they are idle, and lets go of all files. Calls that come later fail with `Unavailable`.
    ///
    /// # Errors
    /// What kept something that was put aside from being appended: it is lost with this process. All is closed even so.
    pub async fn close(&self) -> Result<()> {
        let appended = self.tenants.buffers.close().await;
        for tenants in self.tenants.homes.values().flat_map(BTreeMap::values) {
            tenants.close().await;
        }
        for store in self.stores.values() {
            crate::Connection::close(store.connection()).await;
        }
        appended
    }
}
