//! What can go wrong between a pool and its server, and what is then said.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sea_orm::{
    ConnectionTrait as _, DbBackend, IsolationLevel, Statement, StreamTrait as _, TransactionOptions,
};
use secrecy::SecretString;
use trimaran_core::ErrorKind;
use trimaran_core::config::PoolSettings;

use crate::connection::tests::fixture::settings;
use crate::db_error::Doing as _;
use crate::postgres::PostgresConnection;
use crate::testing::postgres::{TestDatabase, TestServer, database};
use crate::{Connection, Location};

/// A new database; making the server blocks.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(super) async fn open(location: &Location) -> Connection {
    Connection::new(PostgresConnection::open(location, &settings()).await.unwrap())
}

async fn refused(location: Location) -> trimaran_core::Error {
    let settings = PoolSettings { connect_timeout: Duration::from_secs(5), ..settings() };
    PostgresConnection::open(&location, &settings).await.unwrap_err()
}

/// The first column of the first row.
pub(super) async fn text(db: &impl sea_orm::ConnectionTrait, sql: &str) -> trimaran_core::Result<String> {
    let statement = Statement::from_string(DbBackend::Postgres, format!("SELECT ({sql})::text AS v"));
    let row = db.query_one_raw(statement).await.doing("ask")?.unwrap();
    Ok(row.try_get::<Option<String>>("", "v").unwrap().unwrap_or_default())
}

