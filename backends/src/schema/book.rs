//! The list of all migrations that a build knows, in order.

use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use super::Migration;
use super::migrations::TRIMARAN;

/// Migrations in the order of their names: Trimaran's own, which begin with a digit, then a consumer's.
#[derive(Debug, Clone)]
pub struct Book(Vec<Migration>);

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// Trimaran's own migrations.
    pub fn new() -> Self {
        Self(TRIMARAN.to_vec())
    }

    /// The same and a consumer's.
    ///
    /// # Errors
    /// [`Invalid`](ErrorKind::Invalid) for a name that is taken, begins with no letter, or is not made of letters, digits
    /// and `_`; for a table that another migration creates; for a `readable_from` that no migration is called; for a
    /// migration that belongs to no area.
    pub fn with(mut self, migrations: impl IntoIterator<Item = Migration>) -> Result<Self> {
        for migration in migrations {
            let wrong = |why: String| {
                Error::new(ErrorKind::Invalid, format!("add the migration {:?}", migration.name)).context(why)
            };
            if !migration.name.starts_with(|first: char| first.is_ascii_alphabetic()) {
                return Err(wrong("its name begins with no letter".to_owned())
                    .hint("digits are for Trimaran's own; write app_0001_finding"));
            }
            if let Some(why) = fault(&migration, &self.0) {
                return Err(wrong(why));
            }
            self.0.push(migration);
        }
        self.0.sort_unstable_by_key(|migration| migration.name);
        for migration in &self.0 {
            if self.get(migration.readable_from).is_none() {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    format!("add the migration {:?}", migration.name),
                )
                .context(format!("it is readable from {:?}, which there is not", migration.readable_from))
                .hint("name a migration of this book: one of Trimaran's, or itself"));
            }
        }
        Ok(self)
    }

    /// All of them.
    pub fn all(&self) -> &[Migration] {
        &self.0
    }

    /// The one called `name`.
    pub fn get(&self, name: &str) -> Option<&Migration> {
        self.0.iter().find(|migration| migration.name == name)
    }

    /// Those that a store gets which keeps `areas`.
    pub fn of<'b>(&'b self, areas: &'b [Area]) -> impl Iterator<Item = &'b Migration> {
        self.0.iter().filter(move |migration| migration.concerns(areas))
    }
}

/// What is wrong with a migration beside those already there.
fn fault(migration: &Migration, others: &[Migration]) -> Option<String> {
    if !migration.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Some("its name is not made of letters, digits and _".to_owned());
    }
    if migration.areas.is_empty() {
        return Some("it belongs to no area".to_owned());
    }
    for other in others {
        if other.name == migration.name {
            return Some("another has the same name".to_owned());
        }
        if let Some(table) = migration.tables.iter().find(|table| other.tables.contains(table)) {
            return Some(format!("it creates the table {table}, as {} does", other.name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTRA: Migration = Migration {
        name: "app_0001_extra",
        areas: &[Area::Application],
        tables: &["extra"],
        readable_from: "app_0001_extra",
        up: |_| vec!["CREATE TABLE extra (id BIGINT)".to_owned()],
        down: |_| vec!["DROP TABLE extra".to_owned()],
        backfill: None,
    };

    #[test]
    fn trimaran_s_own_migrations_are_in_order_and_faultless() {
        let own = Book::new().0;
        for (at, migration) in own.iter().enumerate() {
            assert_eq!(fault(migration, &own[..at]), None, "{}", migration.name);
            assert!(migration.name.starts_with(|first: char| first.is_ascii_digit()));
            assert!(own[..=at].iter().any(|m| m.name == migration.readable_from), "{}", migration.name);
        }
        assert!(own.is_sorted_by_key(|migration| migration.name));
    }

    #[test]
    fn a_consumer_s_migrations_come_after_trimaran_s() {
        let second = Migration { name: "app_0002", tables: &[], readable_from: "app_0001_extra", ..EXTRA };
        let book = Book::new().with([second, EXTRA]).unwrap();
        let names: Vec<_> = book.all().iter().rev().take(2).map(|m| m.name).collect();
        assert_eq!(names, ["app_0002", "app_0001_extra"]);
        assert!(book.of(&[Area::Application]).any(|m| m.name == "app_0002"));
        assert!(!book.of(&[Area::Conversation]).any(|m| m.name == "app_0002"));
    }

    #[test]
    fn a_migration_that_would_disturb_others_is_refused() {
        let wrong = [
            Migration { name: "0099_mine", ..EXTRA },
            Migration { name: "app 1", ..EXTRA },
            Migration { name: "app_2", ..EXTRA },
            Migration { tables: &[], ..EXTRA },
            Migration { name: "app_3", tables: &[], areas: &[], ..EXTRA },
            Migration { name: "app_4", tables: &[], readable_from: "app_9", ..EXTRA },
        ];
        for migration in wrong {
            let error = Book::new().with([EXTRA]).unwrap().with([migration]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{}", error.report());
        }
    }

    #[test]
    fn a_checksum_depends_on_the_statements_of_every_engine() {
        let other = Migration {
            up: |engine| match engine {
                trimaran_core::Engine::Duckdb => vec!["CREATE TABLE extra (id INTEGER)".to_owned()],
                _ => vec!["CREATE TABLE extra (id BIGINT)".to_owned()],
            },
            ..EXTRA
        };
        assert_eq!(EXTRA.checksum().len(), 64);
        assert_ne!(EXTRA.checksum(), other.checksum());
    }
}
