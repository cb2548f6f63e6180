//! A walk over Postgres's catalogue: whether row-level security keeps tenants apart, table by table.
//!
//! It trusts no list of tables: whatever has a column `tenant_id` is looked at, however it came to be.

use sea_orm::{ConnectionTrait, QueryResult, Statement};
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use super::Book;
use super::row_security::{Condition, POLICY, literal};
use super::signed::{self, FUNCTION, FUNCTION_SETTING, KEYS};
use crate::Connection;
use crate::db_error::Doing as _;

const OPERATION: &str = "walk over the catalogue";

/// What a walk has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The tables that were looked at.
    pub tables: Vec<String>,
    /// What is not as it has to be.
    pub weaknesses: Vec<Weakness>,
    /// Whether the server takes signed tenant settings alone.
    pub is_signed: bool,
}

/// Something by which one tenant could get at another's rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weakness {
    /// The table, function or role that has it.
    pub of: String,
    /// What it is.
    pub what: String,
}

/// Looks at every table with a column `tenant_id` in the first schema of the search path, other areas' own in `book` aside; at the keys of
/// each; at what the role `application` may do, the present one if none is named; and at the function that checks signatures, where there
/// is one. Reads the catalogue only, so that any role may.
///
/// # Errors
/// [`ErrorKind::Unsupported`] on another engine; else the engine's.
pub async fn walk(db: &Connection, book: &Book, application: Option<&str>) -> Result<Walk> {
    if db.engine() != trimaran_core::Engine::Postgres {
        return Err(
            Error::new(ErrorKind::Unsupported, OPERATION).context("only Postgres has row-level security")
        );
    }
    let condition = Condition::of(db).await?;
    let role =
        application.map_or_else(|| "current_user".to_owned(), |role| format!("{}::name", literal(role)));
    let tables = query(db, &tables(book)).await?;
    let tables = tables
        .iter()
        .map(|row| row.try_get("", "name"))
        .collect::<Result<Vec<String>, _>>()
        .doing(OPERATION)?;
    let mut weaknesses = Vec::new();
    let is_signed = signed::is_signed(db).await?;
    let mut questions = vec![protection(book, condition), keys(book), rights(book, &role), above(&role)];
    if is_signed {
        questions.push(function(&role));
    }
    for question in questions {
        for row in query(db, &question).await? {
            let read = || Ok(Weakness { of: row.try_get("", "name")?, what: row.try_get("", "what")? });
            weaknesses.push(read().doing(OPERATION)?);
        }
    }
    weaknesses.sort();
    Ok(Walk { tables, weaknesses, is_signed })
}

async fn query(db: &Connection, sql: &str) -> Result<Vec<QueryResult>> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.doing(OPERATION)
}

/// The tables of tenants, whatever they are: partitioned ones and partitions, foreign ones, stored views.
fn tables(book: &Book) -> String {
    let shared =
        book.all().iter().filter(|migration| !migration.areas.iter().any(|area: &Area| area.is_per_tenant()));
    let shared: Vec<_> = shared.flat_map(|migration| migration.tables).map(|name| literal(name)).collect();
    let others = if shared.is_empty() {
        String::new()
    } else {
        format!("AND c.relname NOT IN ({})", shared.join(", "))
    };
    format!(
        "SELECT c.oid, c.relname::text AS name, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner \
         FROM pg_catalog.pg_class c \
         WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) \
         AND c.relkind IN ('r', 'p', 'm', 'f') {others} \
         AND EXISTS (SELECT FROM pg_catalog.pg_attribute a \
           WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) ORDER BY c.relname"
    )
}

