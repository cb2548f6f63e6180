//! The three engines.

use std::fmt;

/// A database engine that Trimaran can keep data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL, over the network or a local socket.
    Postgres,
    /// SQLite, one file.
    Sqlite,
    /// DuckDB, one file.
    Duckdb,
}

impl Engine {
    /// All engines, in the order in which documentation lists them.
    pub const ALL: [Engine; 3] = [Engine::Postgres, Engine::Sqlite, Engine::Duckdb];

    /// The name used in URLs and in documents: `postgres`, `sqlite`, `duckdb`.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Sqlite => "sqlite",
            Engine::Duckdb => "duckdb",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Postgres => "Postgres",
            Engine::Sqlite => "SQLite",
            Engine::Duckdb => "DuckDB",
        })
    }
}
