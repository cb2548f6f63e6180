//! The answers that are kept.

use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use trimaran_core::config::CacheSettings;
use trimaran_core::secret::Keyring;
use trimaran_core::{Error, ErrorKind, Result, TenantId};

use super::layer;
use super::shared::{QuestionId, SharedLayer};
use super::version::TenantVersion;

/// What an answer takes beside what it says: the entry, and what its parts are held together by. An estimate.
const ENTRY_BYTES: usize = 512;

/// The answers that an installation keeps for its tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ResultCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: CacheSettings,
    tenants: Mutex<LruCache<TenantId, Arc<TenantResults>>>,
    shared: Option<Arc<dyn SharedLayer>>,
    counts: Arc<Counts>,
}

/// How often what was kept was of use, since the cache was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheCounts {
    /// Answers that were there, or that another caller was computing just then.
    pub hits: u64,
    /// Answers that had to be computed.
    pub misses: u64,
    /// Answers that were computed without looking for one, because the tenant's version was in doubt.
    pub bypassed: u64,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    bypassed: AtomicU64,
}

impl ResultCache {
    /// The cache that `settings` describe. What is put into Redis is encrypted under the keys of `keyring`, and no connection is made before
    /// it is needed.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a Redis URL that is none; [`ErrorKind::Unsupported`] for one in a build without Redis.
    pub fn new(settings: &CacheSettings, keyring: Arc<Keyring>) -> Result<Self> {
        let shared = shared(settings, keyring)?;
        if let Some(shared) = &shared {
            layer::add(shared);
        }
        let tenants = (settings.memory / settings.tenant_memory.max(1)).max(1);
        let tenants = usize::try_from(tenants).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
        Ok(Self(Arc::new(Inner {
            settings: settings.clone(),
            tenants: Mutex::new(LruCache::new(tenants)),
            shared,
            counts: Arc::default(),
        })))
    }

    /// How often it was of use.
    pub fn counts(&self) -> CacheCounts {
        let counts = &self.0.counts;
        CacheCounts {
            hits: counts.hits.load(Ordering::Relaxed),
            misses: counts.misses.load(Ordering::Relaxed),
            bypassed: counts.bypassed.load(Ordering::Relaxed),
        }
    }

    /// What is kept for one tenant. If there is no room for another tenant, the one that was longest without a question is forgotten.
    pub(crate) fn of(&self, tenant: TenantId) -> Arc<TenantResults> {
        let inner = &self.0;
        let mut tenants = inner.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.get_or_insert(tenant, || {
            let answers = Cache::builder()
                .max_capacity(inner.settings.tenant_memory)
                .weigher(|_: &Key, answer: &Answer| answer.bytes)
                .time_to_live(inner.settings.time_to_live)
                // What belongs to a version that is past is asked for no more, however often it was.
                .eviction_policy(EvictionPolicy::lru())
                .build();
            Arc::new(TenantResults {
                tenant,
                version: TenantVersion::of(tenant),
                doubt_lasts: inner.settings.time_to_live.saturating_mul(2),
                answers,
                shared: inner.shared.clone(),
                counts: Arc::clone(&inner.counts),
            })
        }))
    }
}

#[cfg(feature = "redis")]
fn shared(settings: &CacheSettings, keyring: Arc<Keyring>) -> Result<Option<Arc<dyn SharedLayer>>> {
    let Some(url) = &settings.redis else { return Ok(None) };
    let layer = super::redis::RedisLayer::new(url, settings.time_to_live, keyring)?;
    Ok(Some(Arc::new(layer)))
}

#[cfg(not(feature = "redis"))]
fn shared(settings: &CacheSettings, _keyring: Arc<Keyring>) -> Result<Option<Arc<dyn SharedLayer>>> {
    match settings.redis {
        None => Ok(None),
        Some(_) => Err(Error::new(ErrorKind::Unsupported, "share results by Redis")
            .context("this build has no Redis")
            .hint("build it with the feature `redis`, or remove cache.redis_url")),
    }
}

/// What is kept for one tenant.
#[derive(Debug)]
pub(crate) struct TenantResults {
    tenant: TenantId,
    version: Arc<TenantVersion>,
    doubt_lasts: std::time::Duration,
    answers: Cache<Key, Answer>,
    shared: Option<Arc<dyn SharedLayer>>,
    counts: Arc<Counts>,
}

/// The versions that an answer holds for: this process's, and that which processes share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Version {
    own: u64,
    shared: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    question: QuestionId,
    /// Of the answer: the same question never has answers of two types, and if it had they would not be mixed up.
    kind: TypeId,
    version: Version,
}

