//! The rights of the application's role on Postgres: to work on rows, and nothing that leads around row-level security.
//!
//! TRUNCATE pays no heed to policies; TRIGGER and REFERENCES let a role look at rows that it may not select.

use sea_orm::{ConnectionTrait as _, Statement};
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use super::Book;
use super::bookkeeping::TABLE;
use super::row_security::{all_tables, literal, quoted};
use crate::Transaction;
use crate::db_error::Doing as _;

/// What the role needs on tables, and must not have.
const NEEDED: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const TOO_MUCH: &str = "TRUNCATE, REFERENCES, TRIGGER";

/// What is to be known of a role.
struct Role {
    is_owner: bool,
    above_security: bool,
    owns: Option<String>,
}

/// Gives `role` its rights on the tables of `areas`, and takes all others from it.
pub(super) async fn grant(transaction: &Transaction, role: &str, book: &Book, areas: &[Area]) -> Result<()> {
    let operation = format!("give the application's role {role:?} its rights");
    let forbidden = |why: String| Error::new(ErrorKind::Forbidden, operation.clone()).context(why);
    let found = read(transaction, role, book, areas, &operation).await?;
    if found.above_security && areas.iter().any(|area| area.is_per_tenant()) {
        return Err(forbidden(
            "it is a superuser or has BYPASSRLS, itself or by a role it is a member of: row-level security would not \
             keep tenants apart"
                .to_owned(),
        )
        .hint("let the application connect as a plain role: CREATE ROLE app LOGIN; and give this one as owner_url"));
    }
    if found.is_owner {
        tracing::debug!(role, "the application's role owns the tables; row-level security is forced on it");
        return Ok(());
    }
    if let Some(table) = found.owns {
        return Err(forbidden(format!(
            "it owns the table {table}, itself or by a role it is a member of, and could lift its row-level security"
        ))
        .hint("take the membership from it (REVOKE owner FROM app), or give the table to another owner"));
    }
    let mut statements = Vec::new();
    for (table, lacks, has_too_much) in rights(transaction, role, book, areas, &operation).await? {
        if !lacks && !has_too_much {
            continue;
        }
        let (on, to) = (quoted(&table), quoted(role));
        let needed = needed_on(&table).join(", ");
        statements.push(format!("REVOKE ALL ON TABLE {on} FROM {to}; GRANT {needed} ON TABLE {on} TO {to}"));
    }
    if statements.is_empty() {
        return Ok(());
    }
    transaction.execute_unprepared(&statements.join("; ")).await.doing(&operation)?;
    transaction
        .execute_unprepared(&format!(
            "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), {}); END $$",
            literal(role)
        ))
        .await
        .doing(&operation)?;
    for (table, lacks, has_too_much) in rights(transaction, role, book, areas, &operation).await? {
        if has_too_much {
            return Err(forbidden(format!(
                "on the table {table} it has one of {TOO_MUCH} by PUBLIC or by a role it is a member of"
            ))
            .hint("revoke it there"));
        }
        if lacks {
            return Err(forbidden(format!("the rights on the table {table} could not be given"))
                .hint("give owner_url a role that owns the tables"));
        }
    }
    tracing::info!(role, "gave the application's role its rights");
    Ok(())
}

/// What the role needs on a table: the record of migrations it only reads.
fn needed_on(table: &str) -> &'static [&'static str] {
    if table == TABLE { &NEEDED[..1] } else { &NEEDED }
}

fn names(book: &Book, areas: &[Area]) -> String {
    all_tables(book, areas).map(literal).collect::<Vec<_>>().join(", ")
}

async fn read(
    transaction: &Transaction,
    role: &str,
    book: &Book,
    areas: &[Area],
    operation: &str,
) -> Result<Role> {
    let sql = format!(
        "SELECT r.rolname = current_user AS is_owner, \
         EXISTS (SELECT FROM pg_catalog.pg_roles g WHERE (g.rolsuper OR g.rolbypassrls) \
           AND (r.rolsuper OR pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER'))) AS above_security, \
         (SELECT min(c.relname::text) FROM pg_catalog.pg_class c \
           WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) \
           AND c.relkind IN ('r', 'p') AND c.relname IN ({}) \
           AND pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owns \
         FROM pg_catalog.pg_roles r WHERE r.rolname = {}",
        names(book, areas),
        literal(role)
    );
    let query = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = transaction.query_one_raw(query).await.doing(operation)?;
    let Some(row) = row else {
        return Err(Error::new(ErrorKind::NotFound, operation)
            .context("there is no such role")
            .hint(format!("create it: CREATE ROLE {} LOGIN PASSWORD '…'", quoted(role))));
    };
    let read = || {
        Ok(Role {
            is_owner: row.try_get("", "is_owner")?,
            above_security: row.try_get("", "above_security")?,
            owns: row.try_get("", "owns")?,
        })
    };
    read().doing(operation)
}

/// Per table: its name, whether the role lacks a right that it needs, whether it has one that it must not have.
async fn rights(
    transaction: &Transaction,
    role: &str,
    book: &Book,
    areas: &[Area],
    operation: &str,
) -> Result<Vec<(String, bool, bool)>> {
    let has = |rights: &str| format!("pg_catalog.has_table_privilege({}, c.oid, '{rights}')", literal(role));
    let all = NEEDED.map(has).join(" AND ");
    let sql = format!(
        "SELECT c.relname::text AS name, \
         NOT (CASE WHEN c.relname = '{TABLE}' THEN {} ELSE {all} END) \
           OR NOT pg_catalog.has_schema_privilege({}, c.relnamespace, 'USAGE') AS lacks, \
         {} OR (c.relname = '{TABLE}' AND {}) AS has_too_much \
         FROM pg_catalog.pg_class c \
         WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema()) \
         AND c.relkind IN ('r', 'p') AND c.relname IN ({}) ORDER BY 1",
        has(NEEDED[0]),
        literal(role),
        has(TOO_MUCH),
        has("INSERT, UPDATE, DELETE"),
        names(book, areas)
    );
    let query = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let rows = transaction.query_all_raw(query).await.doing(operation)?;
    let read = |row: &sea_orm::QueryResult| {
        Ok((row.try_get("", "name")?, row.try_get("", "lacks")?, row.try_get("", "has_too_much")?))
    };
    rows.iter().map(read).collect::<Result<_, _>>().doing(operation)
}
