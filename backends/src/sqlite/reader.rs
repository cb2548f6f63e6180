//! Reading by position, past the driver of SeaORM.
//!
//! That driver steps a statement on a thread of the connection's own, copies each value of a row, and hands over each row by itself:
//! for a few hundred rows of a conversation several times what SQLite takes to read them (docs/performance.md). What Trimaran's
//! repositories read goes by connections of `rusqlite` instead, each statement whole in one turn on a thread for blocking work. They
//! see what is committed, as every connection to a file with a write-ahead log does, and can't write.
//!
//! A reading whose future is dropped is interrupted, and its connection closed.

use std::any::Any;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle, OpenFlags};
use sea_orm::{ExecResult, QueryResult, Statement};
use trimaran_core::{Error, ErrorKind, Result};

use super::at_once::ReadingConnection;
use super::error::failed;
use super::file::DatabaseFile;
use super::pool::PRAGMAS;
use super::statement::keep_inside;
use crate::connection::{EngineTransaction, RowStream};
use crate::fetch::{CellType, Fetched};
use crate::slots::{Slot, closed};

const OPERATION: &str = "run a query";

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 100;

/// Connections of one file that wait for something to read.
#[derive(Debug)]
pub(super) struct Readers {
    file: Arc<DatabaseFile>,
    busy_timeout: Duration,
    idle_timeout: Duration,
    /// The one that was used last is at the end. `None` once the pool is closed.
    idle: Mutex<Option<Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connection: ReadingConnection,
    since: Instant,
}

impl Readers {
    pub(super) fn new(file: Arc<DatabaseFile>, busy_timeout: Duration, idle_timeout: Duration) -> Self {
        Self { file, busy_timeout, idle_timeout, idle: Mutex::new(Some(Vec::new())) }
    }

    /// A connection for the owner of `slot`; it is made, if it must be, with the first statement.
    ///
    /// # Errors
    /// `Unavailable` after [`close`](Self::close).
    pub(super) fn begin(self: &Arc<Self>, slot: Slot, form: Form) -> Result<SqliteReading> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = idle.as_mut().ok_or_else(closed)?.pop().map(|idle| idle.connection);
        Ok(SqliteReading {
            session: Some(Session { connection, slot }),
            begun: false,
            form,
            readers: Arc::clone(self),
        })
    }

    fn give_back(&self, connection: ReadingConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(idle) = idle.as_mut() else { return };
        idle.push(Idle { connection, since: Instant::now() });
    }

    /// Closes those that have waited for long.
    pub(super) fn retire(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(idle) = idle.as_mut() else { return };
        // Those that waited longest come first.
        let stale = idle.iter().take_while(|one| one.since.elapsed() > self.idle_timeout).count();
        idle.drain(..stale);
    }

    /// Closes what waits; what is in use is closed when it comes back.
    pub(super) fn close(&self) {
        drop(self.idle.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A connection as the driver's are, but for where statements run; one that only reads can't write.
pub(super) fn open(path: &Path, busy_timeout: Duration, writes: bool) -> rusqlite::Result<Connection> {
    // Not read-only in either case: whoever closes a file last merges its write-ahead log and removes it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    for (name, value) in PRAGMAS {
        connection.pragma_update(None, name, value)?;
    }
    connection.pragma_update(None, "query_only", !writes)?;
    // Else a statement with a parameter that its plan might depend on, such as that of LIMIT, is prepared anew for each value: twice the
    // time of a look-up (https://www.sqlite.org/c3ref/c_dbconfig_defensive.html, SQLITE_DBCONFIG_ENABLE_QPSG).
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// How much of the database's history a reading sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Each statement the latest state.
    Statement,
    /// All of them the same.
    Transaction,
}

/// A connection, and the right to use one.
struct Session {
    connection: Option<ReadingConnection>,
    slot: Slot,
}

/// A connection that reads for somebody, in a transaction if several statements are to see the same.
pub(super) struct SqliteReading {
    /// `None` while a statement runs, and after one that failed or was cut off.
    session: Option<Session>,
    begun: bool,
    form: Form,
    readers: Arc<Readers>,
}

impl fmt::Debug for SqliteReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteReading").field("begun", &self.begun).finish_non_exhaustive()
    }
}

/// Interrupts the statement unless it has come to its end.
struct Interrupting(Option<InterruptHandle>);

impl Drop for Interrupting {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

impl SqliteReading {
    /// Runs a statement, and gives the cells of its rows.
    pub(super) async fn read(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        keep_inside(&statement.sql)?;
        let mut session = self.session.take().ok_or_else(|| {
            Error::new(ErrorKind::Aborted, OPERATION)
                .context("an earlier one of the same reading failed or was cut off")
        })?;
        let begin = self.form == Form::Transaction && !self.begun;
        let readers = Arc::clone(&self.readers);
        let mut interrupting = Interrupting(None);
        let (rows, connection, mut session) = match session.connection.take() {
            Some(connection) => match connection.read_at_once(begin, &statement, &types) {
                Some(rows) => (rows, connection, session),
                None => {
                    interrupting.0 = Some(connection.interrupt_handle());
                    off_the_runtime(move || (connection.read(begin, &statement, &types), connection, session))
                        .await?
                }
            },
            None => {
                let make = move || ReadingConnection::open(readers.file.path(), readers.busy_timeout);
                let connection = off_the_runtime(make).await?.map_err(failed("open the SQLite file"))?;
                interrupting.0 = Some(connection.interrupt_handle());
                off_the_runtime(move || (connection.read(begin, &statement, &types), connection, session))
                    .await?
            }
        };
        interrupting.0 = None;
        let rows = rows?;
        session.connection = Some(connection);
        self.session = Some(session);
        self.begun = true;
        Ok(Fetched::Cells(rows))
    }

    /// Ends the transaction, if there is one, and gives the connection back.
    pub(super) fn end(mut self) -> Result<()> {
        // One that failed is closed already, and there was nothing to lose.
        let Some(Session { connection: Some(connection), slot }) = self.session.take() else { return Ok(()) };
        if self.form == Form::Transaction {
            connection.commit()?;
        }
        self.readers.give_back(connection);
        drop(slot);
        Ok(())
    }
}

/// Runs what blocks on a thread for it.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Unavailable, OPERATION).source(error))
}

fn refused<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unsupported, "use a transaction that only fetches")
        .hint("begin one with transaction() or transaction_with()"))
}

#[async_trait]
impl EngineTransaction for SqliteReading {
    async fn execute_raw(&mut self, _: Statement) -> Result<ExecResult> {
        refused()
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

    async fn commit(self: Box<Self>) -> Result<()> {
        self.end()
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.end()
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
