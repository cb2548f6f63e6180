//! What an administrator does to tenants: call them otherwise, put them under another key, delete them.
//!
//! Each of these takes several steps in several places. The catalogue is told first, so that from then on nobody gets at the
//! tenant's data ([`Locked`](ErrorKind::Locked)) until the last step is done; after a crash the same call does what is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, PageRequest, Result, TenantId};

use super::catalogue::{TenantCatalogue, TenantRecord};
use super::naming::NamingKey;
use super::operation::{Observer, OperationKind, Step, Unobserved, under_way};
use super::stores::{StoreReport, TenantStores};
use crate::ContentStore;
use crate::stores::Buffers;

/// The stores of the tenants of one place, by area.
pub(crate) type Home = BTreeMap<Area, TenantStores>;

/// How many tenants are looked at in one go.
const PAGE: u32 = 100;

/// The administration of an installation's tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TenantAdministration {
    pub(crate) catalogue: TenantCatalogue,
    pub(crate) homes: Arc<BTreeMap<String, Home>>,
    pub(crate) content: ContentStore,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) observer: Arc<dyn Observer>,
}

impl TenantAdministration {
    pub(crate) fn new(
        catalogue: TenantCatalogue,
        homes: Arc<BTreeMap<String, Home>>,
        content: ContentStore,
        buffers: Arc<Buffers>,
    ) -> Self {
        Self { catalogue, homes, content, buffers, observer: Arc::new(Unobserved) }
    }

