//! A transaction on a session of its own.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use duckdb::Connection;
use sea_orm::{AccessMode, ExecResult, IsolationLevel, QueryResult, Statement, TransactionOptions};
use trimaran_core::{Error, ErrorKind, Result};

use super::append;
use super::error::failed;
use super::pool::Lease;
use super::rows::stream;
use super::run;
use crate::EngineTransaction;
use crate::append::Rows;
use crate::connection::RowStream;
use crate::fetch::{CellType, Fetched};

/// An open transaction. It sees the state of the file at its first statement, and its own changes (snapshot isolation).
pub struct DuckdbTransaction {
    /// `None` once it has ended.
    lease: Option<Lease>,
    by_position: bool,
    /// What it is to be begun with; `None` once that has been sent.
    beginning: Option<&'static str>,
    /// It has nothing to commit.
    reads: bool,
}

const BEGIN: &str = "BEGIN TRANSACTION";
const BEGIN_READING: &str = "BEGIN TRANSACTION READ ONLY";

impl fmt::Debug for DuckdbTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DuckdbTransaction").field("open", &self.lease.is_some()).finish_non_exhaustive()
    }
}

/// The statement that begins a transaction.
///
/// # Errors
/// `Unsupported` for what DuckDB's snapshot isolation doesn't reach.
fn beginning(options: TransactionOptions) -> Result<&'static str> {
    if options.isolation_level == Some(IsolationLevel::Serializable) {
        return Err(Error::new(ErrorKind::Unsupported, "begin a DuckDB transaction")
            .context("DuckDB has snapshot isolation, and no serializable transactions")
            .hint("ask for RepeatableRead, and guard against write skew by changing a common row"));
    }
    // SeaORM's mode is for SQLite: it says when the write lock is taken, and there is none here.
    Ok(match options.access_mode {
        Some(AccessMode::ReadOnly) => BEGIN_READING,
        Some(AccessMode::ReadWrite) | None => BEGIN,
    })
}

impl DuckdbTransaction {
    pub(super) async fn begin(lease: Lease, options: TransactionOptions, by_position: bool) -> Result<Self> {
        let sql = beginning(options)?;
        let worker = lease.worker()?;
        // The job owns the lease: if nobody waits for the transaction it makes, that is dropped, and rolls back.
        let begun = worker.submit(None, move |connection| {
            begin(connection, sql)?;
            Ok(Self { lease: Some(lease), by_position, beginning: None, reads: false })
        });
        begun.done_for_certain().await
    }

    /// One that begins with its first statement, on the same way to the session's thread; one that only reads is not waited for when it
    /// ends.
    pub(super) fn with_its_first_statement(lease: Lease, by_position: bool, reads: bool) -> Self {
        let beginning = Some(if reads { BEGIN_READING } else { BEGIN });
        Self { lease: Some(lease), by_position, beginning, reads }
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let worker = self.lease.as_ref().ok_or_else(ended)?.worker()?;
        let beginning = self.beginning.take();
        let work = move |connection: &Connection| {
            beginning.map_or(Ok(()), |sql| begin(connection, sql))?;
            work(connection)
        };
        worker.submit(None, work).done().await
    }

    /// Runs the last statement on the session and gives it back.
    async fn end(mut self, work: impl FnOnce(&Connection) -> Result<()> + Send + 'static) -> Result<()> {
        let lease = self.lease.take().ok_or_else(ended)?;
        if self.beginning.is_some() {
            return Ok(());
        }
        let pending = lease.worker()?.submit(Some(lease), work);
        if self.reads {
            // Nothing depends on it; whoever takes the session next comes after it.
            pending.into_waiting().let_go();
            return Ok(());
        }
        pending.done_for_certain().await
    }
}

fn begin(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|e| failed("begin a DuckDB transaction", e))
}

fn commit(connection: &Connection) -> Result<()> {
    connection.execute_batch("COMMIT").map_err(|e| {
        // DuckDB has rolled back what it failed to commit; if it has not, this does, and else there is nothing to end.
        drop(connection.execute_batch("ROLLBACK"));
        failed("commit a DuckDB transaction", e)
    })
}

fn rollback(connection: &Connection) -> Result<()> {
    match connection.execute_batch("ROLLBACK") {
        // The statement that it was to begin with was cut off before.
        Err(e) if e.to_string().contains("no transaction is active") => Ok(()),
        done => done.map_err(|e| failed("roll back a DuckDB transaction", e)),
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Aborted, "use a DuckDB transaction").context("it has ended")
}

impl Drop for DuckdbTransaction {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        if self.beginning.is_some() {
            return;
        }
        let Ok(worker) = lease.worker() else { return };
        // The session goes back to the pool after this job, so that nobody meets the open transaction.
        let pending = worker.submit(Some(lease), |connection| {
            rollback(connection).inspect_err(|error| tracing::warn!(%error, "a dropped transaction"))
        });
        pending.into_waiting().let_go();
    }
}

#[async_trait]
impl EngineTransaction for DuckdbTransaction {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.run(move |connection| run::execute(connection, statement)).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        let sql = sql.to_owned();
        self.run(move |connection| run::execute_unprepared(connection, &sql)).await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        let by_position = self.by_position;
        self.run(move |connection| run::query_all(connection, statement, by_position)).await
    }

    async fn fetch(&mut self, statement: Statement, _: Vec<CellType>) -> Result<Fetched> {
        self.run(move |connection| run::fetch(connection, statement)).await.map(Fetched::Cells)
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        if self.beginning.is_some() {
            self.run(|_| Ok(())).await?;
        }
        let worker = self.lease.as_ref().ok_or_else(ended)?.worker()?;
        stream(&worker, None, statement, self.by_position).await
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        self.run(move |connection| append::append(connection, rows)).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.end(commit).await
    }

    async fn commit_with(mut self: Box<Self>, rows: Vec<Rows>) -> Result<()> {
        let beginning = self.beginning.take();
        self.end(move |connection| {
            beginning.map_or(Ok(()), |sql| begin(connection, sql))?;
            let appended = rows.into_iter().try_for_each(|rows| append::append(connection, rows));
            match appended {
                Ok(()) => commit(connection),
                Err(error) => {
                    // What went wrong first is what is told.
                    drop(rollback(connection));
                    Err(error)
                }
            }
        })
        .await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.end(rollback).await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
