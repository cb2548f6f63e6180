//! Opens a SQLite file as a source or as a target.
//!
//! **Source.** The file is examined first, then read from one snapshot; see `snapshot`. While a database with a
//! rollback journal is open as a source, its writers wait (they get `SQLITE_BUSY` in the end); writers of a database
//! with a write-ahead log go on undisturbed.
//!
//! **Target.** A missing file is created with mode 0600; its folder must exist. Journal: write-ahead log, so that a
//! reader does not stop the load. `synchronous=FULL`: a committed batch survives a power failure, which is what the
//! journal of a resumable load stands on; with batches of megabytes the additional fsync does not show. Foreign keys are
//! not enforced (`foreign_keys=OFF`): rows come in any order, and [`Phase::Validate`](crate::dialect::Phase) checks
//! them. SQLite has one writer at a time: a transaction begins with `BEGIN IMMEDIATE` and waits its turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::catalog;
use super::dialect::DIALECT;
use super::error::{failed, file_failed};
use super::file::DatabaseFile;
use super::read::Cuts;
use super::session::SqliteSession;
use super::snapshot::Snapshot;
use super::write;
use crate::bulk::{Access, Database, Identity, Interrupter, OpenOptions, Session};
use crate::{Catalog, Dialect, Location};

/// How long a writer waits for the one before it: batches are megabytes, and several sessions may wait in turn.
const WRITER_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 60_000 });
/// The least and the most that one connection's page cache is given, in KiB.
const CACHE_KIB: std::ops::RangeInclusive<u64> = 256..=65_536;

/// A SQLite file that was found to be one.
pub struct SqliteDatabase {
    location: Location,
    side: Arc<Side>,
    cuts: Arc<Cuts>,
}

/// What sessions share.
#[derive(Debug)]
pub(crate) enum Side {
    /// One snapshot, never written.
    Source(Snapshot),
    /// A file to write.
    Target(Target),
}

/// A file that is written.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    cache_kib: u64,
    file: DatabaseFile,
}

impl SqliteDatabase {
    /// Opens the file at `location`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` (empty, another format, a journal left behind), `Forbidden`, `Locked`, `Unavailable`, each
    /// with the next step; `Configuration` if the location is no file.
    pub fn open(location: &Location, options: OpenOptions) -> Result<Self> {
        let path = location.path().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("open {location}"))
                .context("it names no file")
                .hint("write sqlite:///path/to/file")
        })?;
        // One more than will work at a time: for the catalogue and small questions beside them.
        let sessions = options.sessions.max(1) + 1;
        let share = options.memory / sessions as u64 / 1024;
        let cache_kib = share.clamp(*CACHE_KIB.start(), *CACHE_KIB.end());
        let side = match options.access {
            Access::Source => {
                Side::Source(Snapshot::take(DatabaseFile::examine(path)?, sessions, cache_kib)?)
            }
            Access::Target => Side::Target(Target::open(path, cache_kib)?),
        };
        Ok(Self { location: location.clone(), side: Arc::new(side), cuts: Arc::default() })
    }

    /// How the source is read.
    #[cfg(test)]
    pub(crate) fn way(&self) -> Option<super::snapshot::Way> {
        match self.side.as_ref() {
            Side::Source(snapshot) => Some(snapshot.way()),
            Side::Target(_) => None,
        }
    }

    fn open_session(&self) -> Result<SqliteSession> {
        let connection = match self.side.as_ref() {
            Side::Source(snapshot) => snapshot.connection()?,
            Side::Target(target) => target.connection()?,
        };
        Ok(SqliteSession::new(connection, Arc::clone(&self.side), Arc::clone(&self.cuts)))
    }
}

impl Target {
    fn open(path: &Path, cache_kib: u64) -> Result<Self> {
        let operation = || format!("open the SQLite file {}", path.display());
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
            DatabaseFile::examine(path)?;
        } else {
            create(path).map_err(|error| {
                let missing = error.kind() == std::io::ErrorKind::NotFound;
                let error = file_failed(operation)(error);
                if missing {
                    error.hint("make its folder first: only the file itself is created")
                } else {
                    error
                }
            })?;
        }
        let path = std::fs::canonicalize(path).map_err(file_failed(operation))?;
        // The first connection writes the header of a new file, so that it is one when it is examined.
        drop(open_writer(&path, cache_kib)?);
        let file = DatabaseFile::examine(&path)?;
        Ok(Self { path, cache_kib, file })
    }

    fn connection(&self) -> Result<Connection> {
        open_writer(&self.path, self.cache_kib)
    }

    /// The file that SQLite keeps the write-ahead log in.
    pub(crate) fn log(&self) -> PathBuf {
        self.file.beside("-wal")
    }
}

/// Creates an empty file that only its owner can read; an existing one is left as it is.
pub(super) fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn open_writer(path: &Path, cache_kib: u64) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(WRITER_TIMEOUT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -cache_kib.cast_signed())?;
        Ok(connection)
    };
    open().map_err(failed(|| format!("open the SQLite file {}", path.display())))
}

impl Database for SqliteDatabase {
    fn dialect(&self) -> &'static dyn Dialect {
        &DIALECT
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(self.open_session()?))
    }

    fn identity(&self) -> Result<Identity> {
        match self.side.as_ref() {
            Side::Source(snapshot) => snapshot.identity(),
            Side::Target(target) => target.file.identity(),
        }
    }

    /// SQLite has one schema, `main`: `schema` is not looked at.
    fn catalog(&self, _schema: Option<&str>) -> Result<Catalog> {
        self.open_session()?.with(catalog::read)
    }

    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
        write::encode_row(types, row, out)
    }

    /// The catalogue is in the file, and read at once.
    fn interrupter(&self) -> Interrupter {
        Arc::new(|| Ok(()))
    }
}
