//! Exit codes, in one table that the help and the documentation are made from.

use trimaran_core::{Error, ErrorKind};

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Complete,
    /// The command line, the plan or the configuration is wrong.
    Usage,
    /// A database can't be reached or opened.
    Connect,
    /// The policy rejects hazards that the data has.
    Hazards,
    /// Done, but rows were put aside.
    Quarantined,
    /// Source and target differ.
    Mismatch,
    /// Stopped on the way; the same command continues.
    Interrupted,
    /// The source is not what it was.
    Changed,
    /// Migrations of the schema are still to be applied.
    Pending,
    /// Done, but for something that could not be asked.
    Incomplete,
    /// A check of the isolation of tenants failed.
    Exposed,
}

/// Every exit, its code and what it means.
pub const TABLE: [(Exit, u8, &str); 11] = [
    (Exit::Complete, 0, "complete and verified (check: nothing stands in the way)"),
    (Exit::Usage, 2, "usage or configuration is wrong"),
    (Exit::Connect, 3, "can't connect to or open a database, or lacking rights on it"),
    (Exit::Hazards, 4, "the data has hazards that the policy rejects"),
    (Exit::Quarantined, 5, "complete and verified, with quarantined rows"),
    (Exit::Mismatch, 6, "verification found a difference"),
    (Exit::Interrupted, 7, "interrupted; the same command resumes"),
    (Exit::Changed, 8, "the source changed; --restart begins again"),
    (Exit::Pending, 9, "schema status: migrations are pending; `trimaran schema up` applies them"),
    (Exit::Incomplete, 10, "report: a tenant could not be asked, and is named in the report"),
    (Exit::Exposed, 11, "tenant prove-isolation: a check failed; the report says which"),
];

impl Exit {
    /// Its code.
    pub fn code(self) -> u8 {
        TABLE.iter().find(|(exit, ..)| *exit == self).map_or(2, |(_, code, _)| *code)
    }

    /// The exit of this code.
    pub fn from_code(code: u8) -> Exit {
        TABLE.iter().find(|(_, known, _)| *known == code).map_or(Exit::Usage, |(exit, ..)| *exit)
    }

    /// The code for a failure. Once a run has begun writing, what may pass by itself is `Interrupted`.
    pub fn of(error: &Error, begun: bool) -> Exit {
        match error.kind() {
            ErrorKind::Interrupted => Exit::Interrupted,
            ErrorKind::Changed => Exit::Changed,
            ErrorKind::Configuration | ErrorKind::Invalid | ErrorKind::Unsupported => Exit::Usage,
            // Rows that a key forbids: found only when the key is added.
            ErrorKind::Conflict if begun => Exit::Hazards,
            _ if begun => Exit::Interrupted,
            _ => Exit::Connect,
        }
    }
}

/// The table as lines of `code  meaning`, for the help.
pub fn help() -> String {
    let lines: Vec<_> = TABLE.iter().map(|(_, code, meaning)| format!("  {code}  {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}
