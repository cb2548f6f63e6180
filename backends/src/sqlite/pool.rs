//! Opening a file, its pool of sessions, and the line of this process's writers.
//!
//! SQLite has one writer at a time. Writers of other processes are waited for by trying again and again
//! (`busy_timeout`), which is unfair; those of this one stand in a line before that.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection as Direct, OpenFlags};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use trimaran_core::config::PoolSettings;
use trimaran_core::{Error, ErrorKind, Result};

use super::connect::create;
use super::error::{READ_ONLY_HINT, failed, file_failed, shared};
use super::file::DatabaseFile;
use super::pooled::PooledSession;
use super::reader::{Form, Readers, SqliteReading};
use super::writer::{self, SqliteWriting, Writer};
use crate::Location;
use crate::slots::{Slot, Slots, closed, runtime};

/// What Trimaran writes into a new file as `application_id`, that `file` and others can name it: "Trim".
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"Trim");

/// What every connection is told, the driver's and those past it: one list, so that none differs.
pub(super) const PRAGMAS: [(&str, &str); 3] =
    [("foreign_keys", "ON"), ("synchronous", "FULL"), ("trusted_schema", "OFF")];

/// SQLite counts the milliseconds that it waits in 31 bits; a day is for ever.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Files are made and examined one at a time: see [`DatabaseFile`] for what a stray `close` does.
static OPENING: Mutex<()> = Mutex::const_new(());

/// A pool over a file that is known to be a database.
#[derive(Debug)]
pub(super) struct FilePool {
    pool: SqlitePool,
    readers: Arc<Readers>,
    direct: Arc<Writer>,
    slots: Slots,
    writer: Arc<Semaphore>,
    patience: Duration,
    runtime: Handle,
    // Held open while any session may be: see `file`.
    _file: Arc<DatabaseFile>,
}

impl FilePool {
    /// See [`SqliteConnection::open`](super::SqliteConnection::open).
    pub(super) async fn open(location: &Location, settings: &PoolSettings) -> Result<Self> {
        let operation = format!("open {location}");
        let wrong =
            |why: &str| Error::new(ErrorKind::Configuration, operation.clone()).context(why.to_owned());
        let path =
            location.path().ok_or_else(|| wrong("it names no file").hint("write sqlite:///path/to/file"))?;
        if path == Path::new(":memory:") {
            return Err(wrong("a database in memory would be another one for each connection")
                .hint("name a file in a temporary folder"));
        }
        let (runtime, slots) = (runtime()?, Slots::new(settings)?);
        let patience = settings.acquire_timeout.min(LONGEST);
        let file = {
            let _alone = OPENING.lock().await;
            let (path, wait) = (path.to_owned(), settings.connect_timeout.min(LONGEST));
            let prepared = tokio::task::spawn_blocking(move || prepare(&path, wait)).await;
            prepared.map_err(|e| Error::new(ErrorKind::Unavailable, operation.clone()).source(e))??
        };
        let name = file.path().to_str().ok_or_else(|| {
            wrong("its path is not in UTF-8, which SQLite asks for").hint("rename the file or its folder")
        })?;
        let options =
            SqliteConnectOptions::new().filename(name).busy_timeout(patience).disable_statement_logging();
        let options = PRAGMAS.iter().fold(options, |options, (name, value)| options.pragma(*name, *value));
        let pool = SqlitePoolOptions::new()
            .max_connections(settings.max_connections)
            .min_connections(settings.min_connections)
            // A slot is had before: what the pool is waited for is a connection to be made.
            .acquire_timeout(settings.connect_timeout.min(LONGEST))
            .idle_timeout(settings.idle_timeout)
            .max_lifetime(settings.max_lifetime)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let writer = Arc::new(Semaphore::new(1));
        let idle = settings.idle_timeout.unwrap_or(LONGEST);
        let file = Arc::new(file);
        let readers = Arc::new(Readers::new(Arc::clone(&file), patience, idle));
        let direct = Arc::new(Writer::new(Arc::clone(&file), patience, idle, runtime.clone()));
        Ok(Self { pool, readers, direct, slots, writer, patience, runtime, _file: file })
    }

    /// The driver's pool.
    pub(super) fn driver(&self) -> &SqlitePool {
        &self.pool
    }

