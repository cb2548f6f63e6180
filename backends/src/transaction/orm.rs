//! SeaORM's traits on a transaction and on its handle.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, Statement,
    StreamTrait, TransactionError, TransactionOptions, TransactionSession, TransactionTrait,
};
use trimaran_core::{Error, ErrorKind, Result};

use super::{Streaming, Transaction, TransactionHandle};
use crate::connection::DbRowStream;
use crate::db_error::to_db_err;

#[async_trait]
impl ConnectionTrait for TransactionHandle {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut open = self.0.enter().await.map_err(to_db_err)?;
        let done = open.get().map_err(to_db_err)?.execute_raw(statement).await.map_err(to_db_err)?;
        open.succeeded();
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut open = self.0.enter().await.map_err(to_db_err)?;
        let done = open.get().map_err(to_db_err)?.execute_unprepared(sql).await.map_err(to_db_err)?;
        open.succeeded();
        Ok(done)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.0.enter().await.map_err(to_db_err)?;
        let rows = open.get().map_err(to_db_err)?.query_all_raw(statement).await.map_err(to_db_err)?;
        open.succeeded();
        Ok(rows)
    }
}

impl StreamTrait for TransactionHandle {
    type Stream<'a> = DbRowStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        self.0.backend
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        Box::pin(async move {
            let mut open = self.0.enter().await.map_err(to_db_err)?;
            let streaming = Streaming::begin(&self.0.streaming);
            let rows: DbRowStream<'a> = Box::pin(async_stream::try_stream! {
                {
                    let _streaming = streaming;
                    let transaction = open.get().map_err(to_db_err)?;
                    let mut rows = transaction.stream_raw(statement).await.map_err(to_db_err)?;
                    while let Some(row) = rows.next().await {
                        yield row.map_err(to_db_err)?;
                    }
                }
                // A stream dropped before its end leaves the transaction poisoned: see the module's text.
                open.succeeded();
            });
            Ok(rows)
        })
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.handle.0.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.handle.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.handle.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.handle.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.handle.query_all_raw(statement).await
    }
}

impl StreamTrait for Transaction {
    type Stream<'a> = DbRowStream<'a>;

    fn get_database_backend(&self) -> DbBackend {
        self.handle.0.backend
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        self.handle.stream_raw(statement)
    }
}

#[async_trait]
impl TransactionSession for Transaction {
    async fn commit(self) -> Result<(), DbErr> {
        Transaction::commit(self).await.map_err(to_db_err)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        Transaction::rollback(self).await.map_err(to_db_err)
    }
}

#[async_trait]
impl TransactionTrait for Transaction {
    type Transaction = Transaction;

    async fn begin(&self) -> Result<Transaction, DbErr> {
        self.handle.begin_inner().await.map_err(to_db_err)
    }

    async fn begin_with_config(
        &self,
        isolation_level: Option<IsolationLevel>,
        access_mode: Option<AccessMode>,
    ) -> Result<Transaction, DbErr> {
        self.begin_with_options(TransactionOptions { isolation_level, access_mode, ..Default::default() })
            .await
    }

    /// An inner transaction shares the outer's isolation and access, so that asking for its own is refused.
    async fn begin_with_options(&self, options: TransactionOptions) -> Result<Transaction, DbErr> {
        if options != TransactionOptions::default() {
            return Err(to_db_err(
                Error::new(ErrorKind::Unsupported, "begin a transaction within a transaction")
                    .context("it can't have an isolation level or access mode of its own")
                    .hint("give the options to the outermost transaction"),
            ));
        }
        TransactionTrait::begin(self).await
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

/// Commits if `callback` succeeds, else rolls back; its error wins over the rollback's.
pub(crate) async fn run_in<F, T, E>(transaction: Transaction, callback: F) -> Result<T, TransactionError<E>>
where
    F: for<'c> FnOnce(&'c Transaction) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'c>> + Send,
    T: Send,
    E: fmt::Display + fmt::Debug + Send,
{
    match callback(&transaction).await {
        Ok(done) => {
            transaction.commit().await.map_err(|e| TransactionError::Connection(to_db_err(e)))?;
            Ok(done)
        }
        Err(error) => {
            if let Err(rollback) = transaction.rollback().await {
                tracing::warn!(error = %rollback, "a rollback failed; the connection's end rolls back");
            }
            Err(TransactionError::Transaction(error))
        }
    }
}
