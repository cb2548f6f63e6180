//! What a migration is: a name, statements for each engine, and what it asks of older code.

use std::pin::Pin;

use trimaran_core::config::Area;
use trimaran_core::{Clock, Engine, Result, digest};

use crate::Transaction;

/// Rewrites rows in a migration's own transaction, after its statements have run.
pub type Backfill =
    for<'a> fn(&'a Transaction, &'a dyn Clock) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// One step of the schema. Once released it is frozen: a store remembers the [checksum](Self::checksum) of what it was given.
///
/// ```
/// use trimaran_backends::schema::{Migration, columns};
/// use trimaran_backends::sea_query::{Index, Table};
/// use trimaran_core::config::Area;
/// use trimaran_core::{Engine, LogicalType};
///
/// const FINDING: Migration = Migration {
///     name: "app_0001_finding",
///     areas: &[Area::Application],
///     tables: &["finding"],
///     readable_from: "0002_application",
///     up: |engine| {
///         let table = Table::create()
///             .table("finding")
///             .col(columns::required(engine, "id", &LogicalType::Uuid))
///             .col(columns::required(engine, "title", &LogicalType::Text))
///             .primary_key(Index::create().col("id"))
///             .take();
///         vec![columns::sql(engine, &table)]
///     },
///     down: |engine| vec![columns::drop_table(engine, "finding")],
///     backfill: None,
/// };
/// assert!((FINDING.up)(Engine::Sqlite)[0].contains(r#""id" UUID TEXT NOT NULL"#));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its name, which says its place in the order: `0001_identity`. Digits at the front are Trimaran's own; a consumer's
    /// begin with a letter, so that they come after: `app_0001_finding`.
    pub name: &'static str,
    /// The areas it belongs to. A store gets it if it keeps one of them.
    pub areas: &'static [Area],
    /// The tables it creates.
    pub tables: &'static [&'static str],
    /// The migration that code must know to go on using a store that has this one. Its own name: older code must not.
    /// The name of an earlier one: code that knows that one may, for what is new here is nothing to it (a further table,
    /// a column that may be NULL). A consumer's migration that only adds tables names one of Trimaran's, so that programs
    /// that know only Trimaran still open the store.
    pub readable_from: &'static str,
    /// The statements that make the change, run in order in one transaction.
    pub up: fn(Engine) -> Vec<String>,
    /// The statements that undo it. What was in its tables is gone afterwards.
    pub down: fn(Engine) -> Vec<String>,
    /// What rewrites rows, where statements don't do.
    pub backfill: Option<Backfill>,
}

impl Migration {
    /// Whether a store that keeps `areas` gets it.
    pub fn concerns(&self, areas: &[Area]) -> bool {
        self.areas.iter().any(|area| areas.contains(area))
    }

    /// SHA-256, in hexadecimal digits, of its name and its statements on every engine: the same on all of them, so that
    /// a store that moved to another engine keeps its book.
    pub fn checksum(&self) -> String {
        let mut text = self.name.to_owned();
        for engine in Engine::ALL {
            for statement in (self.up)(engine) {
                text.push('\0');
                text.push_str(&statement);
            }
            text.push_str("\0\0");
        }
        digest::hex(&digest::sha256(text.as_bytes()))
    }
}
