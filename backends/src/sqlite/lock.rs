//! A lock by name that lives as long as a session.
//!
//! SQLite has no advisory locks, and its own locks last as long as a transaction. What is locked instead is the file that
//! keeps the write-ahead log (`-wal`): it exists while any connection to a target is open, SQLite itself never locks it
//! (its locks are on the database and on `-shm`), and it goes when the last connection closes, so that nothing stays
//! behind. The operating system gives the lock up when the process ends, however it ends. There is one such lock for a
//! database: two different names exclude each other, which is stricter than asked and never laxer.

use std::fs::File;
use std::path::Path;

use trimaran_core::{Error, ErrorKind, Result};

use super::error::file_failed;

/// The lock, held.
#[derive(Debug)]
pub(crate) struct NamedLock {
    // Closing the file gives the lock up.
    _log: File,
}

impl NamedLock {
    /// Locks a database by the file of its log, which a connection of the caller's keeps in place; `None` if somebody
    /// else holds the lock.
    ///
    /// # Errors
    /// If the file can't be opened or locked.
    pub(crate) fn take(name: &str, log: &Path) -> Result<Option<Self>> {
        let operation = || format!("take the lock {name} on {}", log.display());
        if !cfg!(unix) {
            // Elsewhere locks are mandatory: this one would keep SQLite from its own log.
            return Err(
                Error::new(ErrorKind::Unsupported, operation()).context("only Unix has advisory locks")
            );
        }
        let file = File::open(log).map_err(file_failed(operation))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _log: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(file_failed(operation)(error)),
        }
    }
}
