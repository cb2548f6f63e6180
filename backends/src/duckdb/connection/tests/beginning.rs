//! Transactions that begin with their first statement, and those that only read and are not waited for.

use sea_orm::{DbBackend, Statement, Value};
use trimaran_core::Result;

use super::*;
use crate::Transaction;
use crate::append::rows_of;
use crate::connection::tests::entity::item;
use crate::fetch::{CellType, Fetched};

const TABLE: &str = "CREATE TABLE item (id UUID PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, amount BIGINT NOT NULL, note VARCHAR, \
     made TIMESTAMPTZ NOT NULL)";
const COUNT: &str = "SELECT count(*) FROM item";
/// Runs for minutes unless it is interrupted.
const ENDLESS: &str = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7";

async fn fetched(transaction: &Transaction, sql: &str) -> Result<Value> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let Fetched::Cells(mut rows) = transaction.handle().fetch(statement, vec![CellType::I64]).await? else {
        panic!("rows in place of cells")
    };
    Ok(rows.remove(0).remove(0))
}

fn rows(numbers: &[u128]) -> Vec<crate::append::Rows> {
    let items = numbers.iter().map(|number| crate::connection::tests::entity::item(*number));
    vec![rows_of::<item::ActiveModel>(DbBackend::Postgres, items.collect(), "add").unwrap()]
}

/// One session, so that whoever comes next meets what was left on it.
async fn fixture() -> Fixture {
    let fixture = Fixture::with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    fixture.run(TABLE).await;
    fixture
}

#[tokio::test]
async fn readings_see_one_state_and_leave_the_session_to_others() {
    let fixture = Fixture::new().await;
    fixture.run(TABLE).await;
    let reading = fixture.db.begin_reading().await.unwrap();
    assert_eq!(fetched(&reading, COUNT).await.unwrap(), Value::from(0i64));
    fixture.db.begin_writing().await.unwrap().commit_with(rows(&[1])).await.unwrap();
    assert_eq!(fetched(&reading, COUNT).await.unwrap(), Value::from(0i64));
    reading.commit().await.unwrap();
    let reading = fixture.db.begin_reading().await.unwrap();
    assert_eq!(fetched(&reading, COUNT).await.unwrap(), Value::from(1i64));

    let alone = self::fixture().await;
    for _ in 0..5 {
        let reading = alone.db.begin_reading().await.unwrap();
        fetched(&reading, COUNT).await.unwrap();
        reading.commit().await.unwrap();
        assert_eq!(alone.run("DELETE FROM item").await, 0);
    }
}

#[tokio::test]
async fn what_never_began_has_nothing_to_end() {
    let fixture = fixture().await;
    drop(fixture.db.begin_reading().await.unwrap());
    assert_eq!(fixture.duckdb.in_use(), 0);
    fixture.db.begin_writing().await.unwrap().commit().await.unwrap();
    fixture.db.begin_writing().await.unwrap().rollback().await.unwrap();
    assert_eq!(fixture.duckdb.in_use(), 0);
    fixture.db.begin_writing().await.unwrap().commit_with(rows(&[1, 2])).await.unwrap();
    let reading = fixture.db.begin_reading().await.unwrap();
    assert_eq!(fetched(&reading, COUNT).await.unwrap(), Value::from(2i64));
}

#[tokio::test]
async fn a_first_statement_that_is_cut_off_leaves_no_transaction_on_the_session() {
    let fixture = fixture().await;
    for round in 0..10u64 {
        let reads = round % 2 == 0;
        let transaction =
            if reads { fixture.db.begin_reading().await } else { fixture.db.begin_writing().await }.unwrap();
        // With no time at all it may not even have begun.
        let given = Duration::from_millis(round / 2 * 10);
        assert!(tokio::time::timeout(given, fetched(&transaction, ENDLESS)).await.is_err());
        drop(transaction);
        assert_eq!(fixture.run("DELETE FROM item").await, 0);
    }
}

#[tokio::test]
async fn rows_that_can_not_be_had_with_the_commit_take_everything_with_them() {
    let fixture = fixture().await;
    let add = "INSERT INTO item VALUES (uuid(), 'first', 1, NULL, now()) RETURNING amount";
    for numbers in [&[1, 1][..], &[1]] {
        let writing = fixture.db.begin_writing().await.unwrap();
        fetched(&writing, add).await.unwrap();
        let done = writing.commit_with(rows(numbers)).await;
        match numbers {
            [_] => done.unwrap(),
            _ => assert_eq!(done.unwrap_err().kind(), ErrorKind::Conflict),
        }
        let reading = fixture.db.begin_reading().await.unwrap();
        let expected = if numbers.len() == 1 { 2i64 } else { 0 };
        assert_eq!(fetched(&reading, COUNT).await.unwrap(), Value::from(expected));
    }
}
