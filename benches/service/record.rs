//! The statements that Trimaran sends, written down as it sends them, so that the raw driver can send the same.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sea_orm::{DbBackend, ExecResult, QueryResult, Statement, TransactionOptions};
use trimaran::backends::append::Rows;
use trimaran::backends::connection::RowStream;
use trimaran::backends::fetch::{CellType, Fetched};
use trimaran::backends::{EngineConnection, EngineTransaction};
use trimaran::{Capabilities, Connection, Engine, Result};

/// One thing that was asked of the driver.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// What follows goes to the file of this number. Where there is one database alone it is left out.
    On(usize),
    Begin {
        reads: bool,
    },
    Run(Statement),
    Commit,
}

/// What one call of a repository, or one request, asks of it.
pub(crate) type Script = Vec<Step>;

/// A connection that writes down what goes through it.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    inner: Connection,
    /// What its database is called in the script.
    place: Option<usize>,
    steps: Arc<Mutex<Script>>,
}

impl Recorder {
    pub(crate) fn over(inner: Connection) -> Self {
        Self { inner, place: None, steps: Arc::default() }
    }

    /// Writes into the same script what goes to another database.
    pub(crate) fn beside(&self, inner: Connection, place: usize) -> Self {
        Self { inner, place: Some(place), steps: Arc::clone(&self.steps) }
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::new(self.clone())
    }

    /// What was asked since the last time.
    pub(crate) fn take(&self) -> Script {
        std::mem::take(&mut *self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, step: Step) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(place), Step::Begin { .. } | Step::Run(_)) = (self.place, &step) {
            steps.push(Step::On(place));
        }
        steps.push(step);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EngineConnection for Recorder {
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
        self.note(Step::Run(statement.clone()));
        self.inner.driver().execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        self.note(Step::Run(Statement::from_string(self.backend(), sql)));
        self.inner.driver().execute_unprepared(sql).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.note(Step::Run(statement.clone()));
        self.inner.driver().query_all_raw(statement).await
    }

    async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.note(Step::Run(statement.clone()));
        self.inner.driver().fetch(statement, types).await
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        self.note(Step::Run(statement.clone()));
        self.inner.driver().stream_raw(statement).await
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        let reads = matches!(options.access_mode, Some(sea_orm::AccessMode::ReadOnly));
        self.note(Step::Begin { reads });
        let inner = self.inner.driver().begin(options).await?;
        Ok(Box::new(Recorded { inner, recorder: self.clone() }))
    }

    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        self.note(Step::Begin { reads: true });
        let inner = self.inner.driver().begin_reading().await?;
        Ok(Box::new(Recorded { inner, recorder: self.clone() }))
    }

    async fn begin_writing(&self) -> Result<Box<dyn EngineTransaction>> {
        self.note(Step::Begin { reads: false });
        let inner = self.inner.driver().begin_writing().await?;
        Ok(Box::new(Recorded { inner, recorder: self.clone() }))
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

#[derive(Debug)]
struct Recorded {
    inner: Box<dyn EngineTransaction>,
    recorder: Recorder,
}

impl Recorded {
    /// Within a transaction the database is known.
    fn note(&self, step: Step) {
        self.recorder.steps.lock().unwrap_or_else(PoisonError::into_inner).push(step);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl EngineTransaction for Recorded {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.note(Step::Run(statement.clone()));
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        self.note(Step::Run(Statement::from_string(self.recorder.backend(), sql)));
        self.inner.execute_unprepared(sql).await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.note(Step::Run(statement.clone()));
        self.inner.query_all_raw(statement).await
    }

    async fn fetch(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.note(Step::Run(statement.clone()));
        self.inner.fetch(statement, types).await
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        self.note(Step::Run(statement.clone()));
        self.inner.stream_raw(statement).await
    }

    /// As INSERT statements of many rows, which is how one writes a few rows by hand; an engine may have a way of its own.
    async fn append(&mut self, rows: Rows) -> Result<()> {
        for statement in rows.into_inserts(usize::MAX) {
            self.execute_raw(statement?).await?;
        }
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.note(Step::Commit);
        self.inner.commit().await
    }

    async fn commit_with(mut self: Box<Self>, rows: Vec<Rows>) -> Result<()> {
        for rows in rows {
            self.append(rows).await?;
        }
        self.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.note(Step::Commit);
        self.inner.rollback().await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self.inner.as_any()
    }
}
