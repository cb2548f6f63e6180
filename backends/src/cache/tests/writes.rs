//! Which calls of a connection are noticed as writes, on every engine.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, Statement, StreamTrait as _};
use trimaran_core::{Error, ErrorKind, TenantId};

use super::super::version::TenantVersion;
use super::super::watched::{watched, write};
use super::{Counter, cache, settings, somebody};
use crate::connection::tests::cases;
use crate::connection::tests::entity::item;
use crate::connection::tests::fixture::Fixture;
use crate::{Connection, Executor};

cases! {
    each_way_to_write_is_noticed
    reading_is_not_noticed
    a_transaction_is_noticed_when_it_is_committed
    what_is_kept_is_never_older_than_a_write_that_has_returned
}

struct Noticing {
    db: Connection,
    version: Arc<TenantVersion>,
    before: u64,
}

impl Noticing {
    fn new(at: &Fixture, tenant: TenantId) -> Self {
        let version = TenantVersion::of(tenant);
        Self { db: watched(at.db.clone(), tenant), before: version.number(), version }
    }

    /// Whether a write was noticed since this was asked last.
    fn noticed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.before, self.version.number());
        before != self.before
    }

    fn sql(&self, sql: &str) -> Statement {
        Statement::from_string(self.db.driver().backend(), sql)
    }
}

async fn each_way_to_write_is_noticed(at: Fixture) {
    let mut on = Noticing::new(&at, somebody());
    item(1).insert(&on.db).await.unwrap();
    assert!(on.noticed());
    on.db.execute_raw(on.sql("UPDATE item SET amount = 2")).await.unwrap();
    assert!(on.noticed());
    on.db.execute_unprepared("UPDATE item SET amount = 3; UPDATE item SET amount = 4").await.unwrap();
    assert!(on.noticed());
    on.db.query_all_raw(on.sql(" update item SET amount = 5 RETURNING id")).await.unwrap();
    assert!(on.noticed());
    let rows = on.db.stream_raw(on.sql("UPDATE item SET amount = 6 RETURNING id")).await.unwrap();
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert!(on.noticed());
    // Whether a statement that begins with WITH writes would have to be parsed.
    on.db
        .query_all_raw(on.sql("WITH all_items AS (SELECT * FROM item) SELECT * FROM all_items"))
        .await
        .unwrap();
    assert!(on.noticed());
    // What fails may have done something before.
    on.db.execute_unprepared("UPDATE item SET amount = -1").await.unwrap_err();
    assert!(on.noticed());
    assert!(on.version.doubted().is_none());
}

async fn reading_is_not_noticed(at: Fixture) {
    item(1).insert(&at.db).await.unwrap();
    let mut on = Noticing::new(&at, somebody());
    assert_eq!(item::Entity::find().all(&on.db).await.unwrap().len(), 1);
    on.db.query_all_raw(on.sql("\n select * FROM item")).await.unwrap();
    on.db.stream_raw(on.sql("SELECT * FROM item")).await.unwrap().try_collect::<Vec<_>>().await.unwrap();
    let executor = Executor::Connection(on.db.clone());
    assert_eq!(crate::fetch::models(&executor, item::Entity::find(), "read").await.unwrap().len(), 1);
    let state = executor.begin_reading().await.unwrap();
    let within = Executor::Transaction(state.handle());
    assert_eq!(crate::fetch::models(&within, item::Entity::find(), "read").await.unwrap().len(), 1);
    state.commit().await.unwrap();
    let transaction = on.db.transaction().await.unwrap();
    assert_eq!(item::Entity::find().all(&transaction).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
    on.db.ping().await.unwrap();
    assert!(!on.noticed());
}

async fn a_transaction_is_noticed_when_it_is_committed(at: Fixture) {
    let mut on = Noticing::new(&at, somebody());
    let transaction = on.db.transaction().await.unwrap();
    item(1).insert(&transaction).await.unwrap();
    assert!(!on.noticed());
    transaction.commit().await.unwrap();
    assert!(on.noticed());

    let transaction = on.db.transaction().await.unwrap();
    crate::append::append_rows(&transaction, vec![item(2), item(3)], "append items").await.unwrap();
    transaction.commit().await.unwrap();
    assert!(on.noticed());

    let transaction = on.db.transaction().await.unwrap();
    item(4).insert(&transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    let transaction = on.db.transaction().await.unwrap();
    item(4).insert(&transaction).await.unwrap();
    drop(transaction);
    assert!(!on.noticed());
}

#[tokio::test]
async fn a_write_that_is_cut_off_or_whose_server_goes_away_leaves_its_tenant_in_doubt() {
    let failed = |kind| async move { Err::<(), _>(Error::new(kind, "write")) };
    for (kind, doubted) in
        [(ErrorKind::Unavailable, true), (ErrorKind::Conflict, false), (ErrorKind::Timeout, false)]
    {
        let version = TenantVersion::of(somebody());
        let before = version.number();
        write(&version, failed(kind)).await.unwrap_err();
        assert_eq!(version.doubted().is_some(), doubted, "{kind:?}");
        assert_ne!(version.number(), before);
    }
    let version = TenantVersion::of(somebody());
    let mut cut_off = Box::pin(write(&version, std::future::pending::<trimaran_core::Result<()>>()));
    // Once, so that it has begun.
    assert!(futures_util::poll!(&mut cut_off).is_pending());
    drop(cut_off);
    assert!(version.doubted().is_some());
}

/// Writers count a number up, and readers ask for what is kept of it: whoever has seen a write return never reads an older
/// number.
async fn what_is_kept_is_never_older_than_a_write_that_has_returned(at: Fixture) {
    const WRITES: i64 = 60;
    let tenant = somebody();
    let cache = cache(&settings());
    item(1).insert(&at.db).await.unwrap();
    at.db.execute_unprepared("UPDATE item SET amount = 0").await.unwrap();
    let db = watched(at.db.clone(), tenant);
    let (written, mut seen) = tokio::sync::watch::channel(0_i64);
    let writer = {
        let db = db.clone();
        tokio::spawn(async move {
            for number in 1..=WRITES {
                let transaction = db.transaction().await.unwrap();
                transaction.execute_unprepared(&format!("UPDATE item SET amount = {number}")).await.unwrap();
                transaction.commit().await.unwrap();
                written.send_replace(number);
            }
        })
    };
    let results = cache.of(tenant);
    let mut asked = 0_u64;
    loop {
        let least = *seen.borrow_and_update();
        let read = async {
            let rows = item::Entity::find().all(&db).await;
            let rows = rows.map_err(|error| Error::new(ErrorKind::Unavailable, "read").source(error))?;
            Ok(rows[0].amount)
        };
        let amount = results.answer("amount", "", read).await.unwrap();
        assert!(amount >= least, "{amount} is older than {least}");
        asked += 1;
        if least == WRITES {
            break;
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    let counts = cache.counts();
    assert_eq!((counts.hits + counts.misses, counts.bypassed), (asked, 0));
    // Nothing is written any more: what is kept is of use.
    let counter = Counter::default();
    assert_eq!((counter.ask(&results).await, counter.ask(&results).await), (1, 1));
}
