//! Why a source is one snapshot, and how it is left as it was found.
//!
//! A DuckDB file can be open for reading in many processes or for writing in one. Opening it READ_ONLY takes the shared
//! lock: while any session lives, no process can write the file, so that all sessions see one state without holding a
//! transaction open. A WAL that a crashed writer left is replayed into memory, and its rows are seen.
//!
//! Nothing is written: a read-only database does not checkpoint (the WAL stays), and without a temporary folder nothing
//! is spilled beside the file. What does not fit in memory is an error that says so.

use duckdb::{AccessMode, Config};

/// The configuration of a source.
///
/// # Errors
/// If DuckDB refuses a setting.
pub(super) fn source_config() -> duckdb::Result<Config> {
    Config::default().access_mode(AccessMode::ReadOnly)?.with("temp_directory", "")
}