#[derive(Debug, Clone)]
struct Answer {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u32,
}

impl Answer {
    fn new<T: Send + Sync + 'static>(value: T, encoded: usize) -> Self {
        Self { value: Arc::new(value), bytes: u32::try_from(encoded + ENTRY_BYTES).unwrap_or(u32::MAX) }
    }
}

impl TenantResults {
    /// The answer to `question` with these parameters, which their `Debug` tells apart: what is kept, else what `compute` gives, which is
    /// kept then. A question is always answered by the same type, which can be written as MessagePack and read back as it was.
    ///
    /// # Errors
    /// What `compute` fails with, which nobody keeps: whoever waited for it fails alike, without its cause.
    pub(crate) async fn answer<T>(
        &self,
        question: &'static str,
        parameters: &(impl Debug + Sync + ?Sized),
        compute: impl Future<Output = Result<T>> + Send,
    ) -> Result<T>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let Some(version) = self.version().await else {
            self.counts.bypassed.fetch_add(1, Ordering::Relaxed);
            return compute.await;
        };
        let key = Key { question: id(question, parameters), kind: TypeId::of::<T>(), version };
        let (missed, doubtful) = (AtomicBool::new(false), AtomicBool::new(false));
        let answer = self
            .answers
            .try_get_with_by_ref(&key, async {
                if let Some(answer) = self.shared_answer::<T>(&key).await {
                    return Ok(answer);
                }
                missed.store(true, Ordering::Relaxed);
                let value = compute.await?;
                let encoded = encoded(question, &value)?;
                let answer = Answer::new(value, encoded.len());
                // Computed while something was written, it belongs to neither version for certain.
                if self.version().await.as_ref() == Some(&key.version) {
                    self.share(&key, encoded).await;
                } else {
                    doubtful.store(true, Ordering::Relaxed);
                }
                Ok(answer)
            })
            .await
            .map_err(|error: Arc<Error>| Arc::try_unwrap(error).unwrap_or_else(|error| error.summary()))?;
        if doubtful.into_inner() {
            self.answers.invalidate(&key).await;
        }
        let counted = if missed.into_inner() { &self.counts.misses } else { &self.counts.hits };
        counted.fetch_add(1, Ordering::Relaxed);
        answer.value.downcast_ref::<T>().cloned().ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, format!("give the kept answer to {question}"))
                .context("it is of another type")
        })
    }

    /// The versions that hold now; `None` while nothing may be kept or given.
    async fn version(&self) -> Option<Version> {
        if self.version.doubted().is_some_and(|since| since.elapsed() < self.doubt_lasts) {
            return None;
        }
        // This process's first: what it has written is announced to the others before.
        let own = self.version.number();
        let shared = match &self.shared {
            Some(layer) => Some(layer.version(self.tenant).await?),
            None => None,
        };
        Some(Version { own, shared })
    }

    /// How much is kept.
    #[cfg(test)]
    pub(super) async fn weight(&self) -> u64 {
        self.answers.run_pending_tasks().await;
        self.answers.weighted_size()
    }

    async fn shared_answer<T: DeserializeOwned + Send + Sync + 'static>(&self, key: &Key) -> Option<Answer> {
        let (layer, version) = self.shared.as_ref().zip(key.version.shared.as_deref())?;
        match layer.get(self.tenant, &key.question, version).await {
            Ok(found) => {
                let encoded = found?;
                match rmp_serde::from_slice::<T>(&encoded) {
                    Ok(value) => Some(Answer::new(value, encoded.len())),
                    Err(error) => {
                        tracing::warn!(%error, "a shared result is not what this program writes; it is computed anew");
                        None
                    }
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a shared result could not be had; it is computed anew");
                None
            }
        }
    }

    async fn share(&self, key: &Key, encoded: Vec<u8>) {
        let Some((layer, version)) = self.shared.as_ref().zip(key.version.shared.as_deref()) else { return };
        if let Err(error) = layer.put(self.tenant, &key.question, version, encoded).await {
            tracing::debug!(%error, "a result could not be shared");
        }
    }
}

/// What a question is found by. The program's version is in it, for answers outlive programs in Redis.
fn id(question: &str, parameters: &(impl Debug + ?Sized)) -> QuestionId {
    let mut digest = Sha256::new();
    for part in [env!("CARGO_PKG_VERSION").as_bytes(), question.as_bytes()] {
        digest.update(part);
        digest.update([0]);
    }
    digest.update(format!("{parameters:?}"));
    digest.finalize().into()
}

fn encoded(question: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("keep the answer to {question}")).source(error)
    })
}
