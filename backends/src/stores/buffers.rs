//! What was put aside for each tenant, shared by all of a tenant's handles.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use trimaran_core::config::{Area, TenantSettings};
use trimaran_core::{Result, TenantId};

use super::tenant::TenantParts;
use crate::Executor;
use crate::repository::TenantResources;
use crate::repository::conversation::{Buffer, BufferSettings, Open, Tables};
use crate::tenant::TenantRecord;

/// How many tenants' buffers are kept although nobody uses them: beyond, the idle ones are forgotten.
const KEPT: usize = 256;

/// The buffers of an installation's tenants.
#[derive(Debug)]
pub(crate) struct Buffers {
    settings: BufferSettings,
    all: Mutex<HashMap<TenantId, Arc<Buffer>>>,
}

impl Buffers {
    pub(super) fn new(settings: &TenantSettings) -> Arc<Self> {
        let bytes = usize::try_from(settings.buffer_size).unwrap_or(usize::MAX);
        let settings = BufferSettings { delay: settings.buffer_delay, bytes };
        Arc::new(Self { settings, all: Mutex::default() })
    }

    /// The tenant's, whoever asks. It opens the tenant's store when it has something to append.
    pub(super) fn of(&self, record: &TenantRecord, parts: &TenantParts) -> Arc<Buffer> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buffer) = all.get(&record.id) {
            return Arc::clone(buffer);
        }
        if all.len() >= KEPT {
            all.retain(|_, buffer| Arc::strong_count(buffer) > 1 || !buffer.is_idle());
        }
        let buffer = Buffer::new(Box::new(Tables(opened(record, parts))), self.settings);
        all.insert(record.id, Arc::clone(&buffer));
        buffer
    }

    /// Appends what waits of one tenant.
    ///
    /// # Errors
    /// What kept it from being appended.
    pub(crate) async fn flush(&self, tenant: TenantId) -> Result<()> {
        let buffer = self.all.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        match buffer {
            Some(buffer) => buffer.flush().await,
            None => Ok(()),
        }
    }

    /// Appends what waits of one tenant, if it still can be, and forgets its buffer: who holds it puts nothing aside any more.
    pub(crate) async fn discard(&self, tenant: TenantId) {
        let buffer = self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
        if let Some(buffer) = buffer
            && let Err(error) = buffer.close().await
        {
            tracing::warn!(%tenant, %error, "what was put aside is lost");
        }
    }

    /// Appends what waits, of every tenant, and takes nothing more.
    ///
    /// # Errors
    /// The first tenant's that failed, naming it, after all were tried.
    pub(super) async fn close(&self) -> Result<()> {
        let all: Vec<_> = {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(tenant, buffer)| (*tenant, Arc::clone(buffer))).collect()
        };
        let mut outcome = Ok(());
        for (tenant, buffer) in all {
            if let Err(error) = buffer.close().await {
                let error = error.context(format!("of the tenant {tenant}"));
                match outcome {
                    Ok(()) => outcome = Err(error),
                    Err(_) => tracing::error!(%error, "what was put aside is lost"),
                }
            }
        }
        outcome
    }
}

/// How a buffer opens its tenant's store. It holds no buffer and no registry of them: nothing owns itself.
fn opened(record: &TenantRecord, parts: &TenantParts) -> Open {
    let (record, shared, keyring) = (record.clone(), parts.shared(), Arc::clone(&parts.keyring));
    let (homes, catalogue) = (Arc::clone(&parts.homes), parts.catalogue.clone());
    Box::new(move || {
        let (record, homes, catalogue) = (record.clone(), Arc::clone(&homes), catalogue.clone());
        let (shared, keyring) = (shared.clone(), Arc::clone(&keyring));
        Box::pin(async move {
            let stores = super::tenant::stores_of(&homes, &record, Area::Conversation)?;
            let executor = Executor::Connection(super::tenant::open(stores, &catalogue, &record).await?);
            let shared = shared.resources(executor);
            Ok(TenantResources { shared, tenant: record.id, keyring, buffer: None, results: None })
        })
    })
}
