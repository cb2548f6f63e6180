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

#[cfg(test)]
mod tests {
    #[cfg(not(all(feature = "postgres", feature = "sqlite", feature = "duckdb")))]
    #[test]
    fn an_engine_that_this_build_lacks_is_named_with_its_feature() {
        use super::*;
        use crate::Access;

        for (present, url, feature) in [
            (cfg!(feature = "postgres"), "postgres://me@host/db", "postgres"),
            (cfg!(feature = "sqlite"), "sqlite:///no/such/file", "sqlite"),
            (cfg!(feature = "duckdb"), "duckdb:///no/such/file", "duckdb"),
        ] {
            if present {
                continue;
            }
            let options = OpenOptions { access: Access::Target, memory: 1, sessions: 1 };
            let error = open(&Location::parse(url).unwrap(), options).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.next_step().unwrap().contains(&format!("`{feature}`")), "{error:?}");
        }
    }
}
