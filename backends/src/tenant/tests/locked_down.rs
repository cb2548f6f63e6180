//! What a tenant's own SQL can't reach, and who may read its files.

use sea_orm::ConnectionTrait as _;
use trimaran_core::ErrorKind;
use trimaran_core::config::Area;

use super::installation::{Installation, On, fill, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sql_of_a_tenant_s_reaches_another_file_or_changes_a_setting_on_duckdb() {
    let installation = Installation::new(On::Duckdb).await;
    let stores = installation.open("one").await;
    let (alice, bob) =
        (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
    fill(&stores, alice.id, "hers").await;
    fill(&stores, bob.id, "his").await;
    let db = stores.tenant(alice.id).await.unwrap().connection(Area::Conversation).await.unwrap();
    let his = installation.file(&bob).display().to_string();
    let hers = installation.file(&alice).display().to_string();
    let outside = installation.path().join("outside");
    std::fs::write(&outside, "a,b\n1,2\n").unwrap();
    let (outside, folder) = (outside.display().to_string(), installation.path().display().to_string());
    for sql in [
        format!("ATTACH '{his}' AS other"),
        format!("ATTACH '{his}' AS other (READ_ONLY)"),
        format!("ATTACH '{hers}' AS again"),
        format!("ATTACH '{folder}/new.duckdb' AS made"),
        format!("ATTACH '{folder}/data/trimaran.sqlite' AS app (TYPE sqlite)"),
        format!("COPY prompt_piece TO '{folder}/stolen.csv'"),
        format!("COPY (SELECT 1) TO '{folder}/stolen.parquet' (FORMAT parquet)"),
        format!("COPY tenant_mark FROM '{outside}'"),
        format!("EXPORT DATABASE '{folder}/stolen'"),
        format!("IMPORT DATABASE '{folder}'"),
        format!("SELECT * FROM read_csv('{outside}')"),
        format!("SELECT * FROM '{outside}'"),
        format!("SELECT * FROM read_text('{outside}')"),
        format!("SELECT * FROM read_blob('{his}')"),
        format!("SELECT * FROM read_parquet('{folder}/*.parquet')"),
        format!("SELECT * FROM read_json('{outside}')"),
        format!("SELECT * FROM glob('{folder}/*')"),
        "SELECT * FROM read_text('/etc/passwd')".to_owned(),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        format!("LOAD '{folder}/evil.duckdb_extension'"),
        "INSTALL h3 FROM community".to_owned(),
        "SET enable_external_access = true".to_owned(),
        "SET memory_limit = '64GB'".to_owned(),
        "SET GLOBAL threads = 64".to_owned(),
        "SET lock_configuration = false".to_owned(),
        "SET autoinstall_known_extensions = true".to_owned(),
        "SET autoload_known_extensions = true".to_owned(),
        "SET allow_community_extensions = true".to_owned(),
        format!("SET temp_directory = '{folder}'"),
        format!("SET allowed_directories = ['{folder}']"),
        "RESET memory_limit".to_owned(),
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')".to_owned(),
    ] {
        let error = db.execute_unprepared(&sql).await;
        assert!(error.is_err(), "{sql}");
    }
    let settings = [
        ("threads", "1"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("allow_community_extensions", "false"),
        ("allow_unsigned_extensions", "false"),
        // 128 MiB, which is tenants.memory's default.
        ("memory_limit", "128.0 MiB"),
    ];
    for (name, value) in settings {
        let sql = format!("SELECT value FROM duckdb_settings() WHERE name = '{name}'");
        let query = sea_orm::Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(query).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "value").unwrap(), value, "{name}");
    }
    drop(db);
    assert_eq!(told(&stores, bob.id).await, ["his", "his"]);
    stores.close().await.unwrap();
    assert!(
        !installation.path().join("stolen.csv").exists() && !installation.path().join("new.duckdb").exists()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_sql_of_a_tenant_s_reaches_another_file_on_sqlite() {
    use sea_orm::Statement;

    let installation = Installation::new(On::Sqlite).await;
    let stores = installation.open("one").await;
    let (alice, bob) =
        (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
    fill(&stores, alice.id, "hers").await;
    fill(&stores, bob.id, "his").await;
    let db = stores.tenant(alice.id).await.unwrap().connection(Area::Conversation).await.unwrap();
    let his = installation.file(&bob).display().to_string();
    let stolen = installation.path().join("stolen");
    for sql in [
        format!("ATTACH '{his}' AS other"),
        format!("SELECT 1; ATTACH DATABASE '{his}' AS other; SELECT * FROM other.prompt_piece"),
        format!("/* */ attach 'file:{his}?mode=ro' as other"),
        format!("VACUUM INTO '{}'", stolen.display()),
        format!("PRAGMA temp_store_directory = '{}'", installation.path().display()),
        "SELECT load_extension('/tmp/evil')".to_owned(),
        format!("SELECT readfile('{his}')"),
        format!("SELECT writefile('{}', 'x')", stolen.display()),
    ] {
        let statement = || Statement::from_string(db.get_database_backend(), sql.clone());
        let transaction = db.transaction().await.unwrap();
        let outcomes = [
            db.query_all_raw(statement()).await.is_err(),
            transaction.execute_unprepared(&sql).await.is_err(),
            crate::Executor::Connection(db.clone()).fetch(statement(), vec![]).await.is_err(),
        ];
        assert_eq!(outcomes, [true; 3], "{sql}");
        drop(transaction);
    }
    assert!(!stolen.exists());
    drop(db);
    assert_eq!(told(&stores, bob.id).await, ["his", "his"]);
    stores.close().await.unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_of_a_tenant_s_is_its_owner_s_alone_logs_and_what_is_spilled_included() {
    use std::os::unix::fs::PermissionsExt as _;

    for on in On::FILES {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let alice = stores.tenants().create("alice").await.unwrap();
        fill(&stores, alice.id, "hers").await;
        let db = stores.tenant(alice.id).await.unwrap().connection(Area::Conversation).await.unwrap();
        let unit = db.transaction().await.unwrap();
        if on == On::Duckdb {
            // More than fits in memory.
            let spill =
                "CREATE TEMP TABLE big AS SELECT range AS a, md5(range::text) AS b FROM range(5000000)";
            unit.execute_unprepared(spill).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut folders = vec![installation.tenants()];
        while let Some(folder) = folders.pop() {
            let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder), 0o700, "{}", folder.display());
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
                seen.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        let expected: &[&str] =
            if on == On::Duckdb { &[".duckdb", ".wal", ".tmp"] } else { &[".sqlite", "-wal", "-shm"] };
        for end in expected {
            assert!(seen.iter().any(|name| name.ends_with(end)), "{end}: {seen:?}");
        }
        unit.rollback().await.unwrap();
        drop(db);
        stores.close().await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_in_a_tenant_s_place_is_refused_and_not_followed() {
    for on in On::FILES {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let (alice, bob) =
            (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
        fill(&stores, alice.id, "hers").await;
        let elsewhere = installation.path().join("elsewhere");
        for target in [installation.file(&alice), elsewhere.clone()] {
            std::os::unix::fs::symlink(&target, installation.file(&bob)).unwrap();
            let error = stores.tenant(bob.id).await.unwrap().conversation().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
            let error = stores.administration().delete(bob.id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
            std::fs::remove_file(installation.file(&bob)).unwrap();
        }
        assert!(!elsewhere.exists());
        assert_eq!(told(&stores, alice.id).await, ["hers", "hers"]);
        stores.close().await.unwrap();
    }
}
