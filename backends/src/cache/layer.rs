//! The layers that versions are shared by with other processes: one per installation that has one, and every write is told to all.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use trimaran_core::TenantId;

use super::shared::SharedLayer;

static LAYERS: RwLock<Vec<Weak<dyn SharedLayer>>> = RwLock::new(Vec::new());

/// From now on writes are told to `layer`, for as long as somebody holds it.
pub(super) fn add(layer: &Arc<dyn SharedLayer>) {
    let mut layers = LAYERS.write().unwrap_or_else(PoisonError::into_inner);
    layers.retain(|layer| layer.strong_count() > 0);
    layers.push(Arc::downgrade(layer));
}

/// A write that a layer knows is in hand.
#[derive(Debug)]
pub(super) struct Lease {
    layer: Arc<dyn SharedLayer>,
    tenant: TenantId,
    id: String,
}

/// Tells all layers that a write of this tenant is about to take effect.
pub(super) async fn announce(tenant: TenantId) -> Vec<Lease> {
    let layers: Vec<_> = {
        let layers = LAYERS.read().unwrap_or_else(PoisonError::into_inner);
        if layers.is_empty() {
            return Vec::new();
        }
        layers.iter().filter_map(Weak::upgrade).collect()
    };
    let mut leases = Vec::with_capacity(layers.len());
    for layer in layers {
        let id = layer.begin_write(tenant).await;
        leases.push(Lease { layer, tenant, id });
    }
    leases
}

impl Lease {
    /// The write has taken effect or failed.
    pub(super) async fn end(self) {
        self.layer.end_write(self.tenant, &self.id).await;
    }
}
