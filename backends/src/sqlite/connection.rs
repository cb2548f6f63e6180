//! The pool that SeaORM's queries run on.
//!
//! A missing file is made with mode 0600; its folder must exist. Journal: write-ahead log, so that readers and the writer
//! don't wait for one another. `synchronous=FULL`: what is committed survives a power failure. Foreign keys are enforced.
//! SQLite has one writer at a time; those of this process write in the order in which they asked, and wait for
//! `acquire_timeout` at most, and as long again for writers of other processes.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use sea_orm::{ExecResult, QueryResult, Statement, TransactionOptions};
use sqlx::SqlitePool;
use trimaran_core::config::PoolSettings;
use trimaran_core::{Capabilities, Engine, Result};

use super::pool::FilePool;
use super::reader;
use super::statement::may_write;
use super::transaction::{Form, SqliteTransaction};
use super::writer;
use crate::Location;
use crate::connection::{EngineConnection, EngineTransaction, RowStream};
use crate::fetch::{CellType, Fetched};

/// A pool of connections to a SQLite file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SqliteConnection {
    pool: Arc<FilePool>,
}

impl SqliteConnection {
    /// Makes or examines the file, and makes the pool.
    ///
    /// Must be called within a tokio runtime, which the pool lives in from then on.
    ///
    /// # Errors
    /// `NotFound` without the folder; `Corrupt` for a folder, another format, a damaged file, or the database of another
    /// application; `Forbidden` for one that can't be written; `Locked` if another process keeps it; `Unavailable` for a
    /// full or failing disk; `Unsupported` on a file system without shared memory; `Configuration` for a location or
    /// settings that can't be.
    pub async fn open(location: &Location, pool: &PoolSettings) -> Result<Self> {
        Ok(Self { pool: Arc::new(FilePool::open(location, pool).await?) })
    }

    /// The driver's pool, for what takes one (sea-orm-migration does). What writes through it does not stand in line.
    pub fn pool(&self) -> &SqlitePool {
        self.pool.driver()
    }
}

#[async_trait]
impl EngineConnection for SqliteConnection {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::LEAST;
        can.foreign_keys = true;
        can.savepoints = true;
        can.serializable = true;
        can.many_processes = true;
        can.nul_in_text = true;
        can
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult> {
        self.pool.session(true).await?.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        self.pool.session(true).await?.execute_sql(sql).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.pool.session(may_write(&statement.sql)).await?.query_all(statement).await
    }

    async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        if may_write(&statement.sql) {
            let mut writing = self.pool.writing(writer::Form::Statement).await?;
            let fetched = writing.read(statement, types).await?;
            writing.give_back();
            return Ok(fetched);
        }
        let mut reading = self.pool.reading(reader::Form::Statement).await?;
        let fetched = reading.read(statement, types).await?;
        reading.end()?;
        Ok(fetched)
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        let mut session = self.pool.session(may_write(&statement.sql)).await?;
        Ok(Box::pin(async_stream::try_stream! {
            let mut rows = session.stream(statement);
            while let Some(row) = rows.next().await {
                yield row?;
            }
        }))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        let form = Form::of(options);
        let mut session = self.pool.session(form.writes).await?;
        session.begin(&form.begin, form.ends).await?;
        Ok(Box::new(SqliteTransaction::new(session)))
    }

    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        Ok(Box::new(self.pool.reading(reader::Form::Transaction).await?))
    }

    async fn begin_writing(&self) -> Result<Box<dyn EngineTransaction>> {
        Ok(Box::new(self.pool.writing(writer::Form::Transaction).await?))
    }

    async fn ping(&self) -> Result<()> {
        self.pool.session(false).await?.ping().await
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
