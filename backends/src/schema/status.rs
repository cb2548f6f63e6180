//! Where a store stands, and whether this build may use it.

use sea_orm::ConnectionTrait;
use trimaran_core::config::Area;
use trimaran_core::{Engine, Error, ErrorKind, Result, Timestamp};

use super::bookkeeping::{self, TABLE, VERSION};
use super::{Book, Migration};

/// A store's schema, beside what this build knows.
#[derive(Debug, Clone)]
pub struct Status {
    /// The engine.
    pub engine: Engine,
    /// What was applied, in the order in which it was.
    pub applied: Vec<Applied>,
    /// What is still to be applied, in order.
    pub pending: Vec<&'static str>,
    /// Tables that are there already although a pending migration is to create them.
    pub in_the_way: Vec<String>,
    /// Tables of somebody else's, in a store that has no record of migrations.
    pub foreign: Vec<String>,
    /// The last migration that this build knows.
    newest_known: &'static str,
}

/// A migration that was applied to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its name.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// The version of Trimaran that applied it.
    pub by: String,
    /// What this build makes of it.
    pub standing: Standing,
}

/// What a build makes of a migration that it finds applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is the one in the book.
    Known,
    /// The book has none of this name, but knows the one that it is readable from: the store is newer, and of use.
    Newer,
    /// The book knows neither it nor the migration named here, which it is readable from.
    TooNew(String),
    /// The book has one of this name with other statements.
    Changed,
}

impl Status {
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        engine: Engine,
        book: &Book,
        areas: &[Area],
    ) -> Result<Self> {
        let tables = bookkeeping::tables(db, engine).await?;
        let has_book = tables.iter().any(|table| table == TABLE);
        let rows = if has_book { bookkeeping::read(db).await? } else { Vec::new() };
        let pending: Vec<&Migration> =
            book.of(areas).filter(|migration| rows.iter().all(|row| row.name != migration.name)).collect();
        let to_come = |table: &&String| pending.iter().any(|m| m.tables.contains(&table.as_str()));
        let in_the_way = tables.iter().filter(to_come).cloned().collect();
        let applied = rows.into_iter().map(|row| Applied {
            at: row.applied_at.to_utc(),
            by: row.applied_by,
            standing: match book.get(&row.name) {
                Some(migration) if migration.checksum() == row.checksum => Standing::Known,
                Some(_) => Standing::Changed,
                None if book.get(&row.readable_from).is_some() => Standing::Newer,
                None => Standing::TooNew(row.readable_from),
            },
            name: row.name,
        });
        Ok(Self {
            engine,
            applied: applied.collect(),
            pending: pending.iter().map(|migration| migration.name).collect(),
            in_the_way,
            foreign: if has_book { Vec::new() } else { tables },
            newest_known: book.all().last().map_or("none", |migration| migration.name),
        })
    }

    /// Whether nothing is left to apply.
    pub fn is_current(&self) -> bool {
        self.pending.is_empty()
    }

    /// The name of the migration that was applied last.
    pub fn version(&self) -> Option<&str> {
        self.applied.last().map(|applied| applied.name.as_str())
    }

    /// Whether this build may use the store, as far as it has come.
    ///
    /// # Errors
    /// - [`Unsupported`](ErrorKind::Unsupported) if the store is newer than this build may read;
    /// - [`Invalid`](ErrorKind::Invalid) if a released migration was changed in this build;
    /// - [`Corrupt`](ErrorKind::Corrupt) for a file that is the database of another application;
    /// - [`Conflict`](ErrorKind::Conflict) if tables that a pending migration creates are there already.
    pub fn accept(&self) -> Result<()> {
        let refused = |kind, why: String| Error::new(kind, "use the store's schema").context(why);
        for applied in &self.applied {
            match &applied.standing {
                Standing::Known => {}
                Standing::Newer => {
                    tracing::debug!(migration = applied.name, "the store is newer, and readable")
                }
                Standing::TooNew(readable_from) => {
                    return Err(refused(
                        ErrorKind::Unsupported,
                        format!(
                            "it is newer than this program: Trimaran {} applied {}, which is readable from {readable_from}; \
                             this is Trimaran {VERSION}, which knows migrations up to {}",
                            applied.by, applied.name, self.newest_known
                        ),
                    )
                    .hint(
                        "use a program that knows the migration, or undo it with the program that applied it \
                         (`trimaran schema down`)",
                    ));
                }
                Standing::Changed => {
                    return Err(refused(
                        ErrorKind::Invalid,
                        format!(
                            "{} is not what it was when it was applied: a released migration is frozen",
                            applied.name
                        ),
                    )
                    .hint("restore its statements, and make the change in a new migration"));
                }
            }
        }
        let listed = |tables: &[String]| {
            const SHOWN: usize = 5;
            let more = tables.len().saturating_sub(SHOWN);
            let first = tables.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            if more > 0 { format!("{first} and {more} more") } else { first }
        };
        // A file is one application's; a server's schema may be shared, as long as nothing is called the same.
        if !self.foreign.is_empty() && self.engine != Engine::Postgres {
            return Err(refused(
                ErrorKind::Corrupt,
                format!(
                    "it is another application's: it has tables ({}) and no record of migrations",
                    listed(&self.foreign)
                ),
            )
            .hint("name another file: a new one is made"));
        }
        if !self.in_the_way.is_empty() {
            return Err(refused(
                ErrorKind::Conflict,
                format!("tables that are to be created are there already: {}", listed(&self.in_the_way)),
            )
            .hint("they are another application's: use a database or a schema (search_path) of your own"));
        }
        Ok(())
    }
}
