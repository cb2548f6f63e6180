//! What stands in the tables: that no secret is there in the clear, that keys can be changed, and that what somebody else wrote
//! is noticed. And imports of a size.

use std::any::Any;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use trimaran_core::clock::ManualClock;
use trimaran_core::config::{Area, PoolSettings};
use trimaran_core::id::SequentialIds;
use trimaran_core::model::{Component, ComponentFilter, ComponentKind, NewComponent, NewDataset, Parameters};
use trimaran_core::repository::{Components, Configuration};
use trimaran_core::secret::{Keyring, PasswordHasher, PasswordParameters, SecretKey};
use trimaran_core::{Engine, ErrorKind, IdSource, Location, PageRequest, Store as _, TenantId};
use uuid::Uuid;

use crate::import::{self, Mapping};
use crate::schema::{Book, Runner};
use crate::{Connection, SqlStore};

const TENANT: TenantId = TenantId(Uuid::from_u128(1));
const OTHER: TenantId = TenantId(Uuid::from_u128(2));

struct Database {
    connection: Connection,
    clock: ManualClock,
    ids: Arc<dyn IdSource>,
    kept: Box<dyn Any + Send + Sync>,
}

impl Database {
    async fn new(location: Location, kept: impl Any + Send + Sync) -> Self {
        let pool = PoolSettings { max_connections: 2, ..PoolSettings::default() };
        let connection = crate::connect(&location, &pool, 256 << 20).await.unwrap();
        let clock = ManualClock::default();
        Runner::new(&connection, &Book::new(), &[Area::Configuration], &clock).up().await.unwrap();
        let ids = Arc::new(SequentialIds::new(Arc::new(clock.clone())));
        Self { connection, clock, ids, kept: Box::new(kept) }
    }

    fn of(&self, tenant: TenantId, active: u8, previous: &[u8]) -> Configuration {
        let key = |n: u8| SecretKey::from_bytes(&[n; 32]).unwrap();
        let keyring = Arc::new(Keyring::new(key(active), previous.iter().copied().map(key)));
        let passwords = PasswordHasher::new(PasswordParameters::LEAST).unwrap();
        let (clock, ids) = (Arc::new(self.clock.clone()), Arc::clone(&self.ids));
        let store = SqlStore::new(self.connection.clone(), &[Area::Configuration], clock, ids, passwords);
        store.of_tenant(tenant, keyring).configuration().unwrap()
    }

    fn components(&self, active: u8, previous: &[u8]) -> Arc<dyn Components> {
        self.of(TENANT, active, previous).components
    }

    async fn run(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap();
    }

    /// All texts of the component of this name.
    async fn row(&self, name: &str) -> Vec<String> {
        let sql = format!(
            "SELECT parameters, secrets, key_id, name, type_name, status FROM component WHERE name = '{name}'"
        );
        let query = Statement::from_string(self.connection.get_database_backend(), sql);
        let row = self.connection.query_one_raw(query).await.unwrap().unwrap();
        ["parameters", "secrets", "key_id", "name", "type_name", "status"]
            .iter()
            .map(|column| row.try_get::<Option<String>>("", column).unwrap().unwrap_or_default())
            .collect()
    }

    /// A tenant as the engine's SQL says it.
    fn literal(&self, tenant: TenantId) -> String {
        match self.connection.engine() {
            Engine::Sqlite => format!("X'{}'", tenant.0.simple()),
            _ => format!("'{}'", tenant.0),
        }
    }
}

async fn sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    Database::new(Location::file(Engine::Sqlite, folder.path().join("a.sqlite")), folder).await
}

async fn duckdb() -> Database {
    let folder = tempfile::tempdir().unwrap();
    Database::new(Location::file(Engine::Duckdb, folder.path().join("a.duckdb")), folder).await
}

async fn postgres() -> Database {
    // Starting a server blocks.
    let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
    Database::new(database.location(), database).await
}

/// Runs each case on each engine.
macro_rules! cases {
    ($($case:ident)*) => {
        mod on_sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(super::sqlite().await).await })* }
        mod on_duckdb { $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(super::duckdb().await).await })* }
        mod on_postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(super::postgres().await).await })* }
    };
}

cases! {
    no_secret_stands_in_a_row_in_the_clear
    a_key_is_changed_page_by_page
    a_change_of_keys_goes_on_where_it_stopped
    a_key_that_is_missing_is_named
    a_secret_that_was_moved_or_changed_is_noticed
    a_row_that_nobody_wrote_so_is_an_error_that_names_it
    a_hundred_thousand_prompts_are_imported_or_none
}