async fn drop_role(database: TestDatabase, role: String) {
    blocking(move || database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_leads_nowhere_says_what_is_wrong_and_what_helps() {
    let database = blocking(database).await;
    let at = |change: &dyn Fn(&mut url::Url)| {
        let mut url = url::Url::parse(database.url()).unwrap();
        change(&mut url);
        Location::parse(url.as_str()).unwrap()
    };
    let missing = refused(at(&|url| url.set_path("no_such_database"))).await;
    assert_eq!((missing.kind(), missing.engine_code()), (ErrorKind::NotFound, Some("3D000")));
    assert!(missing.next_step().unwrap().contains("createdb"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = refused(at(&|url| url.set_port(Some(closed)).unwrap())).await;
    assert_eq!(nobody.kind(), ErrorKind::Unavailable);
    assert!(nobody.to_string().contains("refused"), "{nobody}");
    assert!(nobody.next_step().unwrap().contains("host and port"));
    let unknown = refused(at(&|url| url.set_host(Some("no-such-host.invalid")).unwrap())).await;
    assert_eq!(unknown.kind(), ErrorKind::Unavailable, "{unknown:?}");
    let mistyped = refused(at(&|url| url.set_query(Some("sslmod=require")))).await;
    assert_eq!(mistyped.kind(), ErrorKind::Configuration);
    assert!(mistyped.to_string().contains("\"sslmod\" is no parameter"), "{mistyped}");
    let role = format!("{}_login", database.name());
    database_execute(&database, format!("CREATE ROLE {role} LOGIN PASSWORD 'right'")).await;
    let location = at(&|url| {
        url.set_username(&role).unwrap();
        url.set_password(None).unwrap();
    });
    let wrong = refused(location.with_password(SecretString::from("s3cret"))).await;
    assert_eq!(wrong.kind(), ErrorKind::Forbidden, "{wrong:?}");
    assert!(wrong.next_step().unwrap().contains("by the configuration"));
    assert!(!format!("{wrong:?}").contains("s3cret"));
    drop_role(database, role).await;
}

/// Runs SQL as the database's owner, on a thread that may block.
pub(super) async fn database_execute(database: &TestDatabase, sql: String) {
    tokio::task::block_in_place(|| database.execute(&sql));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_gone_in_mid_transaction_is_unavailable_and_nothing_is_written() {
    let server = blocking(|| TestServer::dedicated(&[])).await;
    let database = tokio::task::block_in_place(|| server.database());
    let settings = PoolSettings { connect_timeout: Duration::from_secs(1), ..settings() };
    let db = Connection::new(PostgresConnection::open(&database.location(), &settings).await.unwrap());
    db.execute_unprepared("CREATE TABLE t (a int)").await.unwrap();
    let (first, second) = (db.transaction().await.unwrap(), db.transaction().await.unwrap());
    for unit in [&first, &second] {
        unit.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    }
    tokio::task::block_in_place(|| server.kill());
    let error = first.execute_unprepared("INSERT INTO t VALUES (2)").await.doing("add").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.is_retryable() && error.next_step().is_some());
    assert_eq!(first.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    let error = second.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("can't be known"), "{error}");
    let error = db.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.next_step().unwrap().contains("host and port"), "{error:?}");
    tokio::task::block_in_place(|| server.restart());
    assert_eq!(text(&db, "SELECT count(*) FROM t").await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_unavailable_until_there_is_room_again() {
    const MIB: u64 = 1024 * 1024;
    let server = blocking(|| TestServer::with_disk(64 * MIB, &[])).await;
    let database = tokio::task::block_in_place(|| server.database());
    let db = open(&database.location()).await;
    db.execute_unprepared("CREATE TABLE t (a text)").await.unwrap();
    tokio::task::block_in_place(|| server.occupy_disk(48 * MIB));
    let fill = "INSERT INTO t SELECT repeat(md5(n::text), 10) FROM generate_series(1, 60000) n";
    let error = db.execute_unprepared(fill).await.doing("fill").unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Unavailable, Some("53100")));
    assert!(error.next_step().unwrap().contains("free space"), "{error:?}");
    tokio::task::block_in_place(|| server.free_disk());
    db.execute_unprepared(fill).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_any_privilege_but_its_database_is_enough() {
    let database = blocking(database).await;
    let role = format!("{}_app", database.name());
    // As a managed Postgres gives it: no superuser, no right to make databases or roles, not even the schema `public`.
    let sql = format!(
        "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD 'pw'; \
         REVOKE ALL ON DATABASE {name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC; \
         GRANT CONNECT, CREATE ON DATABASE {name} TO {role}; GRANT USAGE, CREATE ON SCHEMA public TO {role}",
        name = database.name()
    );
    database_execute(&database, sql).await;
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("pw")).unwrap();
    let db = open(&Location::parse(url.as_str()).unwrap()).await;
    db.execute_unprepared("CREATE TABLE t (a int)").await.unwrap();
    let unit = db.transaction().await.unwrap();
    unit.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(text(&db, "SELECT count(*) FROM t").await.unwrap(), "1");
    let denied = text(&db, "SELECT count(*) FROM pg_authid").await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden);
    assert!(denied.next_step().unwrap().contains("GRANT"));
    db.execute_unprepared(&format!("ALTER ROLE {role} SET default_transaction_read_only = on"))
        .await
        .unwrap();
    let reader = open(&Location::parse(url.as_str()).unwrap()).await;
    let error = reader.execute_unprepared("INSERT INTO t VALUES (2)").await.doing("add").unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Forbidden, Some("25006")));
    assert!(error.next_step().unwrap().contains("primary"));
    db.close().await;
    reader.close().await;
    drop_role(database, role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_ends_a_query_that_nobody_waits_for() {
    let database = blocking(database).await;
    let db = open(&database.location()).await;
    assert!(db.capabilities().interrupts);
    let sleep = "SELECT pg_sleep(3600)";
    let running =
        format!("SELECT count(*) FROM pg_stat_activity WHERE query = '{sleep}' AND state = 'active'");
    let query = db.execute_unprepared(sleep);
    tokio::select! {
        outcome = query => panic!("it ended: {outcome:?}"),
        () = async { while text(&db, &running).await.unwrap() != "1" {} } => {}
    }
    while text(&db, &running).await.unwrap() != "0" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_loses_against_another_is_aborted() {
    let database = blocking(database).await;
    let db = open(&database.location()).await;
    db.execute_unprepared("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)").await.unwrap();
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::Serializable),
        ..TransactionOptions::default()
    };
    let first = db.transaction_with(options).await.unwrap();
    let second = db.transaction_with(options).await.unwrap();
    for unit in [&first, &second] {
        assert_eq!(text(unit, "SELECT sum(a) FROM t").await.unwrap(), "3");
    }
    first.execute_unprepared("UPDATE t SET a = 0 WHERE a = 1").await.unwrap();
    second.execute_unprepared("UPDATE t SET a = 0 WHERE a = 2").await.unwrap();
    first.commit().await.unwrap();
    let error = second.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Aborted, Some("40001")), "{error:?}");
    assert!(error.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_finds_a_key_taken_is_a_conflict() {
    let database = blocking(database).await;
    let db = open(&database.location()).await;
    db.execute_unprepared("CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)").await.unwrap();
    let unit = db.transaction().await.unwrap();
    unit.execute_unprepared("INSERT INTO t VALUES (1), (1)").await.unwrap();
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(text(&db, "SELECT count(*) FROM t").await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_altered_under_a_kept_statement_is_a_reason_to_try_again() {
    let database = blocking(database).await;
    // One session: another would have kept no statement.
    let settings = PoolSettings { max_connections: 1, min_connections: 0, ..settings() };
    let db = Connection::new(PostgresConnection::open(&database.location(), &settings).await.unwrap());
    db.execute_unprepared("CREATE TABLE t (a int); INSERT INTO t VALUES (1)").await.unwrap();
    let all = || Statement::from_string(DbBackend::Postgres, "SELECT * FROM t");
    db.query_all_raw(all()).await.unwrap();
    db.execute_unprepared("ALTER TABLE t ADD COLUMN b int").await.unwrap();
    let error = db.query_all_raw(all()).await.doing("list").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted, "{error:?}");
    let rows = db.query_all_raw(all()).await.unwrap();
    assert_eq!(rows[0].column_names(), ["a", "b"]);
    let rows: Vec<_> = db.stream_raw(all()).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 1);
}
