//! Writing past the driver of SeaORM.
//!
//! That driver runs each statement on a thread of the connection's own, a way there and back for each, and owns every value
//! (docs/decisions/0016-writing-past-the-driver.md). What Trimaran's repositories write goes by a connection of `rusqlite` instead: a statement, all
//! rows of an append, or the last rows together with COMMIT are one turn on a thread for blocking work.
//!
//! There is one such connection, for there is one writer at a time; it is had with the turn to write, and kept for the
//! next. A statement whose future is dropped is interrupted, and its connection closed: nothing of its transaction stays.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::{Connection, InterruptHandle};
use sea_orm::{ExecResult, QueryResult, Statement, Value};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use trimaran_core::{Error, ErrorKind, Result};

use super::append;
use super::at_once::{AtOnce, control};
use super::cells;
use super::error::failed;
use super::file::DatabaseFile;
use super::reader::off_the_runtime;
use super::statement::keep_inside;
use crate::append::Rows;
use crate::carrier::exec_result;
use crate::connection::{EngineTransaction, RowStream};
use crate::fetch::{CellType, Fetched};
use crate::slots::{Slot, closed};

const RUN: &str = "run a statement";
const BEGIN: &str = "BEGIN IMMEDIATE";
const ROLLBACK: &str = "ROLLBACK";

/// The connection that writes to a file.
#[derive(Debug)]
pub(super) struct Writer {
    file: Arc<DatabaseFile>,
    busy_timeout: Duration,
    idle_timeout: Duration,
    runtime: Handle,
    kept: Arc<Mutex<Kept>>,
}

/// What is kept for the next one who writes.
#[derive(Debug)]
enum Kept {
    /// A connection, and since when it waits.
    Idle(Box<AtOnce>, Instant),
    /// None was made yet, or the last one was lost.
    Nothing,
    /// The pool is closed.
    Closed,
}

impl Writer {
    pub(super) fn new(
        file: Arc<DatabaseFile>,
        busy_timeout: Duration,
        idle_timeout: Duration,
        runtime: Handle,
    ) -> Self {
        Self { file, busy_timeout, idle_timeout, runtime, kept: Arc::new(Mutex::new(Kept::Nothing)) }
    }

    /// The connection, for whoever's turn it is; it is made, if it must be, with the first statement.
    ///
    /// # Errors
    /// `Unavailable` after [`close`](Self::close).
    pub(super) async fn begin(self: &Arc<Self>, turn: Slot, slot: Slot, form: Form) -> Result<SqliteWriting> {
        let mut kept = Arc::clone(&self.kept).lock_owned().await;
        let connection = match std::mem::replace(&mut *kept, Kept::Nothing) {
            Kept::Idle(connection, _) => Some(*connection),
            Kept::Nothing => None,
            Kept::Closed => {
                *kept = Kept::Closed;
                return Err(closed());
            }
        };
        let session = Session { connection, kept, _slot: slot, _turn: turn };
        Ok(SqliteWriting { session: Some(session), form, begun: false, writer: Arc::clone(self) })
    }

    /// Closes the connection if nobody has written for long.
    pub(super) fn retire(&self) {
        if let Ok(mut kept) = self.kept.try_lock()
            && matches!(&*kept, Kept::Idle(_, since) if since.elapsed() > self.idle_timeout)
        {
            *kept = Kept::Nothing;
        }
    }

    /// Closes the connection, when whoever writes has come to an end.
    pub(super) async fn close(&self) {
        let kept = std::mem::replace(&mut *self.kept.lock().await, Kept::Closed);
        // Who closes a file last merges its log: that may take a while. If the runtime ends meanwhile, it is closed all the same.
        if let Err(error) = off_the_runtime(move || drop(kept)).await {
            tracing::debug!(%error, "the runtime ended before a SQLite file was closed");
        }
    }
}

/// When what is written takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// With its statement.
    Statement,
    /// With the commit.
    Transaction,
}

/// The connection, and the right to use it. What is first is dropped first: others come when SQLite has let go of its lock.
struct Session {
    connection: Option<AtOnce>,
    kept: OwnedMutexGuard<Kept>,
    _slot: Slot,
    _turn: Slot,
}

impl Session {
    /// Leaves the connection to the next one, without a transaction; one that can't be had out of it is closed.
    fn give_back(mut self) {
        if let Some(connection) = self.connection.take()
            && (connection.is_autocommit() || control(&connection, ROLLBACK).is_ok())
        {
            *self.kept = Kept::Idle(Box::new(connection), Instant::now());
        }
    }
}

/// A connection that writes for somebody.
pub(super) struct SqliteWriting {
    /// `None` while a statement runs, and after one that failed or was cut off.
    session: Option<Session>,
    form: Form,
    begun: bool,
    writer: Arc<Writer>,
}

impl fmt::Debug for SqliteWriting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteWriting").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// Interrupts what runs unless it has come to its end, and keeps it from going on.
struct Interrupting {
    handle: Option<InterruptHandle>,
    given_up: Arc<AtomicBool>,
}

impl Drop for Interrupting {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            self.given_up.store(true, Ordering::SeqCst);
            handle.interrupt();
        }
    }
}

