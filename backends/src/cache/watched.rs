//! A tenant's connection that notices each write.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _};
use sea_orm::{AccessMode, DbBackend, ExecResult, QueryResult, Statement, TransactionOptions};
use trimaran_core::{Capabilities, Engine, ErrorKind, Result, TenantId};

use super::version::{TenantVersion, Writing};
use crate::Connection;
use crate::append::Rows;
use crate::connection::{EngineConnection, EngineTransaction, RowStream};
use crate::fetch::{CellType, Fetched};

/// The same connection; whatever is written through it changes the tenant's version.
pub(crate) fn watched(connection: Connection, tenant: TenantId) -> Connection {
    Connection::new(Watched { inner: connection, version: TenantVersion::of(tenant) })
}

/// Whether a statement certainly writes nothing: a plain SELECT. (A function of a consumer's own that writes when it is selected is not seen.)
fn only_reads(sql: &str) -> bool {
    sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"))
}

/// Runs a write and says that it has been done, if that can be known.
pub(super) async fn write<T>(
    version: &Arc<TenantVersion>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let writing = Writing::begin(version).await;
    let done = work.await;
    match &done {
        // The server or the connection to it is gone: it may have taken effect, or yet do so. (A time-out is one of waiting for a session, or
        // the engine's own word that it has stopped.)
        Err(error) if error.kind() == ErrorKind::Unavailable => drop(writing),
        _ => writing.end().await,
    }
    done
}

#[derive(Debug)]
struct Watched {
    inner: Connection,
    version: Arc<TenantVersion>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EngineConnection for Watched {
    fn engine(&self) -> Engine {
        self.inner.engine()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn backend(&self) -> DbBackend {
        self.inner.driver().backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult> {
        write(&self.version, self.inner.driver().execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        write(&self.version, self.inner.driver().execute_unprepared(sql)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        if only_reads(&statement.sql) {
            return self.inner.driver().query_all_raw(statement).await;
        }
        write(&self.version, self.inner.driver().query_all_raw(statement)).await
    }

    async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        if only_reads(&statement.sql) {
            return self.inner.driver().fetch(statement, types).await;
        }
        write(&self.version, self.inner.driver().fetch(statement, types)).await
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        if only_reads(&statement.sql) {
            return self.inner.driver().stream_raw(statement).await;
        }
        let writing = Writing::begin(&self.version).await;
        let rows = self.inner.driver().stream_raw(statement).await?;
        Ok(Box::pin(WritingStream { rows, end: End::Reading(writing) }))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        let reads = matches!(options.access_mode, Some(AccessMode::ReadOnly));
        let inner = self.inner.driver().begin(options).await?;
        if reads {
            return Ok(inner);
        }
        Ok(Box::new(WatchedTransaction { inner, version: Arc::clone(&self.version), wrote: false }))
    }

    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        self.inner.driver().begin_reading().await
    }

    async fn begin_writing(&self) -> Result<Box<dyn EngineTransaction>> {
        let inner = self.inner.driver().begin_writing().await?;
        Ok(Box::new(WatchedTransaction { inner, version: Arc::clone(&self.version), wrote: false }))
    }

    async fn ping(&self) -> Result<()> {
        self.inner.driver().ping().await
    }

    async fn close(&self) {
        self.inner.driver().close().await;
    }

    fn as_any(&self) -> &dyn Any {
        self.inner.driver().as_any()
    }
}

/// Rows of a statement that writes: it has been done when they end.
struct WritingStream<'a> {
    rows: RowStream<'a>,
    end: End,
}

enum End {
    Reading(Writing),
    Ending(Pin<Box<dyn Future<Output = ()> + Send>>),
    Ended,
}

impl Stream for WritingStream<'_> {
    type Item = Result<QueryResult>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::mem::replace(&mut self.end, End::Ended) {
                End::Reading(writing) => match self.rows.poll_next_unpin(context) {
                    Poll::Ready(None) => self.end = End::Ending(Box::pin(writing.end())),
                    // After an error nothing follows, and what became of the statement is not known.
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                    other => {
                        self.end = End::Reading(writing);
                        return other;
                    }
                },
                End::Ending(mut ending) => match ending.as_mut().poll(context) {
                    Poll::Ready(()) => return Poll::Ready(None),
                    Poll::Pending => {
                        self.end = End::Ending(ending);
                        return Poll::Pending;
                    }
                },
                End::Ended => return Poll::Ready(None),
            }
        }
    }
}

struct WatchedTransaction {
    inner: Box<dyn EngineTransaction>,
    version: Arc<TenantVersion>,
    wrote: bool,
}

impl fmt::Debug for WatchedTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EngineTransaction for WatchedTransaction {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.wrote = true;
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        self.wrote = true;
        self.inner.execute_unprepared(sql).await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.wrote |= !only_reads(&statement.sql);
        self.inner.query_all_raw(statement).await
    }

    async fn fetch(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.wrote |= !only_reads(&statement.sql);
        self.inner.fetch(statement, types).await
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        self.wrote |= !only_reads(&statement.sql);
        self.inner.stream_raw(statement).await
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        self.wrote = true;
        self.inner.append(rows).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        if !self.wrote {
            return self.inner.commit().await;
        }
        write(&self.version, self.inner.commit()).await
    }

    async fn commit_with(self: Box<Self>, rows: Vec<Rows>) -> Result<()> {
        if !self.wrote && rows.iter().all(Rows::is_empty) {
            return self.inner.commit().await;
        }
        write(&self.version, self.inner.commit_with(rows)).await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.inner.rollback().await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        // Who reaches the engine's own transaction may write with it unseen.
        self.wrote = true;
        self.inner.as_any()
    }
}
