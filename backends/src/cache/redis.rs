//! Versions and answers in Redis.
//!
//! Keys, each with the tenant's id in braces, so that a cluster keeps a tenant's together:
//!
//! - `trimaran:{tenant}:version`: the version, a random text; another after each write;
//! - `trimaran:{tenant}:writes`: a sorted set of the writes in hand, each with the time at which it counts no more;
//! - `trimaran:{tenant}:result:QUESTION:VERSION`: an answer, sealed under the installation's `secrets.key`, so that whoever can look into Redis
//!   reads none, and can forge none.
//!
//! Time is Redis's own: processes need not agree on it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use trimaran_core::secret::{KeyId, Keyring};
use trimaran_core::{Error, ErrorKind, Result, TenantId, digest};

use super::shared::{QuestionId, SharedLayer};

/// How long Redis may take to answer: past it, computing the answer is the better way.
const PATIENCE: Duration = Duration::from_millis(500);
/// For as long nobody asks again after Redis did not answer: each who asks would wait.
const PAUSE: Duration = Duration::from_secs(1);
/// A tenant's version is forgotten if nobody writes for as long; then a fresh one is made, and all is computed once more.
const VERSION_LIVES: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The length of a key's id.
const KEY_ID_BYTES: usize = 16;

/// KEYS: writes, version. ARGV: a fresh version, how many milliseconds it lives.
const VERSION: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('ZCOUNT', KEYS[1], now, '+inf') > 0 then return false end
local version = redis.call('GET', KEYS[2])
if not version then
  version = ARGV[1]
  redis.call('SET', KEYS[2], version, 'PX', ARGV[2])
end
return version";

/// KEYS: writes. ARGV: the write, for how many milliseconds it counts.
const BEGIN_WRITE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

pub(super) struct RedisLayer {
    connection: ConnectionManager,
    keyring: Arc<Keyring>,
    lives: Duration,
    /// Until when nobody asks.
    paused: Mutex<Option<Instant>>,
    /// Tenants with writes whose end Redis has not been told, and how many.
    untold: Arc<Mutex<HashMap<TenantId, usize>>>,
}

impl fmt::Debug for RedisLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLayer").field("lives", &self.lives).finish_non_exhaustive()
    }
}

impl RedisLayer {
    /// The layer at `url`, whose answers live for `lives`. It connects when it is first asked.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a URL that is none of Redis's.
    pub(super) fn new(url: &SecretString, lives: Duration, keyring: Arc<Keyring>) -> Result<Self> {
        // Redis's own errors may repeat the URL, and with it a password.
        let wrong = || {
            Error::new(ErrorKind::Configuration, "use cache.redis_url")
                .context("it is no URL of Redis")
                .hint("write redis://host:6379/0, redis://:password@host/0 or redis+unix:///path/to/socket")
        };
        let client = Client::open(url.expose_secret()).map_err(|_| wrong())?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(|_| wrong())?;
        let (paused, untold) = (Mutex::new(None), Arc::default());
        Ok(Self { connection, keyring, lives, paused, untold })
    }

    /// Asks Redis, unless it did not answer just before.
    async fn ask<T: FromRedisValue>(&self, question: &Question) -> Result<T> {
        let is_paused = {
            let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
            paused.is_some_and(|until| Instant::now() < until)
        };
        if is_paused {
            return Err(
                Error::new(ErrorKind::Unavailable, "ask Redis").context("it did not answer just before")
            );
        }
        let mut connection = self.connection.clone();
        let answered = question.ask(&mut connection).await;
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Ok(answer) => {
                if paused.take().is_some() {
                    tracing::info!("Redis answers again");
                }
                Ok(answer)
            }
            Err(error) => {
                if paused.is_none() {
                    tracing::warn!(%error, "Redis does not answer: results are computed, and not shared");
                }
                *paused = Some(Instant::now() + PAUSE);
                let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
                Err(Error::new(kind, "ask Redis").source(error))
            }
        }
    }

    fn has_untold(&self, tenant: TenantId) -> bool {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&tenant)
    }

    /// Tells Redis of a write's end as soon as it answers, or until nothing from before the write is left.
    fn tell_later(&self, tenant: TenantId, write: &str) {
        let (untold, mut connection) = (Arc::clone(&self.untold), self.connection.clone());
        *untold.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant).or_default() += 1;
        let (question, until) = (end_of(tenant, write), Instant::now() + self.lives * 2);
        tokio::spawn(async move {
            while Instant::now() < until {
                tokio::time::sleep(PAUSE).await;
                if question.ask::<()>(&mut connection).await.is_ok() {
                    break;
                }
            }
            let mut untold = untold.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = untold.get_mut(&tenant) {
                *count -= 1;
                if *count == 0 {
                    untold.remove(&tenant);
                }
            }
        });
    }
}

