//! Signed tenant settings where sessions are shared and long-lived: behind PgBouncer, with many rows at once, and when a
//! signature expires while its session lives on.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _};
use secrecy::ExposeSecret as _;
use trimaran_core::ErrorKind;
use trimaran_core::clock::{Clock as _, ManualClock, SystemClock};
use trimaran_core::config::PoolSettings;
use trimaran_core::id::TenantId;
use uuid::Uuid;

use super::apart::{ALICE, BOB, COUNT, Installation, denied, key, note, number, pool, run};
use super::fixture::{NOTE, book};
use crate::append::append_rows;
use crate::postgres::PostgresConnection;
use crate::tenant::signing::{LIFETIME, TenantSetting, TenantSigner};
use crate::testing::pooler::TestPooler;
use crate::{Connection, Location};

/// Rows enough for a COPY, and for arrays.
const COUNTS: [u128; 2] = [5, 5_000];

mod note_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "note")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) id: Uuid,
        pub(super) stars: i32,
        pub(super) weight: f64,
        pub(super) document: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn rows(tenant: TenantId, count: u128) -> Vec<note_row::ActiveModel> {
    let row = |n| {
        let document = serde_json::json!({});
        let row = note_row::Model {
            tenant_id: tenant.0,
            id: Uuid::from_u128(n + 1),
            stars: 1,
            weight: 1.0,
            document,
        };
        note_row::ActiveModel::from(row).reset_all()
    };
    (0..count).map(row).collect()
}

/// An installation whose server takes signed settings alone.
async fn signing_installation() -> Installation {
    let installation = Installation::new().await;
    installation.up(&book([NOTE]), TenantSetting::Signed(&key(1))).await.unwrap();
    installation
}

fn signed(server: &PostgresConnection) -> PostgresConnection {
    server.signed_by(TenantSigner::new(key(1), Arc::new(SystemClock)))
}

/// PgBouncer in transaction mode before the server, with so many sessions of the application's role.
fn pooler(installation: &Installation, sessions: u32) -> (TestPooler, Location) {
    let application = installation.roles.application();
    let password = application.server().unwrap().1.unwrap().expose_secret().to_owned();
    let name = installation.roles.application_name();
    let pooler = tokio::task::block_in_place(|| {
        TestPooler::before(&installation.database, sessions, &[(name, password.as_str())])
    });
    let mut url = url::Url::parse(pooler.url()).unwrap();
    url.set_username(name).unwrap();
    url.set_password(Some(&password)).unwrap();
    let location = Location::parse(url.as_str()).unwrap();
    (pooler, location)
}

