//! How much memory DuckDB has for a source.
//!
//! What it has it fills with blocks that it has read, and reads none of them twice: a source begins with little, so that a large file
//! takes no more memory than a small one, and gets more, up to what it was opened with, when something does not fit.

use duckdb::Connection;
use trimaran_core::Result;

use super::error::failed;

/// What a source begins with: a block of 256 KiB for each column of a table of usual width, for two sessions, and the next ones.
const LITTLE: u64 = 32 << 20;

/// Lowers the limit, which stays the only setting that can be changed; what it is then. It stays at `most` where what was replayed of a
/// write-ahead log needs more than little.
///
/// # Errors
/// If DuckDB does not know the setting.
pub(super) fn begin_with_little(connection: &Connection, most: u64) -> duckdb::Result<u64> {
    connection.execute_batch("SET GLOBAL allowed_configs = ['memory_limit']")?;
    let little = LITTLE.min(most);
    Ok(match set(connection, little) {
        Ok(()) => little,
        Err(error) => {
            tracing::debug!(%error, "a DuckDB source keeps all of its memory from the beginning");
            most
        }
    })
}

/// Doubles the limit, up to `most`; what it is then.
///
/// # Errors
/// The engine's.
pub(super) fn raise(connection: &Connection, from: u64, most: u64) -> Result<u64> {
    let raised = from.saturating_mul(2).min(most);
    set(connection, raised).map_err(|error| failed("give DuckDB more memory", error))?;
    Ok(raised)
}

fn set(connection: &Connection, bytes: u64) -> duckdb::Result<()> {
    connection.execute_batch(&format!("SET GLOBAL memory_limit = '{bytes}B'"))
}
