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

/// Adds functions, procedures and aggregates that no extension brought.
fn functions(
    session: &mut PostgresSession,
    schema: &[Value<'_>],
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    let sql = "SELECT n.nspname, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', \
               CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END \
               FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
               WHERE (n.nspname = $1 OR $1::text IS NULL AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') \
               AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid \
                               AND e.deptype = 'e')";
    for row in session.query(sql, schema)? {
        let mut row = Fields::new(row);
        let name = TableName::new(row.text()?, row.text()?);
        let kind = row.text()?;
        let reason = "it is written for Postgres; write it anew for the target, or in the application";
        unmovable.push(Unmovable::new(kind, name.to_string(), reason));
    }
    Ok(())
}

/// Adds triggers, rules, policies and functions.
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
    functions(session, schema, unmovable)
}
