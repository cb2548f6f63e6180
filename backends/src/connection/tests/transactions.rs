//! Transactions: the same on engines that differ underneath.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures_util::TryStreamExt as _;
use sea_orm::{
    AccessMode, ActiveModelTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, IsolationLevel,
    PaginatorTrait as _, TransactionError, TransactionOptions, TransactionTrait,
};
use tokio::sync::oneshot;
use trimaran_core::{Error, ErrorKind};

use super::cases;
use super::entity::item;
use super::fixture::Fixture;
use crate::db_error::Doing as _;
use crate::{Connection, TransactionHandle};

cases! {
    what_is_committed_stays_and_what_is_dropped_or_rolled_back_does_not
    a_failed_statement_dooms_the_transaction
    an_inner_transaction_takes_effect_with_the_outer_one
    an_inner_rollback_dooms_the_whole
    an_inner_transaction_left_open_dooms_the_whole
    a_closure_commits_or_rolls_back
    a_reader_sees_nothing_uncommitted
    a_read_only_transaction_writes_nothing
    every_isolation_level_is_honoured_or_refused
    writers_take_turns_and_none_is_lost
    a_transaction_gives_its_connection_back_however_it_ends
    a_handle_outlives_its_transaction_without_use
    what_dooms_a_transaction_is_not_forgotten_by_a_statement_that_ends_later
    a_transaction_dropped_while_a_statement_runs_is_over_when_that_ends
    a_commit_dropped_while_it_waits_undoes_the_transaction
    a_statement_beside_an_open_stream_is_refused
}

async fn count(db: &Connection) -> u64 {
    item::Entity::find().count(db).await.unwrap()
}

async fn what_is_committed_stays_and_what_is_dropped_or_rolled_back_does_not(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    unit.commit().await.unwrap();
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(2).insert(&unit).await.unwrap();
    unit.rollback().await.unwrap();
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(3).insert(&unit).await.unwrap();
    drop(unit);
    // Nobody waits behind the dropped one for ever.
    super::entity::item(4).insert(&at.db).await.unwrap();
    let items = item::Entity::find().all(&at.db).await.unwrap();
    let mut numbers: Vec<i64> = items.into_iter().map(|item| item.amount).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 4]);
}

async fn a_failed_statement_dooms_the_transaction(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    let failed = super::entity::item(1).insert(&unit).await.doing("create the item").unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Conflict);
    let next = super::entity::item(2).insert(&unit).await.doing("create the item").unwrap_err();
    assert_eq!(next.kind(), ErrorKind::Aborted, "{next:?}");
    let end = unit.commit().await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::Aborted);
    assert!(end.next_step().is_some());
    assert_eq!(count(&at.db).await, 0);
}

