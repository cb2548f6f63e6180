//! A session of a pool, which does not go back in the middle of a statement.

use std::sync::Arc;

use futures_util::StreamExt as _;
use sea_orm::{ExecResult, QueryResult, Statement};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};
use trimaran_core::{Error, ErrorKind, Result};

use super::error::shared;
use super::pool::FilePool;
use super::statement::{keep_inside, may_write};
use crate::bind::arguments;
use crate::connection::RowStream;
use crate::slots::Slot;

/// One of the pool's sessions, in use.
pub(super) struct PooledSession {
    // `None` only while it is dropped.
    connection: Option<PoolConnection<Sqlite>>,
    /// No statement is running: every row has been read.
    settled: bool,
    /// What ends the open transaction without effect.
    transaction: Option<Ends>,
    pool: Arc<FilePool>,
    slot: Option<Slot>,
    turn: Option<Slot>,
}

/// The statements that end a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Lets it take effect.
    pub(super) commit: &'static str,
    /// Undoes it.
    pub(super) roll_back: &'static str,
}

impl PooledSession {
    /// A session that nothing has been asked of yet.
    pub(super) fn new(
        connection: PoolConnection<Sqlite>,
        pool: Arc<FilePool>,
        slot: Slot,
        turn: Option<Slot>,
    ) -> Self {
        Self { connection: Some(connection), settled: true, transaction: None, pool, slot: Some(slot), turn }
    }

    /// The connection, for one statement; [`leave`](Self::leave) says how it went. Whoever doesn't come back loses it.
    pub(super) fn enter(&mut self) -> Result<&mut SqliteConnection> {
        match self.connection.as_deref_mut() {
            Some(connection) if self.settled => {
                self.settled = false;
                Ok(connection)
            }
            _ => Err(Error::new(ErrorKind::Aborted, "run a statement")
                .context("an earlier one on the same session was cut off")),
        }
    }

    /// What a statement's outcome means for the session and for the caller.
    pub(super) fn leave<T>(&mut self, outcome: Result<T, sqlx::Error>, operation: &str) -> Result<T> {
        self.settled = matches!(outcome, Ok(_) | Err(sqlx::Error::Database(_)));
        outcome.map_err(|error| shared(operation.to_owned(), Arc::new(error)))
    }

    /// Waits for its turn, if this is a transaction that began as a reader and now may write.
    async fn prepare(&mut self, writes: bool) -> Result<()> {
        if writes && self.turn.is_none() {
            self.turn = Some(self.pool.turn().await?);
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult> {
        self.prepare(true).await?;
        let query = query(statement)?;
        let outcome = query.execute(self.enter()?).await;
        self.leave(outcome, "run a statement").map(ExecResult::from)
    }

    /// Runs SQL text of the caller's.
    pub(super) async fn execute_sql(&mut self, sql: &str) -> Result<ExecResult> {
        keep_inside(sql)?;
        self.prepare(true).await?;
        self.execute_text(sql, "run SQL").await
    }

    async fn execute_text(&mut self, sql: &str, operation: &str) -> Result<ExecResult> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let outcome = query.execute(self.enter()?).await;
        self.leave(outcome, operation).map(ExecResult::from)
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.prepare(may_write(&statement.sql)).await?;
        let query = query(statement)?;
        let outcome = query.fetch_all(self.enter()?).await;
        let rows = self.leave(outcome, "run a query")?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub(super) fn stream(&mut self, statement: Statement) -> RowStream<'_> {
        Box::pin(async_stream::try_stream! {
            self.prepare(may_write(&statement.sql)).await?;
            let query = query(statement)?;
            let mut failed = None;
            {
                let mut rows = query.fetch(self.enter()?);
                while let Some(row) = rows.next().await {
                    match row {
                        Ok(row) => yield QueryResult::from(row),
                        Err(error) => {
                            failed = Some(error);
                            break;
                        }
                    }
                }
            }
            self.leave(failed.map_or(Ok(()), Err), "run a query")?;
        })
    }

    pub(super) async fn ping(&mut self) -> Result<()> {
        self.execute_text("SELECT 1 FROM sqlite_schema LIMIT 1", "read the SQLite file").await.map(drop)
    }

    pub(super) async fn begin(&mut self, sql: &str, ends: Ends) -> Result<()> {
        self.transaction = Some(ends);
        let begun = self.execute_text(sql, "begin a transaction").await;
        if begun.is_err() && self.settled {
            // Busy, or read-only: there is no transaction to undo.
            self.transaction = None;
        }
        begun.map(drop)
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        let Some(ends) = self.transaction else { return Ok(()) };
        // A COMMIT that fails, for instance over a foreign key, leaves the transaction open: dropping undoes it.
        self.execute_text(ends.commit, "commit").await?;
        self.transaction = None;
        Ok(())
    }

    pub(super) async fn roll_back(&mut self) -> Result<()> {
        let Some(ends) = self.transaction.take() else { return Ok(()) };
        let outcome = sqlx::raw_sql(ends.roll_back).execute(self.enter()?).await;
        match outcome {
            // SQLite has undone it by itself, as it does when the disk is full. The connection is not kept.
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction is active") => {
                Ok(())
            }
            outcome => self.leave(outcome, "roll back").map(drop),
        }
    }
}

/// The statement as the driver takes it.
fn query(statement: Statement) -> Result<Query<'static, Sqlite, SqliteArguments>> {
    keep_inside(&statement.sql)?;
    let values = arguments::<Sqlite>(statement.values, false)?;
    Ok(sqlx::query_with(AssertSqlSafe(statement.sql), values))
}

impl Drop for PooledSession {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (settled, transaction) = (self.settled, self.transaction.take());
        // The pool starts tasks; whoever drops a session may be on any thread.
        let _runtime = self.pool.runtime().enter();
        if settled && transaction.is_none() {
            return;
        }
        // Both are given on only when SQLite has let go of its lock.
        let held = (self.slot.take(), self.turn.take(), Arc::clone(&self.pool));
        self.pool.runtime().spawn(async move {
            let undone = match transaction {
                Some(ends) if settled => {
                    sqlx::raw_sql(ends.roll_back).execute(&mut *connection).await.is_ok()
                }
                _ => false,
            };
            if !undone && let Err(error) = connection.close().await {
                tracing::debug!(%error, "a connection to a SQLite file ended before it was closed");
            }
            drop(held);
        });
    }
}
