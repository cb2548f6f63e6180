//! The sessions of one DuckDB file, lent out one caller at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::{fmt, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use trimaran_core::config::PoolSettings;
use trimaran_core::{Error, ErrorKind, Result};

use super::DuckdbDatabase;
use super::files::Use;
use super::registry::lock;
use super::worker::{Birth, Worker};

/// Sessions on one file: opened when wanted, kept while they are used.
pub(super) struct Pool {
    settings: PoolSettings,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    /// `None` once it is closed.
    database: Mutex<Option<DuckdbDatabase>>,
    /// Closed when every session's thread has let go of the file.
    alive: watch::Sender<()>,
    ids: AtomicU64,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle", &lock(&self.idle).len())
            .field("lent", &self.lent())
            .field("max", &self.settings.max_connections)
            .finish_non_exhaustive()
    }
}

/// A session lent to one caller, given back on drop. Whoever drops it must have ended what he began on it.
pub(super) struct Lease {
    /// `None` only while it is being dropped.
    worker: Option<Worker>,
    pool: Arc<Pool>,
    /// Given back after the session.
    _permit: OwnedSemaphorePermit,
    /// Let go last.
    _held: Option<Arc<Use>>,
}

impl Lease {
    /// The session's thread.
    pub(super) fn worker(&self) -> Result<Worker> {
        self.worker.clone().ok_or_else(closed)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A panic in a job drops the job's lease: its thread is about to end.
        if let Some(worker) = self.worker.take()
            && !thread::panicking()
        {
            self.pool.give_back(worker);
        }
    }
}

impl Pool {
    pub(super) fn new(database: DuckdbDatabase, settings: PoolSettings) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(
                usize::try_from(settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            settings,
            idle: Mutex::default(),
            database: Mutex::new(Some(database)),
            alive: watch::Sender::new(()),
            ids: AtomicU64::new(0),
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    /// Borrows a session, opening one if none is free. `held` is let go with it.
    ///
    /// # Errors
    /// `Timeout` if none is free in time; `Unavailable` once the pool is closed.
    pub(super) async fn acquire(self: &Arc<Self>, held: Option<Arc<Use>>) -> Result<Lease> {
        let wait = self.settings.acquire_timeout;
        let acquired = timeout(wait, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = acquired.map_err(|_| self.exhausted())?.map_err(|_| closed())?;
        let worker = match self.take_idle() {
            Some(worker) => worker,
            None => self.open().await?,
        };
        Ok(Lease { worker: Some(worker), pool: Arc::clone(self), _permit: permit, _held: held })
    }

    /// The session that was used last, so that the others may become old and go.
    fn take_idle(&self) -> Option<Worker> {
        let mut idle = lock(&self.idle);
        loop {
            let worker = idle.pop()?;
            if self.is_fit(&worker) {
                return Some(worker);
            }
        }
    }

    fn is_fit(&self, worker: &Worker) -> bool {
        !worker.is_dead() && self.settings.max_lifetime.is_none_or(|max| worker.born.elapsed() < max)
    }

    async fn open(self: &Arc<Self>) -> Result<Worker> {
        let birth = {
            let database = lock(&self.database);
            Birth {
                id: self.ids.fetch_add(1, Ordering::Relaxed),
                database: database.as_ref().ok_or_else(closed)?.clone(),
                pool: Arc::downgrade(self),
                idle_timeout: self.settings.idle_timeout,
                alive: self.alive.subscribe(),
            }
        };
        Worker::open(birth).await
    }

    fn give_back(&self, worker: Worker) {
        let mut idle = lock(&self.idle);
        if !self.permits.is_closed() && self.is_fit(&worker) {
            idle.push(worker);
        }
    }

    /// Asked by a session that has been idle for long: whether it is to end.
    pub(super) fn retire(&self, id: u64) -> bool {
        let mut idle = lock(&self.idle);
        let kept = usize::try_from(self.settings.min_connections).unwrap_or(usize::MAX);
        let Some(at) = idle.iter().position(|worker| worker.id == id) else {
            return false;
        };
        if idle.len() + self.lent() <= kept {
            return false;
        }
        idle.remove(at);
        true
    }

    /// How many sessions are lent out.
    pub(super) fn lent(&self) -> usize {
        let max = usize::try_from(self.settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        max.saturating_sub(self.permits.available_permits())
    }

    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        lock(&self.idle).len()
    }

    /// Refuses callers from now on, waits until every session has been given back, and lets go of the file.
    pub(super) async fn close(&self) {
        self.shut();
        self.alive.closed().await;
    }

    fn shut(&self) {
        self.permits.close();
        lock(&self.idle).clear();
        let Some(database) = lock(&self.database).take() else { return };
        let alive = self.alive.subscribe();
        // Letting go of the last reference closes the file, which writes a checkpoint.
        let close = move || {
            drop(database);
            drop(alive);
        };
        if let Err(error) = thread::Builder::new().name("duckdb-close".to_owned()).spawn(close) {
            tracing::warn!(%error, "no thread to close a DuckDB file on; it was closed on the caller's");
        }
    }

    fn exhausted(&self) -> Error {
        Error::new(ErrorKind::Timeout, "get a DuckDB session")
            .context(format!(
                "all {} were in use for {:?}",
                self.settings.max_connections, self.settings.acquire_timeout
            ))
            .hint("raise max_connections or acquire_timeout, or look for transactions and streams that stay open")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shut();
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "use the DuckDB file").context("its connection has been closed")
}
