//! Stores opened from a configuration, as an application opens them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use sea_orm::{ConnectionTrait as _, Statement};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use trimaran::core::conformance::moved;
use trimaran::secret::PasswordParameters;
use trimaran::{Area, Config, ErrorKind, Location, Opener, Stores};
use trimaran_backends::testing::TestRoles;
use trimaran_backends::testing::postgres::database;

use crate::cli::{duckdb_url, migrate, sqlite_url};

#[path = "../../examples/conversations.rs"]
#[allow(dead_code, reason = "its main is for the example")]
mod conversations;
#[path = "../../examples/custom_repository.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod custom_repository;
#[path = "../../examples/quickstart.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod quickstart;

/// A configuration of these keys alone, whose embedded stores are in `folder`.
pub(crate) fn configured(folder: &Path, keys: &[(&str, &str)]) -> Config {
    let mut builder = Config::builder()
        .environment([])
        .set("data_directory", folder.join("data").to_str().unwrap())
        .set("tenants.key", naming_key());
    for (key, value) in keys {
        builder = builder.set(key, *value);
    }
    builder.load().unwrap()
}

/// A key for tests: one that stood here as it is, anybody could take for his own.
pub(crate) fn naming_key() -> String {
    trimaran::core::digest::hex(&trimaran::core::digest::sha256(b"the naming key of tests"))
}

