//! Writing past SeaORM's driver: what takes effect, what doesn't, and who waits for whom.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use trimaran_core::config::PoolSettings;
use trimaran_core::{Engine, ErrorKind};

use super::Folder;
use crate::append::rows_of;
use crate::connection::tests::entity::{item, part};
use crate::fetch::{CellType, Fetched};
use crate::sqlite::SqliteConnection;
use crate::{Connection, Location};

const TABLES: &str = "CREATE TABLE item (id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, amount INTEGER NOT NULL, note TEXT, made TEXT NOT NULL); \
     CREATE TABLE part (id BLOB PRIMARY KEY, item_id BLOB NOT NULL REFERENCES item (id), text TEXT NOT NULL)";

/// With one place, so that each call waits for the one before it to have come to its end.
async fn open(folder: &Folder) -> Connection {
    let location = Location::file(Engine::Sqlite, folder.database());
    let acquire_timeout = Duration::from_millis(300);
    let settings = PoolSettings { max_connections: 1, acquire_timeout, ..PoolSettings::default() };
    let db = Connection::new(SqliteConnection::open(&location, &settings).await.unwrap());
    db.execute_unprepared(TABLES).await.unwrap();
    db
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Sqlite, sql)
}

async fn fetched(db: &Connection, sql: &str) -> Value {
    let Fetched::Cells(mut rows) = db.driver().fetch(statement(sql), vec![CellType::I64]).await.unwrap()
    else {
        panic!("rows in place of cells")
    };
    rows.remove(0).remove(0)
}

async fn items(db: &Connection) -> Value {
    fetched(db, "SELECT count(*) FROM item").await
}

fn some(count: i64) -> Value {
    Value::from(count)
}

#[tokio::test]
async fn what_is_appended_with_the_commit_takes_effect_with_what_was_run_before() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let unit = db.begin_writing().await.unwrap();
    let add = "INSERT INTO item VALUES (zeroblob(16), 'first', 1, NULL, '') RETURNING amount";
    unit.handle().fetch(statement(add), vec![CellType::I64]).await.unwrap();
    let result = unit.execute_raw(statement("UPDATE item SET amount = amount + 1")).await.unwrap();
    assert_eq!(result.rows_affected(), 1);
    let seen = unit.handle().fetch(statement("SELECT amount FROM item"), vec![CellType::I64]).await.unwrap();
    assert!(matches!(seen, Fetched::Cells(rows) if rows == [[some(2)]]));
    let items_rows = rows_of(DbBackend::Sqlite, vec![item_of(1), item_of(2)], "add").unwrap();
    let parts = rows_of(DbBackend::Sqlite, vec![part_of(1, 1)], "add").unwrap();
    unit.commit_with(vec![items_rows, parts]).await.unwrap();
    assert_eq!(items(&db).await, some(3));
    assert_eq!(fetched(&db, "SELECT count(*) FROM part").await, some(1));
}

fn item_of(number: u128) -> item::ActiveModel {
    crate::connection::tests::entity::item(number)
}

fn part_of(number: u128, of: u128) -> part::ActiveModel {
    crate::connection::tests::entity::part(number, of)
}

#[tokio::test]
async fn a_failed_append_takes_everything_with_it_and_leaves_the_turn_to_others() {
    let folder = Folder::new();
    let db = open(&folder).await;
    for (number, kind) in [(1, ErrorKind::Conflict), (2, ErrorKind::Conflict)] {
        let unit = db.begin_writing().await.unwrap();
        let add = "INSERT INTO item VALUES (zeroblob(16), 'first', 1, NULL, '')";
        unit.execute_raw(statement(add)).await.unwrap();
        let rows = if number == 1 {
            rows_of(DbBackend::Sqlite, vec![item_of(1), item_of(1)], "add").unwrap()
        } else {
            // No such item.
            rows_of(DbBackend::Sqlite, vec![part_of(1, 9)], "add").unwrap()
        };
        assert_eq!(unit.commit_with(vec![rows]).await.unwrap_err().kind(), kind);
        assert_eq!(items(&db).await, some(0));
    }
    let unit = db.begin_writing().await.unwrap();
    unit.execute_raw(statement("INSERT INTO nowhere VALUES (1)")).await.unwrap_err();
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    db.execute_unprepared("DELETE FROM item").await.unwrap();
}

