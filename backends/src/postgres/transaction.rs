//! A transaction of Postgres, on a session of its own.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use sea_orm::{AccessMode, ExecResult, IsolationLevel, QueryResult, Statement, TransactionOptions};
use sqlx::PgConnection;
use trimaran_core::Result;

use super::append;
use super::pool::PooledSession;
use crate::append::Rows;
use crate::connection::{EngineTransaction, RowStream};

/// An open transaction. What only Postgres has is reached by [`PostgresTransaction::begin_raw`].
pub struct PostgresTransaction {
    session: PooledSession,
}

impl PostgresTransaction {
    pub(super) fn new(session: PooledSession) -> Self {
        Self { session }
    }

    /// The driver's connection, for what has no place in [`EngineTransaction`], such as COPY. Whoever takes it gives the
    /// outcome to [`end_raw`](Self::end_raw), and neither ends the transaction nor begins one within it. Without
    /// `end_raw` (when the future in between was dropped) the session counts as cut off: it is closed, and nothing is
    /// committed.
    ///
    /// # Errors
    /// [`Aborted`](trimaran_core::ErrorKind::Aborted) if an earlier statement was cut off or the connection is lost.
    pub fn begin_raw(&mut self) -> Result<&mut PgConnection> {
        self.session.enter()
    }

    /// Says how it went with what [`begin_raw`](Self::begin_raw) gave, and classifies the error.
    ///
    /// # Errors
    /// The one in `outcome`, classified; `operation` is a verb phrase.
    pub fn end_raw<T>(&mut self, outcome: Result<T, sqlx::Error>, operation: &str) -> Result<T> {
        self.session.leave(outcome, operation)
    }
}

impl fmt::Debug for PostgresTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTransaction").finish_non_exhaustive()
    }
}

/// The statement that begins a transaction with these options. The mode of SQLite's transactions means nothing here.
pub(super) fn begin_sql(options: TransactionOptions) -> String {
    let mut sql = "BEGIN".to_owned();
    if let Some(level) = options.isolation_level {
        sql.push_str(match level {
            IsolationLevel::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            IsolationLevel::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            IsolationLevel::ReadUncommitted => " ISOLATION LEVEL READ UNCOMMITTED",
            IsolationLevel::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        });
    }
    sql.push_str(match options.access_mode {
        Some(AccessMode::ReadOnly) => " READ ONLY",
        // A role's or server's default may be otherwise.
        Some(AccessMode::ReadWrite) => " READ WRITE",
        None => "",
    });
    sql
}

#[async_trait]
impl EngineTransaction for PostgresTransaction {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.session.execute(statement).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        self.session.execute_text(sql, "run SQL").await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.session.query_all(statement).await
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        Ok(self.session.stream(statement))
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        if let Some(types) = rows.types() {
            return append::append(&mut self.session, &rows, &types).await;
        }
        for statement in rows.into_inserts(usize::MAX) {
            self.session.execute(statement?).await?;
        }
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        self.session.commit().await
    }

    async fn rollback(mut self: Box<Self>) -> Result<()> {
        self.session.roll_back().await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn options_are_part_of_begin() {
        let begin = |isolation_level, access_mode| {
            begin_sql(TransactionOptions { isolation_level, access_mode, ..Default::default() })
        };
        assert_eq!(begin(None, None), "BEGIN");
        assert_eq!(
            begin(Some(IsolationLevel::Serializable), Some(AccessMode::ReadOnly)),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
        );
    }
}
