//! SeaORM on DuckDB files made at test time.

mod beginning;
mod refused;
mod sessions;
mod shop;
mod tour;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use tempfile::TempDir;
use trimaran_core::config::PoolSettings;
use trimaran_core::{Engine, Error, ErrorKind};

use super::DuckdbConnection;
use crate::db_error::from_db_err;
use crate::{Connection, Location};

/// A connection on a file of its own.
struct Fixture {
    folder: TempDir,
    duckdb: DuckdbConnection,
    db: Connection,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(PoolSettings::default()).await
    }

    async fn with(settings: PoolSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.duckdb");
        let duckdb = open(path, &settings).await;
        let db = Connection::new(duckdb.clone());
        Self { folder, duckdb, db }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file.duckdb")
    }

    async fn run(&self, sql: &str) -> u64 {
        self.db.execute_unprepared(sql).await.unwrap().rows_affected()
    }
}

async fn open(path: PathBuf, settings: &PoolSettings) -> DuckdbConnection {
    let location = Location::file(Engine::Duckdb, path);
    DuckdbConnection::open(&location, settings, 256 << 20).await.unwrap()
}

/// Few sessions, and no patience.
fn small(max_connections: u32) -> PoolSettings {
    PoolSettings { max_connections, acquire_timeout: Duration::from_millis(50), ..PoolSettings::default() }
}

fn ours(error: DbErr) -> Error {
    from_db_err("test", error)
}

fn kind(error: DbErr) -> ErrorKind {
    ours(error).kind()
}
