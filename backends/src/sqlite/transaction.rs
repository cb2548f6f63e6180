//! A transaction of SQLite, on a session of its own.
//!
//! One that may write begins with `BEGIN IMMEDIATE`: it waits for its turn first and never fails for having read too
//! early. One that only reads begins with `BEGIN DEFERRED`, waits for nobody, and can't write (`query_only`).

use std::any::Any;
use std::fmt;

use async_trait::async_trait;
use sea_orm::{AccessMode, ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions};
use sqlx::SqliteConnection;
use trimaran_core::Result;

use super::append;
use super::pooled::{Ends, PooledSession};
use crate::append::Rows;
use crate::connection::{EngineTransaction, RowStream};

/// An open transaction.
pub struct SqliteTransaction {
    session: PooledSession,
}

/// How a transaction with some options is begun and ended.
pub(super) struct Form {
    pub(super) begin: String,
    /// Whether it waits for its turn to write before it begins.
    pub(super) writes: bool,
    pub(super) ends: Ends,
}

impl Form {
    /// Every isolation level is reached: SQLite's transactions are serializable.
    pub(super) fn of(options: TransactionOptions) -> Self {
        let read_only = matches!(options.access_mode, Some(AccessMode::ReadOnly));
        let mode = options.sqlite_transaction_mode.unwrap_or(if read_only {
            SqliteTransactionMode::Deferred
        } else {
            SqliteTransactionMode::Immediate
        });
        let begin = format!("BEGIN {}", mode.sqlite_keyword());
        let writes = !matches!(mode, SqliteTransactionMode::Deferred);
        if read_only {
            let ends = Ends {
                commit: "COMMIT; PRAGMA query_only = 0",
                roll_back: "ROLLBACK; PRAGMA query_only = 0",
            };
            return Self { begin: format!("{begin}; PRAGMA query_only = 1"), writes, ends };
        }
        Self { begin, writes, ends: Ends { commit: "COMMIT", roll_back: "ROLLBACK" } }
    }
}

impl SqliteTransaction {
    pub(super) fn new(session: PooledSession) -> Self {
        Self { session }
    }

    /// The driver's connection, for what has no place in [`EngineTransaction`]. Whoever takes it gives the outcome to
    /// [`end_raw`](Self::end_raw), and neither ends the transaction nor begins one within it. Without `end_raw` (when the
    /// future in between was dropped) the session counts as cut off: it is closed, and nothing is committed.
    ///
    /// # Errors
    /// [`Aborted`](trimaran_core::ErrorKind::Aborted) if an earlier statement was cut off.
    pub fn begin_raw(&mut self) -> Result<&mut SqliteConnection> {
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

impl fmt::Debug for SqliteTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTransaction").finish_non_exhaustive()
    }
}

#[async_trait]
impl EngineTransaction for SqliteTransaction {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.session.execute(statement).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        self.session.execute_sql(sql).await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.session.query_all(statement).await
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        Ok(self.session.stream(statement))
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        append::append(&mut self.session, rows).await
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