#[tokio::test]
async fn a_first_statement_that_takes_long_or_meets_a_lock_begins_anew_where_it_may_wait() {
    let folder = Folder::new();
    let db = open(&folder).await;
    // From the second on there is a connection that may be tried where the statement is asked for.
    for number in 0..2 {
        let unit = db.begin_writing().await.unwrap();
        let many = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO item SELECT \
             randomblob(16), '{number}.' || i, 1, NULL, '' FROM n RETURNING amount"
        );
        let Fetched::Cells(rows) = unit.handle().fetch(statement(&many), vec![CellType::I64]).await.unwrap()
        else {
            panic!("rows in place of cells")
        };
        assert_eq!(rows.len(), 5000);
        unit.commit().await.unwrap();
        assert_eq!(items(&db).await, some(5000 * (number + 1)));
    }
    let add = "INSERT INTO item VALUES (zeroblob(16), 'one', 1, NULL, '') RETURNING amount";
    let other = rusqlite::Connection::open(folder.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unit = db.begin_writing().await.unwrap();
    let locked = unit.handle().fetch(statement(add), vec![CellType::I64]).await.unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::Locked);
    unit.rollback().await.unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    let unit = db.begin_writing().await.unwrap();
    unit.handle().fetch(statement(add), vec![CellType::I64]).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(items(&db).await, some(10_001));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_or_rolled_back_leaves_nothing_and_the_turn_to_others() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let add = "INSERT INTO item VALUES (zeroblob(16), 'first', 1, NULL, '')";
    for roll_back in [false, true] {
        let unit = db.begin_writing().await.unwrap();
        unit.execute_raw(statement(add)).await.unwrap();
        if roll_back {
            unit.rollback().await.unwrap();
        } else {
            drop(unit);
        }
        db.execute_unprepared("UPDATE item SET amount = 2").await.unwrap();
        assert_eq!(items(&db).await, some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_nobody_waits_for_is_interrupted_and_undone() {
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
        INSERT INTO item SELECT zeroblob(16), max(i), 1, NULL, '' FROM n";
    let folder = Folder::new();
    let db = open(&folder).await;
    let unit = db.begin_writing().await.unwrap();
    let add = "INSERT INTO item VALUES (zeroblob(16), 'first', 1, NULL, '')";
    unit.execute_raw(statement(add)).await.unwrap();
    let endless = unit.execute_raw(statement(ENDLESS));
    assert!(tokio::time::timeout(Duration::from_millis(50), endless).await.is_err());
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    // Place and turn are had within 300 ms only if that came to its end.
    db.execute_unprepared("UPDATE item SET amount = 2").await.unwrap();
    assert_eq!(items(&db).await, some(0));
    let alone = db.driver().fetch(statement(ENDLESS), vec![CellType::I64]);
    assert!(tokio::time::timeout(Duration::from_millis(50), alone).await.is_err());
    db.execute_unprepared("UPDATE item SET amount = 2").await.unwrap();
    assert_eq!(items(&db).await, some(0));
}

#[tokio::test]
async fn seaorm_s_rows_are_refused_and_say_where_they_are_to_be_had() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let unit = db.begin_writing().await.unwrap();
    let handle = unit.handle();
    let asked = handle.with_driver(async |driver| driver.query_all_raw(statement("SELECT 1")).await);
    let error = asked.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.next_step().unwrap().contains("transaction()"));
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_and_then_named() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let other = folder.application();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM part").unwrap();
    let unit = db.begin_writing().await.unwrap();
    let error = unit.handle().fetch(statement("DELETE FROM part RETURNING 1"), vec![CellType::I64]).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Locked, Some("SQLITE_BUSY")));
    unit.rollback().await.unwrap();
    other.execute_batch("COMMIT").unwrap();
    db.begin_writing().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn whoever_writes_past_the_driver_stands_in_line_with_the_others() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let unit = db.begin_writing().await.unwrap();
    assert_eq!(db.begin_writing().await.unwrap_err().kind(), ErrorKind::Locked);
    assert_eq!(db.transaction().await.unwrap_err().kind(), ErrorKind::Locked);
    unit.commit().await.unwrap();
    db.transaction().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn both_kinds_of_connections_are_told_the_same() {
    let folder = Folder::new();
    let db = open(&folder).await;
    for pragma in ["foreign_keys", "synchronous", "trusted_schema", "busy_timeout", "query_only"] {
        let sql = format!("PRAGMA {pragma}");
        let row = db.query_one_raw(statement(&sql)).await.unwrap().unwrap();
        // A pragma may write: it goes where writers go.
        assert_eq!(fetched(&db, &sql).await, some(row.try_get_by_index(0).unwrap()), "{pragma}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_waits_for_who_writes_and_leaves_one_file() {
    let folder = Folder::new();
    let db = open(&folder).await;
    let unit = db.begin_writing().await.unwrap();
    unit.execute_raw(statement("INSERT INTO item VALUES (zeroblob(16), 'first', 1, NULL, '')"))
        .await
        .unwrap();
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!closing.is_finished());
    unit.commit().await.unwrap();
    closing.await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.database().parent().unwrap()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(db.begin_writing().await.unwrap_err().kind(), ErrorKind::Unavailable);
    let count: i64 =
        folder.application().query_row("SELECT count(*) FROM item", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1);
}
