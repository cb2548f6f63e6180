//! One connection type for all engines, open to any SeaORM entity and query.
//!
//! An engine implements [`EngineConnection`] and [`EngineTransaction`]; everything above speaks to the plain types
//! [`Connection`] and [`Transaction`], which implement SeaORM's traits. So SQL is written once, no generics spread, and a
//! third party plugs in an engine by `Connection::new`.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _};
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StreamTrait, TransactionError, TransactionOptions, TransactionTrait,
};
use trimaran_core::{Capabilities, Engine, Result};

use crate::Transaction;
use crate::append::Rows;
use crate::db_error::to_db_err;
use crate::fetch::{CellType, Fetched};
use crate::transaction::run_in;

/// Rows as they arrive.
pub type RowStream<'a> = Pin<Box<dyn Stream<Item = Result<QueryResult>> + Send + 'a>>;

/// What an engine's connections do. Most are pools: each call may run on another session.
///
/// Every error is classified: a broken unique or foreign key is `Conflict`; not-null, check and value errors `Invalid`; a
/// transaction that lost against another one `Aborted`; busy `Locked`; no connection in time `Timeout`; a server gone or
/// a full disk `Unavailable`; missing rights and read-only files `Forbidden`; damage `Corrupt`.
#[async_trait]
pub trait EngineConnection: fmt::Debug + Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine;

    /// What it can do beyond the least.
    fn capabilities(&self) -> Capabilities;

    /// The SQL that statements are to be built in. DuckDB takes Postgres'.
    fn backend(&self) -> DbBackend {
        match self.engine() {
            Engine::Postgres | Engine::Duckdb => DbBackend::Postgres,
            Engine::Sqlite => DbBackend::Sqlite,
        }
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// The engine's, classified as said above.
    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult>;

    /// Runs SQL text that may hold several statements and has no parameters.
    ///
    /// # Errors
    /// As for [`Self::execute_raw`].
    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult>;

    /// Runs a query and gives all its rows.
    ///
    /// # Errors
    /// As for [`Self::execute_raw`].
    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>>;

    /// Runs a query whose columns are of these types and gives all its rows, in the form that costs least. An engine to which SeaORM's rows are a detour
    /// overrides it.
    ///
    /// # Errors
    /// As for [`Self::execute_raw`].
    async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        let _ = types;
        self.query_all_raw(statement).await.map(Fetched::Rows)
    }

    /// Runs a query and gives its rows as they come, in bounded memory. Dropping the stream ends the query.
    ///
    /// # Errors
    /// As for [`Self::execute_raw`]; an error may also come in place of a row, and is the last item.
    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>>;

    /// Begins a transaction on a session of its own. With no options it may read and write.
    ///
    /// # Errors
    /// [`Unsupported`](trimaran_core::ErrorKind::Unsupported) for an isolation level the engine doesn't reach; else as
    /// for [`Self::execute_raw`].
    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>>;

    /// Begins a transaction that [`fetch`](EngineTransaction::fetch) is all that is asked of, and that sees one state of
    /// the database. An engine that has sessions for reading only overrides it. It may begin with the first statement.
    ///
    /// # Errors
    /// As for [`Self::begin`].
    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        let isolation_level = Some(IsolationLevel::RepeatableRead);
        let access_mode = Some(AccessMode::ReadOnly);
        self.begin(TransactionOptions { isolation_level, access_mode, ..TransactionOptions::default() }).await
    }

    /// Begins a transaction that may write, and that is asked for nothing but [`execute_raw`](EngineTransaction::execute_raw),
    /// [`fetch`](EngineTransaction::fetch) and [`append`](EngineTransaction::append): none of SeaORM's rows come out of it. An
    /// engine to which those are a detour overrides it. It may begin with the first statement.
    ///
    /// # Errors
    /// As for [`Self::begin`].
    async fn begin_writing(&self) -> Result<Box<dyn EngineTransaction>> {
        self.begin(TransactionOptions::default()).await
    }

    /// Makes sure that the database answers.
    ///
    /// # Errors
    /// `Timeout` or `Unavailable` if it doesn't.
    async fn ping(&self) -> Result<()>;

    /// Ends all sessions once they are idle, and lets go of the file. Calls that come later fail with `Unavailable`.
    async fn close(&self);

    /// The connection itself, for what only this engine has (such as COPY).
    fn as_any(&self) -> &dyn Any;
}

/// One open transaction of an engine. Dropped, it rolls back.
///
/// It need not remember whether a statement failed: [`Transaction`] does, the same way for all engines.
#[async_trait]
pub trait EngineTransaction: fmt::Debug + Send {
    /// Runs a statement.
    ///
    /// # Errors
    /// As for [`EngineConnection::execute_raw`].
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult>;

    /// Runs SQL text that may hold several statements and has no parameters.
    ///
    /// # Errors
    /// As for [`EngineConnection::execute_raw`].
    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult>;

    /// Runs a query and gives all its rows.
    ///
    /// # Errors
    /// As for [`EngineConnection::execute_raw`].
    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>>;

    /// Runs a query whose columns are of these types and gives all its rows, in the form that costs least.
    ///
    /// # Errors
    /// As for [`EngineConnection::execute_raw`].
    async fn fetch(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        let _ = types;
        self.query_all_raw(statement).await.map(Fetched::Rows)
    }