#[async_trait]
impl SharedLayer for RedisLayer {
    async fn version(&self, tenant: TenantId) -> Option<String> {
        if self.has_untold(tenant) {
            return None;
        }
        let mut question = redis::cmd("EVAL");
        question.arg(VERSION).arg(2).arg(key(tenant, "writes")).arg(key(tenant, "version"));
        question.arg(fresh()).arg(milliseconds(VERSION_LIVES));
        // What kept it from answering has been logged.
        self.ask(&Question::One(question)).await.ok().flatten()
    }

    async fn get(&self, tenant: TenantId, question: &QuestionId, version: &str) -> Result<Option<Vec<u8>>> {
        let place = result_key(tenant, question, version);
        let mut get = redis::cmd("GET");
        get.arg(&place);
        let found: Option<Vec<u8>> = self.ask(&Question::One(get)).await?;
        let Some((id, sealed)) = found.as_deref().and_then(|found| found.split_at_checked(KEY_ID_BYTES))
        else {
            return Ok(None);
        };
        let Ok(id) = std::str::from_utf8(id) else { return Ok(None) };
        // Under a key that this process doesn't have, it is nothing to it.
        let opened = self.keyring.open(&KeyId::new(id), place.as_bytes(), sealed).ok().flatten();
        Ok(opened.map(|answer| answer.expose_secret().to_vec()))
    }

    async fn put(
        &self,
        tenant: TenantId,
        question: &QuestionId,
        version: &str,
        answer: Vec<u8>,
    ) -> Result<()> {
        let place = result_key(tenant, question, version);
        let mut kept = self.keyring.active().as_str().as_bytes().to_vec();
        kept.extend(self.keyring.seal(place.as_bytes(), &answer)?);
        let mut set = redis::cmd("SET");
        set.arg(&place).arg(kept).arg("PX").arg(milliseconds(self.lives));
        self.ask(&Question::One(set)).await
    }

    async fn begin_write(&self, tenant: TenantId) -> String {
        let write = fresh();
        let mut question = redis::cmd("EVAL");
        question.arg(BEGIN_WRITE).arg(1).arg(key(tenant, "writes"));
        question.arg(&write).arg(milliseconds(self.lives * 2));
        if let Err(error) = self.ask::<()>(&Question::One(question)).await {
            tracing::debug!(%error, %tenant, "a write could not be announced");
        }
        write
    }

    async fn end_write(&self, tenant: TenantId, write: &str) {
        if let Err(error) = self.ask::<()>(&end_of(tenant, write)).await {
            tracing::debug!(%error, %tenant, "the end of a write could not be told; it is tried again");
            self.tell_later(tenant, write);
        }
    }
}

/// What Redis is asked at once.
enum Question {
    One(Cmd),
    All(Pipeline),
}

impl Question {
    async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut (impl ConnectionLike + Send),
    ) -> Result<T, RedisError> {
        match self {
            Self::One(command) => command.query_async(connection).await,
            Self::All(commands) => commands.query_async(connection).await,
        }
    }
}

/// A new version first, and only then the write is no longer in hand.
fn end_of(tenant: TenantId, write: &str) -> Question {
    let mut commands = redis::pipe();
    commands.atomic();
    let version = (key(tenant, "version"), milliseconds(VERSION_LIVES));
    commands.cmd("SET").arg(version.0).arg(fresh()).arg("PX").arg(version.1).ignore();
    commands.cmd("ZREM").arg(key(tenant, "writes")).arg(write).ignore();
    Question::All(commands)
}

fn key(tenant: TenantId, what: &str) -> String {
    format!("trimaran:{{{tenant}}}:{what}")
}

fn result_key(tenant: TenantId, question: &QuestionId, version: &str) -> String {
    format!("{}:{}:{version}", key(tenant, "result"), digest::hex(question))
}

/// A text that was never given before.
fn fresh() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
