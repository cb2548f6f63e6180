//! Row-level security on Postgres: a tenant's rows are seen and written on this tenant's behalf alone.
//!
//! Every table of a per-tenant area has a policy that compares `tenant_id` with the setting `trimaran.tenant`, which
//! [`scoped`](crate::postgres::PostgresConnection::scoped) makes for a transaction; where settings are
//! [signed](TenantSetting::Signed), with what a function finds signed in it. Both are asked once per statement, in a query of their
//! own within the policy. It is forced: it holds for the tables' owner too. A
//! superuser, and a role with BYPASSRLS, see everything all the same, so that the application must be neither.
//!
//! The set-up that keeps most apart has two roles: an owner, which makes the tables (`owner_url`), and the application's
//! (`url`), which owns nothing, and may select, insert, update and delete.

use sea_orm::{ConnectionTrait, QueryResult, Statement};
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use super::{Book, bookkeeping, grants, lock, signed};
use crate::db_error::Doing as _;
use crate::tenant::signing::TenantSetting;
use crate::{Connection, Transaction};

/// The policy's name.
pub(crate) const POLICY: &str = "trimaran_tenant";

/// What a policy is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Condition {
    /// Which rows the policy lets through. Without the setting it compares with NULL, and none are.
    sql: &'static str,
    /// The same as Postgres shows it.
    pub(super) shown: &'static str,
}

const PLAIN: Condition = Condition {
    sql: "tenant_id = (SELECT NULLIF(current_setting('trimaran.tenant', true), '')::uuid AS tenant)",
    shown: "(tenant_id = ( SELECT (NULLIF(current_setting('trimaran.tenant'::text, true), ''::text))::uuid AS tenant))",
};

const SIGNED: Condition = Condition {
    sql: "tenant_id = (SELECT trimaran_tenant() AS tenant)",
    shown: "(tenant_id = ( SELECT trimaran_tenant() AS tenant))",
};

impl Condition {
    pub(super) async fn of(db: &impl ConnectionTrait) -> Result<Self> {
        Ok(if signed::is_signed(db).await? { SIGNED } else { PLAIN })
    }
}

/// Sees to it that row-level security is in force on all tables of per-tenant areas, and that the role which the
/// application connects as, where one is named, has the rights it needs and none that would lead around it. Changes only
/// what is not so already; two programs at once are safe.
///
/// # Errors
/// [`Forbidden`](ErrorKind::Forbidden) for an application's role that is a superuser, bypasses row-level security, or
/// owns the tables or is a member of a role that does (the owner itself may be the application's role: it is bound too);
/// [`NotFound`](ErrorKind::NotFound) for no such role; [`Conflict`](ErrorKind::Conflict) for another permissive policy on
/// one of the tables; [`Configuration`](ErrorKind::Configuration) if settings are to be signed and the application's role is
/// the owner, which could read the key; else the engine's.
pub async fn secure(
    owner: &Connection,
    book: &Book,
    areas: &[Area],
    application: Option<&str>,
    setting: TenantSetting<'_>,
) -> Result<()> {
    let transaction = lock::begin(owner).await?;
    let was_signed = signed::is_signed(&transaction).await?;
    let setting = match setting {
        // No table of these areas has a policy.
        _ if !areas.iter().any(|area| area.is_per_tenant()) => TenantSetting::AsItIs,
        setting => setting,
    };
    let stays_signed = match setting {
        TenantSetting::AsItIs => was_signed,
        TenantSetting::Plain => false,
        TenantSetting::Signed(_) => true,
    };
    if stays_signed && !apart(&transaction, application).await? {
        return Err(not_apart());
    }
    if let TenantSetting::Signed(key) = setting {
        signed::sign(&transaction, key).await?;
    }
    let condition = if stays_signed { SIGNED } else { PLAIN };
    protect_with(&transaction, book, areas, condition).await?;
    if was_signed && !stays_signed {
        signed::unsign(&transaction).await?;
    }
    if let Some(role) = application {
        grants::grant(&transaction, role, book, areas).await?;
        if stays_signed {
            signed::keep_from(&transaction, role).await?;
        }
    }
    transaction.commit().await
}

/// Whether the application's role, if it is known, is another than the one that owns the tables.
async fn apart(transaction: &Transaction, application: Option<&str>) -> Result<bool> {
    let Some(role) = application else { return Ok(true) };
    let operation = "ask for the owner's role";
    let query = Statement::from_string(
        transaction.get_database_backend(),
        format!("SELECT current_user::text <> {} AS apart", literal(role)),
    );
    let row = transaction.query_one_raw(query).await.doing(operation)?;
    row.map_or(Ok(false), |row| row.try_get("", "apart")).doing(operation)
}

