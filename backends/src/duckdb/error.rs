//! DuckDB's errors, classified.
//!
//! DuckDB's C interface gives a message and no code. A message begins with the type of the exception
//! (`Constraint Error: …`; the names are in DuckDB's `src/common/exception.cpp`), and that, with a few phrases inside,
//! is what can be told apart.

use std::borrow::Cow;

use trimaran_core::{Error, ErrorKind};

/// What a message that contains a phrase means, and what helps; the first that matches decides.
const CLASSES: [(&str, ErrorKind, Option<&str>); 42] = [
    ("Could not set lock on file", ErrorKind::Locked, Some(ANOTHER_PROCESS)),
    ("being used by another process", ErrorKind::Locked, Some(ANOTHER_PROCESS)),
    ("different configuration than existing connections", ErrorKind::Locked, Some(ANOTHER_PROCESS)),
    ("already attached", ErrorKind::Locked, Some(ANOTHER_PROCESS)),
    ("Current transaction is aborted", ErrorKind::Aborted, Some(ROLL_BACK)),
    ("INTERRUPT Error", ErrorKind::Interrupted, None),
    ("Interrupted!", ErrorKind::Interrupted, None),
    ("Out of Memory Error", ErrorKind::Unavailable, Some(MORE_MEMORY)),
    ("failed to allocate data", ErrorKind::Unavailable, Some(MORE_MEMORY)),
    ("No space left on device", ErrorKind::Unavailable, Some(MORE_DISK)),
    ("not enough disk space", ErrorKind::Unavailable, Some(MORE_DISK)),
    ("with storage version number", ErrorKind::Unsupported, Some(NEWER_DUCKDB)),
    ("Permission denied", ErrorKind::Forbidden, Some(RIGHTS)),
    ("Read-only file system", ErrorKind::Forbidden, Some(RIGHTS)),
    ("launched in read-only mode", ErrorKind::Forbidden, Some("begin a transaction that may write")),
    ("is not a valid DuckDB database file", ErrorKind::Corrupt, None),
    ("does not match stored checksum", ErrorKind::Corrupt, Some(RESTORE)),
    ("Corrupt", ErrorKind::Corrupt, Some(RESTORE)),
    ("Serialization Error", ErrorKind::Corrupt, Some(RESTORE)),
    ("INTERNAL Error", ErrorKind::Corrupt, Some(RESTORE)),
    ("has been invalidated", ErrorKind::Unavailable, Some("open the file again")),
    ("FATAL Error", ErrorKind::Unavailable, Some("open the file again")),
    ("duplicate key", ErrorKind::Conflict, None),
    ("Conflict on", ErrorKind::Aborted, Some(RUN_AGAIN)),
    ("write-write conflict", ErrorKind::Aborted, Some(RUN_AGAIN)),
    ("conflict", ErrorKind::Aborted, Some(RUN_AGAIN)),
    ("already exists", ErrorKind::Conflict, None),
    ("does not exist", ErrorKind::NotFound, None),
    ("could not be found", ErrorKind::NotFound, None),
    ("not found in FROM clause", ErrorKind::NotFound, None),
    ("does not have a column", ErrorKind::NotFound, None),
    ("Missing Extension Error", ErrorKind::Unsupported, None),
    ("Not implemented Error", ErrorKind::Unsupported, None),
    ("Permission Error", ErrorKind::Forbidden, None),
    ("Cannot open file", ErrorKind::Unavailable, None),
    ("IO Error", ErrorKind::Unavailable, None),
    ("TransactionContext Error", ErrorKind::Aborted, Some(RUN_AGAIN)),
    ("Dependency Error", ErrorKind::Conflict, None),
    ("Connection Error", ErrorKind::Unavailable, None),
    ("HTTP Error", ErrorKind::Unavailable, None),
    ("Resource In Use Error", ErrorKind::Locked, None),
    (" Error: ", ErrorKind::Invalid, None),
];

/// How a broken unique or foreign key is reported: by a statement, and by a transaction against its own rows.
const DUPLICATES: [&str; 3] = ["PRIMARY KEY or UNIQUE constraint", "Duplicate key", "Violates foreign key"];
/// How other broken constraints are reported by the Appender, which leaves the type out.
const CONSTRAINTS: [&str; 2] = ["NOT NULL constraint", "CHECK constraint"];

const ANOTHER_PROCESS: &str = "close the file in the process that has it open, then run this again";
const ROLL_BACK: &str = "roll the transaction back; the error before this one is the cause";
const MORE_MEMORY: &str = "raise --memory; DuckDB gets a part of it";
const MORE_DISK: &str = "free space on the disk that holds the file, then run this again";
const NEWER_DUCKDB: &str = "write the file in an older format with the DuckDB that made it: \
     ATTACH 'new.duckdb' (STORAGE_VERSION 'v1.0.0'); COPY FROM DATABASE … TO new";
const RIGHTS: &str = "give this user the right to the file and its folder";
const RESTORE: &str = "take the file from a backup, or export what DuckDB's own shell can still read";
const RUN_AGAIN: &str = "another transaction changed the same rows; run this again";