/// Security that is missing, and policies that are not the one.
fn protection(book: &Book, condition: Condition) -> String {
    let expected = literal(condition.shown);
    format!(
        "WITH t AS ({}), p AS (SELECT t.name, p.* FROM t JOIN pg_catalog.pg_policy p ON p.polrelid = t.oid) \
         SELECT name, 'it is no ordinary table: no policy holds for it' AS what FROM t WHERE relkind IN ('m', 'f') \
         UNION ALL SELECT name, 'row-level security is not enabled' FROM t WHERE NOT relrowsecurity AND relkind IN ('r', 'p') \
         UNION ALL SELECT name, 'row-level security is not forced on its owner' FROM t \
           WHERE NOT relforcerowsecurity AND relkind IN ('r', 'p') \
         UNION ALL SELECT name, 'it lacks the policy {POLICY}' FROM t WHERE relkind IN ('r', 'p') \
           AND NOT EXISTS (SELECT FROM p WHERE p.polrelid = t.oid AND p.polname = '{POLICY}') \
         UNION ALL SELECT name, 'it has another policy: ' || polname FROM p WHERE polname <> '{POLICY}' \
         UNION ALL SELECT name, 'its policy is not the one for all commands and roles' FROM p WHERE polname = '{POLICY}' \
           AND NOT (polpermissive AND polcmd = '*' AND polroles = '{{0}}') \
         UNION ALL SELECT name, 'its policy lets other rows through than the tenant''s' FROM p WHERE polname = '{POLICY}' \
           AND (pg_catalog.pg_get_expr(polqual, polrelid) IS DISTINCT FROM {expected} \
             OR pg_catalog.pg_get_expr(polwithcheck, polrelid) IS DISTINCT FROM {expected}) \
         UNION ALL SELECT t.name, 'it has a rule' FROM t JOIN pg_catalog.pg_rewrite r ON r.ev_class = t.oid WHERE relkind IN ('r', 'p')",
        tables(book)
    )
}

/// Keys that a tenant does not come first in: two tenants' rows could be in each other's way, or refer to one another.
fn keys(book: &Book) -> String {
    format!(
        "WITH t AS ({}) \
         SELECT t.name, 'a tenant does not come first in the key ' || k.conname AS what \
           FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'f', 'x') \
           JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1] WHERE a.attname <> 'tenant_id' \
         UNION ALL SELECT t.name, 'a tenant does not come first in what the key refers to: ' || k.conname \
           FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' \
           JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1] WHERE a.attname <> 'tenant_id' \
         UNION ALL SELECT t.name, 'a tenant does not come first in the unique index ' || n.relname \
           FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid AND i.indisunique \
           JOIN pg_catalog.pg_class n ON n.oid = i.indexrelid \
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] \
           WHERE a.attname IS DISTINCT FROM 'tenant_id' \
         UNION ALL SELECT t.name, 'it has no primary key' FROM t WHERE relkind IN ('r', 'p') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')",
        tables(book)
    )
}

/// What the application's role may do beyond its work. The owner may be the application's role: it is bound by FORCE.
fn rights(book: &Book, role: &str) -> String {
    format!(
        "WITH t AS ({}) \
         SELECT t.name, 'the application may ' || r.name || ' it' AS what FROM t, \
           unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS r (name) \
           WHERE t.relowner <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = {role}) \
           AND pg_catalog.has_table_privilege({role}, t.oid, r.name) \
         UNION ALL SELECT t.name, 'the application''s role owns it, and may lift its security' FROM t \
           WHERE pg_catalog.pg_has_role({role}, t.relowner, 'MEMBER')",
        tables(book)
    )
}

/// Roles that no policy binds.
fn above(role: &str) -> String {
    format!(
        "SELECT r.rolname::text AS name, 'the application is this role, or may become it, which no policy binds' AS what \
         FROM pg_catalog.pg_roles r WHERE (r.rolsuper OR r.rolbypassrls) \
         AND pg_catalog.pg_has_role({role}, r.oid, 'MEMBER')"
    )
}

/// What is wrong with the function that checks signatures, and with its keys.
fn function(role: &str) -> String {
    let here = "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";
    format!(
        "SELECT '{FUNCTION}'::text AS name, 'it does not run as its owner, in the catalogue alone' AS what \
           FROM pg_catalog.pg_proc f WHERE f.proname = '{FUNCTION}' AND f.pronamespace = {here} \
           AND NOT (f.prosecdef AND f.proconfig IS NOT DISTINCT FROM ARRAY['{FUNCTION_SETTING}']) \
         UNION ALL SELECT '{FUNCTION}', 'the application''s role may change it' FROM pg_catalog.pg_proc f \
           WHERE f.proname = '{FUNCTION}' AND f.pronamespace = {here} AND pg_catalog.pg_has_role({role}, f.proowner, 'MEMBER') \
         UNION ALL SELECT '{KEYS}', 'the application''s role has rights on the keys' FROM pg_catalog.pg_class c \
           WHERE c.relname = '{KEYS}' AND c.relnamespace = {here} AND (pg_catalog.has_any_column_privilege({role}, c.oid, \
             'SELECT, INSERT, UPDATE, REFERENCES') OR pg_catalog.has_table_privilege({role}, c.oid, 'DELETE, TRUNCATE, TRIGGER'))"
    )
}
