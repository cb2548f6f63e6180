//! SQLite's result codes, classified.

use std::sync::Arc;

use rusqlite::ffi;
use trimaran_core::{Error, ErrorKind};

use crate::db_error::DriverError;

/// What to do about a journal that was left behind.
pub(crate) const HOT_JOURNAL_HINT: &str = "a transaction was interrupted and its journal is still there: open the file once with its application or \
     with sqlite3 so that it recovers, or restore a backup";
/// What to do about a lock.
pub(crate) const LOCKED_HINT: &str =
    "close the application or tool that holds the file, or wait for it to finish, and try again";

/// What to do when what a transaction has read is not what the file holds now.
const SNAPSHOT_HINT: &str =
    "another writer was first: begin the transaction again, as a writer from the start (BEGIN IMMEDIATE)";
const CORRUPT_HINT: &str = "check the file with `sqlite3 FILE 'PRAGMA integrity_check'`, and restore a backup or use `sqlite3 FILE .recover`";
const DISK_FULL_HINT: &str = "free space on the disk that holds the file and try again";
const IO_HINT: &str = "look at the system's log for disk errors; if the disk is sound, try again";
/// What to do about a file that can't be written.
pub(crate) const READ_ONLY_HINT: &str =
    "give this user the right to write the file and its folder, or name another file";
const CANT_OPEN_HINT: &str = "look at the path and at this user's rights to the file and its folder";

/// An extended result code, its name, what kind of failure it is, and what helps.
type Class = (i32, &'static str, ErrorKind, Option<&'static str>);

