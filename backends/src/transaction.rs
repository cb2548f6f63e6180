//! A transaction that behaves the same on every engine, although they differ underneath.
//!
//! After a failed statement COMMIT "succeeds" on Postgres and DuckDB and writes nothing, while SQLite commits the rest. Here a
//! failed statement poisons the transaction: whatever follows fails with [`Aborted`](ErrorKind::Aborted), and committing rolls back and says so.
//! A statement whose future is dropped before its end counts as failed, for nobody knows how far it came.
//!
//! Statements of one transaction run one after the other, whoever holds it. While a stream of it is open, another
//! statement is refused: it would wait for a stream that may be waiting for it.
//!
//! A transaction begun within a transaction shares it: only a depth is counted, no savepoint is made. Rolling back the
//! inner one, or dropping it, poisons the whole.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sea_orm::{DbBackend, Statement};
use tokio::sync::{Mutex, MutexGuard};
use trimaran_core::{Capabilities, Engine, Error, ErrorKind, Result};

use crate::append::Rows;
use crate::connection::EngineTransaction;
use crate::fetch::{CellType, Fetched};

mod orm;

pub(crate) use orm::run_in;

struct Shared {
    engine: Engine,
    backend: DbBackend,
    capabilities: Capabilities,
    /// `None` once it has ended.
    transaction: Mutex<Option<Box<dyn EngineTransaction>>>,
    /// A statement is running, has failed or was cut off. Changed only by who holds the lock.
    unfinished: AtomicBool,
    /// An inner transaction was rolled back or dropped: for good.
    doomed: AtomicBool,
    /// The outermost was dropped while a statement was running: whoever runs it ends the engine's transaction.
    abandoned: AtomicBool,
    /// The statement that is running is a stream.
    streaming: AtomicBool,
    /// Transactions begun within this one that have not ended.
    inner: AtomicU32,
}

impl Shared {
    /// The engine's transaction, for one statement.
    async fn enter(&self) -> Result<Statements<'_>> {
        let guard = match self.transaction.try_lock() {
            Ok(guard) => guard,
            Err(_) if self.streaming.load(Ordering::SeqCst) => {
                return Err(Error::new(ErrorKind::Invalid, "use a transaction")
                    .context("a stream of it is open")
                    .hint("read the stream to its end first, for instance into a list"));
            }
            Err(_) => self.transaction.lock().await,
        };
        let mut statement = Statements { guard: Some(guard), shared: self };
        statement.get()?;
        if self.is_poisoned() {
            return Err(aborted("use a transaction")
                .context("an earlier statement of it failed, was cut off or was rolled back")
                .hint("roll it back and begin again"));
        }
        // Until the statement has succeeded it counts as failed: its future may be dropped at any await.
        self.unfinished.store(true, Ordering::SeqCst);
        Ok(statement)
    }

    fn is_poisoned(&self) -> bool {
        self.unfinished.load(Ordering::SeqCst) || self.doomed.load(Ordering::SeqCst)
    }

    /// Ends the engine's transaction without effect, now or when the statement that is running comes to its end.
    fn abandon(&self) {
        self.doomed.store(true, Ordering::SeqCst);
        self.abandoned.store(true, Ordering::SeqCst);
        self.let_go();
    }

    /// Drops the engine's transaction if nobody wants it any more. Called after each release of the lock as well, so that
    /// one who could not have the lock is never the last to know.
    fn let_go(&self) {
        if self.abandoned.load(Ordering::SeqCst)
            && let Ok(mut transaction) = self.transaction.try_lock()
        {
            drop(transaction.take());
        }
    }

    async fn commit(&self, rows: Vec<Rows>) -> Result<()> {
        let Some(transaction) = self.transaction.lock().await.take() else {
            return Err(aborted("commit").context("the transaction has ended"));
        };
        let open = self.inner.load(Ordering::SeqCst);
        let why = if self.is_poisoned() {
            "a statement of it failed, was cut off or was rolled back"
        } else if open > 0 {
            "a transaction begun within it has not ended"
        } else {
            return match rows.is_empty() {
                true => transaction.commit().await,
                false => transaction.commit_with(rows).await,
            };
        };
        let rolled_back = transaction.rollback().await;
        let error = aborted("commit")
            .context(why)
            .context("it was rolled back")
            .hint("begin it again from the start");
        Err(match rolled_back {
            Ok(()) => error,
            Err(cause) => error.source(cause),
        })
    }

    async fn rollback(&self) -> Result<()> {
        match self.transaction.lock().await.take() {
            Some(transaction) => transaction.rollback().await,
            None => Ok(()),
        }
    }
}

fn aborted(operation: &str) -> Error {
    Error::new(ErrorKind::Aborted, operation)
}

/// The right to run one statement.
struct Statements<'a> {
    // `None` only while it is dropped.
    guard: Option<MutexGuard<'a, Option<Box<dyn EngineTransaction>>>>,
    shared: &'a Shared,
}

impl Statements<'_> {
    fn get(&mut self) -> Result<&mut Box<dyn EngineTransaction>> {
        self.guard
            .as_mut()
            .and_then(|guard| guard.as_mut())
            .ok_or_else(|| aborted("use a transaction").context("it has ended"))
    }

    fn succeeded(self) {
        self.shared.unfinished.store(false, Ordering::SeqCst);
    }
}

impl Drop for Statements<'_> {
    fn drop(&mut self) {
        drop(self.guard.take());
        self.shared.let_go();
    }
}

