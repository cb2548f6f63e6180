//! Tenants on real engines.

mod installation;
mod isolation;
mod keys;
mod locked_down;
#[cfg(all(feature = "postgres", feature = "testing"))]
mod look_ups;
mod names;
mod operations;
mod places;

use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, Statement};
use secrecy::SecretString;
use trimaran_core::clock::ManualClock;
use trimaran_core::config::{Area, PoolSettings};
use trimaran_core::id::SequentialIds;
use trimaran_core::{Engine, ErrorKind, PageRequest};

use super::{FileSettings, NamingKey, TenantCatalogue, TenantRecord, TenantStores};
use crate::schema::{Book, Runner};
use crate::{Connection, Executor, Location};

const AREAS: [Area; 2] = [Area::Configuration, Area::Conversation];

/// Catalogue and folder of one installation.
struct Fixture {
    catalogue: TenantCatalogue,
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::default();
        let location = Location::file(Engine::Sqlite, folder.path().join("app.sqlite"));
        let pool = PoolSettings::default();
        let db = Connection::new(crate::sqlite::SqliteConnection::open(&location, &pool).await.unwrap());
        Runner::new(&db, &Book::new(), &[Area::Application], &clock).up().await.unwrap();
        Self { catalogue: catalogue(db, &clock), folder, clock }
    }

    fn stores(&self, engine: Engine, open_files: usize) -> TenantStores {
        let folder = Location::file(engine, self.folder.path().join("tenants"));
        let settings = FileSettings { open_files, pool: PoolSettings::default(), memory: 64 << 20 };
        let (book, clock) = (Arc::new(Book::new()), Arc::new(self.clock.clone()));
        TenantStores::in_folder(&folder, AREAS.to_vec(), settings, book, clock).unwrap()
    }

    fn path(&self, engine: Engine, tenant: &TenantRecord) -> PathBuf {
        self.folder.path().join("tenants").join(format!("{}.{}", tenant.place, engine.name()))
    }
}

fn catalogue(db: Connection, clock: &ManualClock) -> TenantCatalogue {
    let key = NamingKey::new(&SecretString::from(installation::key_text("fixture"))).unwrap();
    let clock = Arc::new(clock.clone());
    let ids = Arc::new(SequentialIds::new(clock.clone()));
    TenantCatalogue::new(Executor::Connection(db), clock, ids, key)
}

async fn number(db: &Connection, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(db.driver().backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "number").unwrap()
}

async fn the_catalogue_keeps(catalogue: &TenantCatalogue) {
    let hostile = "O'Brien \0 \u{1a} Zoë";
    let (first, second) =
        (catalogue.create("alice").await.unwrap(), catalogue.create(hostile).await.unwrap());
    assert_eq!(catalogue.find(second.id).await.unwrap(), Some(second.clone()));
    assert_eq!(catalogue.find_by_user_name(hostile).await.unwrap(), Some(second.clone()));
    assert_eq!(catalogue.find_by_user_name("Alice").await.unwrap(), None);
    assert_eq!(catalogue.create("alice").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(catalogue.create("").await.unwrap_err().kind(), ErrorKind::Invalid);

    // Many at once get one and the same.
    let many = (0..8).map(|_| catalogue.of_user("alice@at.once"));
    let many = futures_util::future::join_all(many).await;
    let ids: std::collections::HashSet<_> = many.into_iter().map(|tenant| tenant.unwrap().id).collect();
    assert_eq!(ids.len(), 1);

    let request = PageRequest::first(1).unwrap();
    let page = catalogue.list(&request).await.unwrap();
    assert_eq!(page.items, [first]);
    let page = catalogue.list(&request.clone().after(page.next.unwrap())).await.unwrap();
    assert_eq!(page.items, [second]);
    let page = catalogue.list(&request.after(page.next.unwrap())).await.unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
}

#[tokio::test]
async fn the_catalogue_finds_tenants_by_exact_names_on_sqlite() {
    the_catalogue_keeps(&Fixture::new().await.catalogue).await;
}

#[tokio::test]
async fn the_catalogue_finds_tenants_by_exact_names_on_duckdb() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::default());
    let location = Location::file(Engine::Duckdb, folder.path().join("app.duckdb"));
    let pool = PoolSettings::default();
    let db = crate::duckdb::DuckdbConnection::open(&location, &pool, 64 << 20).await.unwrap();
    let db = Connection::new(db);
    Runner::new(&db, &Book::new(), &[Area::Application], &clock).up().await.unwrap();
    the_catalogue_keeps(&catalogue(db, &clock)).await;
}

