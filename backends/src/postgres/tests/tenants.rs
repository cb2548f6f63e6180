//! Row-level security: a connection on behalf of a tenant sees that tenant's rows, and no other way leads to them; with
//! and without a pooler in between.

use futures_util::TryStreamExt as _;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, StreamTrait as _};
use trimaran_core::id::TenantId;
use trimaran_core::{Error, ErrorKind};

use super::connection::{blocking, database_execute, text};
use crate::connection::tests::fixture::settings;
use crate::db_error::Doing as _;
use crate::postgres::PostgresConnection;
use crate::testing::pooler::TestPooler;
use crate::testing::postgres::{TestDatabase, database};
use crate::{Connection, Location};

const TABLE: &str = "CREATE TABLE piece (tenant_id uuid NOT NULL, number int NOT NULL, PRIMARY KEY (tenant_id, number));
    ALTER TABLE piece ENABLE ROW LEVEL SECURITY;
    ALTER TABLE piece FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON piece USING (tenant_id = NULLIF(current_setting('trimaran.tenant', true), '')::uuid)";

/// A database with a table under a policy, and a role that owns nothing.
async fn fixture() -> (TestDatabase, String) {
    let database = blocking(database).await;
    let role = format!("{}_app", database.name());
    let sql = format!(
        "{TABLE}; CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT, UPDATE, DELETE ON piece TO {role}"
    );
    database_execute(&database, sql).await;
    (database, role)
}

async fn open(url: &str, role: &str) -> PostgresConnection {
    let mut url = url::Url::parse(url).unwrap();
    url.set_username(role).unwrap();
    url.set_password(Some("pw")).unwrap();
    PostgresConnection::open(&Location::parse(url.as_str()).unwrap(), &settings()).await.unwrap()
}

fn tenant(number: u128) -> TenantId {
    TenantId(uuid::Uuid::from_u128(number))
}

async fn tenants_are_kept_apart(pool: PostgresConnection) {
    let all = Connection::new(pool.clone());
    let of = |number| Connection::new(pool.scoped(tenant(number)));
    let count = "SELECT count(*) FROM piece";
    for number in [1u128, 2] {
        let insert = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "INSERT INTO piece VALUES ($1, $2)",
            [tenant(number).0.into(), 7i32.into()],
        );
        of(number).execute_raw(insert).await.unwrap();
    }
    of(1).execute_unprepared(&format!("INSERT INTO piece VALUES ('{}', 8)", tenant(1))).await.unwrap();
    assert_eq!(text(&of(1), count).await.unwrap(), "2");
    assert_eq!(text(&of(2), count).await.unwrap(), "1");
    let rows = Statement::from_string(DbBackend::Postgres, "SELECT number FROM piece");
    let rows: Vec<_> = of(1).stream_raw(rows).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 2);
    let unit = of(2).transaction().await.unwrap();
    assert_eq!(text(&unit, count).await.unwrap(), "1");
    unit.execute_unprepared("DELETE FROM piece").await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(text(&of(1), count).await.unwrap(), "2");
    // Whoever names no tenant sees nothing, on whichever session that served one before.
    for _ in 0..8 {
        assert_eq!(text(&all, count).await.unwrap(), "0");
    }
    // Nor after SQL that names a tenant for longer than its transaction, in whichever way that ended.
    for sql in ["", "COMMIT;", "SELECT 1 / 0", "ROLLBACK;"] {
        let lasting = format!("SET trimaran.tenant = '{}'; {sql}", tenant(1));
        assert_eq!(of(2).execute_unprepared(&lasting).await.is_err(), sql.contains('/'), "{sql}");
        let unit = of(2).transaction().await.unwrap();
        unit.execute_unprepared(&format!("SET trimaran.tenant = '{}'", tenant(1))).await.unwrap();
        if sql.is_empty() {
            unit.commit().await.unwrap()
        } else {
            drop(unit)
        }
        for _ in 0..8 {
            assert_eq!(text(&all, count).await.unwrap(), "0", "{sql}");
            assert_eq!(text(&of(2), count).await.unwrap(), "0", "{sql}");
        }
    }
    let foreign = format!("INSERT INTO piece VALUES ('{}', 9)", tenant(2));
    let denied: Error = of(1).execute_unprepared(&foreign).await.doing("add the piece").unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden, "{denied:?}");
    let at_once = (0..12u128).map(|number| {
        let db = of(1 + number % 2);
        tokio::spawn(async move { (number % 2, text(&db, count).await.unwrap()) })
    });
    for task in at_once.collect::<Vec<_>>() {
        let (which, seen) = task.await.unwrap();
        assert_eq!(seen, if which == 0 { "2" } else { "0" });
    }
    all.close().await;
}

async fn forget(database: TestDatabase, role: &str) {
    database_execute(&database, format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_rows_and_no_others() {
    let (database, role) = fixture().await;
    tenants_are_kept_apart(open(database.url(), &role).await).await;
    forget(database, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_rows_and_no_others_behind_a_pooler() {
    let (database, role) = fixture().await;
    let pooler = tokio::task::block_in_place(|| TestPooler::before(&database, 2, &[(&role, "pw")]));
    tenants_are_kept_apart(open(pooler.url(), &role).await).await;
    drop(pooler);
    forget(database, &role).await;
}