impl SqliteWriting {
    /// Runs `work` in one turn, in a transaction if there is to be one. After an error there is none any more.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection, &AtomicBool) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut session = self.session.take().ok_or_else(|| {
            Error::new(ErrorKind::Aborted, RUN)
                .context("an earlier one of the same transaction failed or was cut off")
        })?;
        let connection = match session.connection.take() {
            Some(connection) => connection,
            None => {
                let writer = Arc::clone(&self.writer);
                let make = move || AtOnce::open(writer.file.path(), writer.busy_timeout, true);
                off_the_runtime(make).await?.map_err(failed("open the SQLite file"))?
            }
        };
        let begin = self.form == Form::Transaction && !self.begun;
        let given_up = Arc::new(AtomicBool::new(false));
        let mut interrupting =
            Interrupting { handle: Some(connection.get_interrupt_handle()), given_up: Arc::clone(&given_up) };
        let turn = move || {
            let write = || -> Result<T> {
                if begin {
                    control(&connection, BEGIN).map_err(failed("begin a transaction"))?;
                }
                work(&connection, &given_up)
            };
            let done = write();
            session.connection = Some(connection);
            // It comes back whole, or nobody is there to take it: then it is closed, before the next one's turn.
            (done, session)
        };
        let (done, session) = off_the_runtime(turn).await?;
        interrupting.handle = None;
        match done {
            Ok(done) => {
                self.session = Some(session);
                self.begun = true;
                Ok(done)
            }
            Err(error) => {
                self.undo(session);
                Err(error)
            }
        }
    }

    /// Rolls back, if there is something to, where blocking does no harm.
    fn undo(&self, session: Session) {
        if session.connection.as_ref().is_none_or(|connection| connection.is_autocommit()) {
            session.give_back();
        } else {
            drop(self.writer.runtime.spawn_blocking(move || session.give_back()));
        }
    }

    /// Runs one statement, and says which row it inserted last and how many it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult> {
        keep_inside(&statement.sql)?;
        let (last, changed) = self.run(move |connection, _| cells::execute(connection, &statement)).await?;
        exec_result(last, changed)
    }

    /// Runs one statement, and gives the cells of its rows.
    pub(super) async fn read(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        keep_inside(&statement.sql)?;
        if let Some(rows) = self.read_at_once(&statement, &types) {
            return Ok(Fetched::Cells(rows?));
        }
        let rows = self.run(move |connection, _| cells::read(connection, &statement, &types)).await?;
        Ok(Fetched::Cells(rows))
    }

    /// Begins the transaction and runs its first statement here, if that is a short one: nothing waits for the disk before the commit.
    /// `None` if there is no transaction, or this is not its first statement: one that is cut off takes what was written before with it.
    fn read_at_once(&mut self, statement: &Statement, types: &[CellType]) -> Option<Result<Vec<Vec<Value>>>> {
        if self.form != Form::Transaction || self.begun {
            return None;
        }
        let session = self.session.take()?;
        let done = session.connection.as_ref().and_then(|connection| {
            let done = connection.at_once(|connection| {
                control(connection, BEGIN).map_err(failed("begin a transaction"))?;
                cells::read(connection, statement, types)
            });
            if done.is_none() && !connection.is_autocommit() {
                let undone = control(connection, ROLLBACK).map_err(failed("begin a transaction anew"));
                return undone.err().map(Err);
            }
            done
        });
        match done {
            Some(Err(error)) => {
                self.undo(session);
                Some(Err(error))
            }
            done => {
                self.begun = done.is_some();
                self.session = Some(session);
                done
            }
        }
    }

    /// Inserts the last rows and commits, in one turn.
    async fn end(&mut self, rows: Vec<Rows>) -> Result<()> {
        if self.form == Form::Transaction && (self.begun || !rows.is_empty() || self.session.is_none()) {
            self.run(move |connection, given_up| {
                for rows in &rows {
                    append::insert(connection, rows)?;
                }
                if given_up.load(Ordering::SeqCst) {
                    return Err(Error::new(ErrorKind::Interrupted, "commit").context("nobody waits for it"));
                }
                control(connection, "COMMIT").map_err(failed("commit"))
            })
            .await?;
        }
        self.give_back();
        Ok(())
    }

    /// Gives the connection back when there is no transaction any more.
    pub(super) fn give_back(&mut self) {
        if let Some(session) = self.session.take() {
            self.undo(session);
        }
    }
}

impl Drop for SqliteWriting {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn refused<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "use a transaction whose rows are fetched")
        .hint("begin one with transaction() or transaction_with()"))
}

#[async_trait]
impl EngineTransaction for SqliteWriting {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.execute(statement).await
    }

    async fn execute_unprepared(&mut self, _: &str) -> Result<ExecResult> {
        refused()
    }

    async fn query_all_raw(&mut self, _: Statement) -> Result<Vec<QueryResult>> {
        refused()
    }

    async fn fetch(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.read(statement, types).await
    }

    async fn stream_raw<'a>(&'a mut self, _: Statement) -> Result<RowStream<'a>> {
        refused()
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        self.run(move |connection, _| append::insert(connection, &rows)).await
    }

    async fn commit(mut self: Box<Self>) -> Result<()> {
        self.end(Vec::new()).await
    }

    async fn commit_with(mut self: Box<Self>, rows: Vec<Rows>) -> Result<()> {
        self.end(rows).await
    }

    async fn rollback(mut self: Box<Self>) -> Result<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        off_the_runtime(move || session.give_back()).await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