async fn an_inner_transaction_takes_effect_with_the_outer_one(at: Fixture) {
    let outer = at.db.transaction().await.unwrap();
    let inner = outer.begin().await.unwrap();
    super::entity::item(1).insert(&inner).await.unwrap();
    inner.commit().await.unwrap();
    assert_eq!(count(&at.db).await, 0);
    outer.commit().await.unwrap();
    assert_eq!(count(&at.db).await, 1);
    let options =
        TransactionOptions { isolation_level: Some(IsolationLevel::Serializable), ..Default::default() };
    let outer = at.db.transaction().await.unwrap();
    let refused = outer.begin_with_options(options).await.doing("begin").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

async fn an_inner_rollback_dooms_the_whole(at: Fixture) {
    let outer = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&outer).await.unwrap();
    outer.begin().await.unwrap().rollback().await.unwrap();
    let error = super::entity::item(2).insert(&outer).await.doing("create the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(outer.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    let outer = at.db.transaction().await.unwrap();
    drop(outer.begin().await.unwrap());
    assert_eq!(outer.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(count(&at.db).await, 0);
}

async fn an_inner_transaction_left_open_dooms_the_whole(at: Fixture) {
    let outer = at.db.transaction().await.unwrap();
    let inner = outer.begin().await.unwrap();
    super::entity::item(1).insert(&inner).await.unwrap();
    assert_eq!(outer.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(inner.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(count(&at.db).await, 0);
}

async fn a_closure_commits_or_rolls_back(at: Fixture) {
    let done: Result<i64, TransactionError<DbErr>> = TransactionTrait::transaction(&at.db, |unit| {
        Box::pin(async move { Ok(super::entity::item(7).insert(unit).await?.amount) })
    })
    .await;
    assert_eq!(done.unwrap(), 7);
    let failed: Result<(), TransactionError<Error>> = TransactionTrait::transaction(&at.db, |unit| {
        Box::pin(async move {
            super::entity::item(8).insert(unit).await.doing("create the item")?;
            Err(Error::new(ErrorKind::Invalid, "go on"))
        })
    })
    .await;
    assert!(
        matches!(failed, Err(TransactionError::Transaction(error)) if error.kind() == ErrorKind::Invalid)
    );
    assert_eq!(count(&at.db).await, 1);
}

async fn a_reader_sees_nothing_uncommitted(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    assert_eq!(count(&at.db).await, 0);
    assert_eq!(item::Entity::find().count(&unit).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(count(&at.db).await, 1);
}

async fn a_read_only_transaction_writes_nothing(at: Fixture) {
    super::entity::item(1).insert(&at.db).await.unwrap();
    let options =
        TransactionOptions { access_mode: Some(AccessMode::ReadOnly), ..TransactionOptions::default() };
    // More than there are connections: one that could only read must not stay so.
    for _ in 0..5 {
        let unit = at.db.transaction_with(options).await.unwrap();
        assert_eq!(item::Entity::find().count(&unit).await.unwrap(), 1);
        let error = super::entity::item(2).insert(&unit).await.doing("create the item").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
        drop(unit);
        let unit = at.db.transaction_with(options).await.unwrap();
        assert_eq!(item::Entity::find().all(&unit).await.unwrap().len(), 1);
        unit.commit().await.unwrap();
    }
    for number in 2..7 {
        super::entity::item(number).insert(&at.db).await.unwrap();
    }
}

async fn every_isolation_level_is_honoured_or_refused(at: Fixture) {
    for level in [
        IsolationLevel::ReadUncommitted,
        IsolationLevel::ReadCommitted,
        IsolationLevel::RepeatableRead,
        IsolationLevel::Serializable,
    ] {
        let options = TransactionOptions { isolation_level: Some(level), ..TransactionOptions::default() };
        match at.db.transaction_with(options).await {
            Ok(unit) => {
                let items: Vec<_> =
                    item::Entity::find().stream(&unit).await.unwrap().try_collect().await.unwrap();
                assert!(items.is_empty());
                unit.commit().await.unwrap();
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
                assert!(!(at.db.capabilities().serializable && level == IsolationLevel::Serializable));
            }
        }
    }
}

async fn writers_take_turns_and_none_is_lost(at: Fixture) {
    let db = Arc::new(at.db.clone());
    let writers = (0..20u128).map(|number| {
        let db = Arc::clone(&db);
        tokio::spawn(async move {
            if number.is_multiple_of(2) {
                let unit = db.transaction().await?;
                super::entity::item(number).insert(&unit).await.doing("create the item")?;
                return unit.commit().await;
            }
            super::entity::item(number).insert(db.as_ref()).await.doing("create the item").map(drop)
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(count(&at.db).await, 20);
}

async fn a_transaction_gives_its_connection_back_however_it_ends(at: Fixture) {
    for round in 0..8u128 {
        let unit = at.db.transaction().await.unwrap();
        super::entity::item(round).insert(&unit).await.unwrap();
        match round % 4 {
            0 => unit.rollback().await.unwrap(),
            1 => drop(unit),
            2 => {
                super::entity::item(round).insert(&unit).await.unwrap_err();
                drop(unit);
            }
            _ => {
                unit.execute_unprepared("no SQL").await.unwrap_err();
                assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
            }
        }
    }
    assert_eq!(count(&at.db).await, 0);
}

async fn a_handle_outlives_its_transaction_without_use(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    let handle = unit.handle();
    super::entity::item(1).insert(&handle).await.unwrap();
    drop(unit);
    let error = super::entity::item(2).insert(&handle).await.doing("create the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(handle.begin_inner().await.unwrap_err().kind(), ErrorKind::Aborted);
    super::entity::item(3).insert(&at.db).await.unwrap();
    assert_eq!(count(&at.db).await, 1);
}

/// Polls once: the future is on its way, and not at its end.
async fn begun<F: Future>(mut future: Pin<&mut F>) {
    std::future::poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// A statement that lasts until `end` is told or dropped.
async fn lasting(handle: &TransactionHandle, end: oneshot::Receiver<()>) -> trimaran_core::Result<()> {
    handle
        .with_driver(async move |_| {
            let _told = end.await;
            Ok(())
        })
        .await
}

async fn what_dooms_a_transaction_is_not_forgotten_by_a_statement_that_ends_later(at: Fixture) {
    let outer = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&outer).await.unwrap();
    let inner = outer.begin().await.unwrap();
    let handle = outer.handle();
    let (end, ended) = oneshot::channel();
    let mut statement = pin!(lasting(&handle, ended));
    begun(statement.as_mut()).await;
    inner.rollback().await.unwrap();
    drop(end);
    statement.await.unwrap();
    assert_eq!(outer.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(count(&at.db).await, 0);
}

async fn a_transaction_dropped_while_a_statement_runs_is_over_when_that_ends(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    let handle = unit.handle();
    let (end, ended) = oneshot::channel();
    let mut statement = pin!(lasting(&handle, ended));
    begun(statement.as_mut()).await;
    drop(unit);
    drop(end);
    statement.await.unwrap();
    let error = super::entity::item(2).insert(&handle).await.doing("create the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    // The handle is still here, and keeps no writer waiting.
    super::entity::item(3).insert(&at.db).await.unwrap();
    assert_eq!(count(&at.db).await, 1);
}

async fn a_commit_dropped_while_it_waits_undoes_the_transaction(at: Fixture) {
    let unit = at.db.transaction().await.unwrap();
    super::entity::item(1).insert(&unit).await.unwrap();
    let handle = unit.handle();
    let (end, ended) = oneshot::channel();
    let mut statement = pin!(lasting(&handle, ended));
    begun(statement.as_mut()).await;
    {
        let mut commit = pin!(unit.commit());
        begun(commit.as_mut()).await;
    }
    drop(end);
    statement.await.unwrap();
    super::entity::item(2).insert(&at.db).await.unwrap();
    assert_eq!(count(&at.db).await, 1);
}

async fn a_statement_beside_an_open_stream_is_refused(at: Fixture) {
    item::Entity::insert_many((1..=100).map(super::entity::item)).exec(&at.db).await.unwrap();
    let unit = at.db.transaction().await.unwrap();
    let mut rows = item::Entity::find().stream(&unit).await.unwrap();
    rows.try_next().await.unwrap().unwrap();
    let error = super::entity::item(200).insert(&unit).await.doing("create the item").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(error.next_step().unwrap().contains("read the stream to its end"));
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 99);
    super::entity::item(200).insert(&unit).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(count(&at.db).await, 101);
}