async fn create(components: &dyn Components, name: &str, parameters: Value) -> Component {
    let parameters = Parameters::from_json(parameters).unwrap();
    let new = NewComponent::named(ComponentKind::Generator, name, "T").with(parameters);
    components.create(new).await.unwrap()
}

async fn exposed(components: &dyn Components, component: &Component) -> Value {
    components.reveal(component.id).await.unwrap().unwrap().expose().unwrap()
}

async fn no_secret_stands_in_a_row_in_the_clear(database: Database) {
    let components = database.components(1, &[]);
    let secrets = json!({
        "api_key": "hunter2", "headers": { "X-Api-Key": "hunter2" }, "url": "postgres://a:hunter2@b/c",
        "more": [["Authorization", "Bearer hunter2"]], "text": "{\"password\": \"hunter2\"}",
    });
    let created = create(components.as_ref(), "a", secrets.clone()).await;
    let mut renewed = secrets.clone();
    renewed["token"] = json!("hunter2");
    let parameters = Parameters::from_json(renewed.clone()).unwrap();
    components.update(&Component { parameters, ..created.clone() }).await.unwrap();
    let row = database.row("a").await.concat();
    // "hunter2" in base64 has one of three forms, by where it begins.
    for form in ["hunter", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy", "68756e746572"] {
        assert!(!row.contains(form), "{form}: {row}");
    }
    assert_eq!(exposed(components.as_ref(), &created).await, renewed);
    // Nor anywhere in the files.
    database.connection.close().await;
    if let Some(folder) = database.kept.downcast_ref::<tempfile::TempDir>() {
        let mut read = 0;
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
            read += bytes.len();
        }
        assert!(read > 0);
    }
}

async fn a_key_is_changed_page_by_page(database: Database) {
    let old = database.components(1, &[]);
    let mut created = Vec::new();
    for n in 0..250 {
        created.push(create(old.as_ref(), &format!("g{n}"), json!({ "api_key": format!("k{n}") })).await);
    }
    create(old.as_ref(), "plain", json!({ "size": 1 })).await;
    let both = database.components(2, &[1]);
    let late = create(both.as_ref(), "late", json!({ "api_key": "late" })).await;
    assert_eq!(both.rotate_secrets().await.unwrap(), 250);
    assert_eq!(both.rotate_secrets().await.unwrap(), 0);
    let new = database.components(2, &[]);
    for (n, component) in created.iter().enumerate() {
        assert_eq!(exposed(new.as_ref(), component).await, json!({ "api_key": format!("k{n}") }));
        assert_eq!(new.find(component.id).await.unwrap().as_ref(), Some(component));
    }
    assert_eq!(exposed(new.as_ref(), &late).await, json!({ "api_key": "late" }));
}

async fn a_change_of_keys_goes_on_where_it_stopped(database: Database) {
    let old = database.components(1, &[]);
    for n in 0..5 {
        create(old.as_ref(), &format!("g{n}"), json!({ "api_key": "k" })).await;
    }
    let sound = database.row("g3").await[1].clone();
    database.run("UPDATE component SET secrets = '{\"/api_key\":\"AAAA\"}' WHERE name = 'g3'").await;
    let both = database.components(2, &[1]);
    let error = both.rotate_secrets().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    database.run(&format!("UPDATE component SET secrets = '{sound}' WHERE name = 'g3'")).await;
    assert_eq!(both.rotate_secrets().await.unwrap(), 2);
}

async fn a_key_that_is_missing_is_named(database: Database) {
    let old = database.components(1, &[]);
    let created = create(old.as_ref(), "a", json!({ "api_key": "k", "size": 1 })).await;
    let key = database.row("a").await[2].clone();
    let new = database.components(2, &[]);
    // Reading needs no key.
    assert_eq!(new.find(created.id).await.unwrap().as_ref(), Some(&created));
    for error in [
        new.reveal(created.id).await.unwrap_err(),
        new.rotate_secrets().await.unwrap_err(),
        new.update(&created).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
        assert!(error.to_string().contains(&key), "{error}");
        assert!(error.next_step().unwrap().contains("previous_keys_file"), "{error:?}");
    }
    // Nor does giving the secret anew.
    let parameters = Parameters::from_json(json!({ "api_key": "new" })).unwrap();
    let updated = new.update(&Component { parameters, ..created }).await.unwrap();
    assert_eq!(exposed(new.as_ref(), &updated).await, json!({ "api_key": "new" }));
}

