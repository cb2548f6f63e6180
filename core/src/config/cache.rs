//! What is kept of results that were computed.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::settings::Reader;
use super::units;
use crate::Result;

/// The longest that an answer may live.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The least that is of any use for one tenant.
const LEAST_MEMORY: u64 = 64 << 10;

/// How much of what was computed for tenants is kept, and for how long.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// The most memory for all tenants' answers, in bytes, by an estimate of each.
    pub memory: u64,
    /// The most memory for one tenant's, in bytes. As many tenants as fit into `memory` have something kept.
    pub tenant_memory: u64,
    /// How long an answer lives at most: so long another process's write may go unseen, unless both share a Redis.
    pub time_to_live: Duration,
    /// The Redis that processes share, if one is named.
    pub redis: Option<SecretString>,
}

/// `None`: nothing is kept.
pub(super) fn read(reader: &Reader<'_>) -> Result<Option<CacheSettings>> {
    const URL: &str = "cache.redis_url";
    let size = |key: &str| {
        let text = reader.text(key)?.unwrap_or_default();
        match units::bytes(&text) {
            Ok(bytes) if bytes < LEAST_MEMORY => Err(reader.wrong(key, "it must be at least 64KiB")),
            Ok(bytes) => Ok(bytes),
            Err(what) => Err(reader.wrong(key, what)),
        }
    };
    let tenant_memory = size("cache.tenant_memory")?;
    let time_to_live = reader.duration("cache.time_to_live")?;
    if time_to_live > LONGEST {
        return Err(reader.wrong("cache.time_to_live", "it must be at most 24h"));
    }
    let redis = reader.secret(URL)?;
    let from = || if reader.text(URL).is_ok_and(|url| url.is_some()) { URL } else { "cache.redis_url_file" };
    if reader.text("cache.memory")?.is_none_or(|text| text == "off") {
        return match redis {
            None => Ok(None),
            Some(_) => Err(reader
                .wrong(from(), "nothing is kept that could be shared: cache.memory is not set")
                .hint("set cache.memory, such as 64MiB")),
        };
    }
    let memory = size("cache.memory")?;
    if memory < tenant_memory {
        return Err(reader.wrong("cache.memory", "it is less than cache.tenant_memory"));
    }
    if let Some(url) = &redis {
        let scheme = url.expose_secret().split(':').next().unwrap_or_default();
        if !matches!(scheme, "redis" | "redis+unix" | "unix") {
            return Err(reader
                .wrong(from(), "it is no URL of Redis (TLS, rediss:, is not supported)")
                .hint("write redis://host:6379/0 or redis+unix:///path/to/socket; what is stored there is encrypted"));
        }
    }
    Ok(Some(CacheSettings { memory, tenant_memory, time_to_live, redis }))
}
