//! What a DuckDB file holds that no table carries, by name.

use duckdb::Connection;
use trimaran_core::Result;

use super::catalog::{OWN, rows};
use super::sql_text;
use crate::catalog::{TableName, Unmovable};

/// A kind of object: what it is called, which of DuckDB's own tables lists it, which of its columns hold the schema, the
/// name and the definition, which rows are meant, and why it does not move.
type Kind = (&'static str, &'static str, &'static str, &'static str, &'static str);

const BY_HAND: &str = "create it on the target by hand";

const KINDS: [Kind; 7] = [
    ("view", "duckdb_views()", "schema_name, view_name, sql", "NOT internal AND NOT temporary", BY_HAND),
    (
        "macro",
        "duckdb_functions()",
        "schema_name, function_name, macro_definition",
        "NOT internal AND function_type IN ('macro', 'table_macro')",
        BY_HAND,
    ),
    (
        "type",
        "duckdb_types()",
        "schema_name, type_name, CAST(NULL AS VARCHAR)",
        "NOT internal AND logical_type = 'ENUM'",
        "its columns move as text or an enum type, each with the labels; the name does not",
    ),
    (
        "type",
        "duckdb_types()",
        "schema_name, type_name, CAST(NULL AS VARCHAR)",
        "NOT internal AND logical_type <> 'ENUM'",
        "columns of it move as the type it stands for",
    ),
    (
        "trigger",
        "duckdb_triggers()",
        "schema_name, table_name || '.' || trigger_name, sql",
        "NOT temporary",
        BY_HAND,
    ),
    (
        "comment",
        "duckdb_tables()",
        "schema_name, table_name, comment",
        "NOT internal AND comment IS NOT NULL",
        "add it on the target by hand",
    ),
    (
        "comment",
        "duckdb_columns()",
        "schema_name, table_name || '.' || column_name, comment",
        "NOT internal AND comment IS NOT NULL",
        "add it on the target by hand",
    ),
];

/// Adds everything that is listed in [`KINDS`], and columns compared by a collation.
///
/// # Errors
/// The engine's, classified.
pub(super) fn read(connection: &Connection, unmovable: &mut Vec<Unmovable>) -> Result<()> {
    for (kind, from, columns, filter, reason) in KINDS {
        for row in rows(connection, columns, from, &format!("{filter} ORDER BY 1, 2"))? {
            let name = TableName::new(row.text(0)?, row.text(1)?);
            let reason = match row.maybe_text(2)? {
                Some(definition) => format!("{reason}: {definition}"),
                None => reason.to_owned(),
            };
            push(unmovable, kind, &name, None, reason);
            if kind == "view"
                && let (Some(view), Some(sql)) = (unmovable.last_mut(), row.maybe_text(2)?)
                && view.name == name.to_string()
            {
                view.sql = Some(sql);
            }
        }
    }
    collations(connection, unmovable)
}

/// Collations stand nowhere but in a table's definition.
fn collations(connection: &Connection, unmovable: &mut Vec<Unmovable>) -> Result<()> {
    let filter = "NOT internal AND NOT temporary ORDER BY 1, 2";
    for row in rows(connection, "schema_name, table_name, sql", "duckdb_tables()", filter)? {
        let (table, sql) = (TableName::new(row.text(0)?, row.text(1)?), row.text(2)?);
        for part in sql_text::split_list(sql_text::parenthesised(&sql).unwrap_or_default()) {
            if sql_text::has_word(part, "COLLATE")
                && let Some((column, _)) = sql_text::identifier(part)
            {
                let reason = "its values are compared byte by byte on the target".to_owned();
                push(unmovable, "collation", &table, Some(&column), reason);
            }
        }
    }
    Ok(())
}

/// Adds an object, or a part of one, unless it is the migrator's own.
pub(super) fn push(
    unmovable: &mut Vec<Unmovable>,
    kind: &str,
    name: &TableName,
    part: Option<&str>,
    reason: String,
) {
    if !name.name.starts_with(OWN) {
        let shown = part.map_or_else(|| name.to_string(), |part| format!("{name}.{part}"));
        unmovable.push(Unmovable::new(kind, shown, reason));
    }
}
