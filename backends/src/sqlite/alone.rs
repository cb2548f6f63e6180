//! A SQLite file that nobody else has open.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use trimaran_core::{Error, ErrorKind, Result};

use super::error::failed;

/// Keeps everybody from a file as long as it lives.
///
/// Its write-ahead log is in it, and gone: turning the log off takes a lock that SQLite gives to nobody while another
/// connection is open, of this process or another. The next [`SqliteConnection`](super::SqliteConnection) turns it on again.
#[derive(Debug)]
pub(crate) struct Alone {
    // Closing it gives the lock up.
    _connection: Connection,
}

impl Alone {
    /// Waits for nobody.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if somebody has the file open; else SQLite's.
    pub(crate) fn with(path: &Path) -> Result<Self> {
        let operation = || format!("close the SQLite file {}", path.display());
        let in_use = || {
            Error::new(ErrorKind::Locked, operation())
                .context("another connection has it open")
                .hint("stop what uses the tenant's data, or wait until it lets go of the file, and try again")
        };
        let wrong = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                in_use().source(error)
            }
            _ => failed(operation)(error),
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(wrong)?;
        if mode != "delete" {
            return Err(in_use());
        }
        connection.execute_batch("BEGIN EXCLUSIVE").map_err(wrong)?;
        Ok(Self { _connection: connection })
    }
}
