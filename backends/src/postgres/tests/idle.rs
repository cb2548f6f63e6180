//! Sessions that wait for their next use.

use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use trimaran_core::config::PoolSettings;

use super::connection::{blocking, text};
use crate::connection::tests::fixture::settings;
use crate::postgres::PostgresConnection;
use crate::testing::postgres::{TestDatabase, database};
use crate::{Connection, Location};

const PID: &str = "SELECT pg_backend_pid()";

/// So long that only what never happens takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(location: &Location, settings: PoolSettings) -> Connection {
    Connection::new(PostgresConnection::open(location, &settings).await.unwrap())
}

fn one() -> PoolSettings {
    PoolSettings {
        max_connections: 1,
        min_connections: 0,
        idle_timeout: None,
        max_lifetime: None,
        ..settings()
    }
}

/// Waits until the server has no session of this number.
async fn gone(observer: &Connection, pid: &str) {
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    let gone = async {
        while text(observer, &count).await.unwrap() != "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the session is closed");
}

async fn fixture(settings: PoolSettings) -> (TestDatabase, Connection, Connection) {
    let database = blocking(database).await;
    let observer = open(&database.location(), one()).await;
    let db = open(&database.location(), settings).await;
    (database, observer, db)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_serves_one_call_after_the_other() {
    let (_database, _observer, db) = fixture(one()).await;
    let pid = text(&db, PID).await.unwrap();
    let unit = db.transaction().await.unwrap();
    assert_eq!(text(&unit, PID).await.unwrap(), pid);
    // Rolled back behind the scenes, before the next call has it.
    drop(unit);
    assert_eq!(text(&db, PID).await.unwrap(), pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_idle_for_long_is_closed() {
    let short = Some(Duration::from_millis(300));
    let (_database, observer, db) = fixture(PoolSettings { idle_timeout: short, ..one() }).await;
    let pid = text(&db, PID).await.unwrap();
    gone(&observer, &pid).await;
    assert_ne!(text(&db, PID).await.unwrap(), pid, "there is another one at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lives_no_longer_than_it_may() {
    let lifetime = Duration::from_millis(300);
    let (_database, observer, db) = fixture(PoolSettings { max_lifetime: Some(lifetime), ..one() }).await;
    let pid = text(&db, PID).await.unwrap();
    gone(&observer, &pid).await;
    let pid = text(&db, PID).await.unwrap();
    gone(&observer, &pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_ended_meanwhile_is_not_given_to_anyone() {
    let (_database, observer, db) = fixture(one()).await;
    let pid = text(&db, PID).await.unwrap();
    observer.execute_unprepared(&format!("SELECT pg_terminate_backend({pid})")).await.unwrap();
    gone(&observer, &pid).await;
    tokio::time::sleep(crate::postgres::pool::TRUSTED).await;
    assert_ne!(text(&db, PID).await.unwrap(), pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_pool_closes_the_sessions_that_wait() {
    let (_database, observer, db) = fixture(PoolSettings { max_connections: 3, ..one() }).await;
    let (first, second) = tokio::join!(text(&db, PID), text(&db, PID));
    db.close().await;
    for pid in [first.unwrap(), second.unwrap()] {
        gone(&observer, &pid).await;
    }
}