/// Says that the statement which is running is a stream, for as long as it lives.
struct Streaming<'a>(&'a AtomicBool);

impl<'a> Streaming<'a> {
    fn begin(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::SeqCst);
        Self(flag)
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Where statements of a transaction are sent, without the right to end it: what repositories in a unit of work hold.
#[derive(Clone)]
pub struct TransactionHandle(Arc<Shared>);

impl fmt::Debug for TransactionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionHandle")
            .field("engine", &self.0.engine)
            .field("poisoned", &self.0.is_poisoned())
            .finish_non_exhaustive()
    }
}

impl TransactionHandle {
    /// The engine.
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// What the engine can do beyond the least.
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    /// Begins a transaction within this one: see [the module](self).
    ///
    /// # Errors
    /// [`Aborted`](ErrorKind::Aborted) if the transaction has ended or is poisoned.
    pub async fn begin_inner(&self) -> Result<Transaction> {
        let statement = self.0.enter().await?;
        self.0.inner.fetch_add(1, Ordering::SeqCst);
        statement.succeeded();
        Ok(Transaction { handle: self.clone(), inner: true, ended: false })
    }

    /// Inserts rows, as one statement, the engine's fast way: see [`append_rows`](crate::append::append_rows).
    ///
    /// # Errors
    /// `Conflict` if a key is taken; [`Aborted`](ErrorKind::Aborted) if the transaction has ended or is poisoned; else
    /// the engine's.
    pub async fn append(&self, rows: Rows) -> Result<()> {
        let mut statement = self.0.enter().await?;
        statement.get()?.append(rows).await?;
        statement.succeeded();
        Ok(())
    }

    /// Runs a query whose columns are of these types and gives all its rows, in the form that costs the engine least.
    ///
    /// # Errors
    /// [`Aborted`](ErrorKind::Aborted) if the transaction has ended or is poisoned; else the engine's.
    pub async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        let mut open = self.0.enter().await?;
        let fetched = open.get()?.fetch(statement, types).await?;
        open.succeeded();
        Ok(fetched)
    }

    /// Runs `work` with the engine's own transaction, as one statement: for what only one engine has (such as COPY).
    ///
    /// # Errors
    /// [`Aborted`](ErrorKind::Aborted) if the transaction has ended or is poisoned; else what `work` returns.
    pub async fn with_driver<T>(
        &self,
        work: impl for<'c> AsyncFnOnce(&'c mut dyn EngineTransaction) -> Result<T>,
    ) -> Result<T> {
        let mut statement = self.0.enter().await?;
        let done = work(statement.get()?.as_mut()).await?;
        statement.succeeded();
        Ok(done)
    }
}

/// An open transaction. [`Transaction::commit`] consumes it; dropped, it rolls back.
#[derive(Debug)]
pub struct Transaction {
    handle: TransactionHandle,
    inner: bool,
    ended: bool,
}

impl Transaction {
    /// A transaction over an engine's.
    pub fn over(
        transaction: Box<dyn EngineTransaction>,
        engine: Engine,
        backend: DbBackend,
        capabilities: Capabilities,
    ) -> Self {
        let shared = Shared {
            engine,
            backend,
            capabilities,
            transaction: Mutex::new(Some(transaction)),
            unfinished: AtomicBool::new(false),
            doomed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            inner: AtomicU32::new(0),
        };
        Self { handle: TransactionHandle(Arc::new(shared)), inner: false, ended: false }
    }

    /// Where its statements are sent.
    pub fn handle(&self) -> TransactionHandle {
        self.handle.clone()
    }

    /// Commits. An inner transaction takes effect when the outermost is committed.
    ///
    /// # Errors
    /// [`Aborted`](ErrorKind::Aborted), with everything rolled back, if a statement had failed or an inner transaction
    /// was rolled back or is open; else the engine's.
    pub async fn commit(self) -> Result<()> {
        self.commit_with(Vec::new()).await
    }

    /// Inserts the last rows (see [`rows_of`](crate::append::rows_of)) and commits: to some engines that is one call.
    ///
    /// # Errors
    /// As for [`TransactionHandle::append`] and [`Self::commit`].
    pub async fn commit_with(mut self, mut rows: Vec<Rows>) -> Result<()> {
        rows.retain(|rows| !rows.is_empty());
        // Whoever drops this future before it has answered has not committed: `ended` is set at the end.
        if self.inner {
            let handle = self.handle();
            for rows in rows {
                handle.append(rows).await?;
            }
            let statement = handle.0.enter().await?;
            self.end_inner();
            statement.succeeded();
            return Ok(());
        }
        let committed = self.handle.0.commit(rows).await;
        self.ended = true;
        committed
    }

    /// Rolls back. Rolling back an inner transaction dooms the whole.
    ///
    /// # Errors
    /// The engine's, classified; nothing has taken effect all the same.
    pub async fn rollback(mut self) -> Result<()> {
        if self.inner {
            self.handle.0.doomed.store(true, Ordering::SeqCst);
            self.end_inner();
            return Ok(());
        }
        let rolled_back = self.handle.0.rollback().await;
        self.ended = true;
        rolled_back
    }

    fn end_inner(&mut self) {
        self.ended = true;
        self.handle.0.inner.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if self.inner {
            self.handle.0.doomed.store(true, Ordering::SeqCst);
            self.end_inner();
        } else {
            // Repositories may still hold the handle: the engine's transaction must not wait for them to go.
            self.handle.0.abandon();
        }
    }
}
