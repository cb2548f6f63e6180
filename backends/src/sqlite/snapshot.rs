//! How a source is read from one snapshot, without writing anything: not even `-wal` and `-shm` files.
//!
//! SQLite has four situations, and each needs another [`Way`] in:
//!
//! | the file | what SQLite would do by itself | what is done here |
//! |---|---|---|
//! | rollback journal | take a shared lock | the same, `mode=ro`; writers wait until the snapshot is given up |
//! | write-ahead log, `-shm` there | write `-shm`: a reader's mark, or all of it after a crash | `readonly_shm=1`: join the readers of a living database with its locks; after a crash, index the log in memory |
//! | write-ahead log, no `-shm` | create `-shm` | index the log in memory: `unix-none` and an exclusive locking mode, which needs no `-shm`; nobody has the file open, and what changes it all the same is noticed |
//! | the same, and no `-wal` either | create `-wal` and `-shm` | read a private copy whose header says rollback journal |
//!
//! `nolock=1` would be the obvious third way, but SQLite refuses write-ahead logs under it (`sqlite3PagerWalSupported`);
//! the `unix-none` VFS locks as little and is not refused. For the fourth there is no option that keeps SQLite from
//! creating the `-wal` file, except `immutable=1`, which is not used because it ignores a log and every lock. The copy
//! costs as much temporary disk as the database has bytes (nothing where the file system shares blocks), in `TMPDIR`;
//! it is deleted as soon as the sessions have it open, so that a killed run leaves nothing behind.
//!
//! **One snapshot.** SQLite can't hand a snapshot from one connection to another in the bundled build. So all connections
//! begin their read transactions at the start, and the file's [`identity`](DatabaseFile::identity) is taken before the
//! first and after the last: if it is the same, nobody has committed in between, and all see the same state. Otherwise it
//! is tried again, a few times. The transactions stay open until the database is dropped.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use trimaran_core::{Error, ErrorKind, Result};

use super::error::{failed, file_failed};
use super::file::DatabaseFile;
use super::private_copy::PrivateCopy;
use crate::bulk::Identity;

/// How long a statement waits for a lock. A commit holds one for milliseconds; what lasts longer is an error to be told.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 5_000 });
/// How often a source that is being written to is tried.
const ATTEMPTS: u32 = 5;
/// The pause before another attempt.
const PAUSE: Duration = Duration::from_millis(50);
/// The VFS that takes no locks.
const LOCKLESS_VFS: &str = if cfg!(windows) { "win32-none" } else { "unix-none" };
/// What may stand in a URI's path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// How a source is read; see the table above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Shared locks on a database with a rollback journal.
    Locks,
    /// The log's index as other processes keep it.
    SharedIndex,
    /// An index of the log in this process's memory.
    PrivateIndex,
    /// A private copy.
    Copy,
}

impl Way {
    /// The way for a file as it is now.
    fn choose(file: &DatabaseFile) -> Result<Self> {
        let size = |suffix: &str| match std::fs::metadata(file.beside(suffix)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file_failed(|| format!("examine {}", file.beside(suffix).display()))(error)),
        };
        let (log, index) = (size("-wal")?, size("-shm")?);
        Ok(match (log, index) {
            // A log that holds something counts whatever the header says.
            (None | Some(0), _) if !file.has_wal_format()? => Way::Locks,
            (Some(_), Some(_)) => Way::SharedIndex,
            (Some(_), None) => Way::PrivateIndex,
            (None, _) => Way::Copy,
        })
    }
}

/// The connections to a source, all at one snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    // Dropped before the file's handle: see `file`.
    idle: Mutex<Vec<Connection>>,
    way: Way,
    taken_at: Identity,
    cache_kib: u64,
    file: DatabaseFile,
}

