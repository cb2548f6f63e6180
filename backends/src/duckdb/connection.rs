//! DuckDB under SeaORM: a pool of sessions on one file.
//!
//! Each session is a connection on a thread of its own (module `worker`); a statement runs on one that is free, a
//! transaction keeps one to itself. Dropping the future of a statement interrupts it (module `cancel`). Statements are
//! kept prepared per session.
//!
//! Outside a transaction each statement commits by itself; of a text with several statements, each one.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use duckdb::Connection;
use sea_orm::{ExecResult, QueryResult, Statement, TransactionOptions};
use tokio::time::timeout;
use trimaran_core::config::PoolSettings;
use trimaran_core::{Capabilities, Engine, Error, ErrorKind, Result};

use super::DuckdbDatabase;
use super::error::failed;
use super::files::Use;
use super::pool::{Lease, Pool};
use super::rows::stream;
use super::run;
use super::transaction::DuckdbTransaction;
use super::worker::off_the_runtime;
use crate::connection::RowStream;
use crate::fetch::{CellType, Fetched};
use crate::{Access, EngineConnection, EngineTransaction, Location, OpenOptions};

/// A DuckDB file, open for reading and writing. Clones share its sessions.
///
/// The file is let go when the last clone, transaction and stream is dropped, or by [`close`](EngineConnection::close).
#[derive(Debug, Clone)]
pub struct DuckdbConnection {
    pool: Arc<Pool>,
    by_position: bool,
    /// Says to [`DuckdbFiles`](super::DuckdbFiles) that the file is in use.
    held: Option<Arc<Use>>,
}

impl DuckdbConnection {
    /// Opens the file at `location`, creating it if missing, readable by its owner alone. `memory` is what DuckDB may take in
    /// this process for this file, in bytes; what doesn't fit is spilled into a folder beside it.
    ///
    /// Opening the same file again in this process shares its handle, with the memory of whoever came first.
    ///
    /// # Errors
    /// As for [`DuckdbDatabase::open`]; `Timeout` if it takes longer than `pool.connect_timeout`.
    pub async fn open(location: &Location, pool: &PoolSettings, memory: u64) -> Result<Self> {
        let options = OpenOptions {
            access: Access::Target,
            memory,
            sessions: usize::try_from(pool.max_connections.max(1)).unwrap_or(usize::MAX),
        };
        let (place, limit) = (location.clone(), pool.connect_timeout);
        let opening = off_the_runtime("open a DuckDB file", move || DuckdbDatabase::open(&place, options));
        let database = timeout(limit, opening).await.map_err(|_| {
            Error::new(ErrorKind::Timeout, format!("open {location}"))
                .context(format!("it took longer than {limit:?}"))
                .hint("a long write-ahead log is being replayed, or the disk is slow: raise connect_timeout")
        })??;
        Ok(Self { pool: Pool::new(database, pool.clone()), by_position: true, held: None })
    }

    /// The same connection, whose rows are read by name alone: what `into_json` needs. Access by index, as by `into_tuple`,
    /// gives columns in the order of their names there. The module `row` says why the two differ.
    #[must_use]
    pub fn named_rows(&self) -> Self {
        Self { by_position: false, ..self.clone() }
    }

    /// The same connection, which keeps its file in use.
    pub(super) fn held(self, held: Arc<Use>) -> Self {
        Self { held: Some(held), ..self }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    async fn lease(&self) -> Result<Lease> {
        self.pool.acquire(self.held.clone()).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let lease = self.lease().await?;
        let worker = lease.worker()?;
        worker.submit(Some(lease), work).done().await
    }
}

#[async_trait]
impl EngineConnection for DuckdbConnection {
    fn engine(&self) -> Engine {
        Engine::Duckdb
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::LEAST;
        capabilities.concurrent_writers = true;
        capabilities.nul_in_text = true;
        capabilities.interrupts = true;
        capabilities
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult> {
        self.run(move |connection| run::execute(connection, statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        let sql = sql.to_owned();
        self.run(move |connection| run::execute_unprepared(connection, &sql)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        let by_position = self.by_position;
        self.run(move |connection| run::query_all(connection, statement, by_position)).await
    }

    async fn fetch(&self, statement: Statement, _: Vec<CellType>) -> Result<Fetched> {
        self.run(move |connection| run::fetch(connection, statement)).await.map(Fetched::Cells)
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        let lease = self.lease().await?;
        let worker = lease.worker()?;
        stream(&worker, Some(lease), statement, self.by_position).await
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        let lease = self.lease().await?;
        Ok(Box::new(DuckdbTransaction::begin(lease, options, self.by_position).await?))
    }

    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        Ok(Box::new(DuckdbTransaction::with_its_first_statement(self.lease().await?, self.by_position, true)))
    }

    async fn begin_writing(&self) -> Result<Box<dyn EngineTransaction>> {
        Ok(Box::new(DuckdbTransaction::with_its_first_statement(
            self.lease().await?,
            self.by_position,
            false,
        )))
    }

    async fn ping(&self) -> Result<()> {
        self.run(|connection| connection.execute_batch("SELECT 1").map_err(|e| failed("ping DuckDB", e)))
            .await
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
impl DuckdbConnection {
    fn idle(&self) -> usize {
        self.pool.idle()
    }

    fn in_use(&self) -> usize {
        self.pool.lent()
    }

    pub(super) fn shares_sessions_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pool, &other.pool)
    }

    pub(super) fn without_use(self) -> Self {
        Self { held: None, ..self }
    }
}

#[cfg(test)]
mod tests;
