//! Tenants are kept apart on Postgres. Nobody here is a superuser, unless a case says so.

use sea_orm::{ConnectionTrait as _, Statement};
use trimaran_core::clock::ManualClock;
use trimaran_core::config::PoolSettings;
use trimaran_core::id::TenantId;
use trimaran_core::{ErrorKind, Result};
use uuid::Uuid;

use super::fixture::{AREAS, NOTE, STARS, book};
use crate::postgres::PostgresConnection;
use crate::schema::{Book, Runner};
use crate::testing::{TestDatabase, TestRoles};
use crate::{Connection, Location};

const ALICE: TenantId = TenantId(Uuid::from_u128(0xa));
const BOB: TenantId = TenantId(Uuid::from_u128(0xb));

async fn database() -> TestDatabase {
    tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap()
}

/// Off the runtime's threads, for it waits for the server.
async fn blocking<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    tokio::task::block_in_place(work)
}

async fn pool(location: &Location) -> PostgresConnection {
    PostgresConnection::open(location, &PoolSettings::default()).await.unwrap()
}

async fn up(owner: &Location, book: &Book, application: Option<&str>) -> Result<Vec<&'static str>> {
    let (owner, clock) = (Connection::new(pool(owner).await), ManualClock::default());
    let runner = Runner::new(&owner, book, AREAS, &clock);
    match application {
        Some(role) => runner.for_role(role).up().await,
        None => runner.up().await,
    }
}

async fn write(connection: &PostgresConnection, tenant: TenantId) -> Result<(), sea_orm::DbErr> {
    let sql = format!(
        "INSERT INTO note (tenant_id, id, stars, weight, document) VALUES ('{tenant}', '{}', 1, 1, '{{}}')",
        Uuid::from_u128(7)
    );
    Connection::new(connection.clone()).execute_unprepared(&sql).await.map(drop)
}

