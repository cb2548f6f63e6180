//! What hangs on tables and has no counterpart on other engines.

use trimaran_core::{Result, Value};

use super::catalog::{Fields, TABLES, WANTED};
use super::session::PostgresSession;
use crate::bulk::Session as _;
use crate::catalog::{TableName, Unmovable};

/// (kind, the catalogue's rows `o` of it joined to its table `c`, the column with its name, why it does not move).
const HANGERS: [(&str, &str, &str, &str); 3] = [
    (
        "trigger",
        "pg_trigger o ON o.tgrelid = c.oid AND NOT o.tgisinternal AND o.tgparentid = 0",
        "o.tgname",
        "its function is written for Postgres; create it on the target by hand",
    ),
    (
        "rule",
        "pg_rewrite o ON o.ev_class = c.oid AND o.rulename <> '_RETURN'",
        "o.rulename",
        "rules are Postgres's own; create it on the target by hand",
    ),
    (
        "policy",
        "pg_policy o ON o.polrelid = c.oid",
        "o.polname",
        "row-level security does not move; protect the target before it is used",
    ),
];

/// Adds triggers, rules and policies.
pub(super) fn load(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    for (kind, join, name, reason) in HANGERS {
        let sql = format!(
            "SELECT n.nspname, c.relname, {name} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN {join} WHERE {TABLES} AND {WANTED}"
        );
        for row in session.query(&sql, schema)? {
            let mut row = Fields::new(row);
            let table = TableName::new(row.text()?, row.text()?);
            unmovable.push(Unmovable::new(kind, format!("{table}.{}", row.text()?), reason));
        }
    }
    Ok(())
}
