//! What row-level security promises, proved by the server's own catalogue, and with signed tenant settings.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Statement};
use secrecy::SecretString;
use trimaran_core::clock::{Clock as _, ManualClock, SystemClock};
use trimaran_core::config::PoolSettings;
use trimaran_core::id::TenantId;
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::fixture::{AREAS, NOTE, book};
use crate::db_error::Doing as _;
use crate::postgres::PostgresConnection;
use crate::schema::walk::{Walk, walk};
use crate::schema::{Book, Runner};
use crate::tenant::signing::{LIFETIME, SigningKey, TenantSetting, TenantSigner};
use crate::testing::{TestDatabase, TestRoles};
use crate::{Connection, Location};

pub(super) const ALICE: TenantId = TenantId(Uuid::from_u128(0xa));
pub(super) const BOB: TenantId = TenantId(Uuid::from_u128(0xb));

pub(super) struct Installation {
    pub(super) roles: TestRoles<Arc<TestDatabase>>,
    pub(super) database: Arc<TestDatabase>,
}

pub(super) async fn pool(location: &Location) -> PostgresConnection {
    PostgresConnection::open(location, &PoolSettings::default()).await.unwrap()
}

pub(super) fn key(seed: u8) -> SigningKey {
    let hex = trimaran_core::digest::hex(&trimaran_core::digest::sha256(&[seed]));
    SigningKey::new(&SecretString::from(hex.chars().rev().collect::<String>())).unwrap()
}

impl Installation {
    pub(super) async fn new() -> Self {
        let make = || {
            let database = Arc::new(crate::testing::postgres::database());
            Self { roles: TestRoles::create(Arc::clone(&database)), database }
        };
        tokio::task::spawn_blocking(make).await.unwrap()
    }

    pub(super) async fn up(&self, book: &Book, setting: TenantSetting<'_>) -> Result<()> {
        let (owner, clock) = (Connection::new(pool(&self.roles.owner()).await), ManualClock::default());
        let runner = Runner::new(&owner, book, AREAS, &clock).for_role(self.roles.application_name());
        runner.tenant_setting(setting).up().await.map(drop)
    }

    fn run(&self, sql: &str) {
        tokio::task::block_in_place(|| self.database.execute(sql));
    }

    pub(super) fn value(&self, sql: &str) -> String {
        tokio::task::block_in_place(|| self.database.value(sql)).unwrap_or_default()
    }

    pub(super) async fn application(&self) -> PostgresConnection {
        pool(&self.roles.application()).await
    }

    async fn walk(&self, book: &Book) -> Walk {
        walk(&Connection::new(self.application().await), book, None).await.unwrap()
    }
}

pub(super) async fn run(connection: &PostgresConnection, sql: &str) -> Result<u64> {
    let done = Connection::new(connection.clone()).execute_unprepared(sql).await.doing("run a case's SQL");
    done.map(|done| done.rows_affected())
}

pub(super) async fn number(connection: &PostgresConnection, sql: &str) -> Result<i64> {
    let query = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = Connection::new(connection.clone()).query_one_raw(query).await.doing("count")?;
    row.map_or(Ok(0), |row| row.try_get::<i64>("", "number")).doing("count")
}

pub(super) const COUNT: &str = "SELECT count(*) AS number FROM note";

pub(super) fn note(tenant: TenantId) -> String {
    format!(
        "INSERT INTO note (tenant_id, id, stars, weight, document) VALUES ('{tenant}', '{}', 1, 1, '{{}}')",
        Uuid::from_u128(7)
    )
}

