//! One at a time: migrations, and what goes with them, of all processes.
//!
//! On Postgres `pg_advisory_xact_lock` is taken in the transaction, so that it works behind a transaction-mode pooler too
//! and is never left behind. On SQLite `BEGIN IMMEDIATE`, with which every transaction that may write begins, takes the write lock.
//! DuckDB's file belongs to one process, in which one runs at a time.

use sea_orm::ConnectionTrait as _;
use tokio::sync::{Mutex, MutexGuard};
use trimaran_core::{Engine, Result};

use crate::db_error::Doing as _;
use crate::{Connection, Transaction};

/// DuckDB finds two makers of the same table only when the second commits.
static DUCKDB_TURN: Mutex<()> = Mutex::const_new(());

/// Waits for this process's other migrations, where the engine does not. To be had before [`begin`], and held to the end.
pub(super) async fn turn(connection: &Connection) -> Option<MutexGuard<'static, ()>> {
    match connection.engine() {
        Engine::Duckdb => Some(DUCKDB_TURN.lock().await),
        Engine::Postgres | Engine::Sqlite => None,
    }
}

/// Begins a transaction that no other process's migration runs beside. The lock is per database and schema.
pub(super) async fn begin(connection: &Connection) -> Result<Transaction> {
    let transaction = connection.transaction().await?;
    if connection.engine() == Engine::Postgres {
        transaction
            .execute_unprepared(
                "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('trimaran schema ' \
                 || current_schema(), 0))",
            )
            .await
            .doing("wait for other programs' migrations")?;
    }
    Ok(transaction)
}
