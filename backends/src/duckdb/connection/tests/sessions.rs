//! The pool, its threads, cancellation, and what concurrent transactions meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, IsolationLevel, Statement, StreamTrait, TransactionTrait,
};

use super::*;
use crate::EngineConnection as _;

/// Runs for minutes unless it is interrupted.
const ENDLESS: &str =
    "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7";

fn sql(text: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, text)
}

async fn count(db: &impl ConnectionTrait, table: &str) -> i64 {
    let row = db.query_one_raw(sql(&format!("SELECT count(*) AS n FROM {table}"))).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

#[tokio::test]
async fn a_pool_that_is_exhausted_says_so_in_time_and_recovers() {
    let fixture = Fixture::with(small(1)).await;
    let held = fixture.db.transaction().await.unwrap();
    let error = fixture.db.execute_unprepared("SELECT 1").await.map_err(ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable() && error.next_step().unwrap().contains("max_connections"));
    drop(held);
    fixture.run("SELECT 1").await;
    assert_eq!(fixture.duckdb.in_use(), 0);
}

#[tokio::test]
async fn a_dropped_transaction_rolls_back_before_its_session_is_used_again() {
    let fixture = Fixture::with(small(1)).await;
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    let transaction = fixture.db.transaction().await.unwrap();
    transaction.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    drop(transaction);
    assert_eq!(count(&fixture.db, "t").await, 0);
}

#[tokio::test]
async fn a_begin_that_nobody_waits_for_leaves_no_transaction_open() {
    let fixture = Fixture::with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    for _ in 0..20 {
        let mut begin = Box::pin(fixture.db.transaction());
        // One poll, and its caller goes: mostly while the session is at work.
        drop(futures_util::poll!(&mut begin));
        drop(begin);
    }
    let patient = fixture.duckdb.clone();
    while patient.in_use() > 0 {
        tokio::task::yield_now().await;
    }
    fixture.run("INSERT INTO t VALUES (1)").await;
    let other = fixture.db.transaction().await.unwrap();
    assert_eq!(count(&other, "t").await, 1);
}

#[tokio::test]
async fn dropping_a_statement_s_future_interrupts_it_and_nothing_else() {
    let fixture = Fixture::with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    for round in 0..10u64 {
        let running = fixture.db.query_all_raw(sql(ENDLESS));
        let given = Duration::from_millis(round * 3);
        assert!(tokio::time::timeout(given, running).await.is_err());
        // The only session: free again as soon as the statement has been interrupted, and not hit itself.
        assert_eq!(fixture.run("INSERT INTO t VALUES (1)").await, 1);
    }
    assert_eq!(count(&fixture.db, "t").await, 10);
}

#[tokio::test]
async fn a_statement_cut_off_in_a_transaction_dooms_it_and_frees_its_session() {
    let fixture = Fixture::with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    let transaction = fixture.db.transaction().await.unwrap();
    transaction.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    let cut = tokio::time::timeout(Duration::from_millis(20), transaction.query_all_raw(sql(ENDLESS))).await;
    assert!(cut.is_err());
    assert_eq!(transaction.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(count(&fixture.db, "t").await, 0);
}

#[tokio::test]
async fn a_dropped_stream_ends_its_query() {
    let fixture = Fixture::with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    let mut rows = fixture.db.stream_raw(sql("SELECT range AS i FROM range(1000000000)")).await.unwrap();
    for expected in 0..3_000i64 {
        let row = rows.next().await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "i").unwrap(), expected);
    }
    drop(rows);
    fixture.run("SELECT 1").await;
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_its_last_item() {
    let fixture = Fixture::new().await;
    // Wide enough that DuckDB can't have read ahead to the error before the first row is taken.
    let failing = "SELECT CASE WHEN range < 20000 THEN repeat('x', 1000) ELSE error(range::VARCHAR) END AS i
                   FROM range(30000)";
    let mut rows = fixture.db.stream_raw(sql(failing)).await.unwrap();
    let (mut good, mut bad) = (0, 0);
    while let Some(row) = rows.next().await {
        match row {
            Ok(_) if bad == 0 => good += 1,
            Ok(_) => panic!("a row after the error"),
            Err(_) => bad += 1,
        }
    }
    assert!(good > 0 && good <= 20_000);
    assert_eq!(bad, 1);
}

/// The test's runtime has one thread: were a statement to block it, the other task would never run.
#[tokio::test(flavor = "current_thread")]
async fn no_statement_blocks_the_thread_it_is_awaited_on() {
    let fixture = Fixture::new().await;
    let ran = Arc::new(AtomicBool::new(false));
    let other = tokio::spawn({
        let ran = Arc::clone(&ran);
        async move { ran.store(true, Ordering::SeqCst) }
    });
    let long = fixture.db.query_all_raw(sql(ENDLESS));
    tokio::select! {
        biased;
        _ = long => panic!("it ended"),
        done = other => done.unwrap(),
    }
    assert!(ran.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_job_that_panics_is_an_error_and_the_pool_goes_on() {
    let fixture = Fixture::with(small(1)).await;
    let error = fixture.duckdb.run::<()>(|_| panic!("in a session")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    fixture.run("SELECT 1").await;
}

#[tokio::test]
async fn a_key_that_two_transactions_took_is_a_conflict_for_the_second() {
    let fixture = Fixture::new().await;
    fixture.run("CREATE TABLE t (i INTEGER PRIMARY KEY)").await;
    let one = fixture.db.transaction().await.unwrap();
    let two = fixture.db.transaction().await.unwrap();
    one.execute_unprepared("INSERT INTO t VALUES (4711)").await.unwrap();
    two.execute_unprepared("INSERT INTO t VALUES (4711)").await.unwrap();
    one.commit().await.unwrap();
    let error = two.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.report().contains("4711"), "{}", error.report());
    assert_eq!(count(&fixture.db, "t").await, 1);
}

#[tokio::test]
async fn of_two_transactions_that_change_one_row_the_second_is_aborted() {
    let fixture = Fixture::new().await;
    fixture.run("CREATE TABLE t (i INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 0)").await;
    let one = fixture.db.transaction().await.unwrap();
    let two = fixture.db.transaction().await.unwrap();
    one.execute_unprepared("UPDATE t SET v = 1").await.unwrap();
    let error = two.execute_unprepared("UPDATE t SET v = 2").await.map_err(ours).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert!(error.is_retryable());
    assert_eq!(two.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    one.commit().await.unwrap();
}

#[tokio::test]
async fn a_session_is_used_again_after_an_error() {
    let fixture = Fixture::with(small(1)).await;
    for _ in 0..3 {
        let error = fixture.db.execute_unprepared("SELECT * FROM nowhere").await.unwrap_err();
        assert_eq!(kind(error), ErrorKind::NotFound);
        fixture.run("SELECT 1").await;
    }
}

#[tokio::test]
async fn isolation_up_to_snapshots_is_given_and_more_is_refused() {
    let fixture = Fixture::new().await;
    for level in
        [IsolationLevel::ReadUncommitted, IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead]
    {
        fixture.db.begin_with_config(Some(level), None).await.unwrap().commit().await.unwrap();
    }
    let refused = fixture.db.begin_with_config(Some(IsolationLevel::Serializable), None).await.unwrap_err();
    assert_eq!(kind(refused), ErrorKind::Unsupported);
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    let reading = fixture.db.begin_with_config(None, Some(AccessMode::ReadOnly)).await.unwrap();
    assert_eq!(count(&reading, "t").await, 0);
    assert!(reading.execute_unprepared("INSERT INTO t VALUES (1)").await.is_err());
}

#[tokio::test]
async fn closing_waits_for_what_is_open_lets_the_file_go_and_refuses_the_rest() {
    let fixture = Fixture::new().await;
    fixture.run("CREATE TABLE t (i INTEGER)").await;
    let transaction = fixture.db.transaction().await.unwrap();
    transaction.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
    let (db, path) = (fixture.db.clone(), fixture.path());
    let mut closing = Box::pin(db.close());
    assert!(futures_util::poll!(&mut closing).is_pending());
    transaction.commit().await.unwrap();
    closing.await;
    assert_eq!(fixture.db.ping().await.unwrap_err().kind(), ErrorKind::Unavailable);
    // Nobody has it open any more: it may be opened for something else.
    let location = Location::file(Engine::Duckdb, path);
    let options = crate::OpenOptions { access: crate::Access::Source, memory: 64 << 20, sessions: 1 };
    drop(crate::duckdb::DuckdbDatabase::open(&location, options).unwrap());
    fixture.duckdb.close().await;
}

#[tokio::test]
async fn sessions_that_are_idle_end_down_to_the_least_number() {
    let idle = PoolSettings {
        min_connections: 1,
        idle_timeout: Some(Duration::from_millis(20)),
        ..PoolSettings::default()
    };
    let fixture = Fixture::with(idle).await;
    let (one, two) = tokio::join!(fixture.db.transaction(), fixture.db.transaction());
    drop((one.unwrap(), two.unwrap()));
    while fixture.duckdb.idle() != 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fixture.run("SELECT 1").await;
}