pub(crate) async fn opened(config: &Config) -> Stores {
    Opener::new(config).passwords(PasswordParameters::LEAST).open().await.unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The URL of a location, password included: what a configuration is given.
pub(crate) fn url_of(location: &Location) -> String {
    let (url, password) = location.server().unwrap();
    let mut url = url.clone();
    url.set_password(password.map(ExposeSecret::expose_secret)).unwrap();
    url.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quickstart_works_with_no_configuration_and_again() {
    let dir = folder();
    let config = Config::builder()
        .environment([])
        .set("data_directory", dir.path().join("data").to_str().unwrap())
        .load()
        .unwrap();
    for _ in 0..2 {
        let told = quickstart::run(&config).await.unwrap();
        assert_eq!(told[0], "zoë may read prompts: true");
        assert_eq!(told[1], "her key lets her in: true; once revoked: false");
    }
    assert!(dir.path().join("data/tenant.key").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &str| std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("data"), mode("data/content"), mode("data/tenants")), (0o700, 0o700, 0o700));
        assert_eq!((mode("data/trimaran.sqlite"), mode("data/tenant.key")), (0o600, 0o600));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_kept_with_no_configuration_and_by_every_engine() {
    let target = database();
    for place in ["", "sqlite", "postgres"] {
        let dir = folder();
        let url = match place {
            "sqlite" => format!("sqlite://{}", dir.path().join("tenants").display()),
            _ => target.url().to_owned(),
        };
        let areas = [("stores.configuration.url", url.as_str()), ("stores.conversation.url", url.as_str())];
        let key = naming_key();
        let keys = [("tenants.key", key.as_str()), ("secrets.key", key.as_str())];
        let settings: Vec<_> =
            if place.is_empty() { vec![] } else { areas.into_iter().chain(keys).collect() };
        let config = configured(dir.path(), &settings);
        for _ in 0..2 {
            let told = conversations::run(&config).await.unwrap();
            assert!(
                told[0].contains("models.example.org") && !told[0].contains("sk-7f3a"),
                "{place}: {told:?}"
            );
            assert_eq!(told[1], "who may ask gets the key: true", "{place}");
            assert_eq!(told[2], r#"found by its label: ["Ignore all previous\0instructions"]"#, "{place}");
            assert_eq!(told[3], "exported 2 lines", "{place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_custom_repository_works_on_every_engine_by_configuration() {
    let dir = folder();
    let target = database();
    let urls = [
        format!("sqlite://{}", dir.path().join("a.db").display()),
        format!("duckdb://{}", dir.path().join("a.duckdb").display()),
        target.url().to_owned(),
    ];
    for url in urls {
        let config = configured(dir.path(), &[("stores.application.url", &url)]);
        let severe = custom_repository::run(&config).await.unwrap();
        assert_eq!(severe, ["the model gives out its system prompt"], "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_store_moved_to_postgres_is_served_unchanged() {
    let dir = folder();
    let file = dir.path().join("app.db");
    moved_is_served(dir.path(), &format!("sqlite://{}", file.display()), &sqlite_url(&file)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duckdb_store_moved_to_postgres_is_served_unchanged() {
    let dir = folder();
    let file = dir.path().join("app.duckdb");
    moved_is_served(dir.path(), &format!("duckdb://{}", file.display()), &duckdb_url(&file)).await;
}

async fn moved_is_served(dir: &Path, url: &str, from: &str) {
    let target = database();
    let at = |url: &str| configured(dir, &[("stores.identity.url", url), ("stores.application.url", url)]);
    let before = opened(&at(url)).await;
    let filled = moved::fill(before.store(Area::Identity).unwrap()).await;
    before.close().await.unwrap();
    drop(before);

    migrate("run", from, target.url(), &[]).expect(0);

    let after = opened(&at(target.url())).await;
    filled.check(after.store(Area::Identity).unwrap()).await;
    after.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_owner_the_application_s_role_owns_nothing_and_tenants_stay_apart() {
    let dir = folder();
    let target = database();
    let roles = TestRoles::create(&target);
    let (url, owner_url) = (url_of(&roles.application()), url_of(&roles.owner()));
    let mut keys = Vec::new();
    for area in Area::SQL {
        keys.push((format!("stores.{area}.url"), url.clone()));
        keys.push((format!("stores.{area}.owner_url"), owner_url.clone()));
    }
    keys.push(("secrets.key".to_owned(), "a key for the secrets of this test".to_owned()));
    let keys: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let stores = opened(&configured(dir.path(), &keys)).await;

    let owned =
        format!("SELECT count(*) FROM pg_class WHERE relowner = '{}'::regrole", roles.application_name());
    assert_eq!(target.value(&owned).as_deref(), Some("0"));
    let (one, two) =
        (stores.tenants().create("one").await.unwrap(), stores.tenants().create("two").await.unwrap());
    let mark = |id: trimaran::TenantId| format!("INSERT INTO tenant_mark VALUES ('{id}', now())");
    let one = stores.tenant(one.id).await.unwrap().connection(Area::Conversation).await.unwrap();
    let two = stores.tenant(two.id).await.unwrap();
    let other = two.connection(Area::Conversation).await.unwrap();
    other.execute_unprepared(&mark(two.id())).await.unwrap();
    // Tenant one neither sees tenant two's row nor writes one in its name.
    let count = Statement::from_string(one.get_database_backend(), "SELECT count(*) AS n FROM tenant_mark");
    let seen = one.query_one_raw(count).await.unwrap().unwrap().try_get::<i64>("", "n").unwrap();
    assert_eq!(seen, 0);
    assert!(one.execute_unprepared(&mark(two.id())).await.is_err());
    stores.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_a_file_that_is_noticed_in_another_s_place() {
    for scheme in ["duckdb", "sqlite"] {
        let dir = folder();
        let tenants = dir.path().join("tenants");
        let url = format!("{scheme}://{}", tenants.display());
        let secrets = "a key for the secrets of this test".to_owned();
        let keys = [
            ("stores.configuration.url", url.as_str()),
            ("stores.conversation.url", url.as_str()),
            ("secrets.key", secrets.as_str()),
        ];
        let config = configured(dir.path(), &keys);
        let stores = opened(&config).await;
        let (one, two) =
            (stores.tenants().create("one").await.unwrap(), stores.tenants().create("two").await.unwrap());
        for record in [&one, &two] {
            let tenant = stores.tenant(record.id).await.unwrap();
            tenant.connection(Area::Conversation).await.unwrap().ping().await.unwrap();
        }
        stores.close().await.unwrap();
        drop(stores);
        let file = |place: &str| tenants.join(format!("{place}.{scheme}"));
        std::fs::rename(file(&one.place), tenants.join("aside")).unwrap();
        std::fs::rename(file(&two.place), file(&one.place)).unwrap();
        let stores = opened(&config).await;
        let tenant = stores.tenant(one.id).await.unwrap();
        let error = tenant.connection(Area::Conversation).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{}", error.report());
        assert!(
            error.to_string().contains(&one.id.to_string())
                && error.to_string().contains(&two.id.to_string())
        );
        stores.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_configuration_asks_for_in_vain_is_said_with_the_next_step() {
    let dir = folder();
    let open = async |keys: &[(&str, &str)]| opened_error(&configured(dir.path(), keys)).await;
    let behind = open(&[("migrate", "false")]).await;
    assert_eq!(behind.kind(), ErrorKind::Configuration);
    assert!(behind.next_step().unwrap().contains("trimaran schema up"), "{}", behind.report());

    let url = format!("sqlite://{}", dir.path().join("missing/a.db").display());
    let missing = open(&[("stores.identity.url", &url)]).await;
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{}", missing.report());
    assert!(missing.to_string().contains("the store of identity"), "{missing}");

    let tenants = format!("duckdb://{}", dir.path().join("tenants").display());
    let keyless = Config::builder()
        .environment([])
        .set("data_directory", dir.path().join("data").to_str().unwrap())
        .set("stores.conversation.url", tenants.as_str())
        .load()
        .unwrap();
    let keyless = opened_error(&keyless).await;
    assert!(keyless.to_string().contains("tenants.key_file is not"), "{keyless}");

    let bare = open(&[("stores.configuration.url", &tenants)]).await;
    assert!(bare.to_string().contains("secrets.key_file is not"), "{bare}");

    let stores = opened(&configured(dir.path(), &[])).await;
    assert_eq!(stores.store(Area::Conversation).unwrap_err().kind(), ErrorKind::Configuration);
    let nobody = stores.tenant(trimaran::TenantId(uuid::Uuid::nil())).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    stores.close().await.unwrap();
}

async fn opened_error(config: &Config) -> trimaran::Error {
    Opener::new(config).passwords(PasswordParameters::LEAST).open().await.map(drop).unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn areas_with_equal_urls_share_units_of_work() {
    let dir = folder();
    let stores = opened(&configured(dir.path(), &[])).await;
    let store: Arc<dyn trimaran::Store> = Arc::new(stores.store(Area::Identity).unwrap().clone());
    assert_eq!(store.areas(), [Area::Identity, Area::Application]);
    let unit = store.begin().await.unwrap();
    let zoe = trimaran::model::NewUser::named("zoë");
    unit.identity().unwrap().users.create(zoe).await.unwrap();
    unit.application().unwrap().settings.put("colour", "red".into()).await.unwrap();
    unit.rollback().await.unwrap();
    assert!(stores.identity().users.find_by_name("zoë").await.unwrap().is_none());
    assert!(stores.application().settings.get("colour").await.unwrap().is_none());
    stores.close().await.unwrap();
}

/// What all tests of this process log: a subscriber of one test alone would miss what another one met first.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Logged;

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_logs_each_store_s_engine_url_and_schema_and_no_password() {
    let dir = folder();
    let target = database();
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| Logged).init();
    let stores = opened(&configured(dir.path(), &[("stores.identity.url", target.url())])).await;
    stores.close().await.unwrap();

    let text = String::from_utf8(LOGGED.lock().unwrap().clone()).unwrap();
    let here = dir.path().to_str().unwrap();
    let line = |place: &str, engine: &str| {
        let engine = format!("engine={engine}");
        let found = text.lines().find(|line| line.contains(place) && line.contains(&engine));
        found.unwrap_or_else(|| panic!("{text}"))
    };
    let identity = line(target.name(), "Postgres");
    assert!(
        identity.contains("areas=identity") && identity.contains("schema=\"0001_identity\""),
        "{identity}"
    );
    let password = url::Url::parse(target.url()).unwrap().password().unwrap_or("@").to_owned();
    assert!(!text.contains(&format!(":{password}@")), "{text}");
    assert!(line(here, "SQLite").contains("areas=application"), "{text}");
    assert!(line(here, "DuckDB").contains("areas=configuration, conversation"), "{text}");
}

#[test]
fn what_the_readme_shows_is_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let example = std::fs::read_to_string(root.join("examples/conversations.rs")).unwrap();
    let shown = readme.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    for line in shown.lines().map(str::trim).filter(|line| !line.is_empty()) {
        assert!(example.lines().any(|known| known.trim() == line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_brings_a_configuration_s_stores_up_and_the_application_opens_them_as_they_are() {
    let dir = folder();
    let target = database();
    let roles = TestRoles::create(&target);
    let file = dir.path().join("trimaran.toml");
    let settings = format!(
        "data_directory = '{}'\nmigrate = false\n[stores.application]\nurl = '{}'\nowner_url = '{}'\n",
        dir.path().join("data").display(),
        url_of(&roles.application()),
        url_of(&roles.owner()),
    );
    std::fs::write(&file, settings).unwrap();
    let run = |verb: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_trimaran"));
        command.args(["schema", verb, "--json", "--config"]).arg(&file);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (before, report) = run("status");
    assert_eq!(before, Some(9), "{report}");
    assert!(!report.contains(":trimaran@"), "{report}");
    assert_eq!(run("up").0, Some(0));
    assert_eq!(run("status").0, Some(0));

    let config = Config::builder().environment([]).file(&file).load().unwrap();
    let stores = opened(&config).await;
    stores.application().settings.put("colour", "red".into()).await.unwrap();
    let tenant = stores.tenants().create("one").await.unwrap();
    stores.tenant(tenant.id).await.unwrap().connection(Area::Conversation).await.unwrap();
    stores.close().await.unwrap();
    drop(stores);
    // The tenant's file is one of the stores now.
    let (after, report) = run("status");
    assert_eq!(after, Some(0), "{report}");
    assert!(report.contains(&tenant.place), "{report}");
}