#[cfg(all(feature = "postgres", feature = "testing"))]
#[tokio::test]
async fn the_catalogue_finds_tenants_by_exact_names_on_postgres() {
    let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
    let (clock, pool) = (ManualClock::default(), PoolSettings::default());
    let db = crate::postgres::PostgresConnection::open(&database.location(), &pool).await.unwrap();
    let db = Connection::new(db);
    Runner::new(&db, &Book::new(), &[Area::Application], &clock).up().await.unwrap();
    the_catalogue_keeps(&catalogue(db, &clock)).await;
}

async fn a_tenant_has_a_file(engine: Engine) {
    let fixture = Fixture::new().await;
    let alice = fixture.catalogue.create("alice").await.unwrap();
    let bob = fixture.catalogue.create("bob").await.unwrap();
    let stores = fixture.stores(engine, 1);
    // One file may be open: that of whoever came before is pushed out, and opened again.
    for tenant in [&alice, &bob, &alice, &bob] {
        let db = stores.open(tenant).await.unwrap();
        assert_eq!(number(&db, "SELECT count(*) AS number FROM tenant_mark").await, 1);
    }
    #[cfg(unix)]
    for (path, mode) in [
        (fixture.path(engine, &alice), 0o600),
        (fixture.path(engine, &bob), 0o600),
        (fixture.folder.path().join("tenants"), 0o700),
    ] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            mode,
            "{}",
            path.display()
        );
    }
}

async fn swapped_files_are_noticed(engine: Engine) {
    let fixture = Fixture::new().await;
    let alice = fixture.catalogue.create("alice").await.unwrap();
    let bob = fixture.catalogue.create("bob").await.unwrap();
    let stores = fixture.stores(engine, 4);
    for tenant in [&alice, &bob] {
        stores.open(tenant).await.unwrap();
    }
    stores.close().await;
    drop(stores);
    std::fs::rename(fixture.path(engine, &alice), fixture.path(engine, &bob)).unwrap();

    let error = fixture.stores(engine, 4).open(&bob).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let report = error.report();
    assert!(report.contains(&alice.id.to_string()) && report.contains(&bob.id.to_string()), "{report}");
    assert!(!report.contains("alice"), "{report}");
    // Put back, it is what it was.
    std::fs::rename(fixture.path(engine, &bob), fixture.path(engine, &alice)).unwrap();
    fixture.stores(engine, 4).open(&alice).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_a_file_of_its_own_on_sqlite() {
    a_tenant_has_a_file(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_a_file_of_its_own_on_duckdb() {
    a_tenant_has_a_file(Engine::Duckdb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_file_is_noticed_and_left_alone_on_sqlite() {
    swapped_files_are_noticed(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_file_is_noticed_and_left_alone_on_duckdb() {
    swapped_files_are_noticed(Engine::Duckdb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_uses_a_sqlite_file_that_is_pushed_out_goes_on() {
    let fixture = Fixture::new().await;
    let alice = fixture.catalogue.create("alice").await.unwrap();
    let bob = fixture.catalogue.create("bob").await.unwrap();
    let stores = fixture.stores(Engine::Sqlite, 1);
    let kept = stores.open(&alice).await.unwrap();
    stores.open(&bob).await.unwrap();
    assert_eq!(number(&kept, "SELECT count(*) AS number FROM tenant_mark").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_opened_by_many_at_once_is_made_once() {
    let fixture = Fixture::new().await;
    let alice = fixture.catalogue.create("alice").await.unwrap();
    let stores = fixture.stores(Engine::Duckdb, 4);
    let (one, two, three) = tokio::join!(stores.open(&alice), stores.open(&alice), stores.open(&alice));
    for db in [one, two, three] {
        assert_eq!(number(&db.unwrap(), "SELECT count(*) AS number FROM tenant_mark").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_leads_out_of_the_folder_is_refused() {
    let fixture = Fixture::new().await;
    let alice = fixture.catalogue.create("alice").await.unwrap();
    let forged = TenantRecord { place: "../app".to_owned(), ..alice };
    let error = fixture.stores(Engine::Sqlite, 4).open(&forged).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
