//! From a location to a connection, by scheme.

use trimaran_core::config::PoolSettings;
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::{Connection, Location};

/// Connects to the database at `location`: for a consumer's own entities, or a store put together by hand. `memory` is
/// what DuckDB may take, in bytes; the other engines need none.
///
/// # Errors
/// `Unsupported` if this build lacks the engine; else the engine's own, each with the next step.
pub async fn connect(location: &Location, pool: &PoolSettings, memory: u64) -> Result<Connection> {
    match location.engine() {
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            Ok(Connection::new(crate::postgres::PostgresConnection::open(location, pool).await?))
        }
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => Ok(Connection::new(crate::sqlite::SqliteConnection::open(location, pool).await?)),
        #[cfg(feature = "duckdb")]
        Engine::Duckdb => {
            Ok(Connection::new(crate::duckdb::DuckdbConnection::open(location, pool, memory).await?))
        }
        #[allow(unreachable_patterns, reason = "reached only in builds that lack an engine")]
        other => {
            let _ = (pool, memory);
            Err(lacking(location, other))
        }
    }
}

/// What a build says that lacks an engine.
pub(super) fn lacking(location: &Location, engine: Engine) -> Error {
    Error::new(ErrorKind::Unsupported, format!("open {location}"))
        .context(format!("this build has no {engine} support"))
        .hint(format!("build with the cargo feature `{}`", engine.name()))
}