async fn many_rows_reach_their_tenant_alone(server: &PostgresConnection) {
    let server = signed(server);
    for count in COUNTS {
        for tenant in [ALICE, BOB] {
            let db = Connection::new(server.scoped(tenant));
            let unit = db.transaction().await.unwrap();
            append_rows(&unit, rows(tenant, count), "append notes").await.unwrap();
            unit.commit().await.unwrap();
            assert_eq!(number(&server.scoped(tenant), COUNT).await.unwrap(), i64::try_from(count).unwrap());
        }
        let alice = Connection::new(server.scoped(ALICE));
        let unit = alice.transaction().await.unwrap();
        let error = append_rows(&unit, rows(BOB, count), "append notes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
        assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
        for tenant in [ALICE, BOB] {
            let deleted = run(&server.scoped(tenant), "DELETE FROM note").await.unwrap();
            assert_eq!(u128::from(deleted), count);
        }
    }
    let left = "SELECT count(*) AS number FROM pg_class WHERE relname = 'trimaran_append'";
    assert_eq!(number(&server, left).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_rows_at_once_reach_their_tenant_alone() {
    let installation = signing_installation().await;
    many_rows_reach_their_tenant_alone(&installation.application().await).await;
    // Without a signature no way leads in, neither arrays nor COPY.
    let unsigned = Connection::new(installation.application().await.scoped(ALICE));
    for count in COUNTS {
        let unit = unsigned.transaction().await.unwrap();
        let error = append_rows(&unit, rows(ALICE, count), "append notes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
    }
    assert_eq!(installation.value("SELECT count(*) FROM note"), "0");
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_each_transaction_is_its_own_tenant_s() {
    let installation = signing_installation().await;
    // Two sessions of the server for all: each transaction may meet another tenant's.
    let (pooler, location) = pooler(&installation, 2);
    let server = pool(&location).await;
    let all = signed(&server);
    let (alice, bob) = (all.scoped(ALICE), all.scoped(BOB));
    for (tenant, id) in [(&alice, ALICE), (&bob, BOB)] {
        run(tenant, &note(id)).await.unwrap();
    }
    let tasks = (0..12u128).map(|n| {
        let (alice, bob, all) = (alice.clone(), bob.clone(), all.clone());
        tokio::spawn(async move {
            let (mine, stars) = if n % 2 == 0 { (alice, 2) } else { (bob, 3) };
            for _ in 0..5 {
                let unit = Connection::new(mine.clone()).transaction().await.unwrap();
                unit.execute_unprepared(&format!("UPDATE note SET stars = {stars}")).await.unwrap();
                unit.commit().await.unwrap();
                let sum = "SELECT sum(stars)::bigint AS number FROM note";
                assert_eq!(number(&mine, sum).await.unwrap(), stars);
                assert!(run(&mine, "SELECT 1 / 0").await.is_err());
                assert_eq!(number(&all, COUNT).await.unwrap(), 0, "nobody's");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let forged = format!("SET LOCAL trimaran.tenant = '{BOB}'; DELETE FROM note");
    denied(run(&alice, &forged).await);
    denied(number(&server.scoped(ALICE), COUNT).await);
    assert_eq!(number(&bob, COUNT).await.unwrap(), 1);
    run(&alice, "DELETE FROM note").await.unwrap();
    run(&bob, "DELETE FROM note").await.unwrap();
    many_rows_reach_their_tenant_alone(&server).await;
    drop(pooler);
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outlives_the_signatures_that_it_was_given() {
    let installation = signing_installation().await;
    let one = PoolSettings { max_connections: 1, ..PoolSettings::default() };
    let server = PostgresConnection::open(&installation.roles.application(), &one).await.unwrap();
    // What is signed now is taken for some seconds more.
    let left = Duration::from_secs(4);
    let clock = ManualClock::at(SystemClock.now() - LIFETIME + left);
    let signer = TenantSigner::new(key(1), Arc::new(clock.clone()));
    let seen = signer.setting(ALICE);
    let alice = server.signed_by(signer).scoped(ALICE);
    let session = "SELECT pg_backend_pid()::bigint AS number";
    let first = number(&alice, session).await.unwrap();
    run(&alice, &note(ALICE)).await.unwrap();
    let open = Connection::new(alice.clone()).transaction().await.unwrap();
    open.execute_unprepared("UPDATE note SET stars = 2").await.unwrap();

    tokio::time::sleep(left + Duration::from_secs(1)).await;
    // What began in time goes on to its end, many rows included.
    let more = rows(ALICE, 3_000).split_off(10);
    append_rows(&open, more, "append notes").await.unwrap();
    open.execute_unprepared("UPDATE note SET stars = 3").await.unwrap();
    open.commit().await.unwrap();
    // Nothing begins under it any more on the same session, whoever says it, and nothing is written.
    for late in [COUNT.to_owned(), note(ALICE), "DELETE FROM note".to_owned()] {
        let error = denied(run(&alice, &late).await);
        assert!(error.next_step().unwrap().contains("clock"), "{}", error.report());
    }
    clock.advance(LIFETIME);
    denied(run(&alice, &format!("SET LOCAL trimaran.tenant = '{seen}'; DELETE FROM note")).await);
    // With a new signature the session serves on: it was neither lost nor spoilt.
    assert_eq!(number(&alice, session).await.unwrap(), first);
    assert_eq!(number(&alice, COUNT).await.unwrap(), 2_991);
    assert_eq!(number(&server, COUNT).await.unwrap(), 0);
    tokio::task::block_in_place(|| drop(installation));
}
