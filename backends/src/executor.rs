//! What a repository runs its statements on: a connection, or the transaction of a unit of work.

use std::pin::Pin;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, StreamTrait};
use trimaran_core::{Capabilities, Engine, Result};

use crate::connection::DbRowStream;
use crate::fetch::{CellType, Fetched};
use crate::{Connection, Transaction, TransactionHandle};

/// Where statements go. The same repository works on its own, each call by itself, and in a unit of work, all calls in one
/// transaction.
#[derive(Debug, Clone)]
pub enum Executor {
    /// Each statement commits by itself.
    Connection(Connection),
    /// All statements belong to one transaction, which somebody else ends.
    Transaction(TransactionHandle),
}

impl Executor {
    /// The engine.
    pub fn engine(&self) -> Engine {
        match self {
            Executor::Connection(connection) => connection.engine(),
            Executor::Transaction(transaction) => transaction.engine(),
        }
    }

    /// What the engine can do beyond the least.
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Executor::Connection(connection) => connection.capabilities(),
            Executor::Transaction(transaction) => transaction.capabilities(),
        }
    }

    /// Begins a transaction for a call that needs several statements: one of its own, or one within the unit's.
    ///
    /// # Errors
    /// The engine's, classified; `Aborted` if the unit's transaction has ended or failed.
    pub async fn begin(&self) -> Result<Transaction> {
        match self {
            Executor::Connection(connection) => connection.transaction().await,
            Executor::Transaction(transaction) => transaction.begin_inner().await,
        }
    }

    /// Begins a transaction for a call that reads several times and is to see one state: one of its own, or one within the
    /// unit's, which sees what that sees. All that is asked of it is [`fetch`](Self::fetch).
    ///
    /// # Errors
    /// As for [`Self::begin`].
    pub async fn begin_reading(&self) -> Result<Transaction> {
        match self {
            Executor::Connection(connection) => connection.begin_reading().await,
            Executor::Transaction(transaction) => transaction.begin_inner().await,
        }
    }

    /// Begins a transaction for a call that writes and is given none of SeaORM's rows: one of its own, or one within the unit's. All
    /// that is asked of it is to execute, to [`fetch`](Self::fetch) and to append.
    ///
    /// # Errors
    /// As for [`Self::begin`].
    pub async fn begin_writing(&self) -> Result<Transaction> {
        match self {
            Executor::Connection(connection) => connection.begin_writing().await,
            Executor::Transaction(transaction) => transaction.begin_inner().await,
        }
    }

    /// Runs a query whose columns are of these types and gives all its rows, in the form that costs the engine least.
    ///
    /// # Errors
    /// The engine's, classified; `Aborted` if the unit's transaction has ended or failed.
    pub async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        match self {
            Executor::Connection(connection) => connection.driver().fetch(statement, types).await,
            Executor::Transaction(transaction) => transaction.fetch(statement, types).await,
        }
    }
}

#[async_trait]
impl ConnectionTrait for Executor {
    fn get_database_backend(&self) -> DbBackend {
        match self {
            Executor::Connection(connection) => ConnectionTrait::get_database_backend(connection),
            Executor::Transaction(transaction) => ConnectionTrait::get_database_backend(transaction),
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match self {
            Executor::Connection(connection) => connection.execute_raw(statement).await,
            Executor::Transaction(transaction) => transaction.execute_raw(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match self {
            Executor::Connection(connection) => connection.execute_unprepared(sql).await,
            Executor::Transaction(transaction) => transaction.execute_unprepared(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match self {
            Executor::Connection(connection) => connection.query_one_raw(statement).await,
            Executor::Transaction(transaction) => transaction.query_one_raw(statement).await,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match self {
            Executor::Connection(connection) => connection.query_all_raw(statement).await,
            Executor::Transaction(transaction) => transaction.query_all_raw(statement).await,
        }
    }
}

impl StreamTrait for Executor {
    type Stream<'a> = DbRowStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        ConnectionTrait::get_database_backend(self)
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        match self {
            Executor::Connection(connection) => connection.stream_raw(statement),
            Executor::Transaction(transaction) => transaction.stream_raw(statement),
        }
    }
}