async fn count(connection: &PostgresConnection) -> i64 {
    let sql = "SELECT count(*) AS number FROM note";
    let query = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = Connection::new(connection.clone()).query_one_raw(query).await.unwrap().unwrap();
    row.try_get("", "number").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_sees_and_writes_its_own_rows_alone() {
    let database = database().await;
    let roles = blocking(|| TestRoles::create(&database)).await;
    up(&roles.owner(), &book([NOTE]), Some(roles.application_name())).await.unwrap();
    let application = pool(&roles.application()).await;
    let (alice, bob) = (application.scoped(ALICE), application.scoped(BOB));

    write(&alice, ALICE).await.unwrap();
    write(&bob, BOB).await.unwrap();
    assert_eq!((count(&alice).await, count(&bob).await), (1, 1));
    // In the name of another, and of nobody.
    assert!(write(&alice, BOB).await.is_err());
    assert!(write(&application, ALICE).await.is_err());
    assert_eq!(count(&application).await, 0);
    let all = Connection::new(alice.clone()).execute_unprepared("UPDATE note SET stars = 5").await.unwrap();
    assert_eq!(all.rows_affected(), 1);
    blocking(|| drop(roles)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_bound_too_and_may_be_the_application() {
    let database = database().await;
    let roles = blocking(|| TestRoles::create(&database)).await;
    up(&roles.owner(), &book([NOTE]), Some(roles.owner_name())).await.unwrap();
    let owner = pool(&roles.owner()).await;
    write(&owner.scoped(ALICE), ALICE).await.unwrap();
    assert_eq!(count(&owner).await, 0);
    assert!(write(&owner, ALICE).await.is_err());

    // A backfill of the owner's sees every row all the same, and afterwards the owner is bound again.
    assert_eq!(up(&roles.owner(), &book([NOTE, STARS]), None).await.unwrap(), ["app_0002_stars"]);
    let stars = blocking(|| database.value("SELECT stars FROM note")).await;
    assert_eq!(stars.as_deref(), Some("2"));
    assert_eq!(count(&owner).await, 0);
    let connection = Connection::new(owner.clone());
    let (two, clock) = (book([NOTE, STARS]), ManualClock::default());
    let losses =
        Runner::new(&connection, &two, AREAS, &clock).losses(Some("0004_tenant_mark")).await.unwrap();
    assert_eq!((losses[0].table.as_str(), losses[0].rows), ("note", 1));
    assert_eq!(count(&owner).await, 0);
    blocking(|| drop(roles)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_s_role_gets_its_rights_and_no_more() {
    let database = database().await;
    let roles = blocking(|| TestRoles::create(&database)).await;
    let role = roles.application_name();
    let one = book([NOTE]);
    up(&roles.owner(), &one, None).await.unwrap();
    blocking(|| database.execute(&format!("GRANT ALL ON note, trimaran_migration TO {role}"))).await;
    up(&roles.owner(), &one, Some(role)).await.unwrap();
    let has = |table: &str, right: &str| {
        let sql = format!("SELECT has_table_privilege('{role}', '{table}', '{right}')");
        tokio::task::block_in_place(|| database.value(&sql)).as_deref() == Some("t")
    };
    for table in ["note", "tenant", "user_account"] {
        assert!(["SELECT", "INSERT", "UPDATE", "DELETE"].iter().all(|right| has(table, right)), "{table}");
        assert!(!["TRUNCATE", "REFERENCES", "TRIGGER"].iter().any(|right| has(table, right)), "{table}");
    }
    assert!(has("trimaran_migration", "SELECT") && !has("trimaran_migration", "DELETE"));

    // It reads where the store stands, and changes nothing of it.
    let application = Connection::new(pool(&roles.application()).await);
    let clock = ManualClock::default();
    let runner = Runner::new(&application, &one, AREAS, &clock);
    assert!(runner.status().await.unwrap().is_current());
    assert_eq!(runner.down(None).await.unwrap_err().kind(), ErrorKind::Forbidden);
    blocking(|| drop(roles)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_row_security_does_not_bind_is_refused() {
    let database = database().await;
    let roles = blocking(|| TestRoles::create(&database)).await;
    let (owner, role) = (roles.owner_name(), roles.application_name());
    let one = book([NOTE]);
    // The superuser as the application's own role.
    let superuser = blocking(|| database.value("SELECT current_user")).await.unwrap();
    let error = up(&database.location(), &one, Some(&superuser)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
    blocking(|| database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")).await;
    blocking(|| database.execute(&format!("ALTER SCHEMA public OWNER TO {owner}"))).await;

    for (before, after) in [
        (format!("ALTER ROLE {role} BYPASSRLS"), format!("ALTER ROLE {role} NOBYPASSRLS")),
        (format!("GRANT {owner} TO {role}"), format!("REVOKE {owner} FROM {role}")),
    ] {
        blocking(|| database.execute(&before)).await;
        let error = up(&roles.owner(), &one, Some(role)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{before}: {}", error.report());
        assert!(error.next_step().is_some(), "{before}");
        blocking(|| database.execute(&after)).await;
    }
    up(&roles.owner(), &one, Some(role)).await.unwrap();
    let error = up(&roles.owner(), &one, Some("nobody_is_called_so")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    blocking(|| drop(roles)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_came_by_another_way_get_their_policies_and_nothing_is_done_twice() {
    let database = database().await;
    let roles = blocking(|| TestRoles::create(&database)).await;
    let one = book([NOTE]);
    let role = Some(roles.application_name());
    up(&roles.owner(), &one, role).await.unwrap();
    // As the migrator leaves them: tables without policies.
    blocking(|| {
        database.execute(
            "DROP POLICY trimaran_tenant ON note; ALTER TABLE note NO FORCE ROW LEVEL SECURITY; \
             ALTER TABLE note DISABLE ROW LEVEL SECURITY",
        )
    })
    .await;
    assert!(up(&roles.owner(), &one, role).await.unwrap().is_empty());
    write(&pool(&roles.application()).await.scoped(ALICE), ALICE).await.unwrap();
    assert_eq!(count(&pool(&roles.owner()).await).await, 0);

    let state = "SELECT string_agg(xmin::text || oid::text, ',' ORDER BY oid) FROM pg_policy";
    let before = blocking(|| database.value(state)).await;
    up(&roles.owner(), &one, role).await.unwrap();
    assert_eq!(blocking(|| database.value(state)).await, before);

    blocking(|| database.execute("CREATE POLICY open ON note USING (true)")).await;
    let error = up(&roles.owner(), &one, role).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.report().contains("open"), "{}", error.report());
    blocking(|| drop(roles)).await;
}
