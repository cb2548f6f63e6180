//! Connections that wait for their next use.
//!
//! The driver's pool would keep them, too, but asks the server about each one that comes back: a way there and back for
//! every statement outside a transaction, as long as the statement itself. Here what comes back has answered a moment ago,
//! and is asked when it is used again after a pause.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

/// How often it is looked at most whether a connection has waited for too long.
const SHORTEST: Duration = Duration::from_millis(100);

/// A connection of the driver's pool, and when it was had from there.
pub(super) struct Kept {
    pub(super) connection: PoolConnection<Postgres>,
    pub(super) since: Instant,
}

struct Waiting {
    kept: Kept,
    idle_since: Instant,
}

/// Those that wait. Past their time, or when all is closed, they go back to the driver's pool, or are closed.
pub(super) struct IdleConnections {
    /// The one that was used last is at the end. `None` once the pool is closed.
    waiting: Mutex<Option<Vec<Waiting>>>,
    idle_timeout: Option<Duration>,
    max_lifetime: Option<Duration>,
}

impl fmt::Debug for IdleConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdleConnections").finish_non_exhaustive()
    }
}

impl IdleConnections {
    /// None yet. Must be called within a runtime, in which it is looked after them while there is a pool.
    pub(super) fn new(idle_timeout: Option<Duration>, max_lifetime: Option<Duration>) -> Arc<Self> {
        let idle = Arc::new(Self { waiting: Mutex::new(Some(Vec::new())), idle_timeout, max_lifetime });
        if let Some(shortest) = [idle_timeout, max_lifetime].into_iter().flatten().min() {
            let weak = Arc::downgrade(&idle);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep((shortest / 2).max(SHORTEST)).await;
                    let Some(idle) = weak.upgrade() else { return };
                    for past in idle.past_their_time() {
                        // The server is told; if it can't be, it notices by itself.
                        if let Err(error) = past.close().await {
                            tracing::debug!(%error, "an idle connection was lost before it was closed");
                        }
                    }
                }
            });
        }
        idle
    }

    /// The one that was used last, and for how long it has waited.
    pub(super) fn take(&self) -> Option<(Kept, Duration)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = waiting.as_mut()?.pop()?;
        Some((waited.kept, waited.idle_since.elapsed()))
    }

    /// Keeps a connection that has read all its answers and is in no transaction. Must be called within the pool's runtime.
    pub(super) fn put(&self, kept: Kept) {
        let is_old = self.max_lifetime.is_some_and(|most| kept.since.elapsed() >= most);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.as_mut() {
            Some(waiting) if !is_old => waiting.push(Waiting { kept, idle_since: Instant::now() }),
            // The driver's pool closes what is too old, and everything once it is closed itself.
            _ => drop(kept),
        }
    }

    /// Gives all back to the driver's pool, and keeps none from now on. Must be called within the pool's runtime.
    pub(super) fn close(&self) {
        drop(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn past_their_time(&self) -> Vec<PoolConnection<Postgres>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = waiting.as_mut() else { return Vec::new() };
        let is_past = |one: &mut Waiting| {
            self.idle_timeout.is_some_and(|most| one.idle_since.elapsed() >= most)
                || self.max_lifetime.is_some_and(|most| one.kept.since.elapsed() >= most)
        };
        waiting.extract_if(.., is_past).map(|one| one.kept.connection).collect()
    }
}
