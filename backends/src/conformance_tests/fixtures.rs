//! A fresh store for each case. The schema is made once per run and copied: migrations take longer than most cases.

use std::path::Path;
use std::sync::{Arc, Weak};

use tempfile::TempDir;
use tokio::sync::Mutex;
use trimaran_core::Engine;
use trimaran_core::config::PoolSettings;

use crate::testing::{StoreFixture, TestDatabase, TestRoles, postgres as server};
use crate::{Connection, Location, connect};

const MEMORY: u64 = 256 << 20;

/// Who owns the database that is copied, and the application's role on all copies.
type Roles = TestRoles<Arc<TestDatabase>>;

// Held by the cases that run, so that nothing is left behind by the last.
static POSTGRES: Mutex<Weak<(Roles, Arc<TestDatabase>)>> = Mutex::const_new(Weak::new());
static SQLITE: Mutex<Weak<TempDir>> = Mutex::const_new(Weak::new());
static DUCKDB: Mutex<Weak<TempDir>> = Mutex::const_new(Weak::new());

fn pool() -> PoolSettings {
    PoolSettings { max_connections: 4, ..PoolSettings::default() }
}

/// Servers are spoken to with calls that block.
async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(call).await.unwrap()
}

async fn model_database() -> Arc<(Roles, Arc<TestDatabase>)> {
    let mut shared = POSTGRES.lock().await;
    if let Some(model) = shared.upgrade() {
        return model;
    }
    let model = blocking(|| {
        let database = Arc::new(server::database());
        (TestRoles::create(Arc::clone(&database)), database)
    })
    .await;
    let owner = crate::postgres::PostgresConnection::open(&model.0.owner(), &pool()).await.unwrap();
    let owner = Connection::new(owner);
    StoreFixture::secure(&owner, model.0.application_name()).await.unwrap();
    owner.close().await;
    let model = Arc::new(model);
    *shared = Arc::downgrade(&model);
    model
}

pub(super) async fn postgres() -> StoreFixture {
    let model = model_database().await;
    let (copy, model) = blocking(move || (model.1.copy(), model)).await;
    let location = model.0.application_of(&copy);
    let engine = crate::postgres::PostgresConnection::open(&location, &pool()).await.unwrap();
    let copy = Arc::new(copy);
    let analysed = Arc::clone(&copy);
    // Dropped in this order.
    let fixture = StoreFixture::secured(engine, (copy, model)).unwrap();
    // The application owns no table that it could let analyse.
    fixture.settling(move || analysed.execute("ANALYZE"))
}

async fn open(engine: Engine, folder: &Path) -> Connection {
    let location = Location::file(engine, folder.join("store"));
    connect(&location, &pool(), MEMORY).await.unwrap()
}

/// A folder with a copy of the engine's model, and the model.
async fn copied(engine: Engine, shared: &Mutex<Weak<TempDir>>) -> (TempDir, Arc<TempDir>) {
    let model = {
        let mut shared = shared.lock().await;
        match shared.upgrade() {
            Some(model) => model,
            None => {
                let model = Arc::new(tempfile::tempdir().unwrap());
                let connection = open(engine, model.path()).await;
                StoreFixture::make_schema(&connection).await.unwrap();
                // Nothing is in it any more that isn't in the file.
                connection.close().await;
                *shared = Arc::downgrade(&model);
                model
            }
        }
    };
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(model.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    (copy, model)
}

pub(super) async fn sqlite() -> StoreFixture {
    let folders = copied(Engine::Sqlite, &SQLITE).await;
    StoreFixture::plain(open(Engine::Sqlite, folders.0.path()).await, folders).await.unwrap()
}

pub(super) async fn sqlite_decorated() -> StoreFixture {
    sqlite().await.keeping_results().unwrap().decorated().unwrap()
}

pub(super) async fn duckdb() -> StoreFixture {
    let folders = copied(Engine::Duckdb, &DUCKDB).await;
    StoreFixture::plain(open(Engine::Duckdb, folders.0.path()).await, folders).await.unwrap()
}