/// What is said where the application would own the tables, and the signing key with them.
pub(crate) fn not_apart() -> Error {
    Error::new(ErrorKind::Configuration, "have tenant settings signed")
        .context("the application connects as the owner of the tables, which reads the key and may lift row-level security")
        .hint("set owner_url to the role that owns the tables, and url to another one, which owns nothing")
}

/// Enables and forces row-level security on every table that has to have it, within a transaction.
pub(super) async fn protect(transaction: &Transaction, book: &Book, areas: &[Area]) -> Result<()> {
    let condition = Condition::of(transaction).await?;
    protect_with(transaction, book, areas, condition).await
}

async fn protect_with(
    transaction: &Transaction,
    book: &Book,
    areas: &[Area],
    condition: Condition,
) -> Result<()> {
    let operation = "enforce row-level security";
    let sql = condition.sql;
    for table in tables(transaction, book, areas, condition).await? {
        if let Some(other) = &table.other_policy {
            return Err(Error::new(ErrorKind::Conflict, operation)
                .context(format!(
                    "the table {} has another policy, {other}, that lets rows through",
                    table.name
                ))
                .hint("drop it, or make it restrictive: permissive policies add to one another"));
        }
        let name = quoted(&table.name);
        let mut statements = Vec::new();
        if !table.enabled {
            statements.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"));
        }
        if !table.forced {
            statements.push(format!("ALTER TABLE {name} FORCE ROW LEVEL SECURITY"));
        }
        if !table.has_policy {
            statements.push(format!("DROP POLICY IF EXISTS {POLICY} ON {name}"));
            statements.push(format!(
                "CREATE POLICY {POLICY} ON {name} AS PERMISSIVE FOR ALL TO PUBLIC USING ({sql}) WITH CHECK ({sql})"
            ));
        }
        if !statements.is_empty() {
            transaction.execute_unprepared(&statements.join("; ")).await.doing(operation)?;
            tracing::info!(table = table.name, "row-level security is in force");
        }
    }
    Ok(())
}

/// Frees the owner of the tables from row-level security until [`protect`] runs, or the transaction is rolled back. Until its
/// end nobody else comes at the tables.
pub(super) async fn lift(transaction: &Transaction, book: &Book, areas: &[Area]) -> Result<()> {
    let tables = tables(transaction, book, areas, PLAIN).await?;
    for table in tables.iter().filter(|table| table.forced) {
        let sql = format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", quoted(&table.name));
        transaction.execute_unprepared(&sql).await.doing("lift row-level security for a migration")?;
    }
    Ok(())
}

/// How a table of a per-tenant area is protected.
#[derive(Debug)]
struct Protection {
    name: String,
    enabled: bool,
    forced: bool,
    has_policy: bool,
    other_policy: Option<String>,
}

impl Protection {
    fn read(row: &QueryResult) -> Result<Self, sea_orm::DbErr> {
        Ok(Self {
            name: row.try_get("", "name")?,
            enabled: row.try_get("", "enabled")?,
            forced: row.try_get("", "forced")?,
            has_policy: row.try_get("", "has_policy")?,
            other_policy: row.try_get("", "other_policy")?,
        })
    }
}

/// The tables of per-tenant areas that are there and say whose their rows are.
async fn tables(
    db: &impl ConnectionTrait,
    book: &Book,
    areas: &[Area],
    condition: Condition,
) -> Result<Vec<Protection>> {
    let names: Vec<&str> = book
        .of(areas)
        .filter(|migration| migration.areas.iter().any(|area| area.is_per_tenant()))
        .flat_map(|migration| migration.tables.iter().copied())
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let operation = "read the state of row-level security";
    let sql = format!(
        "SELECT c.relname::text AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, \
         EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND p.polname = '{POLICY}' \
           AND p.polpermissive AND p.polcmd = '*' AND p.polroles = '{{0}}' \
           AND pg_catalog.pg_get_expr(p.polqual, c.oid) = {shown} \
           AND pg_catalog.pg_get_expr(p.polwithcheck, c.oid) = {shown}) AS has_policy, \
         (SELECT min(p.polname::text) FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND p.polname <> '{POLICY}' \
           AND p.polpermissive) AS other_policy \
         FROM pg_catalog.pg_class c \
         WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) \
         AND c.relkind IN ('r', 'p') AND c.relname IN ({names}) \
         AND EXISTS (SELECT FROM pg_catalog.pg_attribute a \
           WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) \
         ORDER BY 1",
        shown = literal(condition.shown),
        names = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join(", "),
    );
    let rows =
        db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.doing(operation)?;
    rows.iter().map(Protection::read).collect::<Result<_, _>>().doing(operation)
}

/// All tables that the application works on, and the one that remembers migrations.
pub(super) fn all_tables<'b>(book: &'b Book, areas: &'b [Area]) -> impl Iterator<Item = &'static str> + 'b {
    let own = book.of(areas).flat_map(|migration| migration.tables.iter().copied());
    own.chain([bookkeeping::TABLE])
}

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
