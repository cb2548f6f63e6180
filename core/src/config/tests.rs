use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::{Engine, Error, ErrorKind};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A configuration from a file of this text and these variables.
fn load(text: &str, variables: &[(&str, &str)]) -> crate::Result<Config> {
    let folder = Folder::new();
    builder(&folder, text, variables).load()
}

fn builder(folder: &Folder, text: &str, variables: &[(&str, &str)]) -> Builder {
    Config::builder()
        .file(folder.file("trimaran.toml", text))
        .environment(variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
}

fn refused(text: &str, variables: &[(&str, &str)]) -> Error {
    let error = load(text, variables).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{}", error.report());
    error
}

#[test]
fn with_no_configuration_everything_is_embedded() {
    let config = Config::builder().environment([]).load().unwrap();
    let settings = config.settings();
    assert!(settings.migrate);
    let place = |area| settings.store(area).unwrap().location.to_string();
    assert_eq!(place(Area::Identity), "sqlite://trimaran-data/trimaran.sqlite");
    assert_eq!(place(Area::Application), place(Area::Identity));
    assert_eq!(place(Area::Configuration), "duckdb://trimaran-data/tenants");
    assert_eq!(place(Area::Conversation), place(Area::Configuration));
    assert_eq!(settings.content.place, ContentPlace::Folder("trimaran-data/content".into()));
    assert_eq!(settings.store(Area::Identity).unwrap().pool, PoolSettings::default());
}

#[test]
fn each_layer_wins_over_the_ones_before() {
    let text = "[stores.identity]\nmax_connections = 2\nmin_connections = 1\nidle_timeout = 'never'\n\
                [profile.test.stores.identity]\nmax_connections = 3\nacquire_timeout = '1s'\n";
    let folder = Folder::new();
    let variables = [("TRIMARAN_STORES__IDENTITY__MAX_CONNECTIONS", "4"), ("TRIMARAN_PROFILE", "test")];
    let base = |variables: &[(&str, &str)]| builder(&folder, text, variables);
    let most = |config: Config| config.settings().store(Area::Identity).unwrap().pool.max_connections;
    // identity and application share the embedded file, so their pools must agree: give identity a place of its own.
    let set = |builder: Builder| builder.set("stores.identity.url", "sqlite:identity.db");
    assert_eq!(most(set(base(&[])).load().unwrap()), 2);
    assert_eq!(most(set(base(&[])).profile("test").load().unwrap()), 3);
    assert_eq!(most(set(base(&variables)).load().unwrap()), 4);
    let config = set(base(&variables)).set("stores.identity.max_connections", "5").load().unwrap();
    let pool = config.settings().store(Area::Identity).unwrap().pool.clone();
    assert_eq!((pool.max_connections, pool.min_connections, pool.idle_timeout), (5, 1, None));
    assert_eq!(pool.acquire_timeout.as_secs(), 1);
    let origin = |key: &str| config.shown().iter().find(|s| s.key == key).unwrap().origin.clone();
    assert_eq!(origin("stores.identity.max_connections"), "code");
    assert!(origin("stores.identity.min_connections").ends_with("trimaran.toml"));
    assert!(origin("stores.identity.acquire_timeout").ends_with("trimaran.toml [profile.test]"));
    assert_eq!(origin("stores.identity.connect_timeout"), "default");
    let variable = set(base(&variables)).load().unwrap();
    let shown = variable.shown().iter().find(|s| s.key == "stores.identity.max_connections").unwrap();
    assert_eq!(
        (shown.value.as_str(), shown.origin.as_str()),
        ("4", "TRIMARAN_STORES__IDENTITY__MAX_CONNECTIONS")
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let error = refused("[stores.identity]\nmax_conections = 2\n", &[]);
    assert!(error.to_string().contains("stores.identity.max_conections ("), "{error}");
    assert!(error.to_string().contains("trimaran.toml"), "{error}");
    assert_eq!(error.next_step(), Some("did you mean stores.identity.max_connections?"));
    let error = refused("", &[("TRIMARAN_STORES__IDENTITY__URI", "x")]);
    assert!(error.to_string().contains("(TRIMARAN_STORES__IDENTITY__URI)"), "{error}");
    assert_eq!(error.next_step(), Some("did you mean stores.identity.url?"));
    let error = refused("[profile.later.stores.identity]\nurll = 'x'\n", &[]);
    assert!(error.to_string().contains("[profile.later]"), "{error}");
    let error = refused("stores = 3\n", &[]);
    assert!(error.to_string().contains("it must be a table"), "{error}");
}

/// A key that nobody should use.
fn naming_key() -> String {
    crate::digest::hex(&crate::digest::sha256(b"a naming key for tests of the configuration"))
}

#[test]
fn tenants_have_further_places_by_name() {
    let text = "[stores.conversation]\nmax_connections = 3\n[stores.configuration]\nmax_connections = 3\n\
                [tenants]\nplacement = 'eu'\n[tenants.places.eu]\nurl = 'duckdb:///mnt/eu'\n\
                [tenants.places.big]\nurl = 'postgres://app@db/big'\nowner_url = 'postgres://owner@db/big'\n";
    let variables = [
        ("TRIMARAN_TENANTS__PLACES__BIG__PASSWORD", "hunter2"),
        ("TRIMARAN_TENANTS__PLACES__US__URL", "sqlite:///mnt/us"),
    ];
    let config = load(text, &variables).unwrap();
    let tenants = &config.settings().tenants;
    assert_eq!(tenants.placement, Placement::Named("eu".to_owned()));
    assert_eq!(tenants.places.keys().collect::<Vec<_>>(), ["big", "eu", "us"]);
    let big = &tenants.places["big"];
    assert_eq!((big.pool.max_connections, big.location.engine()), (3, Engine::Postgres));
    assert_eq!(big.location.server().unwrap().1.unwrap().expose_secret(), "hunter2");
    assert!(big.owner.is_some() && !big.is_default);
    let shown = |key: &str| config.shown().iter().find(|s| s.key == key).map(|s| s.value.clone());
    assert_eq!(shown("tenants.places.eu.url").as_deref(), Some("duckdb:///mnt/eu"));
    assert_eq!(shown("tenants.places.big.password").as_deref(), Some("…"));
    let placement = |text: &str| load(text, &[]).unwrap().settings().tenants.placement.clone();
    assert_eq!(placement(""), Placement::Default);
    assert_eq!(placement("[tenants]\nplacement = 'least-loaded'"), Placement::LeastLoaded);
}

#[test]
fn places_that_can_t_be_are_refused() {
    for (text, says) in [
        ("[tenants]\nplacement = 'mars'", "there is no such place"),
        ("[tenants.places.Eu]\nurl = 'sqlite:a'", "can't be the name of a place"),
        ("[tenants.places.default]\nurl = 'sqlite:a'", "can't be the name of a place"),
        ("[tenants.places.least-loaded]\nurl = 'sqlite:a'", "can't be the name of a place"),
        ("[tenants.places.eu]\n", "it has no url"),
        ("[tenants.places.eu]\nurl = 'mysql://x'", "tenants.places.eu.url"),
        ("[tenants.places.eu]\nurll = 'sqlite:a'", "tenants.places.eu.urll"),
        ("[tenants.places.eu]\nurl = 'sqlite:a'\nowner_url = 'sqlite:b'", "only Postgres has an owner"),
        ("[tenants.places.eu]\nurl = 'sqlite:a'\npassword = 'x'", "has no password"),
        ("[tenants.places]\na.url = 'sqlite:x'\nb.url = 'sqlite:x'", "it is that of tenants.places.a"),
        ("[tenants.places.eu]\nurl = 'duckdb:trimaran-data/tenants'", "it is that of stores.con"),
        ("[tenants.places.eu]\nurl = 'sqlite:trimaran-data/tenants'", "it is that of stores.con"),
        ("[tenants]\nplaces = 3", "tenants.places"),
    ] {
        let error = refused(text, &[]);
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
}

#[test]
fn a_weak_key_for_tenants_is_refused_and_not_shown() {
    load(&format!("[tenants]\nkey = '{}'", naming_key()), &[]).unwrap();
    for weak in
        ["changeme".repeat(8), "a".repeat(64), naming_key()[..63].to_owned(), "0123456789abcdef".repeat(4)]
    {
        let error = refused(&format!("[tenants]\nkey = '{weak}'"), &[]);
        assert!(error.to_string().contains("tenants.key ("), "{error}");
        assert!(error.next_step().unwrap().contains("openssl rand -hex 32"), "{error}");
        assert!(!error.report().contains(&weak), "{error}");
        let folder = Folder::new();
        let file = folder.file("key", &format!("{weak}\n"));
        let error = refused("", &[("TRIMARAN_TENANTS__KEY_FILE", &file)]);
        assert!(error.to_string().contains("tenants.key_file (TRIMARAN_TENANTS__KEY_FILE)"), "{error}");
    }
}

#[test]
fn no_error_and_no_listing_shows_a_secret() {
    let secret = "hunter2hunter2";
    let wrong = [
        format!("[stores.identity]\nurl = 'mysql://me:{secret}@host/db'\n"),
        format!("[stores.identity]\nurl = 'postgres://me:{secret}@host:port/db'\n"),
        format!("[stores.identity]\npassword = '{secret}'\n"),
        format!("[stores.identity]\npassword = '{secret}\n"),
        format!("[stores.identity]\nmax_connections = '{secret}'\n"),
        format!("[tenants]\nkey = '{secret}'\n"),
        format!("[secrets]\nkey = '{secret}'\n"),
    ];
    for text in &wrong {
        let error = refused(text, &[]);
        assert!(
            !error.report().contains(secret) && !format!("{error:?}").contains(secret),
            "{}",
            error.report()
        );
    }
    let text = format!(
        "[stores.identity]\nurl = 'postgres://me:{secret}@host/db'\n[stores.application]\nurl = 'postgres://me@other/db'\n\
         password = '{secret}'\n[tenants]\nkey = '{secret}{}'\n",
        naming_key()
    );
    let config = load(&text, &[]).unwrap();
    assert!(!format!("{:?} {:?}", config, config.shown()).contains(secret));
    let url = config.shown().iter().find(|s| s.key == "stores.identity.url").unwrap();
    assert_eq!(url.value, "postgres://me@host/db");
    let (_, password) = config.settings().store(Area::Application).unwrap().location.server().unwrap();
    assert_eq!(password.unwrap().expose_secret(), secret);
}

#[test]
fn secrets_come_from_files_and_stay_as_they_are_in_variables() {
    let folder = Folder::new();
    let file = folder.file("password", "0123\n");
    let text = "[stores.identity]\nurl = 'postgres://me@host/db'\n";
    let password = |variables: &[(&str, &str)]| {
        let config = builder(&folder, text, variables).load().unwrap();
        let location = config.settings().store(Area::Identity).unwrap().location.clone();
        location.server().unwrap().1.unwrap().expose_secret().to_owned()
    };
    assert_eq!(password(&[("TRIMARAN_STORES__IDENTITY__PASSWORD_FILE", &file)]), "0123");
    assert_eq!(password(&[("TRIMARAN_STORES__IDENTITY__PASSWORD", "1.10")]), "1.10");
    let missing = refused(text, &[("TRIMARAN_STORES__IDENTITY__PASSWORD_FILE", "/nowhere/at/all")]);
    assert!(missing.to_string().contains("/nowhere/at/all can't be read"), "{missing}");
    let both = [
        ("TRIMARAN_STORES__IDENTITY__PASSWORD_FILE", file.as_str()),
        ("TRIMARAN_STORES__IDENTITY__PASSWORD", "x"),
    ];
    assert!(refused(text, &both).to_string().contains("is set, too"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let cases = [
        ("[stores.identity]\nmax_connections = 0\n", "at least 1"),
        ("[stores.identity]\nmin_connections = 11\n", "more than stores.identity.max_connections"),
        ("[stores.identity]\nmax_connections = 3\n", "pool or memory settings differ"),
        (
            "[stores.identity]\nurl = 'postgres://a@h/d'\nowner_url = 'postgres://o@h/d'\n\
             [stores.application]\nurl = 'postgres://a@h/d'\n",
            "whose password, owner",
        ),
        ("[stores.identity]\nowner_url = 'postgres://o@h/d'\n", "only Postgres has an owner"),
        ("[stores.identity]\nurl = 'sqlite:a.db'\npassword = 'x'\n", "SQLite has no password"),
        (
            "[stores.identity]\nurl = 'sqlite:x'\n[stores.conversation]\nurl = 'duckdb:x/'\n",
            "one of them is a file",
        ),
        ("[stores.content]\nurl = 'ftp://host/files'\n", "can't be kept at ftp:"),
        ("[stores.content]\nurl = 's3:///prefix'\n", "it names no bucket"),
        ("[stores.content]\nurl = 's3://me:pass@bucket'\n", "it holds credentials"),
        ("[stores.content]\nkeep_versions = 0\n", "1 to 1000"),
        ("[stores.content]\nregion = 'x'\n", "only S3 has one"),
        ("[stores.content]\nurl = 's3://b'\naccess_key_id = 'x'\n", "secret_access_key is missing"),
        ("[stores.content]\nurl = 's3://b'\nsecret_access_key = 'x'\n", "access_key_id is missing"),
        ("[stores.content]\nurl = 's3://b'\nendpoint = 'there'\n", "http"),
        ("[stores.identity]\nmemory = '1MiB'\n", "at least 64MiB"),
        ("[stores.identity]\nconnect_timeout = '0s'\n", "more than nothing"),
        ("[stores.identity]\nconnect_timeout = 5\n", "it must be text"),
        ("[secrets]\nkey = 'short'\n", "fewer than 32 characters"),
        ("migrate = 'perhaps'\n", "true or false"),
        ("[stores.identity]\nurl = ''\n", "it is empty"),
    ];
    for (text, expected) in cases {
        let error = refused(text, &[]);
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_missing_file_or_profile_is_refused_with_what_there_is() {
    let error = Config::builder().file("/nowhere/trimaran.toml").environment([]).load().unwrap_err();
    assert!(error.to_string().contains("/nowhere/trimaran.toml"), "{error}");
    let folder = Folder::new();
    let error =
        builder(&folder, "[profile.test]\nmigrate = false\n", &[]).profile("tset").load().unwrap_err();
    assert_eq!(error.next_step(), Some("use one of: test"));
}

#[test]
fn the_scheme_picks_the_engine() {
    for (url, engine) in [
        ("postgres://h/d", Engine::Postgres),
        ("sqlite:a.db", Engine::Sqlite),
        ("duckdb:///d/a.db", Engine::Duckdb),
    ] {
        let config = load(&format!("[stores.identity]\nurl = '{url}'\n"), &[]).unwrap();
        assert_eq!(config.settings().store(Area::Identity).unwrap().location.engine(), engine);
    }
}

#[test]
fn every_key_is_documented_once_and_has_a_default_or_may_be_missing() {
    let mut keys: Vec<_> = KEYS.iter().map(|doc| doc.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), KEYS.len());
    for doc in KEYS {
        assert!(markdown().contains(&format!("| `{}` |", doc.key)));
    }
}

/// The documentation's table is the program's: `TRIMARAN_UPDATE_DOCS=1 cargo test -p trimaran-core` writes it anew.
#[test]
fn the_documented_keys_are_the_keys_there_are() {
    const BEGIN: &str = "<!-- keys: begin -->\n";
    const END: &str = "<!-- keys: end -->";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("TRIMARAN_UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", markdown())).unwrap();
    } else {
        assert_eq!(table, markdown(), "run `TRIMARAN_UPDATE_DOCS=1 cargo test -p trimaran-core config`");
    }
}

#[test]
fn nothing_is_kept_of_results_unless_memory_is_given_for_it() {
    assert!(load("", &[]).unwrap().settings().cache.is_none());
    assert!(load("[cache]\nmemory = 'off'\ntime_to_live = '5s'", &[]).unwrap().settings().cache.is_none());
    let config = load("[cache]\nmemory = '64MiB'\nredis_url = 'redis://:hunter2@cache/0'", &[]).unwrap();
    let cache = config.settings().cache.clone().unwrap();
    assert_eq!((cache.memory, cache.tenant_memory), (64 << 20, 1 << 20));
    assert_eq!(cache.time_to_live, std::time::Duration::from_secs(60));
    assert!(cache.redis.is_some());
    assert!(!format!("{:?}", config.shown()).contains("hunter2"));

    for (text, named) in [
        ("memory = '1KiB'", "cache.memory"),
        ("memory = '100KiB'", "cache.tenant_memory"),
        ("memory = '64MiB'\ntime_to_live = '25h'", "cache.time_to_live"),
        ("redis_url = 'redis://cache/0'", "cache.memory"),
        ("memory = '64MiB'\nredis_url = 'rediss://:hunter2@cache/0'", "cache.redis_url"),
    ] {
        let error = refused(&format!("[cache]\n{text}"), &[]);
        assert!(error.report().contains(named), "{text}: {}", error.report());
        assert!(!error.report().contains("hunter2"), "{}", error.report());
    }
}