    /// The same; `observer` is told of every step.
    #[must_use]
    pub fn observed(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// What there is of the tenant in each store, a store of several areas once. Makes and changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the tenant's place is not configured; [`ErrorKind::Locked`] if another program has one
    /// of the files; else the engine's.
    pub async fn show(&self, tenant: &TenantRecord) -> Result<Vec<StoreReport>> {
        let mut reports = Vec::new();
        for stores in self.stores(tenant)? {
            // A file that is just being renamed may have its old name still.
            let mut report = stores.report(tenant).await?;
            if let (Some(from), true) = (before(tenant), report.files.is_empty()) {
                report = stores.report(&from).await?;
            }
            reports.push(report);
        }
        Ok(reports)
    }

    /// Calls the tenant's user `user_name` from now on; the names of the tenant's files change with it. Finishes a renaming to
    /// the same name that was interrupted.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such tenant; [`ErrorKind::Invalid`] for an empty name or one of more than 1,000
    /// bytes; [`ErrorKind::Conflict`] if another tenant is called so, or a file is where the tenant's would go;
    /// [`ErrorKind::Configuration`] if the tenant's files are named by another key than the one in use;
    /// [`ErrorKind::Locked`] if somebody uses the tenant's data or something else is being done to it. Before the operation
    /// has begun nothing is changed by any of them.
    pub async fn rename(&self, tenant: TenantId, user_name: &str) -> Result<TenantRecord> {
        let operation = "rename a tenant";
        let tenant = self.found(tenant, operation).await?;
        let begun = match &tenant.operation {
            Some(under) if under.kind == OperationKind::Rename && tenant.user_name == user_name => tenant,
            Some(under) => return Err(under_way(tenant.id, under.kind).within(operation)),
            None if tenant.user_name == user_name => return Ok(tenant),
            None => {
                let place = self.catalogue.key()?.place_of(user_name);
                self.check(&tenant, Some(&TenantRecord { place, ..tenant.clone() })).await?;
                let begun = self.catalogue.begin_rename(&tenant, user_name).await?;
                self.observer.reached(&begun, Step::Begun)?;
                begun
            }
        };
        self.finish_moving(begun).await
    }

    /// Puts every tenant under `key`, one after the other: the names of their files are made with it from now on. Says how many
    /// it was that were not yet. Finishes a change of keys that was interrupted. The key of before is not needed.
    ///
    /// # Errors
    /// As for [`Self::rename`], of the tenant that the error names. Those that came before it are under the new key already:
    /// stores are opened with neither key until the same call has gone through.
    pub async fn rekey(&self, key: &NamingKey) -> Result<u64> {
        let mut changed = 0;
        let mut request = PageRequest::first(PAGE)?;
        loop {
            let page = self.catalogue.list(&request).await?;
            for tenant in page.items {
                let id = tenant.id;
                let done = self.rekey_one(tenant, key).await;
                if done.map_err(|error| error.context(format!("at tenant {id}")))? {
                    changed += 1;
                }
            }
            match page.next {
                Some(next) => request = request.after(next),
                None => return Ok(changed),
            }
        }
    }

    async fn rekey_one(&self, mut tenant: TenantRecord, key: &NamingKey) -> Result<bool> {
        let operation = "put a tenant under another key";
        let mut changed = false;
        match &tenant.operation {
            Some(under) if under.kind == OperationKind::Rekey => {
                tenant = self.finish_moving(tenant).await?;
                changed = true;
            }
            Some(under) => return Err(under_way(tenant.id, under.kind).within(operation)),
            None => {}
        }
        if tenant.key_id == key.id() {
            return Ok(changed);
        }
        let place = key.place_of(&tenant.user_name);
        self.check(&tenant, Some(&TenantRecord { place, ..tenant.clone() })).await?;
        let begun = self.catalogue.begin_rekey(&tenant, key).await?;
        self.observer.reached(&begun, Step::Begun)?;
        self.finish_moving(begun).await?;
        Ok(true)
    }

    /// Deletes the tenant and all its data: its rows on every server, its files with their logs, its content, and at last the
    /// tenant itself. Finishes a deletion that was interrupted.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such tenant; [`ErrorKind::Corrupt`] if a file in the tenant's place is not the
    /// tenant's, which is left alone; [`ErrorKind::Locked`] if somebody uses the tenant's data or something else is being done
    /// to it. Before the operation has begun nothing is changed by any of them.
    pub async fn delete(&self, tenant: TenantId) -> Result<()> {
        let operation = "delete a tenant";
        let tenant = self.found(tenant, operation).await?;
        let begun = match &tenant.operation {
            Some(under) if under.kind == OperationKind::Delete => tenant,
            Some(under) => return Err(under_way(tenant.id, under.kind).within(operation)),
            None => {
                self.check(&tenant, None).await?;
                let begun = self.catalogue.begin_delete(&tenant).await?;
                self.observer.reached(&begun, Step::Begun)?;
                begun
            }
        };
        self.buffers.discard(begun.id).await;
        for stores in self.stores(&begun)? {
            let step = stores.remove(&begun).await?;
            self.advance(&begun, step).await?;
        }
        self.content.tenant(begun.id).erase().await?;
        self.advance(&begun, Step::Content).await?;
        self.catalogue.forget(&begun).await?;
        self.observer.reached(&begun, Step::Finished)
    }

    /// Gives the tenant's files their new names, and ends the operation.
    async fn finish_moving(&self, tenant: TenantRecord) -> Result<TenantRecord> {
        self.buffers.discard(tenant.id).await;
        if let Some(from) = before(&tenant) {
            for stores in self.stores(&tenant)? {
                stores.move_to(&from, &tenant).await?;
                self.advance(&tenant, Step::Files).await?;
            }
        }
        let done = self.catalogue.finish(&tenant).await?;
        self.observer.reached(&done, Step::Finished)?;
        Ok(done)
    }

    /// Looks whether an operation could be gone through, before anything is changed. What was put aside is appended: nobody
    /// could any more.
    async fn check(&self, tenant: &TenantRecord, to: Option<&TenantRecord>) -> Result<()> {
        self.buffers.flush(tenant.id).await?;
        for stores in self.stores(tenant)? {
            stores.check(tenant, to).await?;
        }
        self.observer.reached(tenant, Step::Checked)
    }

    async fn advance(&self, tenant: &TenantRecord, step: Step) -> Result<()> {
        self.catalogue.advance(tenant, step).await?;
        self.observer.reached(tenant, step)
    }

    async fn found(&self, tenant: TenantId, operation: &str) -> Result<TenantRecord> {
        self.catalogue.find(tenant).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, operation).context(format!("there is none with the id {tenant}"))
        })
    }

    /// The tenant's stores, one of several areas once.
    fn stores(&self, tenant: &TenantRecord) -> Result<Vec<&TenantStores>> {
        let home = find_home(&self.homes, tenant)?;
        Ok(home
            .iter()
            .filter(|(area, stores)| stores.areas().first() == Some(area))
            .map(|(_, s)| s)
            .collect())
    }
}

/// The stores of the place where the tenant's data is.
///
/// # Errors
/// [`ErrorKind::Configuration`] if it is not configured.
pub(crate) fn find_home<'h>(homes: &'h BTreeMap<String, Home>, tenant: &TenantRecord) -> Result<&'h Home> {
    homes.get(&tenant.home).ok_or_else(|| {
        Error::new(ErrorKind::Configuration, "use a tenant's data")
            .context(format!(
                "tenant {} is kept in the place {:?}, which is not configured",
                tenant.id, tenant.home
            ))
            .hint("add it to tenants.places in the configuration")
    })
}

/// The tenant under the place that its files had before the operation that is under way.
fn before(tenant: &TenantRecord) -> Option<TenantRecord> {
    let place = tenant.operation.as_ref()?.from_place.clone()?;
    Some(TenantRecord { place, ..tenant.clone() })
}
