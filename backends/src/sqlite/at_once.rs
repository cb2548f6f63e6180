//! Reading a little where one is.
//!
//! A thread for blocking work has to be woken for a statement, and wakes its caller afterwards: on a small machine that takes ten times as
//! long as a look-up by key. So a statement is begun where it is asked for, and interrupted after some thousand of SQLite's
//! instructions, or when it would have to wait for a lock; then it is run anew on such a thread, to its end. What is read in so few
//! steps is a matter of microseconds unless the disk has to be asked, which a thread of the runtime waits for.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};
use sea_orm::Statement;
use sea_orm::sea_query::Value;
use trimaran_core::{ErrorKind, Result};

use super::cells;
use super::error::failed;
use super::reader::open;
use crate::fetch::CellType;

/// After so many instructions of its virtual machine SQLite asks whether to go on. A statement that is run again goes on counting
/// from where it was, so that the first question may come at once.
const PIECE: i32 = 500;

/// How often the answer is yes where somebody waits: a look-up of a hundred rows by an index takes some 2,000 instructions.
const PIECES: u32 = 8;

/// Said where nothing waits but a thread that is there for it.
const ALL: u32 = u32::MAX;

/// The cells of the rows that were found.
type Cells = Vec<Vec<Value>>;

/// A connection whose statements can be begun where they are asked for.
#[derive(Debug)]
pub(super) struct AtOnce {
    inner: Connection,
    patience: Duration,
    /// How many pieces are left of what may be done.
    left: Arc<AtomicU32>,
}

impl AtOnce {
    /// One that waits for locks as long as `patience`, where it may wait. Blocks.
    pub(super) fn open(path: &Path, patience: Duration, writes: bool) -> rusqlite::Result<Self> {
        let inner = open(path, patience, writes)?;
        let left = Arc::new(AtomicU32::new(ALL));
        let counted = Arc::clone(&left);
        inner.progress_handler(
            PIECE,
            Some(move || {
                let left = counted.load(Ordering::Relaxed);
                if left != ALL && left != 0 {
                    counted.store(left - 1, Ordering::Relaxed);
                }
                left == 0
            }),
        );
        Ok(Self { inner, patience, left })
    }

    /// What `work` gives; `None` if it takes longer than may be waited for here, or a lock is in the way. A transaction that it has begun
    /// may be open then or not, and nothing that it has written in it is to be relied on.
    pub(super) fn at_once<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Option<Result<T>> {
        if let Err(error) = self.inner.busy_timeout(Duration::ZERO) {
            return Some(Err(failed("use the connection")(error)));
        }
        self.left.store(PIECES, Ordering::Relaxed);
        let done = work(&self.inner);
        self.left.store(ALL, Ordering::Relaxed);
        if let Err(error) = self.inner.busy_timeout(self.patience) {
            return Some(Err(failed("use the connection")(error)));
        }
        match done {
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::Locked) => None,
            done => Some(done),
        }
    }
}

impl Deref for AtOnce {
    type Target = Connection;

    /// For a thread on which it may block.
    fn deref(&self) -> &Connection {
        &self.inner
    }
}

/// Runs a statement that ends or begins a transaction, which is prepared but once.
pub(super) fn control(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(drop)
}

/// A connection that only reads.
#[derive(Debug)]
pub(super) struct ReadingConnection(AtOnce);

impl ReadingConnection {
    /// Blocks, and waits for a lock as long as `patience`.
    pub(super) fn open(path: &Path, patience: Duration) -> rusqlite::Result<Self> {
        AtOnce::open(path, patience, false).map(Self)
    }

    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.0.get_interrupt_handle()
    }

    /// What the statement finds, in a transaction that is begun if it must be; `None` if that takes longer, or a lock is in the way.
    pub(super) fn read_at_once(
        &self,
        begin: bool,
        statement: &Statement,
        types: &[CellType],
    ) -> Option<Result<Cells>> {
        self.0.at_once(|connection| run(connection, begin, statement, types))
    }

    /// As [`Self::read_at_once`], however long it takes. Blocks.
    pub(super) fn read(&self, begin: bool, statement: &Statement, types: &[CellType]) -> Result<Cells> {
        run(&self.0, begin, statement, types)
    }

    /// Ends the transaction. Nothing was written: this waits for nobody.
    pub(super) fn commit(&self) -> Result<()> {
        control(&self.0, "COMMIT").map_err(failed("end a transaction"))
    }
}

fn run(connection: &Connection, begin: bool, statement: &Statement, types: &[CellType]) -> Result<Cells> {
    // An attempt that was given up may have begun it.
    if begin && connection.is_autocommit() {
        control(connection, "BEGIN DEFERRED").map_err(failed("begin a transaction"))?;
    }
    cells::read(connection, statement, types)
}
