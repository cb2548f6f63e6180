//! From a location to a database, by scheme.

#[cfg(any(feature = "postgres", feature = "sqlite", feature = "duckdb"))]
use trimaran_core::Engine;
use trimaran_core::{Error, ErrorKind, Result};

use crate::{Database, Location, OpenOptions};

/// Opens the database at `location`.
///
/// # Errors
/// [`ErrorKind::Unsupported`] if this build lacks the engine; else the engine's own: `NotFound`, `Locked`, `Corrupt`,
/// `Forbidden`, `Unavailable`, each with the next step.
pub fn open(location: &Location, options: OpenOptions) -> Result<Box<dyn Database>> {
    match location.engine() {
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            Ok(Box::new(crate::postgres::connect::PostgresDatabase::open(location, options)?))
        }
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => Ok(Box::new(crate::sqlite::connect::SqliteDatabase::open(location, options)?)),
        #[cfg(feature = "duckdb")]
        Engine::Duckdb => Ok(Box::new(crate::duckdb::connect::DuckdbDatabase::open(location, options)?)),
        #[allow(unreachable_patterns, reason = "reached only in builds that lack an engine")]
        other => {
            let _ = options;
            Err(Error::new(ErrorKind::Unsupported, format!("open {location}"))
                .context(format!("this build has no {other} support"))
                .hint(format!("build with the cargo feature `{}`", other.name())))
        }
    }
}
