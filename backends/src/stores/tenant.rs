//! One tenant's stores.

use std::collections::BTreeMap;

use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result, TenantId};

use crate::Connection;
use crate::tenant::{TenantRecord, TenantStores};

/// What is kept for one tenant. Nothing that comes from here reaches another tenant's rows.
#[derive(Debug, Clone)]
pub struct Tenant {
    record: TenantRecord,
    stores: BTreeMap<Area, TenantStores>,
}

impl Tenant {
    pub(super) fn new(record: TenantRecord, stores: BTreeMap<Area, TenantStores>) -> Self {
        Self { record, stores }
    }

    /// Its id: what `tenant_id` is in every one of its rows.
    pub fn id(&self) -> TenantId {
        self.record.id
    }

    /// What the catalogue says of it.
    pub fn record(&self) -> &TenantRecord {
        &self.record
    }

    /// A connection to what is kept of `area` for this tenant; opens the tenant's file if it is not open. Hold it no longer than
    /// a request: a file in use can't be closed to make room for another.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for an area that is not kept per tenant; [`ErrorKind::Corrupt`] if the file is another
    /// tenant's; else the engine's.
    pub async fn connection(&self, area: Area) -> Result<Connection> {
        match self.stores.get(&area) {
            Some(stores) => stores.open(&self.record).await,
            None => Err(Error::new(ErrorKind::Configuration, format!("use a tenant's {area}"))
                .context("the area is not kept per tenant")
                .hint("ask stores.store(area)")),
        }
    }
}
