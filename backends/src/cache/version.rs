//! The version of a tenant's data, as this process knows it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::time::Instant;
use trimaran_core::TenantId;

use super::layer::{self, Lease};

/// Changes with every write of this tenant in this process. There is one per tenant, whichever store and handle it is reached by: tenants'
/// ids are never given twice, so that two databases share one only if they hold the same tenant, and then it is on the safe side.
#[derive(Debug)]
pub(crate) struct TenantVersion {
    tenant: TenantId,
    number: AtomicU64,
    /// When a write was last left without anybody knowing its outcome.
    doubted: Mutex<Option<Instant>>,
}

/// Those that somebody holds: a connection, or what was kept.
static ALL: LazyLock<Mutex<HashMap<TenantId, Weak<TenantVersion>>>> = LazyLock::new(Mutex::default);

/// Past so many, those that nobody holds are forgotten.
const SWEPT_FROM: usize = 1_024;

impl TenantVersion {
    /// This tenant's.
    pub(super) fn of(tenant: TenantId) -> Arc<Self> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = all.get(&tenant).and_then(Weak::upgrade) {
            return version;
        }
        if all.len() >= SWEPT_FROM && all.len() == all.capacity() {
            all.retain(|_, version| version.strong_count() > 0);
        }
        let version = Arc::new(Self { tenant, number: AtomicU64::new(0), doubted: Mutex::new(None) });
        all.insert(tenant, Arc::downgrade(&version));
        version
    }

    /// The number that holds now.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// When a write of unknown outcome was last left, if any was.
    pub(super) fn doubted(&self) -> Option<Instant> {
        *self.doubted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self) {
        self.number.fetch_add(1, Ordering::SeqCst);
    }

    fn doubt(&self) {
        *self.doubted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.advance();
    }
}

/// A write in hand: from before it can take effect until its outcome is known. Dropped before, it leaves its tenant in doubt.
#[derive(Debug)]
pub(super) struct Writing {
    version: Arc<TenantVersion>,
    leases: Vec<Lease>,
    ended: bool,
}

impl Writing {
    /// Says, wherever versions are shared, that a write is about to take effect.
    pub(super) async fn begin(version: &Arc<TenantVersion>) -> Self {
        let leases = layer::announce(version.tenant).await;
        Self { version: Arc::clone(version), leases, ended: false }
    }

    /// Its outcome is known.
    pub(super) async fn end(mut self) {
        self.version.advance();
        // Cut off here, the leases stay until they run out: nobody is given what was kept before.
        for lease in std::mem::take(&mut self.leases) {
            lease.end().await;
        }
        self.ended = true;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.ended {
            self.version.doubt();
        }
    }
}
