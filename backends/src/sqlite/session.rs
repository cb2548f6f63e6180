//! One connection: small statements, transactions, and the way to chunks and rows.
//!
//! **Source.** The connection stands in the read transaction that holds the snapshot, so `begin`, `commit` and
//! `rollback` do nothing but keep count; statements that write are refused by SQLite (`query_only`).
//!
//! **Target.** After a failed statement SQLite would commit the rest. Here `commit` then rolls back and says so, as the
//! other engines do.

use std::sync::Arc;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::connect::Side;
use super::error::failed;
use super::lock::NamedLock;
use super::read::{self, Cuts};
use super::write;
use crate::bulk::{Chunk, Interrupter, Read, Session};
use crate::catalog::{Table, TableName};

/// What checks foreign keys; as a statement to execute it fails if it finds a row.
const FOREIGN_KEY_CHECK: &str = "PRAGMA foreign_key_check";

/// A connection to a SQLite file.
pub struct SqliteSession {
    // Taken only when the session is dropped.
    connection: Option<Connection>,
    side: Arc<Side>,
    in_transaction: bool,
    failed: bool,
    lock: Option<NamedLock>,
    cuts: Arc<Cuts>,
}

impl SqliteSession {
    pub(crate) fn new(connection: Connection, side: Arc<Side>, cuts: Arc<Cuts>) -> Self {
        Self { connection: Some(connection), side, in_transaction: false, failed: false, lock: None, cuts }
    }

    /// Runs `work` on the connection, and remembers if it failed.
    pub(crate) fn with<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        let done = work(connection);
        self.failed |= self.in_transaction && done.is_err();
        done
    }

    fn is_source(&self) -> bool {
        matches!(*self.side, Side::Source(_))
    }

    /// Ends the transaction, if SQLite has not done so itself.
    fn end(&mut self, sql: &str) -> Result<()> {
        let source = self.is_source();
        self.with(|connection| {
            if source || connection.is_autocommit() {
                return Ok(());
            }
            connection.execute_batch(sql).map_err(failed(|| format!("run {sql}")))
        })
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "use a SQLite session").context("it is closed")
}

impl Session for SqliteSession {
    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.with(|connection| execute(connection, sql))
    }

    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
        self.with(|connection| query(connection, sql, parameters))
    }

    fn begin(&mut self) -> Result<()> {
        if self.in_transaction {
            return Err(
                Error::new(ErrorKind::Invalid, "begin a transaction").context("one has begun already")
            );
        }
        if !self.is_source() {
            self.with(|connection| {
                connection.execute_batch("BEGIN IMMEDIATE").map_err(failed("begin a transaction"))
            })?;
        }
        (self.in_transaction, self.failed) = (true, false);
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if !self.in_transaction {
            return Err(Error::new(ErrorKind::Invalid, "commit").context("no transaction has begun"));
        }
        // After a full disk or an interruption SQLite has rolled back by itself.
        let gone = self.with(|connection| Ok(connection.is_autocommit()))? && !self.is_source();
        if self.failed || gone {
            self.rollback()?;
            return Err(Error::new(ErrorKind::Aborted, "commit")
                .context("a statement of the transaction had failed; everything was rolled back"));
        }
        self.end("COMMIT")?;
        self.in_transaction = false;
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        if !self.in_transaction {
            return Ok(());
        }
        self.end("ROLLBACK")?;
        (self.in_transaction, self.failed) = (false, false);
        Ok(())
    }

    fn try_lock(&mut self, name: &str) -> Result<bool> {
        let log = match self.side.as_ref() {
            Side::Target(target) => target.log(),
            Side::Source(_) => {
                return Err(Error::new(ErrorKind::Unsupported, format!("take the lock {name}"))
                    .context("a source is only read, and never locked by name"));
            }
        };
        if self.lock.is_none() {
            self.lock = NamedLock::take(name, &log)?;
        }
        Ok(self.lock.is_some())
    }

    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
        let cuts = Arc::clone(&self.cuts);
        self.with(|connection| read::chunks(connection, &cuts, table, rows))
    }

    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
        // Not by `with`: what `on_row` returns is no failure of a statement.
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        read::rows(connection, &self.cuts, read, on_row)?;
        match self.side.as_ref() {
            Side::Source(snapshot) => snapshot.verify(),
            Side::Target(_) => Ok(()),
        }
    }

    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64> {
        self.with(|connection| write::rows(connection, table, columns, rows))
    }

    fn interrupter(&mut self) -> Result<Interrupter> {
        let handle = self.connection.as_ref().ok_or_else(closed)?.get_interrupt_handle();
        Ok(Arc::new(move || {
            handle.interrupt();
            Ok(())
        }))
    }
}

impl Drop for SqliteSession {
    fn drop(&mut self) {
        // The lock is given up while the connection still keeps the locked file in place.
        self.lock = None;
        if let (Some(connection), Side::Source(snapshot)) = (self.connection.take(), self.side.as_ref()) {
            snapshot.give_back(connection);
        }
    }
}

/// Runs a statement to its end; if there are several, all of them, so that none is dropped silently.
fn execute(connection: &Connection, sql: &str) -> Result<u64> {
    let operation = || format!("run {}", shortened(sql));
    let before = connection.total_changes();
    let start = sql.trim_start().get(..FOREIGN_KEY_CHECK.len());
    let checks = start.is_some_and(|start| start.eq_ignore_ascii_case(FOREIGN_KEY_CHECK));
    let mut statements = Batch::new(connection, sql);
    while let Some(mut statement) = statements.next().map_err(failed(operation))? {
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(failed(operation))? {
            if checks {
                let name = |column: usize| row.get::<_, String>(column).map_err(failed(operation));
                return Err(Error::new(ErrorKind::Conflict, "check foreign keys")
                    .context(format!("a row of {} refers to a row that {} does not have", name(0)?, name(2)?))
                    .code("SQLITE_CONSTRAINT_FOREIGNKEY"));
            }
        }
    }
    Ok(connection.total_changes() - before)
}

/// Binds `$1, $2, …` by name: SQLite numbers them in order of appearance, and a repeated one is one parameter.
fn query(connection: &Connection, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
    let operation = || format!("run {}", shortened(sql));
    let mut statement = connection.prepare_cached(sql).map_err(failed(operation))?;
    if statement.parameter_count() > parameters.len() {
        return Err(Error::new(ErrorKind::Invalid, operation()).context(format!(
            "it has {} parameters, {} are given",
            statement.parameter_count(),
            parameters.len()
        )));
    }
    for (at, value) in parameters.iter().enumerate() {
        let Some(index) = statement.parameter_index(&format!("${}", at + 1)).map_err(failed(operation))?
        else {
            continue;
        };
        statement.raw_bind_parameter(index, parameter(value)?).map_err(failed(operation))?;
    }
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(failed(operation))? {
        let values = (0..columns).map(|at| row.get_ref(at).map(|cell| read::value(cell).into_owned()));
        all.push(values.collect::<Result<Vec<_>, _>>().map_err(failed(operation))?);
    }
    Ok(all)
}

fn parameter<'v>(value: &'v Value<'_>) -> Result<write::Bound<'v>> {
    Ok(write::Bound(match value {
        Value::Null => ValueRef::Null,
        Value::Int(v) => ValueRef::Integer(*v),
        Value::Text(v) => ValueRef::Text(v),
        Value::Bytes(v) => ValueRef::Blob(v),
        other => {
            return Err(Error::new(ErrorKind::Invalid, "bind a parameter")
                .context(format!("a {} can't be one", other.kind())));
        }
    }))
}

/// A statement's beginning, for an error's operation.
fn shortened(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