    /// Runs a query and gives its rows as they come.
    ///
    /// # Errors
    /// As for [`EngineConnection::stream_raw`].
    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>>;

    /// Inserts rows, all of them or, after an error, none: the transaction is never committed then. An engine that has a
    /// faster way than INSERT overrides it.
    ///
    /// # Errors
    /// As for [`EngineConnection::execute_raw`].
    async fn append(&mut self, rows: Rows) -> Result<()> {
        for statement in rows.into_inserts(usize::MAX) {
            self.execute_raw(statement?).await?;
        }
        Ok(())
    }

    /// Commits.
    ///
    /// # Errors
    /// `Conflict` for a key that another transaction took first, `Aborted` for any other conflict that the engine finds only
    /// now; `Unavailable` where it can't be known whether the commit took effect.
    async fn commit(self: Box<Self>) -> Result<()>;

    /// Inserts the last rows and commits. An engine to which each call is a way there and back overrides it.
    ///
    /// # Errors
    /// As for [`Self::append`] and [`Self::commit`].
    async fn commit_with(mut self: Box<Self>, rows: Vec<Rows>) -> Result<()> {
        for rows in rows {
            self.append(rows).await?;
        }
        self.commit().await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The engine's, classified; the transaction has no effect all the same.
    async fn rollback(self: Box<Self>) -> Result<()>;

    /// The transaction itself, for what only this engine has (such as COPY).
    fn as_any(&mut self) -> &mut dyn Any;
}

/// A connection to a database of any engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connection(Arc<dyn EngineConnection>);

impl Connection {
    /// A connection over an engine's.
    pub fn new(engine: impl EngineConnection + 'static) -> Self {
        Self(Arc::new(engine))
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.0.engine()
    }

    /// What the engine can do beyond the least.
    pub fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    /// The engine's own connection.
    pub fn driver(&self) -> &dyn EngineConnection {
        self.0.as_ref()
    }

    /// Begins a transaction that may read and write.
    ///
    /// # Errors
    /// As for [`EngineConnection::begin`].
    pub async fn transaction(&self) -> Result<Transaction> {
        self.transaction_with(TransactionOptions::default()).await
    }

    /// Begins a transaction with options.
    ///
    /// # Errors
    /// As for [`EngineConnection::begin`].
    pub async fn transaction_with(&self, options: TransactionOptions) -> Result<Transaction> {
        let transaction = self.0.begin(options).await?;
        Ok(Transaction::over(transaction, self.engine(), self.0.backend(), self.capabilities()))
    }

    /// Begins a transaction that only fetches, and sees one state of the database.
    ///
    /// # Errors
    /// As for [`EngineConnection::begin`].
    pub async fn begin_reading(&self) -> Result<Transaction> {
        let transaction = self.0.begin_reading().await?;
        Ok(Transaction::over(transaction, self.engine(), self.0.backend(), self.capabilities()))
    }

    /// Begins a transaction that may write and gives none of SeaORM's rows.
    ///
    /// # Errors
    /// As for [`EngineConnection::begin`].
    pub async fn begin_writing(&self) -> Result<Transaction> {
        let transaction = self.0.begin_writing().await?;
        Ok(Transaction::over(transaction, self.engine(), self.0.backend(), self.capabilities()))
    }

    /// Makes sure that the database answers.
    ///
    /// # Errors
    /// `Timeout` or `Unavailable` if it doesn't.
    pub async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }

    /// Ends all sessions once they are idle, and lets go of the file.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

#[async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await.map_err(to_db_err)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await.map_err(to_db_err)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await.map_err(to_db_err)
    }
}

/// Rows as SeaORM takes them.
pub type DbRowStream<'a> = Pin<Box<dyn Stream<Item = Result<QueryResult, DbErr>> + Send + 'a>>;

impl StreamTrait for Connection {
    type Stream<'a> = DbRowStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        Box::pin(async move {
            let rows = self.0.stream_raw(statement).await.map_err(to_db_err)?;
            Ok(rows.map(|row| row.map_err(to_db_err)).boxed())
        })
    }
}

#[async_trait]
impl TransactionTrait for Connection {
    type Transaction = Transaction;

    async fn begin(&self) -> Result<Transaction, DbErr> {
        self.begin_with_options(TransactionOptions::default()).await
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Transaction, DbErr> {
        self.begin_with_options(TransactionOptions { isolation_level, access_mode, ..Default::default() })
            .await
    }

    async fn begin_with_options(&self, options: TransactionOptions) -> Result<Transaction, DbErr> {
        self.transaction_with(options).await.map_err(to_db_err)
    }

    async fn transaction<F, T, E>(&self, callback: F) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Transaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        run_in(TransactionTrait::begin(self).await.map_err(TransactionError::Connection)?, callback).await
    }

    async fn transaction_with_config<F, T, E>(
        &self,
        callback: F,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<T, TransactionError<E>>
    where
        F: for<'c> FnOnce(&'c Transaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
        T: Send,
        E: fmt::Display + fmt::Debug + Send,
    {
        let begun = self.begin_with_config(isolation_level, access_mode).await;
        run_in(begun.map_err(TransactionError::Connection)?, callback).await
    }
}

#[cfg(test)]
pub(crate) mod tests;