/// An error of DuckDB's while doing `operation`.
pub(super) fn failed(operation: impl Into<String>, error: duckdb::Error) -> Error {
    let message = error.to_string();
    let (kind, hint) = match &error {
        duckdb::Error::DuckDBFailure(..) => classify(&message),
        duckdb::Error::ArrowTypeToDuckdbType(..) => (ErrorKind::Unsupported, None),
        // What the crate refuses before DuckDB sees it: parameters, names, conversions.
        _ => (ErrorKind::Invalid, None),
    };
    let message = without_values(&message);
    let summary = summary(&message);
    let more = summary.len() + 1 < message.len();
    let mut failure = Error::new(kind, operation).context(summary);
    if let Some((program, pid)) = holder(&message) {
        failure = failure.context(format!("process {pid} has it open ({program})"));
    }
    if let Some(hint) = hint {
        failure = failure.hint(hint);
    }
    if let Some(code) = code(&message) {
        failure = failure.code(code);
    }
    // The crate's own source is a number that says nothing.
    if more { failure.source(message.into_owned()) } else { failure }
}

/// Whether more memory would have helped.
pub(super) fn wants_memory(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable && error.next_step() == Some(MORE_MEMORY)
}

/// Text that DuckDB gave and that does not read as what it was declared to be.
pub(super) fn unreadable(what: &str, found: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, format!("read {what} from DuckDB")).context(format!("it gave {found}"))
}

fn classify(message: &str) -> (ErrorKind, Option<&'static str>) {
    // These quote values, in which any phrase may occur: they are told by how they begin.
    if message.starts_with("Conversion Error") {
        return (ErrorKind::Invalid, None);
    }
    let broken = ["Constraint Error: ", "Failed to append: "].iter().find_map(|p| message.strip_prefix(p));
    if let Some(rest) = broken {
        if DUPLICATES.iter().any(|beginning| rest.starts_with(beginning)) {
            return (ErrorKind::Conflict, None);
        }
        if message.starts_with("Constraint Error")
            || CONSTRAINTS.iter().any(|beginning| rest.starts_with(beginning))
        {
            return (ErrorKind::Invalid, None);
        }
    }
    CLASSES
        .iter()
        .find(|(phrase, ..)| message.contains(phrase))
        .map_or((ErrorKind::Unavailable, None), |(_, kind, hint)| (*kind, *hint))
}

/// The message without the values of rows that DuckDB quotes in it: a duplicate key, what could not be converted, the literals in
/// an excerpt of the statement. Names of tables, columns and constraints stay.
fn without_values(message: &str) -> Cow<'_, str> {
    const QUOTING: [&str; 5] = [
        "Conversion Error",
        "Invalid Input Error",
        "Out of Range Error",
        "Mismatch Type Error",
        "Invalid Error",
    ];
    if let Some(at) = message.to_ascii_lowercase().find("duplicate key \"") {
        let (before, rest) = message.split_at(at + "duplicate key \"".len());
        // `column: value`, and more of them; a value may hold anything, so that only the first name is sure.
        let name = rest.split_once(": ").map(|(name, _)| name).filter(|name| !name.contains('"'));
        let constraint = ["primary key constraint", "unique constraint"]
            .into_iter()
            .find(|constraint| rest.ends_with(&format!("{constraint}.")) || rest.ends_with(constraint));
        let name = name.map_or_else(|| "…".to_owned(), |name| format!("{name}: …"));
        let end = constraint.map_or_else(String::new, |constraint| format!(" violates {constraint}"));
        return Cow::Owned(format!("{before}{name}\"{end}"));
    }
    if message.contains("Violates foreign key constraint") || QUOTING.iter().any(|q| message.starts_with(q)) {
        return Cow::Owned(redact(message.lines().next().unwrap_or_default(), true));
    }
    // An excerpt of the statement follows the first line.
    match message.split_once('\n') {
        Some((line, excerpt)) => Cow::Owned(format!("{line}\n{}", redact(excerpt, false))),
        None => Cow::Borrowed(message),
    }
}