/// Codes as listed in <https://sqlite.org/rescode.html>. An extended code that is not here counts as its primary code,
/// the low eight bits.
const CLASSES: [Class; 42] = [
    (ffi::SQLITE_ERROR, "SQLITE_ERROR", ErrorKind::Invalid, None),
    (
        ffi::SQLITE_ERROR | 1 << 8,
        "SQLITE_ERROR_MISSING_COLLSEQ",
        ErrorKind::Unsupported,
        Some("the table sorts by a collation that only its application has; have the application export it"),
    ),
    (ffi::SQLITE_INTERNAL, "SQLITE_INTERNAL", ErrorKind::Unavailable, None),
    (ffi::SQLITE_PERM, "SQLITE_PERM", ErrorKind::Forbidden, Some(CANT_OPEN_HINT)),
    (ffi::SQLITE_ABORT, "SQLITE_ABORT", ErrorKind::Aborted, None),
    (ffi::SQLITE_ABORT_ROLLBACK, "SQLITE_ABORT_ROLLBACK", ErrorKind::Aborted, None),
    (ffi::SQLITE_BUSY, "SQLITE_BUSY", ErrorKind::Locked, Some(LOCKED_HINT)),
    (ffi::SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY", ErrorKind::Locked, Some(LOCKED_HINT)),
    (ffi::SQLITE_BUSY_SNAPSHOT, "SQLITE_BUSY_SNAPSHOT", ErrorKind::Aborted, Some(SNAPSHOT_HINT)),
    (ffi::SQLITE_LOCKED, "SQLITE_LOCKED", ErrorKind::Locked, Some(LOCKED_HINT)),
    (
        ffi::SQLITE_NOMEM,
        "SQLITE_NOMEM",
        ErrorKind::Unavailable,
        Some("lower the number of connections (max_connections of the store, or --jobs), or --memory"),
    ),
    (ffi::SQLITE_READONLY, "SQLITE_READONLY", ErrorKind::Forbidden, Some(READ_ONLY_HINT)),
    (ffi::SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY", ErrorKind::Corrupt, Some(HOT_JOURNAL_HINT)),
    (ffi::SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK", ErrorKind::Corrupt, Some(HOT_JOURNAL_HINT)),
    (ffi::SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK", ErrorKind::Locked, Some(LOCKED_HINT)),
    (ffi::SQLITE_READONLY | 5 << 8, "SQLITE_READONLY_CANTINIT", ErrorKind::Locked, Some(LOCKED_HINT)),
    (
        ffi::SQLITE_READONLY_DBMOVED,
        "SQLITE_READONLY_DBMOVED",
        ErrorKind::Changed,
        Some("the file was moved or replaced while it was open; begin again"),
    ),
    (ffi::SQLITE_INTERRUPT, "SQLITE_INTERRUPT", ErrorKind::Interrupted, None),
    (ffi::SQLITE_IOERR, "SQLITE_IOERR", ErrorKind::Unavailable, Some(IO_HINT)),
    (ffi::SQLITE_IOERR | 33 << 8, "SQLITE_IOERR_CORRUPTFS", ErrorKind::Corrupt, Some(CORRUPT_HINT)),
    (
        ffi::SQLITE_IOERR_SHORT_READ,
        "SQLITE_IOERR_SHORT_READ",
        ErrorKind::Corrupt,
        Some("the file is shorter than it says; restore a backup or use `sqlite3 FILE .recover`"),
    ),
    (ffi::SQLITE_CORRUPT, "SQLITE_CORRUPT", ErrorKind::Corrupt, Some(CORRUPT_HINT)),
    (ffi::SQLITE_FULL, "SQLITE_FULL", ErrorKind::Unavailable, Some(DISK_FULL_HINT)),
    (ffi::SQLITE_CANTOPEN, "SQLITE_CANTOPEN", ErrorKind::Forbidden, Some(CANT_OPEN_HINT)),
    (ffi::SQLITE_PROTOCOL, "SQLITE_PROTOCOL", ErrorKind::Locked, Some(LOCKED_HINT)),
    (ffi::SQLITE_SCHEMA, "SQLITE_SCHEMA", ErrorKind::Changed, None),
    (
        ffi::SQLITE_TOOBIG,
        "SQLITE_TOOBIG",
        ErrorKind::Invalid,
        Some(
            "SQLite holds values and rows of at most 1,000,000,000 bytes; leave the column out or cut the value",
        ),
    ),
    (ffi::SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", ErrorKind::Conflict, None),
    (ffi::SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK", ErrorKind::Invalid, None),
    (ffi::SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE", ErrorKind::Invalid, None),
    (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY", ErrorKind::Conflict, None),
    (ffi::SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL", ErrorKind::Invalid, None),
    (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY", ErrorKind::Conflict, None),
    (ffi::SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID", ErrorKind::Conflict, None),
    (ffi::SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER", ErrorKind::Invalid, None),
    (ffi::SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE", ErrorKind::Conflict, None),
    (ffi::SQLITE_MISMATCH, "SQLITE_MISMATCH", ErrorKind::Invalid, None),
    (ffi::SQLITE_MISUSE, "SQLITE_MISUSE", ErrorKind::Invalid, None),
    (ffi::SQLITE_NOLFS, "SQLITE_NOLFS", ErrorKind::Unsupported, None),
    (ffi::SQLITE_AUTH, "SQLITE_AUTH", ErrorKind::Forbidden, None),
    (ffi::SQLITE_RANGE, "SQLITE_RANGE", ErrorKind::Invalid, None),
    (
        ffi::SQLITE_NOTADB,
        "SQLITE_NOTADB",
        ErrorKind::Corrupt,
        Some(
            "the file is encrypted or no SQLite database; name another file, or decrypt it with its application",
        ),
    ),
];

/// The class of an extended result code: its own, or else its primary code's.
fn class(extended: i32) -> Option<&'static Class> {
    let find = |code: i32| CLASSES.iter().find(|(known, ..)| *known == code);
    find(extended).or_else(|| find(extended & 0xff))
}

/// What was being done: a text, or a closure that makes one when there is an error to tell. Nothing must be formatted for each cell
/// that can be read.
pub(crate) trait Operation {
    /// The text.
    fn told(self) -> String;
}

impl Operation for &str {
    fn told(self) -> String {
        self.to_owned()
    }
}

impl Operation for String {
    fn told(self) -> String {
        self
    }
}

impl<F: FnOnce() -> String> Operation for F {
    fn told(self) -> String {
        self()
    }
}

/// Turns an error of SQLite's into ours: kind and hint by its extended code, the code's name kept, SQLite's message as
/// context. To be used as `.map_err(failed("read the catalogue"))`.
pub(crate) fn failed(operation: impl Operation) -> impl FnOnce(rusqlite::Error) -> Error {
    move |error| {
        let code = match &error {
            rusqlite::Error::SqliteFailure(code, _) => Some(code.extended_code),
            rusqlite::Error::SqlInputError { error: code, .. } => Some(code.extended_code),
            _ => None,
        };
        let (kind, name, hint) = match code.and_then(class) {
            Some((_, name, kind, hint)) => (*kind, Some(*name), *hint),
            None => (ErrorKind::Invalid, None, None),
        };
        let mut ours = Error::new(kind, operation.told()).context(error.to_string());
        if let Some(hint) = hint {
            ours = ours.hint(hint);
        }
        if let Some(name) = name {
            ours = ours.code(name);
        }
        ours.source(error)
    }
}

/// Turns an error that sqlx met in SQLite into ours, the same way; the driver's error is kept as the cause.
pub(crate) fn shared(operation: String, error: Arc<sqlx::Error>) -> Error {
    let Some(database) = error.as_database_error() else {
        return Error::new(ErrorKind::Unavailable, operation).context(error.to_string());
    };
    let class = database.code().and_then(|code| code.parse().ok()).and_then(class);
    let (name, kind, hint) =
        class.map_or((None, ErrorKind::Invalid, None), |(_, name, kind, hint)| (Some(*name), *kind, *hint));
    let mut ours = Error::new(kind, operation).context(database.message().to_owned());
    if let Some(hint) = hint {
        ours = ours.hint(hint);
    }
    if let Some(name) = name {
        ours = ours.code(name);
    }
    ours.source(DriverError(error))
}

/// Turns an error of the file system into ours.
pub(crate) fn file_failed(operation: impl Operation) -> impl FnOnce(std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    move |error| {
        let (kind, hint) = match error.kind() {
            Io::NotFound => {
                (ErrorKind::NotFound, "look at the path: a relative one counts from the current folder")
            }
            Io::PermissionDenied => {
                (ErrorKind::Forbidden, "give this user the right to read the file and its folder")
            }
            Io::StorageFull | Io::QuotaExceeded => (ErrorKind::Unavailable, DISK_FULL_HINT),
            Io::InvalidInput | Io::InvalidFilename => (ErrorKind::Configuration, "look at the path"),
            _ => (ErrorKind::Unavailable, IO_HINT),
        };
        Error::new(kind, operation.told()).context(error.to_string()).hint(hint).source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(code: i32) -> (ErrorKind, String) {
        let error = failed("try")(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        (error.kind(), error.engine_code().unwrap_or_default().to_owned())
    }

    #[test]
    fn extended_codes_come_before_their_primary_codes() {
        assert_eq!(kind_of(ffi::SQLITE_READONLY), (ErrorKind::Forbidden, "SQLITE_READONLY".into()));
        assert_eq!(
            kind_of(ffi::SQLITE_READONLY_ROLLBACK),
            (ErrorKind::Corrupt, "SQLITE_READONLY_ROLLBACK".into())
        );
        assert_eq!(kind_of(ffi::SQLITE_IOERR_FSYNC), (ErrorKind::Unavailable, "SQLITE_IOERR".into()));
        assert_eq!(
            kind_of(ffi::SQLITE_CONSTRAINT_UNIQUE),
            (ErrorKind::Conflict, "SQLITE_CONSTRAINT_UNIQUE".into())
        );
        assert_eq!(kind_of(ffi::SQLITE_BUSY_SNAPSHOT).0, ErrorKind::Aborted);
        assert_eq!(kind_of(ffi::SQLITE_INTERRUPT).0, ErrorKind::Interrupted);
    }

    #[test]
    fn every_foreseeable_operator_fault_has_a_next_step() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_FULL,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_READONLY_ROLLBACK,
            ffi::SQLITE_TOOBIG,
        ] {
            let error = failed("try")(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert!(error.next_step().is_some(), "{code}");
        }
    }
}
