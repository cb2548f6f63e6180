//! An empty database of each engine with the tables of `entity`.

use std::any::Any;
use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use trimaran_core::config::PoolSettings;

use crate::Connection;

/// The tables, in SQL that all engines take. DuckDB declares no foreign key: its own stand in the way of updates.
const ITEM: &str = "CREATE TABLE item (id uuid PRIMARY KEY, name text NOT NULL UNIQUE, \
                    amount bigint NOT NULL CHECK (amount >= 0), note text, made timestamptz NOT NULL)";
const PART: &str =
    "CREATE TABLE part (id uuid PRIMARY KEY, item_id uuid NOT NULL REFERENCES item (id), text text NOT NULL)";
const PART_ALONE: &str = "CREATE TABLE part (id uuid PRIMARY KEY, item_id uuid NOT NULL, text text NOT NULL)";

/// A database for one case. Dropped, it is gone.
pub(crate) struct Fixture {
    /// A pool of three connections, for which one waits a second at most.
    pub(crate) db: Connection,
    _kept: Box<dyn Any + Send + Sync>,
}

/// The pool of a case: few connections and little patience.
pub(crate) fn settings() -> PoolSettings {
    PoolSettings { max_connections: 3, acquire_timeout: Duration::from_secs(1), ..PoolSettings::default() }
}

async fn fixture(db: Connection, kept: impl Any + Send + Sync) -> Fixture {
    db.execute_unprepared(ITEM).await.unwrap();
    let part = if db.capabilities().foreign_keys { PART } else { PART_ALONE };
    db.execute_unprepared(part).await.unwrap();
    Fixture { db, _kept: Box::new(kept) }
}

#[cfg(all(feature = "postgres", feature = "testing"))]
pub(crate) async fn postgres() -> Fixture {
    // Starting a server blocks.
    let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
    let db = crate::postgres::PostgresConnection::open(&database.location(), &settings()).await.unwrap();
    fixture(Connection::new(db), database).await
}

#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::Location::file(trimaran_core::Engine::Sqlite, folder.path().join("app.sqlite"));
    let db = crate::sqlite::SqliteConnection::open(&location, &settings()).await.unwrap();
    fixture(Connection::new(db), folder).await
}

#[cfg(feature = "duckdb")]
pub(crate) async fn duckdb() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::Location::file(trimaran_core::Engine::Duckdb, folder.path().join("app.duckdb"));
    let db = crate::duckdb::DuckdbConnection::open(&location, &settings(), 64 << 20).await.unwrap();
    fixture(Connection::new(db), folder).await
}