impl Snapshot {
    /// Takes a snapshot that `sessions` connections see.
    ///
    /// # Errors
    /// `Locked` if somebody holds the file exclusively or keeps writing to it, `Corrupt` for a journal left behind, and
    /// whatever SQLite says of the file.
    pub(crate) fn take(file: DatabaseFile, sessions: usize, cache_kib: u64) -> Result<Self> {
        let mut changes = Vec::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            let before = file.identity()?;
            let way = Way::choose(&file)?;
            let readers = match open_readers(&file, way, sessions, cache_kib) {
                Ok(readers) => readers,
                // Its last user closed it, or its first one opened it, in this moment.
                Err(_) if Way::choose(&file)? != way => {
                    changes = vec!["its log was made or removed".to_owned()];
                    continue;
                }
                Err(error) => return Err(error),
            };
            changes = before.differences(&file.identity()?);
            if changes.is_empty() {
                return Ok(Self { idle: Mutex::new(readers), way, taken_at: before, cache_kib, file });
            }
        }
        Err(Error::new(ErrorKind::Locked, format!("take a snapshot of {}", file.path().display()))
            .context(format!("it is being written to ({})", changes.join("; ")))
            .hint("stop whatever writes to it, or make a copy with `sqlite3 FILE '.backup COPY'` and name the copy"))
    }

    /// How the file is read.
    #[cfg(test)]
    pub(crate) fn way(&self) -> Way {
        self.way
    }

    /// A connection in its read transaction: one that waits, or a new one that is proven to see the same.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] if none waits and the file has changed since the snapshot; else as for taking it.
    pub(crate) fn connection(&self) -> Result<Connection> {
        let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = waiting {
            return Ok(connection);
        }
        self.prove("open another session at the snapshot")?;
        let way = Way::choose(&self.file)?;
        let opened = open_readers(&self.file, way, 1, self.cache_kib)?;
        self.prove("open another session at the snapshot")?;
        opened.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "open another session").context("no connection was opened")
        })
    }

    /// Takes a connection back. One that has lost its transaction has lost the snapshot too, and is closed.
    pub(crate) fn give_back(&self, connection: Connection) {
        if !connection.is_autocommit() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// The identity of the file now. If that is not the snapshot's, it says so: what is read is then an older state than
    /// the one that would be recorded, and must not be taken for it by a later run.
    ///
    /// # Errors
    /// If the file can't be examined.
    pub(crate) fn identity(&self) -> Result<Identity> {
        let mut now = self.file.identity()?;
        if now != self.taken_at {
            now.0.insert("since the snapshot".to_owned(), "changed".to_owned());
        }
        Ok(now)
    }

    /// Where no lock keeps writers out, proves after the reading that none came in.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] if one did: what was read may be of two states.
    pub(crate) fn verify(&self) -> Result<()> {
        if self.way == Way::PrivateIndex { self.prove("read the SQLite file") } else { Ok(()) }
    }

    fn prove(&self, operation: &str) -> Result<()> {
        let changes = self.taken_at.differences(&self.file.identity()?);
        if changes.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Changed, operation)
            .context(format!("{} has changed ({})", self.file.path().display(), changes.join("; ")))
            .hint("stop whatever writes to it and begin again"))
    }
}

fn open_readers(file: &DatabaseFile, way: Way, count: usize, cache_kib: u64) -> Result<Vec<Connection>> {
    let reader = |path: &Path| open_reader(file, path, way, cache_kib);
    match way {
        Way::Copy => {
            let copy = PrivateCopy::make(file)?;
            // The open handles keep the contents when the copy is deleted.
            (0..count).map(|_| reader(&copy.path())).collect()
        }
        Way::PrivateIndex => {
            probe(file)?;
            (0..count).map(|_| reader(file.path())).collect()
        }
        Way::Locks | Way::SharedIndex => (0..count).map(|_| reader(file.path())).collect(),
    }
}

fn open_reader(file: &DatabaseFile, path: &Path, way: Way, cache_kib: u64) -> Result<Connection> {
    let operation = format!("open the SQLite file {}", file.path().display());
    let open = || -> rusqlite::Result<Connection> {
        let connection = connect(path, way)?;
        // Takes the lock, and reads the log if there is one.
        connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
        connection.pragma_update(None, "cache_size", -cache_kib.cast_signed())?;
        Ok(connection)
    };
    open().map_err(failed(operation))
}

/// Opens a connection that can't write and has not read yet.
fn connect(path: &Path, way: Way) -> rusqlite::Result<Connection> {
    let parameters = match way {
        Way::Locks | Way::Copy => "mode=ro".to_owned(),
        Way::SharedIndex => "mode=ro&readonly_shm=1".to_owned(),
        Way::PrivateIndex => format!("mode=ro&vfs={LOCKLESS_VFS}"),
    };
    let uri = format!("file:{}?{parameters}", percent_encode(path.as_os_str().as_encoded_bytes(), PLAIN));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Without this the last reader to close would write the log into the database and delete it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A misspelt column in double quotes is an error, not a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    if way == Way::PrivateIndex {
        // Before the first read: then the index of the log is kept in memory.
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Mapped pages would be counted as this process's memory, and a file cut short would be a signal, not an error.
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(())).or_else(no_row)?;
    Ok(connection)
}

/// Where memory mapping is not compiled in, its pragma returns no row.
fn no_row(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        other => Err(other),
    }
}

/// Finds out whether somebody holds a database exclusively that is about to be read without locks. With `readonly_shm`
/// SQLite takes its lock on the database and then fails on the missing `-shm` instead of creating it.
fn probe(file: &DatabaseFile) -> Result<()> {
    let tried = connect(file.path(), Way::SharedIndex)
        .and_then(|connection| connection.execute_batch("SELECT count(*) FROM sqlite_schema"));
    match tried {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Err(failed(|| format!("open the SQLite file {}", file.path().display()))(error))
        }
        _ => Ok(()),
    }
}
