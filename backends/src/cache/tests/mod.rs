//! Results that are kept, over real engines and a real Redis.

mod answers;
#[cfg(feature = "redis")]
mod redis;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use trimaran_core::config::CacheSettings;
use trimaran_core::secret::{Keyring, SecretKey};
use trimaran_core::{Error, ErrorKind, Result, TenantId};
use uuid::Uuid;

use super::ResultCache;
use super::results::TenantResults;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn settings() -> CacheSettings {
    CacheSettings { memory: 1 << 20, tenant_memory: 1 << 18, time_to_live: HOUR, redis: None }
}

fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::new(SecretKey::from_bytes(&[3; 32]).unwrap(), []))
}

fn cache(settings: &CacheSettings) -> ResultCache {
    ResultCache::new(settings, keyring()).unwrap()
}

/// A tenant of one test alone: versions are the process's.
fn somebody() -> TenantId {
    TenantId(Uuid::now_v7())
}

/// A question whose answer says how often it was computed.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    async fn ask(&self, results: &TenantResults) -> u64 {
        self.ask_about(results, "").await
    }

    async fn ask_about(&self, results: &TenantResults, subject: &str) -> u64 {
        let compute = async { Ok(self.0.fetch_add(1, Ordering::SeqCst) + 1) };
        results.answer("how often", subject, compute).await.unwrap()
    }

    async fn fail(&self, results: &TenantResults) -> Error {
        let compute = async {
            self.0.fetch_add(1, Ordering::SeqCst);
            let error: Result<u64> = Err(Error::new(ErrorKind::Locked, "count").context("busy"));
            error
        };
        results.answer("how often", "", compute).await.unwrap_err()
    }
}
