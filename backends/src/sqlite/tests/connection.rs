//! The pool on real files: what is made, what is refused and how, and who waits for whom.

use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectionTrait as _, DbBackend, SqliteTransactionMode, Statement, TransactionOptions, Value,
};
use trimaran_core::config::PoolSettings;
use trimaran_core::{Engine, Error, ErrorKind};

use super::Folder;
use crate::db_error::Doing as _;
use crate::fetch::{CellType, Fetched};
use crate::sqlite::SqliteConnection;
use crate::{Connection, Location};

fn settings(max_connections: u32) -> PoolSettings {
    PoolSettings { max_connections, acquire_timeout: Duration::from_millis(300), ..PoolSettings::default() }
}

async fn open_of(folder: &Folder, connections: u32) -> Connection {
    let location = Location::file(Engine::Sqlite, folder.database());
    Connection::new(SqliteConnection::open(&location, &settings(connections)).await.unwrap())
}

async fn refused(path: impl Into<std::path::PathBuf>) -> Error {
    let location = Location::file(Engine::Sqlite, path);
    let error = SqliteConnection::open(&location, &settings(2)).await.unwrap_err();
    assert!(error.next_step().is_some(), "{error:?}");
    error
}

async fn number(db: &impl sea_orm::ConnectionTrait, sql: &str) -> i64 {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_missing_file_is_made_for_its_owner_only_and_leaves_one_file() {
    let folder = Folder::new();
    let db = open_of(&folder, 3).await;
    db.execute_unprepared("CREATE TABLE t (v); INSERT INTO t VALUES (1)").await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(folder.database()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(number(&db, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(&db, "PRAGMA synchronous").await, 2);
    assert_eq!(number(&db, "PRAGMA application_id").await, i64::from(super::super::pool::APPLICATION_ID));
    assert_eq!(
        folder.application().query_row("PRAGMA journal_mode", [], |r| r.get::<_, String>(0)).unwrap(),
        "wal"
    );
    db.close().await;
    drop(db);
    assert_eq!(folder.state().keys().collect::<Vec<_>>(), ["app.sqlite"]);
    assert_eq!(number(&open_of(&folder, 1).await, "SELECT v FROM t").await, 1);
}

#[tokio::test]
async fn an_empty_file_is_a_new_database_and_another_application_s_is_none_of_ours() {
    let folder = Folder::new();
    std::fs::write(folder.database(), b"").unwrap();
    open_of(&folder, 1).await.execute_unprepared("CREATE TABLE t (v)").await.unwrap();
    let unnamed = Folder::new();
    unnamed.application().execute_batch("CREATE TABLE t (v)").unwrap();
    assert_eq!(number(&open_of(&unnamed, 1).await, "SELECT count(*) FROM t").await, 0);
    let fossil = Folder::new();
    fossil.application().execute_batch("CREATE TABLE t (v); PRAGMA application_id = 252006673").unwrap();
    let before = fossil.state();
    let error = refused(fossil.database()).await;
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("another application's database"), "{error}");
    assert_eq!(fossil.state(), before);
}

#[tokio::test]
async fn what_can_not_be_opened_is_named_for_what_it_is_and_left_alone() {
    let folder = Folder::new();
    let missing = refused(folder.0.path().join("no/such/folder/app.sqlite")).await;
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.next_step().unwrap().contains("folder"), "{missing:?}");
    assert!(!folder.0.path().join("no").exists());
    let directory = refused(folder.0.path()).await;
    assert_eq!(directory.kind(), ErrorKind::Corrupt);
    assert!(directory.to_string().contains("it is a folder"), "{directory}");
    assert_eq!(refused(":memory:").await.kind(), ErrorKind::Configuration);
    for (bytes, says) in [
        (&b"not a database at all, but a text"[..], "not a SQLite database"),
        (b"SQLite format 3\0 and no more", "middle of its header"),
        (b"\0\0\0\0\0\0\0\0DUCK\0\0\0\0\0\0\0\0", "DuckDB"),
    ] {
        std::fs::write(folder.database(), bytes).unwrap();
        let error = refused(folder.database()).await;
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(std::fs::read(folder.database()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_read_only_file_is_refused_even_to_root() {
    let folder = Folder::new();
    folder.application().execute_batch("CREATE TABLE t (v)").unwrap();
    let mut permissions = std::fs::metadata(folder.database()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(folder.database(), permissions).unwrap();
    let error = refused(folder.database()).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("the file is read-only"), "{error}");
    assert!(error.next_step().unwrap().contains("right to write"));
}

#[tokio::test]
async fn a_damaged_database_is_corrupt() {
    let folder = Folder::new();
    folder.application().execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(9000))").unwrap();
    let mut bytes = std::fs::read(folder.database()).unwrap();
    bytes[100..].fill(0xff);
    std::fs::write(folder.database(), bytes).unwrap();
    let location = Location::file(Engine::Sqlite, folder.database());
    let error = match SqliteConnection::open(&location, &settings(1)).await {
        Err(error) => error,
        Ok(db) => Connection::new(db).execute_unprepared("SELECT * FROM t").await.doing("list").unwrap_err(),
    };
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(error.next_step().unwrap().contains("backup"));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room_again() {
    let folder = Folder::new();
    let db = open_of(&folder, 1).await;
    // SQLite answers as it does when the disk is full, once the file may have no more pages.
    db.execute_unprepared("CREATE TABLE t (v); INSERT INTO t VALUES (1); PRAGMA max_page_count = 4")
        .await
        .unwrap();
    let fill = "INSERT INTO t VALUES (zeroblob(100000))";
    let error = db.execute_unprepared(fill).await.doing("fill").unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Unavailable, Some("SQLITE_FULL")));
    assert!(error.next_step().unwrap().contains("free space"), "{error:?}");
    let unit = db.transaction().await.unwrap();
    unit.execute_unprepared("INSERT INTO t VALUES (2)").await.unwrap();
    unit.execute_unprepared(fill).await.unwrap_err();
    let error = unit.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(number(&db, "SELECT count(*) FROM t").await, 1);
    db.execute_unprepared("PRAGMA max_page_count = 1000000").await.unwrap();
    db.execute_unprepared(fill).await.unwrap();
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_and_then_named() {
    let folder = Folder::new();
    let db = open_of(&folder, 2).await;
    db.execute_unprepared("CREATE TABLE t (v)").await.unwrap();
    let other = folder.application();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
    for error in [
        db.execute_unprepared("INSERT INTO t VALUES (2)").await.doing("add").unwrap_err(),
        db.transaction().await.unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Locked, Some("SQLITE_BUSY")));
        assert!(error.is_retryable() && error.next_step().unwrap().contains("holds the file"), "{error:?}");
    }
    assert_eq!(number(&db, "SELECT count(*) FROM t").await, 0);
    other.execute_batch("COMMIT").unwrap();
    db.execute_unprepared("INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM t").await, 2);
}

#[tokio::test]
async fn a_write_beside_one_s_own_transaction_is_told_what_is_wrong() {
    let folder = Folder::new();
    let db = open_of(&folder, 2).await;
    db.execute_unprepared("CREATE TABLE t (v)").await.unwrap();
    let unit = db.transaction().await.unwrap();
    let error = db.execute_unprepared("INSERT INTO t VALUES (1)").await.doing("add").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.next_step().unwrap().contains("in it, not beside it"), "{error:?}");
    // Whoever waits in vain keeps no connection from readers.
    assert_eq!(number(&db, "SELECT count(*) FROM t").await, 0);
    unit.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_transaction_begins_in_the_mode_that_was_asked_for() {
    let folder = Folder::new();
    let db = open_of(&folder, 3).await;
    db.execute_unprepared("CREATE TABLE t (v)").await.unwrap();
    let other = folder.application();
    let mode =
        |mode| TransactionOptions { sqlite_transaction_mode: Some(mode), ..TransactionOptions::default() };
    let unit = db.transaction_with(mode(SqliteTransactionMode::Deferred)).await.unwrap();
    other.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(number(&unit, "SELECT count(*) FROM t").await, 1);
    other.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    // It has read what is no longer so.
    let error = unit.execute_unprepared("INSERT INTO t VALUES (3)").await.doing("add").unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Aborted, Some("SQLITE_BUSY_SNAPSHOT")));
    unit.rollback().await.unwrap();
    for writer in [SqliteTransactionMode::Immediate, SqliteTransactionMode::Exclusive] {
        let unit = db.transaction_with(mode(writer)).await.unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        other.execute_batch("INSERT INTO t VALUES (4)").unwrap_err();
        unit.commit().await.unwrap();
    }
    let reader =
        TransactionOptions { access_mode: Some(AccessMode::ReadOnly), ..TransactionOptions::default() };
    let unit = db.transaction_with(reader).await.unwrap();
    assert_eq!(number(&unit, "SELECT count(*) FROM t").await, 2);
    other.execute_batch("INSERT INTO t VALUES (5)").unwrap();
    assert_eq!(number(&unit, "SELECT count(*) FROM t").await, 2);
    unit.commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_breaks_a_deferred_key_undoes_the_transaction() {
    let folder = Folder::new();
    let db = open_of(&folder, 1).await;
    db.execute_unprepared(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); \
         CREATE TABLE b (a_id INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    .await
    .unwrap();
    let unit = db.transaction().await.unwrap();
    unit.execute_unprepared("INSERT INTO b VALUES (1)").await.unwrap();
    let error = unit.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM b").await, 0);
    db.execute_unprepared("INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_that_nobody_waits_for_is_interrupted() {
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    let folder = Folder::new();
    let db = open_of(&folder, 1).await;
    let fetch = |sql| db.driver().fetch(Statement::from_string(DbBackend::Sqlite, sql), vec![CellType::I64]);
    assert!(tokio::time::timeout(Duration::from_millis(50), fetch(ENDLESS)).await.is_err());
    // There is one place, which the next one has within its 300 ms only if that came to its end.
    let Fetched::Cells(rows) = fetch("SELECT 7").await.unwrap() else { panic!("rows in place of cells") };
    assert_eq!(rows, [[Value::from(7_i64)]]);
}

#[tokio::test]
async fn a_cell_of_another_type_is_an_error_that_names_its_column() {
    let folder = Folder::new();
    let db = open_of(&folder, 1).await;
    db.execute_unprepared("CREATE TABLE t (v); INSERT INTO t VALUES (CAST(X'FF' AS TEXT))").await.unwrap();
    for kind in [CellType::I64, CellType::Text, CellType::Uuid, CellType::DateTime, CellType::Json] {
        let statement = Statement::from_string(DbBackend::Sqlite, "SELECT v FROM t");
        let error = db.driver().fetch(statement, vec![kind]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert!(error.to_string().contains("column v holds Text"), "{error}");
    }
}

#[tokio::test]
async fn what_reads_can_not_write() {
    let folder = Folder::new();
    let db = open_of(&folder, 1).await;
    db.execute_unprepared("CREATE TABLE t (v)").await.unwrap();
    let statement = Statement::from_string(DbBackend::Sqlite, "INSERT INTO t VALUES (1) RETURNING v");
    let state = db.begin_reading().await.unwrap();
    let error = state.handle().fetch(statement, vec![CellType::I64]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    drop(state);
    assert_eq!(number(&db, "SELECT count(*) FROM t").await, 0);
}
