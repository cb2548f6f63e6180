//! An empty database of each engine, and a consumer's migrations.

use std::any::Any;

use sea_orm::{ConnectionTrait as _, Statement};
use trimaran_core::clock::ManualClock;
use trimaran_core::config::{Area, PoolSettings};

use crate::schema::{Book, Migration, Runner};
use crate::{Access, Catalog, Connection, Location, OpenOptions};

/// The areas that databases keep, all in one store.
pub(crate) const AREAS: &[Area] =
    &[Area::Identity, Area::Application, Area::Configuration, Area::Conversation];

/// An empty database. Dropped, it is gone.
pub(crate) struct Fixture {
    pub(crate) db: Connection,
    pub(crate) location: Location,
    pub(crate) clock: ManualClock,
    _kept: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    pub(crate) fn runner<'a>(&'a self, book: &'a Book) -> Runner<'a> {
        Runner::new(&self.db, book, AREAS, &self.clock)
    }

    /// The only number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let query = Statement::from_string(self.db.driver().backend(), sql);
        self.db.query_one_raw(query).await.unwrap().unwrap().try_get("", "number").unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// What the database holds, by the migrator's own reader.
    pub(crate) async fn catalog(&self) -> Catalog {
        let location = self.location.clone();
        let read = move || {
            let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
            crate::open(&location, options).unwrap().catalog(None).unwrap()
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }
}

fn fixture(db: Connection, location: Location, kept: impl Any + Send + Sync) -> Fixture {
    Fixture { db, location, clock: ManualClock::default(), _kept: Box::new(kept) }
}

#[cfg(all(feature = "postgres", feature = "testing"))]
pub(crate) async fn postgres() -> Fixture {
    // Starting a server blocks.
    let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
    let location = database.location();
    let db = crate::postgres::PostgresConnection::open(&location, &PoolSettings::default()).await.unwrap();
    fixture(Connection::new(db), location, database)
}

#[cfg(feature = "sqlite")]
pub(crate) async fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::file(trimaran_core::Engine::Sqlite, folder.path().join("app.sqlite"));
    let db = crate::sqlite::SqliteConnection::open(&location, &PoolSettings::default()).await.unwrap();
    fixture(Connection::new(db), location, folder)
}

#[cfg(feature = "duckdb")]
pub(crate) async fn duckdb() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::file(trimaran_core::Engine::Duckdb, folder.path().join("app.duckdb"));
    let db =
        crate::duckdb::DuckdbConnection::open(&location, &PoolSettings::default(), 64 << 20).await.unwrap();
    fixture(Connection::new(db), location, folder)
}

/// A consumer's first migration: a table with a tenant's rows.
pub(crate) const NOTE: Migration = Migration {
    name: "app_0001_note",
    areas: &[Area::Conversation],
    tables: &["note"],
    readable_from: "0004_tenant_mark",
    up: |engine| {
        use sea_orm::sea_query::{Index, Table};
        use trimaran_core::LogicalType as L;

        use crate::schema::columns;
        let required = |name, logical| columns::required(engine, name, &logical);
        let table = Table::create()
            .table("note")
            .col(required("tenant_id", L::Uuid))
            .col(required("id", L::Uuid))
            .col(required("stars", L::Int32))
            .col(required("weight", L::Float64))
            .col(required("document", L::Json))
            .col(columns::optional(engine, "attachment", &L::Bytes))
            .primary_key(Index::create().col("tenant_id").col("id"))
            .take();
        vec![columns::sql(engine, &table)]
    },
    down: |engine| vec![crate::schema::columns::drop_table(engine, "note")],
    backfill: None,
};

/// A consumer's second: every note gets another star.
pub(crate) const STARS: Migration = Migration {
    name: "app_0002_stars",
    areas: &[Area::Conversation],
    tables: &[],
    readable_from: "app_0002_stars",
    up: |_| Vec::new(),
    down: |_| vec!["UPDATE note SET stars = stars - 1".to_owned()],
    backfill: Some(|transaction, _clock| {
        Box::pin(async move {
            use crate::db_error::Doing as _;
            transaction.execute_unprepared("UPDATE note SET stars = stars + 1").await.doing("give a star")?;
            Ok(())
        })
    }),
};

/// A row of [`NOTE`].
pub(crate) const INSERT_NOTE: &str = "INSERT INTO note (tenant_id, id, stars, weight, document) VALUES \
    ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 3, 0.5, '123')";

/// Trimaran's migrations and the consumer's.
pub(crate) fn book(migrations: impl IntoIterator<Item = Migration>) -> Book {
    Book::new().with(migrations).unwrap()
}