    /// What the pool's tasks run on.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// A session for one statement or transaction, for a writer when it is its turn.
    ///
    /// # Errors
    /// `Timeout` if all are in use, `Locked` if others of this process write for too long.
    pub(super) async fn session(self: &Arc<Self>, writes: bool) -> Result<PooledSession> {
        // First the turn, then the connection: in the other order those who wait would keep the writer from having one.
        let turn = if writes { Some(self.turn().await?) } else { None };
        let slot = self.slots.take().await?;
        let connection = match self.pool.acquire().await {
            Ok(connection) => connection,
            Err(sqlx::Error::PoolClosed) => return Err(closed()),
            Err(error) => return Err(shared("connect to the SQLite file".to_owned(), Arc::new(error))),
        };
        Ok(PooledSession::new(connection, Arc::clone(self), slot, turn))
    }

    /// A reader; what it sees is for `form` to say.
    ///
    /// # Errors
    /// `Timeout` if all sessions are in use.
    pub(super) async fn reading(&self, form: Form) -> Result<SqliteReading> {
        let slot = self.slots.take().await?;
        self.direct.retire();
        self.readers.begin(slot, form)
    }

    /// The connection that writes past the driver, when it is its turn; when that takes effect is for `form` to say.
    ///
    /// # Errors
    /// As for [`session`](Self::session).
    pub(super) async fn writing(&self, form: writer::Form) -> Result<SqliteWriting> {
        let turn = self.turn().await?;
        let slot = self.slots.take().await?;
        self.readers.retire();
        self.direct.begin(turn, slot, form).await
    }

    /// The turn of a writer.
    ///
    /// # Errors
    /// `Locked` if others of this process write for too long.
    pub(super) async fn turn(&self) -> Result<Slot> {
        match tokio::time::timeout(self.patience, Arc::clone(&self.writer).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Error::new(ErrorKind::Locked, "write to the SQLite file")
                .context(format!("another transaction of this program has been writing for {:?}", self.patience))
                .hint(
                    "keep transactions short; whoever has one open runs its statements in it, not beside it; or raise \
                     acquire_timeout of the store",
                )),
        }
    }

    /// Ends all sessions once they are idle.
    pub(super) async fn close(&self) {
        self.slots.close();
        self.writer.close();
        self.readers.close();
        self.direct.close().await;
        self.pool.close().await;
    }
}

/// Makes the file if there is none, and finds out whether it is one to work with.
fn prepare(path: &Path, wait: Duration) -> Result<DatabaseFile> {
    let operation = || format!("open the SQLite file {}", path.display());
    let is_new = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            // The system lets root write it all the same, but somebody has said that it is not to be written.
            if metadata.permissions().readonly() {
                return Err(read_only(operation()));
            }
            metadata.len() == 0
        }
        // What it is says the examination.
        Ok(_) => false,
        Err(_) => {
            create(path).map_err(|error| {
                let missing = error.kind() == std::io::ErrorKind::NotFound;
                let error = file_failed(operation)(error);
                if missing { error.hint("make its folder first: only the file is made") } else { error }
            })?;
            true
        }
    };
    // An empty file is a new database, such as a crash leaves before the first page is written.
    if !is_new {
        let file = DatabaseFile::examine(path)?;
        let id = file.application_id()?;
        if id != 0 && id != APPLICATION_ID {
            return Err(Error::new(ErrorKind::Corrupt, operation())
                .context(format!("it is another application's database (application_id {id:#010x})"))
                .hint("name another file"));
        }
    }
    let path = std::fs::canonicalize(path).map_err(file_failed(operation))?;
    let direct = set_up(&path, wait, is_new).map_err(failed(operation))?;
    if direct.is_readonly("main").map_err(failed(operation))? {
        return Err(read_only(operation()));
    }
    let mode: String =
        direct.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(failed(operation))?;
    if mode != "wal" {
        return Err(Error::new(ErrorKind::Unsupported, operation())
            .context(format!("its file system takes no write-ahead log (journal_mode stays {mode})"))
            .hint("put the file on a local disk: network file systems have no shared memory"));
    }
    let file = DatabaseFile::examine(&path);
    drop(direct);
    file
}

/// Writes what stays in the file: the write-ahead log, and in a new one whose it is.
fn set_up(path: &PathBuf, wait: Duration, is_new: bool) -> rusqlite::Result<Direct> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let direct = Direct::open_with_flags(path, flags)?;
    direct.busy_timeout(wait)?;
    direct.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if is_new {
        direct.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(direct)
}

fn read_only(operation: String) -> Error {
    Error::new(ErrorKind::Forbidden, operation).context("the file is read-only").hint(READ_ONLY_HINT)
}
