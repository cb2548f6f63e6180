//! Many rows at once as the application's role, under forced row-level security, with and without the right to make
//! temporary tables, and behind a pooler.

use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _};
use trimaran_core::ErrorKind;
use trimaran_core::id::TenantId;

use super::connection::{blocking, database_execute, text};
use crate::append::append_rows;
use crate::connection::tests::fixture::settings;
use crate::postgres::PostgresConnection;
use crate::testing::pooler::TestPooler;
use crate::testing::postgres::{TestDatabase, database};
use crate::{Connection, Location};

mod note {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "note")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) tenant_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(super) number: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE note (tenant_id uuid NOT NULL, number int NOT NULL, PRIMARY KEY (tenant_id, number));
    ALTER TABLE note ENABLE ROW LEVEL SECURITY;
    ALTER TABLE note FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON note USING (tenant_id = NULLIF(current_setting('trimaran.tenant', true), '')::uuid)";

/// Few rows, and many.
const COUNTS: [i32; 2] = [5, 5_000];

const ALICE: TenantId = TenantId(Uuid::from_u128(0xa));
const BOB: TenantId = TenantId(Uuid::from_u128(0xb));

/// A database with a table under a policy, and a role that owns nothing.
async fn fixture() -> (TestDatabase, String) {
    let database = blocking(database).await;
    let role = format!("{}_app", database.name());
    let sql = format!(
        "{TABLE}; CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT SELECT, INSERT, DELETE ON note TO {role}"
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

fn rows(tenant: TenantId, count: i32) -> Vec<note::ActiveModel> {
    let row = |number| note::ActiveModel::from(note::Model { tenant_id: tenant.0, number }).reset_all();
    (0..count).map(row).collect()
}

async fn appends_reach_their_tenant_alone(pool: PostgresConnection) {
    let count = "SELECT count(*) FROM note";
    for number in COUNTS {
        for tenant in [ALICE, BOB] {
            let db = Connection::new(pool.scoped(tenant));
            let unit = db.transaction().await.unwrap();
            append_rows(&unit, rows(tenant, number), "append notes").await.unwrap();
            unit.commit().await.unwrap();
            assert_eq!(text(&db, count).await.unwrap(), number.to_string());
        }
        let alice = Connection::new(pool.scoped(ALICE));
        let unit = alice.transaction().await.unwrap();
        let error = append_rows(&unit, rows(BOB, number), "append notes").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
        assert_eq!(unit.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
        for tenant in [ALICE, BOB] {
            let db = Connection::new(pool.scoped(tenant));
            db.execute_unprepared("DELETE FROM note").await.unwrap();
        }
    }
    // Nothing is left of the way.
    let left = "SELECT count(*) FROM pg_class WHERE relname = 'trimaran_append'";
    assert_eq!(text(&Connection::new(pool.clone()), left).await.unwrap(), "0");
    Connection::new(pool).close().await;
}

async fn forget(database: TestDatabase, role: &str) {
    database_execute(&database, format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_s_many_rows_pass_row_level_security() {
    let (database, role) = fixture().await;
    appends_reach_their_tenant_alone(open(database.url(), &role).await).await;
    forget(database, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_make_no_temporary_table_appends_all_the_same() {
    let (database, role) = fixture().await;
    database_execute(&database, format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database.name()))
        .await;
    appends_reach_their_tenant_alone(open(database.url(), &role).await).await;
    forget(database, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_s_many_rows_pass_a_pooler() {
    let (database, role) = fixture().await;
    let pooler = tokio::task::block_in_place(|| TestPooler::before(&database, 2, &[(&role, "pw")]));
    appends_reach_their_tenant_alone(open(pooler.url(), &role).await).await;
    drop(pooler);
    forget(database, &role).await;
}
