//! One connection: statements, transactions and locks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use duckdb::{Connection, params_from_iter};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::error::failed;
use super::layout::{LIGHT, Layout};
use super::parameter::Parameter;
use super::registry::{Instance, lock};
use super::select::Selection;
use super::{decode, read, storage, write};
use crate::catalog::{Table, TableName};
use crate::{Access, Chunk, Interrupter, Read, Session};

/// A session on a DuckDB file. The order of the fields matters: the connection closes before the instance is let go.
#[derive(Debug)]
pub(super) struct DuckdbSession {
    connection: Connection,
    in_transaction: bool,
    /// Whether a statement failed in the current transaction. DuckDB's COMMIT would then report success and write
    /// nothing.
    broken: bool,
    locks: Vec<String>,
    instance: Arc<Instance>,
}

impl DuckdbSession {
    pub(super) fn new(connection: Connection, instance: Arc<Instance>) -> Self {
        Self { connection, in_transaction: false, broken: false, locks: Vec::new(), instance }
    }

    /// The bytes that rows in flight may take. DuckDB holds a vector of them, sometimes the next one, and the Arrow
    /// copy of it: a quarter each leaves one for the engine's caches.
    fn share(&self) -> u64 {
        let sessions = u64::try_from(self.instance.options.sessions.max(1)).unwrap_or(u64::MAX);
        (self.instance.options.memory / (4 * sessions)).max(LIGHT)
    }

    /// Does what only reads, with more memory if it must be: see [`Instance::with_room`]. Within a transaction an error has ended it.
    fn with_room<T>(&self, mut work: impl FnMut(&Connection) -> Result<T>) -> Result<T> {
        if self.in_transaction {
            return work(&self.connection);
        }
        self.instance.with_room(|| work(&self.connection))
    }

    /// Notes that a statement failed, which ends what the transaction can do.
    fn note<T>(&mut self, result: Result<T>) -> Result<T> {
        self.broken |= result.is_err() && self.in_transaction;
        result
    }

    fn changed(&self) {
        if self.instance.options.access == Access::Target {
            self.instance.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How `table` is stored; remembered until something changes.
    fn layout(&self, table: &TableName) -> Result<Arc<Layout>> {
        let changes = self.instance.changes.load(Ordering::Relaxed);
        if let Some((at, layout)) = lock(&self.instance.layouts).get(table)
            && *at == changes
        {
            return Ok(Arc::clone(layout));
        }
        let layout = Arc::new(self.with_room(|connection| storage::examine(connection, table))?);
        lock(&self.instance.layouts).insert(table.clone(), (changes, Arc::clone(&layout)));
        Ok(layout)
    }
}

impl Session for DuckdbSession {
    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.changed();
        let touched = self.connection.execute(sql, []).map_err(|e| failed("run a DuckDB statement", e));
        self.note(touched).map(|rows| rows as u64)
    }

    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
        // A query may change something too (RETURNING, setval); to think so of one that doesn't costs little.
        self.changed();
        let rows = self.with_room(|connection| query(connection, sql, parameters));
        self.note(rows)
    }

    fn begin(&mut self) -> Result<()> {
        self.connection
            .execute_batch("BEGIN TRANSACTION")
            .map_err(|e| failed("begin a DuckDB transaction", e))?;
        (self.in_transaction, self.broken) = (true, false);
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.broken {
            self.rollback()?;
            return Err(Error::new(ErrorKind::Aborted, "commit a DuckDB transaction")
                .context("a statement in it had failed; it was rolled back")
                .hint("the error before this one is the cause"));
        }
        self.changed();
        let committed = self.connection.execute_batch("COMMIT");
        self.in_transaction = false;
        // DuckDB rolls back what it fails to commit.
        committed.map_err(|e| failed("commit a DuckDB transaction", e))
    }

    fn rollback(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.in_transaction) {
            return Ok(());
        }
        self.broken = false;
        self.changed();
        self.connection.execute_batch("ROLLBACK").map_err(|e| failed("roll back a DuckDB transaction", e))
    }

    fn try_lock(&mut self, name: &str) -> Result<bool> {
        if self.locks.iter().any(|held| held == name) {
            return Ok(true);
        }
        let free = lock(&self.instance.locks).insert(name.to_owned());
        if free {
            self.locks.push(name.to_owned());
        }
        Ok(free)
    }

    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
        let chunks = self.with_room(|connection| read::chunks(connection, table, rows));
        self.note(chunks)
    }

    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
        let ranges = if read::hides_row_ids(read.table) {
            std::iter::once(read.chunk.from..read.chunk.to).collect()
        } else {
            let layout = self.layout(&read.table.name);
            self.note(layout)?.ranges(read.chunk.from, read.chunk.to, self.share())
        };
        let selection = self.note(Selection::new(read.table, read.columns))?;
        for range in &ranges {
            // Rows of a source come in the same order when they are read again: those that were given are passed over.
            let mut given = 0u64;
            let done = self.with_room(|connection| {
                let mut at = 0;
                let stopped = read::read_range(connection, read.table, &selection, range, &mut |row| {
                    at += 1;
                    if at > given {
                        given = at;
                        on_row(row)?;
                    }
                    Ok(())
                });
                match stopped {
                    Ok(()) => Ok(Ok(())),
                    // The caller's own error is no failed statement.
                    Err(read::Stop::Caller(error)) => Ok(Err(error)),
                    Err(read::Stop::Engine(error)) => Err(error),
                }
            });
            self.note(done)??;
        }
        Ok(())
    }

    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64> {
        self.changed();
        let written = write::write(&self.connection, table, columns, rows);
        self.note(written)
    }

    fn interrupter(&mut self) -> Result<Interrupter> {
        let handle = self.connection.interrupt_handle();
        Ok(Arc::new(move || {
            handle.interrupt();
            Ok(())
        }))
    }
}

impl Drop for DuckdbSession {
    fn drop(&mut self) {
        let mut held = lock(&self.instance.locks);
        self.locks.iter().for_each(|name| {
            held.remove(name);
        });
    }
}

/// Runs a query and collects its rows.
///
/// # Errors
/// The engine's, classified.
pub(super) fn query(
    connection: &Connection,
    sql: &str,
    parameters: &[Value<'_>],
) -> Result<Vec<Vec<Value<'static>>>> {
    const RUN: &str = "run a DuckDB query";
    let parameters = parameters
        .iter()
        .zip(1..)
        .map(|(value, at)| Parameter::new(value, at))
        .collect::<Result<Vec<_>>>()?;
    let mut statement = connection.prepare(sql).map_err(|e| failed(RUN, e))?;
    let stream = statement.stream_arrow(params_from_iter(parameters)).map_err(|e| failed(RUN, e))?;
    let mut rows = Vec::new();
    for batch in stream {
        let batch = batch.map_err(|e| failed(RUN, e))?;
        let columns = batch
            .columns()
            .iter()
            .zip(batch.schema_ref().fields())
            .map(|(array, field)| decode::Cells::of_result(array, field))
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|c| Ok(c.get(row)?.into_owned())).collect::<Result<_>>()?);
        }
    }
    Ok(rows)
}
