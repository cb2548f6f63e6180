//! The fast way in and out of an engine, and the small statements around it.
//!
//! Calls block: a migrator runs each [`Session`] on a thread of its own. Rows travel as slices of borrowed
//! [`Value`]s (see `docs/decisions/0002-rows-of-borrowed-values.md`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use trimaran_core::{Engine, LogicalType, Result, Value};

use crate::catalog::{Catalog, Column, Table, TableName};
use crate::{Dialect, Location};

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading one snapshot. The database and every file beside it are left exactly as they are.
    Source,
    /// Reading and writing. A SQLite or DuckDB file that does not exist is created.
    Target,
}

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// What for.
    pub access: Access,
    /// The most memory, in bytes, that the engine's own caches may take in this process.
    pub memory: u64,
    /// How many sessions will work at a time.
    pub sessions: usize,
}

/// A database that was reached, opened and found to be one.
pub trait Database: Send + Sync {
    /// The engine.
    fn engine(&self) -> Engine {
        self.dialect().engine()
    }

    /// How the engine spells its SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Where it is; its `Display` shows no secret.
    fn location(&self) -> &Location;

    /// Opens another session. On a source, all sessions see the one snapshot that the database was opened at.
    ///
    /// # Errors
    /// As for opening the database.
    fn session(&self) -> Result<Box<dyn Session>>;

    /// What tells this source from any other state of it: size, times, header counters, WAL. Two equal identities mean
    /// that the contents are the same.
    ///
    /// # Errors
    /// If the file can't be examined.
    fn identity(&self) -> Result<Identity>;

    /// What it holds; `schema` limits a Postgres catalogue to one schema (`None`: all but the system's).
    ///
    /// # Errors
    /// If the catalogue can't be read or makes no sense.
    fn catalog(&self, schema: Option<&str>) -> Result<Catalog>;

    /// Appends one row, in the form that [`Session::write`] of this engine takes. `types` and `row` are parallel, and
    /// every value is NULL or of the kind that its type keeps.
    ///
    /// # Errors
    /// [`trimaran_core::ErrorKind::Invalid`] if a value is of another kind or can't be held, naming its ordinal.
    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()>;

    /// What ends [`Database::catalog`] from another thread, as [`Session::interrupter`] ends a session's statement. Where
    /// a catalogue waits for nobody it does nothing.
    fn interrupter(&self) -> Interrupter;
}

/// One connection, used by one thread at a time.
pub trait Session: Send {
    /// Runs one statement without parameters: the number of rows it touched.
    ///
    /// # Errors
    /// The engine's, classified, with its code.
    fn execute(&mut self, sql: &str) -> Result<u64>;

    /// Runs one statement with parameters `$1, $2, …` and returns its rows, all in memory: for small results only.
    /// A parameter is an integer, text, bytes or NULL.
    ///
    /// # Errors
    /// The engine's, classified, with its code.
    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>>;

    /// Begins a transaction.
    ///
    /// # Errors
    /// The engine's, classified.
    fn begin(&mut self) -> Result<()>;

    /// Commits it. After a failed statement it rolls back instead and says so.
    ///
    /// # Errors
    /// [`trimaran_core::ErrorKind::Aborted`] if a statement had failed; else the engine's, classified.
    fn commit(&mut self) -> Result<()>;

    /// Rolls it back; without a transaction it does nothing.
    ///
    /// # Errors
    /// The engine's, classified.
    fn rollback(&mut self) -> Result<()>;

    /// Takes the lock called `name` for as long as this session lives, without waiting: whether it was free.
    ///
    /// # Errors
    /// The engine's, classified.
    fn try_lock(&mut self, name: &str) -> Result<bool>;

    /// Splits a table into chunks of about `rows` rows, in storage order. The chunks cover every row exactly once, and
    /// an unchanged database is always split the same way.
    ///
    /// # Errors
    /// The engine's, classified.
    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>>;

    /// Reads the rows of a chunk, calling `on_row` with the values of `columns` in order. Values are of the engine's own
    /// kinds: SQLite gives integers, reals, text and blobs whatever was declared; text may be no UTF-8.
    /// Memory stays bounded by the session's share and a few times the largest value, whatever the chunk's size.
    ///
    /// # Errors
    /// The engine's, classified; or what `on_row` returned, unchanged, which ends the reading.
    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()>;

    /// Writes rows that [`Database::encode_row`] produced, in the current transaction. Returns how many were written.
    ///
    /// # Errors
    /// The engine's, classified, with its code; naming table and, where the engine tells, column.
    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64>;

    /// Writes rows as they come, in the current transaction: by one statement where the engine has one for that. `next` is
    /// given the buffer that was written last, at first an empty one; it puts into it what comes next, whole rows as
    /// [`Database::encode_row`] produced them, or says that there is no more. Returns how many were written.
    ///
    /// # Errors
    /// As [`Session::write`]; or what `next` returned, unchanged, after which the transaction can only be rolled back.
    fn load(
        &mut self,
        table: &TableName,
        columns: &[(String, LogicalType)],
        next: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<u64> {
        let (mut buffer, mut written) = (Vec::new(), 0);
        while next(&mut buffer)? {
            written += self.write(table, columns, &buffer)?;
        }
        Ok(written)
    }

    /// What ends the statement that this session runs, from another thread. It then fails with
    /// [`trimaran_core::ErrorKind::Interrupted`]; a session that runs none is left as it is, and so may be one that has
    /// just begun: who wants it to end asks again until it has.
    ///
    /// # Errors
    /// The engine's, classified.
    fn interrupter(&mut self) -> Result<Interrupter>;
}

/// Ends the statement that a session runs; does nothing once the session is closed.
pub type Interrupter = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct Read<'a> {
    /// The table, as the catalogue describes it.
    pub table: &'a Table,
    /// Which of its columns, in which order.
    pub columns: &'a [Column],
    /// Which part of it.
    pub chunk: Chunk,
}

/// A part of a table: a half-open range of whatever the engine orders storage by (row ids, blocks, positions).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Its place among the table's chunks, from 0.
    pub ordinal: u32,
    /// The first.
    pub from: i64,
    /// One past the last; `i64::MAX` where there is no end.
    pub to: i64,
}

/// What tells one state of a source from another, as named facts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity(pub BTreeMap<String, String>);

impl Identity {
    /// The facts that differ, as `name: before → after`.
    pub fn differences(&self, now: &Identity) -> Vec<String> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != now.0.get(*name))
            .map(|name| {
                let show =
                    |identity: &Identity| identity.0.get(name).map_or("none", String::as_str).to_owned();
                format!("{name}: {} → {}", show(self), show(now))
            })
            .collect()
    }
}
