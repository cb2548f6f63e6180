//! Futures and streams that are dropped before their end.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::{StreamExt as _, TryStreamExt as _};
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, QueryOrder as _, Statement};
use trimaran_core::ErrorKind;

use super::cases;
use super::entity::item;
use super::fixture::Fixture;
use crate::Connection;
use crate::db_error::Doing as _;

cases! {
    a_query_dropped_at_any_point_leaves_no_answer_to_the_next_one
    a_write_dropped_at_any_point_is_whole_or_nothing
    a_transaction_whose_statement_was_dropped_writes_nothing
    a_stream_left_in_a_transaction_dooms_it
    a_commit_dropped_at_any_point_leaves_the_pool_in_order
}

/// Polls so often at most, then drops; whether it came to its end.
async fn cut_off<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        // Lets the engine get on, so that the next poll finds the next step.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    None
}

async fn number(db: &Connection, wanted: i64) -> Result<i64, sea_orm::DbErr> {
    let sql = format!("SELECT CAST({wanted} AS bigint) AS n FROM item ORDER BY amount");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    assert!(rows.iter().all(|row| row.try_get::<i64>("", "n").unwrap() == wanted));
    Ok(i64::try_from(rows.len()).unwrap())
}

async fn a_query_dropped_at_any_point_leaves_no_answer_to_the_next_one(at: Fixture) {
    item::Entity::insert_many((1..=100).map(super::entity::item)).exec(&at.db).await.unwrap();
    for polls in 0..12 {
        let cut = cut_off(number(&at.db, 1), polls).await;
        assert!(cut.is_none_or(|n| n.unwrap() == 100));
        assert_eq!(number(&at.db, 2).await.unwrap(), 100);
        let mut rows =
            pin!(item::Entity::find().order_by_asc(item::Column::Amount).stream(&at.db).await.unwrap());
        for _ in 0..polls {
            rows.next().await.unwrap().unwrap();
        }
    }
    assert_eq!(number(&at.db, 3).await.unwrap(), 100);
}

async fn a_write_dropped_at_any_point_is_whole_or_nothing(at: Fixture) {
    for polls in 0..12u128 {
        let (first, second) = (super::entity::item(2 * polls), super::entity::item(2 * polls + 1));
        let write = item::Entity::insert_many([first, second]).exec(&at.db);
        cut_off(write, usize::try_from(polls).unwrap()).await;
        let count = item::Entity::find().all(&at.db).await.unwrap().len();
        assert_eq!(count % 2, 0, "{polls}");
    }
    super::entity::item(1_000).insert(&at.db).await.unwrap();
}

async fn a_transaction_whose_statement_was_dropped_writes_nothing(at: Fixture) {
    for polls in 1..8 {
        let unit = at.db.transaction().await.unwrap();
        super::entity::item(1).insert(&unit).await.unwrap();
        if cut_off(super::entity::item(2).insert(&unit), polls).await.is_some() {
            continue;
        }
        let error = super::entity::item(3).insert(&unit).await.doing("create the item").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Aborted, "{error:?}");
        assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
        assert_eq!(item::Entity::find().all(&at.db).await.unwrap(), []);
    }
}

async fn a_stream_left_in_a_transaction_dooms_it(at: Fixture) {
    item::Entity::insert_many((1..=100).map(super::entity::item)).exec(&at.db).await.unwrap();
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(200).insert(&unit).await.unwrap();
    {
        let mut rows = item::Entity::find().stream(&unit).await.unwrap();
        rows.try_next().await.unwrap().unwrap();
    }
    assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(item::Entity::find().all(&at.db).await.unwrap().len(), 100);
}

async fn a_commit_dropped_at_any_point_leaves_the_pool_in_order(at: Fixture) {
    for polls in 0..8u128 {
        let unit = at.db.transaction().await.unwrap();
        super::entity::item(polls).insert(&unit).await.unwrap();
        cut_off(unit.commit(), usize::try_from(polls).unwrap()).await;
        // It has taken effect or not; whichever, the pool serves the next ones.
        super::entity::item(100 + polls).insert(&at.db).await.unwrap();
    }
    let late = item::Entity::find().all(&at.db).await.unwrap().into_iter().filter(|item| item.amount >= 100);
    assert_eq!(late.count(), 8);
}
