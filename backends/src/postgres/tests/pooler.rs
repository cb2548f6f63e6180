//! PgBouncer in transaction mode before the server.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use trimaran_core::ErrorKind;

use super::connection::{blocking, open, text};
use crate::Location;
use crate::db_error::Doing as _;
use crate::testing::pooler::TestPooler;
use crate::testing::postgres::{TestDatabase, database};

async fn fixture(sessions: u32) -> (TestDatabase, TestPooler) {
    blocking(move || {
        let database = database();
        let pooler = TestPooler::before(&database, sessions, &[]);
        (database, pooler)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_and_transactions_work_behind_a_pooler() {
    let (_database, pooler) = fixture(2).await;
    let db = open(&Location::parse(pooler.url()).unwrap()).await;
    assert!(!db.capabilities().interrupts);
    db.execute_unprepared("CREATE TABLE t (a bigint)").await.unwrap();
    // Two sessions of the server for three connections: each statement may meet another one.
    let tasks = (0..12i64).map(|number| {
        let db = db.clone();
        tokio::spawn(async move {
            for round in 0..10i64 {
                let sum = Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    format!("SELECT {number} + $1::bigint AS sum"),
                    [round.into()],
                );
                let row = db.query_one_raw(sum).await.unwrap().unwrap();
                assert_eq!(row.try_get::<i64>("", "sum").unwrap(), number + round);
            }
            let unit = db.transaction().await.unwrap();
            let insert = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "INSERT INTO t VALUES ($1)",
                [number.into()],
            );
            unit.execute_raw(insert).await.unwrap();
            unit.commit().await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(text(&db, "SELECT sum(a) FROM t").await.unwrap(), "66");
    let unit = db.transaction().await.unwrap();
    unit.execute_unprepared("DELETE FROM t").await.unwrap();
    drop(unit);
    assert_eq!(text(&db, "SELECT count(*) FROM t").await.unwrap(), "12");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_kept_behind_a_pooler_that_shares_sessions_are_an_error_that_names_the_setting() {
    let (_database, pooler) = fixture(1).await;
    let url = format!("{}?statement-cache-capacity=10", pooler.url());
    let location = Location::parse(&url).unwrap();
    let (one, two) = (open(&location).await, open(&location).await);
    assert_eq!(text(&one, "SELECT 1").await.unwrap(), "1");
    let error = text(&two, "SELECT 2").await.unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Configuration, Some("42P05")), "{error:?}");
    assert!(error.next_step().unwrap().contains("statement-cache-capacity=0"), "{error:?}");
    let shared = Location::parse(&url.replace("=10", "=0")).unwrap();
    let right = open(&shared).await;
    assert_eq!(text(&right, "SELECT 3").await.unwrap(), "3");
    let direct = one.execute_unprepared("SELECT 4").await.doing("ask");
    assert!(direct.is_ok());
}
