//! How many connections a store keeps, and how long it waits for them.

use std::time::Duration;

/// The pool of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// The most connections open at a time, at least 1.
    pub max_connections: u32,
    /// As many are kept open even when idle.
    pub min_connections: u32,
    /// How long reaching the server or opening the file may take.
    pub connect_timeout: Duration,
    /// How long a caller waits for a free connection before it gets [`Timeout`](crate::ErrorKind::Timeout).
    pub acquire_timeout: Duration,
    /// A connection idle for as long is closed; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// A connection as old is replaced once it is free; `None`: never.
    pub max_lifetime: Option<Duration>,
}

impl Default for PoolSettings {
    /// 10 connections, none kept; 10 s to connect, 10 s to acquire; closed after 10 min idle or 30 min of life.
    fn default() -> Self {
        Self {
            max_connections: 10,
            min_connections: 0,
            connect_timeout: Duration::from_secs(10),
            acquire_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(600)),
            max_lifetime: Some(Duration::from_secs(1_800)),
        }
    }
}