/// `text` with `…` for what stands in `'…'`, and, if `all`, also for what stands in `"…"` and for bare numbers.
fn redact(text: &str, all: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let quote = c == '\'' || (all && c == '"');
        // An apostrophe within a word (`can't`) quotes nothing. A value may hold quotes: it ends at the last one.
        if quote && !before.is_alphanumeric() && rest.len() > 1 && rest[1..].contains(c) {
            let end = if all { rest.rfind(c) } else { rest[1..].find(c).map(|at| at + 1) };
            let end = end.unwrap_or(rest.len() - 1);
            out.push(c);
            out.push('…');
            out.push(c);
            rest = &rest[end + 1..];
            before = c;
            continue;
        }
        if all && c.is_ascii_digit() && !before.is_alphanumeric() && before != '_' {
            out.push('…');
            rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            before = '0';
            continue;
        }
        out.push(c);
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The message without the excerpt of the statement and the advice that follow it.
fn summary(message: &str) -> String {
    let line = message.lines().next().unwrap_or(message);
    let line = line.split(". See also https://").next().unwrap_or(line);
    line.trim_end_matches(['.', '!']).to_owned()
}

/// The type of the exception: `Constraint Error`.
fn code(message: &str) -> Option<&str> {
    let at = message.find(": ")?;
    message[..at].ends_with(" Error").then_some(&message[..at])
}

/// The program and process that `Conflicting lock is held in /usr/bin/python3 (PID 42)` names.
fn holder(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("lock is held in ")?;
    let (program, rest) = rest.split_once(" (PID ")?;
    let (pid, _) = rest.split_once(')')?;
    Some((program, pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(message: &str) -> Error {
        failed("do it", duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(message.to_owned())))
    }

    #[test]
    fn messages_are_told_apart() {
        let cases = [
            (
                "IO Error: Could not set lock on file \"/x\": Conflicting lock is held in /usr/bin/p (PID 42)",
                ErrorKind::Locked,
            ),
            (
                "IO Error: Trying to read a database file with storage version number 99, but we can only read",
                ErrorKind::Unsupported,
            ),
            (
                "Constraint Error: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"1\"",
                ErrorKind::Conflict,
            ),
            (
                "Failed to append: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"1\"",
                ErrorKind::Conflict,
            ),
            ("Failed to append: Duplicate key \"i: 0\" violates primary key constraint", ErrorKind::Conflict),
            ("Failed to append: NOT NULL constraint failed: t.i", ErrorKind::Invalid),
            ("Constraint Error: NOT NULL constraint failed: a.already exists", ErrorKind::Invalid),
            ("Catalog Error: Table with name x does not exist!\nDid you mean", ErrorKind::NotFound),
            ("Catalog Error: Table with name \"a\" already exists!", ErrorKind::Conflict),
            ("Parser Error: syntax error at or near \"selec\"", ErrorKind::Invalid),
            ("Binder Error: Referenced column \"x\" not found in FROM clause!", ErrorKind::NotFound),
            (
                "TransactionContext Error: Current transaction is aborted (please ROLLBACK)",
                ErrorKind::Aborted,
            ),
            ("TransactionContext Error: Conflict on tuple deletion!", ErrorKind::Aborted),
            ("TransactionContext Error: Failed to commit: write-write conflict on key", ErrorKind::Aborted),
            ("Out of Memory Error: failed to pin block of size 256.0 KiB", ErrorKind::Unavailable),
            ("INTERRUPT Error: Interrupted!", ErrorKind::Interrupted),
            ("Serialization Error: Failed to deserialize", ErrorKind::Corrupt),
            ("Conversion Error: Could not convert string 'conflict' to INT32", ErrorKind::Invalid),
            ("Invalid Input Error: Malformed JSON", ErrorKind::Invalid),
        ];
        for (message, kind) in cases {
            assert_eq!(classified(message).kind(), kind, "{message}");
        }
    }

    #[test]
    fn values_of_rows_are_not_repeated() {
        let cases = [
            (
                "Constraint Error: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"secret\"",
                "Constraint Error: PRIMARY KEY or UNIQUE constraint violation: duplicate key \"…\"",
            ),
            (
                "Constraint Error: Duplicate key \"name: secret, b: x\" violates primary key constraint.",
                "Constraint Error: Duplicate key \"name: …\" violates primary key constraint",
            ),
            (
                "Constraint Error: Violates foreign key constraint because key \"id: secret\" does not exist",
                "Constraint Error: Violates foreign key constraint because key \"…\" does not exist",
            ),
            (
                "Conversion Error: Could not convert string 'it's a secret' to INT32\nLINE 1: secret",
                "Conversion Error: Could not convert string '…' to INT32",
            ),
            (
                "Conversion Error: Type INT32 with value 4711 can't be cast because it is out of range for INT8",
                "Conversion Error: Type INT32 with value … can't be cast because it is out of range for INT8",
            ),
            (
                "Constraint Error: NOT NULL constraint failed: t.name",
                "Constraint Error: NOT NULL constraint failed: t.name",
            ),
        ];
        for (message, shown) in cases {
            let error = classified(message);
            assert_eq!(error.to_string(), format!("can't do it: {shown}"));
            assert!(!error.report().contains("secret"), "{}", error.report());
        }
        let error =
            classified("Parser Error: syntax error at end of input\nLINE 1: SELECT 'secret' FROM\n   ^");
        assert!(error.report().contains("SELECT '…' FROM"), "{}", error.report());
    }

    #[test]
    fn a_lock_names_the_process_that_holds_it() {
        let error = classified(
            "IO Error: Could not set lock on file \"/x\": Conflicting lock is held in /usr/bin/python3 (PID 42). \
             See also https://duckdb.org/docs",
        );
        assert!(error.to_string().contains("process 42"), "{error}");
        assert!(!error.to_string().contains("https"), "{error}");
        assert!(error.next_step().is_some());
        assert_eq!(error.engine_code(), Some("IO Error"));
    }
}