pub(super) fn denied(outcome: Result<impl std::fmt::Debug>) -> Error {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{}", error.report());
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_with_a_tenant_is_under_forced_row_security_and_its_keys_begin_with_the_tenant() {
    let installation = Installation::new().await;
    for setting in [TenantSetting::AsItIs, TenantSetting::Signed(&key(1)), TenantSetting::Plain] {
        installation.up(&Book::new(), setting).await.unwrap();
        let found = installation.walk(&Book::new()).await;
        assert_eq!(found.weaknesses, [], "{setting:?}");
        assert_eq!(found.is_signed, matches!(setting, TenantSetting::Signed(_)));
        let per_tenant = Book::new();
        let per_tenant = per_tenant.all().iter().filter(|m| m.areas.iter().any(|area| area.is_per_tenant()));
        let mut declared: Vec<_> = per_tenant.flat_map(|migration| migration.tables).copied().collect();
        declared.sort_unstable();
        assert_eq!(found.tables, declared);
    }
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_walk_finds_whatever_would_let_a_tenant_through() {
    let installation = Installation::new().await;
    let (role, owner) =
        (installation.roles.application_name().to_owned(), installation.roles.owner_name().to_owned());
    installation.up(&Book::new(), TenantSetting::Signed(&key(1))).await.unwrap();
    let strange = "CREATE TABLE stray (id uuid PRIMARY KEY, tenant_id uuid)";
    for (change, back, of) in [
        (strange.to_owned(), "DROP TABLE stray".to_owned(), "stray"),
        (
            "CREATE MATERIALIZED VIEW stored AS SELECT * FROM score".to_owned(),
            "DROP MATERIALIZED VIEW stored".to_owned(),
            "stored",
        ),
        (
            "ALTER TABLE score NO FORCE ROW LEVEL SECURITY".to_owned(),
            "ALTER TABLE score FORCE ROW LEVEL SECURITY".to_owned(),
            "score",
        ),
        (
            "ALTER TABLE score DISABLE ROW LEVEL SECURITY".to_owned(),
            "ALTER TABLE score ENABLE ROW LEVEL SECURITY".to_owned(),
            "score",
        ),
        (
            "CREATE POLICY open ON score USING (true)".to_owned(),
            "DROP POLICY open ON score".to_owned(),
            "score",
        ),
        (
            "ALTER POLICY trimaran_tenant ON score USING (true)".to_owned(),
            "ALTER POLICY trimaran_tenant ON score USING (tenant_id = (SELECT trimaran_tenant() AS tenant))"
                .to_owned(),
            "score",
        ),
        ("CREATE UNIQUE INDEX alone ON score (id)".to_owned(), "DROP INDEX alone".to_owned(), "score"),
        (
            format!("GRANT TRUNCATE ON score TO {role}"),
            format!("REVOKE TRUNCATE ON score FROM {role}"),
            "score",
        ),
        (format!("ALTER ROLE {role} BYPASSRLS"), format!("ALTER ROLE {role} NOBYPASSRLS"), role.as_str()),
        (
            format!("GRANT SELECT (key_id) ON _trimaran_signing_key TO {role}"),
            format!("REVOKE SELECT (key_id) ON _trimaran_signing_key FROM {role}"),
            "_trimaran_signing_key",
        ),
        (
            "ALTER FUNCTION trimaran_tenant() RESET search_path".to_owned(),
            "ALTER FUNCTION trimaran_tenant() SET search_path = pg_catalog, pg_temp".to_owned(),
            "trimaran_tenant",
        ),
        (format!("GRANT {owner} TO {role}"), format!("REVOKE {owner} FROM {role}"), "score"),
    ] {
        installation.run(&change);
        let found = installation.walk(&Book::new()).await.weaknesses;
        assert!(found.iter().any(|weakness| weakness.of == of), "{change}: {found:?}");
        installation.run(&back);
        assert_eq!(installation.walk(&Book::new()).await.weaknesses, [], "{back}");
    }
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_without_a_tenant_sees_and_writes_nothing_in_any_table() {
    let installation = Installation::new().await;
    for setting in [TenantSetting::Plain, TenantSetting::Signed(&key(1))] {
        installation.up(&Book::new(), setting).await.unwrap();
        let nobody = installation.application().await;
        for table in installation.walk(&Book::new()).await.tables {
            // A row with whatever value each column takes, made by somebody whom no policy binds and no key holds.
            let columns = installation.value(&format!(
                "SELECT string_agg(quote_ident(attname) || '=' || CASE format_type(atttypid, NULL) \
                 WHEN 'uuid' THEN '''00000000-0000-0000-0000-00000000000a''::uuid' WHEN 'bytea' THEN '''\\x00''::bytea' \
                 WHEN 'boolean' THEN 'true' WHEN 'timestamp with time zone' THEN 'now()' WHEN 'text' THEN '''x''' \
                 ELSE '1' END, '|' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 \
                 AND NOT attisdropped"
            ));
            let (names, values): (Vec<_>, Vec<_>) =
                columns.split('|').filter_map(|column| column.split_once('=')).unzip();
            let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
            installation
                .run(&format!("SET session_replication_role = replica; {insert} ON CONFLICT DO NOTHING"));
            let there = format!("SELECT count(*) FROM {table}");
            assert_eq!(installation.value(&there), "1", "{table}");
            assert_eq!(number(&nobody, &format!("SELECT count(*) AS number FROM {table}")).await.unwrap(), 0);
            denied(run(&nobody, &insert).await);
            let touched = run(&nobody, &format!("UPDATE {table} SET tenant_id = tenant_id")).await.unwrap();
            assert_eq!(touched, 0, "{table}");
            assert_eq!(run(&nobody, &format!("DELETE FROM {table}")).await.unwrap(), 0, "{table}");
            denied(run(&nobody, &format!("TRUNCATE {table} CASCADE")).await);
            denied(run(&nobody, &format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")).await);
            denied(run(&nobody, &format!("DROP POLICY trimaran_tenant ON {table}")).await);
            assert_eq!(installation.value(&there), "1", "{table}");
        }
    }
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_setting_can_t_be_forged_taken_over_or_used_late() {
    let installation = Installation::new().await;
    let (one, other) = (key(1), key(2));
    let notes = book([NOTE]);
    installation.up(&notes, TenantSetting::Signed(&one)).await.unwrap();
    let clock = ManualClock::at(SystemClock.now());
    let signer = TenantSigner::new(one.clone(), Arc::new(clock.clone()));
    let server = installation.application().await;
    let signed = server.signed_by(signer.clone());
    let (alice, bob) = (signed.scoped(ALICE), signed.scoped(BOB));
    for (tenant, id) in [(&alice, ALICE), (&bob, BOB)] {
        run(tenant, &note(id)).await.unwrap();
        assert_eq!(number(tenant, COUNT).await.unwrap(), 1);
    }
    denied(run(&alice, &note(BOB)).await);

    // On Alice's session: Bob's id by itself, under her signature, at another time, under another key, and no form at all.
    let hers = signer.setting(ALICE);
    let late = hers.split('.').nth(1).unwrap().parse::<i64>().unwrap() + 600;
    let foreign = TenantSigner::new(other.clone(), Arc::new(clock.clone())).setting(BOB);
    for forged in [
        BOB.to_string(),
        hers.replace(&ALICE.to_string(), &BOB.to_string()),
        hers.replace(hers.split('.').nth(1).unwrap(), &late.to_string()),
        foreign,
        format!("{hers}0"),
        format!("{hers}\n"),
        "x".to_owned(),
    ] {
        let error =
            denied(run(&alice, &format!("SET LOCAL trimaran.tenant = '{forged}'; DELETE FROM note")).await);
        assert!(error.next_step().is_some());
        assert!(!error.report().contains(&BOB.to_string()), "{}", error.report());
    }
    // Emptied, it is nobody's; the keys are not to be read, nor the function to be replaced.
    assert_eq!(run(&alice, "SET LOCAL trimaran.tenant = ''; DELETE FROM note").await.unwrap(), 0);
    denied(run(&alice, "SELECT * FROM _trimaran_signing_key").await);
    denied(
        run(
            &alice,
            "CREATE OR REPLACE FUNCTION trimaran_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        )
        .await,
    );
    denied(run(&alice, "ALTER FUNCTION trimaran_tenant() SECURITY INVOKER").await);
    // Without a signature there is no way in either, and other sessions don't see any.
    denied(run(&server.scoped(ALICE), COUNT).await);
    let open = Connection::new(bob.clone()).transaction().await.unwrap();
    open.execute_unprepared(COUNT).await.unwrap();
    let seen = format!(
        "SELECT count(*) AS number FROM pg_stat_activity WHERE query LIKE '%{BOB}.%' AND pid <> pg_backend_pid()"
    );
    assert_eq!(number(&alice, &seen).await.unwrap(), 0);

    // A transaction that began in time goes on; what was signed before begins none any more.
    clock.advance(Duration::from_secs(1));
    open.execute_unprepared(COUNT).await.unwrap();
    open.commit().await.unwrap();
    let past = ManualClock::at(SystemClock.now() - LIFETIME - Duration::from_secs(1));
    let expired = server.signed_by(TenantSigner::new(one, Arc::new(past))).scoped(ALICE);
    assert!(denied(number(&expired, COUNT).await).next_step().unwrap().contains("clock"));
    assert_eq!((number(&alice, COUNT).await.unwrap(), number(&bob, COUNT).await.unwrap()), (1, 1));
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_change_one_after_the_other_and_nothing_is_done_twice() {
    let installation = Installation::new().await;
    let keys = [key(1), key(2), key(3)];
    let notes = book([NOTE]);
    installation.up(&notes, TenantSetting::Signed(&keys[0])).await.unwrap();
    let server = installation.application().await;
    let accepted = async || {
        let mut accepted = Vec::new();
        for key in &keys {
            let signer = TenantSigner::new(key.clone(), Arc::new(SystemClock));
            accepted.push(number(&server.signed_by(signer).scoped(ALICE), COUNT).await.is_ok());
        }
        accepted
    };
    assert_eq!(accepted().await, [true, false, false]);
    let state = "SELECT string_agg(xmin::text || oid::text, ',' ORDER BY oid) || (SELECT string_agg(xmin::text || oid::text, ',') \
                 FROM pg_proc WHERE proname = 'trimaran_tenant') FROM pg_policy";
    let before = installation.value(state);
    // The same key again, and no word of it: nothing changes.
    installation.up(&notes, TenantSetting::Signed(&keys[0])).await.unwrap();
    installation.up(&notes, TenantSetting::AsItIs).await.unwrap();
    assert_eq!(installation.value(state), before);
    installation.up(&notes, TenantSetting::Signed(&keys[1])).await.unwrap();
    assert_eq!(accepted().await, [true, true, false]);
    // A program that still has the first key changes nothing.
    installation.up(&notes, TenantSetting::Signed(&keys[0])).await.unwrap();
    installation.up(&notes, TenantSetting::Signed(&keys[2])).await.unwrap();
    assert_eq!(accepted().await, [false, true, true]);
    installation.up(&notes, TenantSetting::Plain).await.unwrap();
    assert_eq!(number(&server.scoped(ALICE), COUNT).await.unwrap(), 0);
    assert_eq!(
        installation.value("SELECT count(*) FROM pg_class WHERE relname = '_trimaran_signing_key'"),
        "0"
    );
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_application_that_owns_the_tables_has_its_settings_signed() {
    let installation = Installation::new().await;
    let (owner, clock) = (Connection::new(pool(&installation.roles.owner()).await), ManualClock::default());
    let (book, key) = (Book::new(), key(1));
    let runner = Runner::new(&owner, &book, AREAS, &clock).for_role(installation.roles.owner_name());
    let error = runner.tenant_setting(TenantSetting::Signed(&key)).up().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.next_step().unwrap().contains("owner_url"), "{}", error.report());
    tokio::task::block_in_place(|| drop(installation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_failed_or_was_left_in_a_transaction_serves_the_next_tenant_alone() {
    let installation = Installation::new().await;
    let notes = book([NOTE]);
    for setting in [TenantSetting::Plain, TenantSetting::Signed(&key(1))] {
        installation.up(&notes, setting).await.unwrap();
        // One session for all.
        let one = PoolSettings { max_connections: 1, ..PoolSettings::default() };
        let server = PostgresConnection::open(&installation.roles.application(), &one).await.unwrap();
        let server = match setting {
            TenantSetting::Signed(key) => {
                server.signed_by(TenantSigner::new(key.clone(), Arc::new(SystemClock)))
            }
            _ => server,
        };
        let (alice, bob) = (server.scoped(ALICE), server.scoped(BOB));
        run(&alice, "DELETE FROM note").await.unwrap();
        run(&bob, "DELETE FROM note").await.unwrap();
        run(&bob, &note(BOB)).await.unwrap();
        for _ in 0..3 {
            // An error within a transaction, a transaction that is dropped, and a statement that nobody waits for.
            assert!(run(&bob, "SELECT 1 / 0").await.is_err());
            let open = Connection::new(bob.clone()).transaction().await.unwrap();
            open.execute_unprepared("UPDATE note SET stars = 9").await.unwrap();
            drop(open);
            let sleeping = run(&bob, "UPDATE note SET stars = 8; SELECT pg_sleep(30)");
            assert!(tokio::time::timeout(Duration::from_millis(300), sleeping).await.is_err());
            assert_eq!(number(&alice, COUNT).await.unwrap(), 0);
            assert_eq!(number(&server, COUNT).await.unwrap(), 0);
            assert_eq!(run(&alice, "UPDATE note SET stars = 7").await.unwrap(), 0);
            assert_eq!(number(&bob, "SELECT stars::bigint AS number FROM note").await.unwrap(), 1);
        }
    }
    tokio::task::block_in_place(|| drop(installation));
}