async fn a_secret_that_was_moved_or_changed_is_noticed(database: Database) {
    let components = database.components(1, &[]);
    let created = create(components.as_ref(), "a", json!({ "api_key": "a", "token": "b" })).await;
    create(components.as_ref(), "b", json!({ "api_key": "c", "token": "d" })).await;
    let (mine, others) = (database.row("a").await[1].clone(), database.row("b").await[1].clone());
    let secrets: Value = serde_json::from_str(&mine).unwrap();
    let swapped = json!({ "/api_key": secrets["/token"], "/token": secrets["/api_key"] }).to_string();
    let cut = json!({ "/api_key": "", "/token": secrets["/token"] }).to_string();
    for wrong in [others, swapped, cut, "no JSON".to_owned()] {
        database.run(&format!("UPDATE component SET secrets = '{wrong}' WHERE name = 'a'")).await;
        let error = components.reveal(created.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        let report = error.report();
        assert!(report.contains("column secrets of table component"), "{report}");
        assert!(report.contains(&created.id.to_string()), "{report}");
    }
    database.run(&format!("UPDATE component SET secrets = '{mine}' WHERE name = 'a'")).await;
    assert!(components.reveal(created.id).await.is_ok());
    let other = database.literal(OTHER);
    database.run(&format!("UPDATE component SET tenant_id = {other} WHERE name = 'a'")).await;
    let error = database.of(OTHER, 1, &[]).components.reveal(created.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
}

async fn a_row_that_nobody_wrote_so_is_an_error_that_names_it(database: Database) {
    let components = database.components(1, &[]);
    let created = create(components.as_ref(), "a", json!({ "api_key": "k" })).await;
    create(components.as_ref(), "b", json!({})).await;
    let page = PageRequest::first(10).unwrap();
    for (column, wrong) in [
        ("kind", "unheard"),
        ("parameters", "{"),
        ("parameters", "{}"),
        ("parameters", "{\"api_key\":\"x\"}"),
        ("secrets", "[]"),
    ] {
        let sound = if column == "kind" {
            created.kind.name().to_owned()
        } else {
            database.row("a").await[usize::from(column == "secrets")].clone()
        };
        database.run(&format!("UPDATE component SET {column} = '{wrong}' WHERE name = 'a'")).await;
        for error in [
            components.find(created.id).await.unwrap_err(),
            components.list(&ComponentFilter::default(), &page).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{column} {wrong}: {error:?}");
            assert!(error.to_string().contains(&created.id.to_string()), "{error}");
        }
        database.run(&format!("UPDATE component SET {column} = '{sound}' WHERE name = 'a'")).await;
    }
    assert_eq!(components.find(created.id).await.unwrap(), Some(created));
}

async fn a_hundred_thousand_prompts_are_imported_or_none(database: Database) {
    let datasets = database.of(TENANT, 1, &[]).datasets;
    let id = datasets.create(NewDataset::named("d", "file")).await.unwrap().id;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prompts.jsonl");
    let mut text: String =
        (0..100_000).map(|n| format!("{{\"prompt\":\"prompt {n}\",\"n\":{n}}}\n")).collect();
    std::fs::write(&path, &text).unwrap();
    let mapping = Mapping::of("prompt").with_all_metadata();
    let imported = datasets.import_prompts(id, import::file(&path, mapping.clone())).await.unwrap();
    assert_eq!((imported, datasets.count_prompts(id).await.unwrap()), (100_000, 100_000));
    text.push_str("{\"prompt\": 7}\n");
    std::fs::write(&path, &text).unwrap();
    let error = datasets.import_prompts(id, import::file(&path, mapping)).await.unwrap_err();
    assert!(error.to_string().contains("line 100001"), "{error}");
    assert_eq!(datasets.count_prompts(id).await.unwrap(), 100_000);
    let (mut request, mut read) = (PageRequest::first(1_000).unwrap(), 0);
    loop {
        let page = datasets.prompts(id, &request).await.unwrap();
        for prompt in &page.items {
            assert_eq!(
                (prompt.text.as_str(), &prompt.metadata["n"]),
                (format!("prompt {read}").as_str(), &json!(read))
            );
            read += 1;
        }
        let Some(next) = page.next else { break };
        request = PageRequest::first(1_000).unwrap().after(next);
    }
    assert_eq!(read, 100_000);
}
