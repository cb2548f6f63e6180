//! What a file holds, from DuckDB's own tables of it (`duckdb_tables()` and its like).

use std::collections::BTreeMap;

use duckdb::Connection;
use trimaran_core::{Engine, Result, Value};

use super::error::unreadable;
use super::session::query;
use super::{catalog_unmovable, declared, sql_text};
use crate::catalog::{
    Catalog, Column, DefaultValue, ForeignKey, Index, IndexColumn, Key, ReferentialAction, Sequence, Table,
    TableName, Unmovable, parse_default, text_literal,
};

/// What names of the migrator's own tables begin with.
pub(super) const OWN: &str = "_trimaran_";

/// A row of one of DuckDB's own tables.
pub(super) struct Row(Vec<Value<'static>>);

impl Row {
    /// The cell at `at` as text; NULL is `None`.
    pub(super) fn maybe_text(&self, at: usize) -> Result<Option<String>> {
        match self.0.get(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(v)) => Ok(Some(String::from_utf8_lossy(v).into_owned())),
            other => Err(unreadable("its catalogue", format!("{other:?} for a text"))),
        }
    }

    /// The cell at `at` as text; NULL is empty.
    pub(super) fn text(&self, at: usize) -> Result<String> {
        self.maybe_text(at).map(Option::unwrap_or_default)
    }

    fn name(&self) -> Result<TableName> {
        Ok(TableName::new(self.text(0)?, self.text(1)?))
    }

    fn maybe_number(&self, at: usize) -> Result<Option<i64>> {
        match self.0.get(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Int(v)) => Ok(Some(*v)),
            other => Err(unreadable("its catalogue", format!("{other:?} for a number"))),
        }
    }

    fn number(&self, at: usize) -> Result<i64> {
        self.maybe_number(at).map(Option::unwrap_or_default)
    }

    fn is(&self, at: usize) -> bool {
        self.0.get(at) == Some(&Value::Bool(true))
    }

    fn texts(&self, at: usize) -> Result<Vec<String>> {
        let Some(Value::List(values)) = self.0.get(at) else { return Ok(Vec::new()) };
        values
            .iter()
            .map(|value| match value {
                Value::Text(v) => Ok(String::from_utf8_lossy(v).into_owned()),
                other => Err(unreadable("its catalogue", format!("{other:?} for a text"))),
            })
            .collect()
    }
}

/// The rows of one of DuckDB's own tables, of the file alone (not of `system` or `temp`).
pub(super) fn rows(connection: &Connection, columns: &str, from: &str, filter: &str) -> Result<Vec<Row>> {
    let sql = format!("SELECT {columns} FROM {from} WHERE database_name = current_database() AND {filter}");
    Ok(query(connection, &sql, &[])?.into_iter().map(Row).collect())
}

/// Reads the catalogue; `schema` limits it to one schema.
///
/// # Errors
/// The engine's, classified; `Corrupt` if it makes no sense.
pub(super) fn read(connection: &Connection, schema: Option<&str>) -> Result<Catalog> {
    let sequences = sequences(connection)?;
    let mut tables = tables(connection)?;
    let mut unmovable = Vec::new();
    columns(connection, &mut tables, &sequences)?;
    constraints(connection, &mut tables, &mut unmovable)?;
    indexes(connection, &mut tables, &mut unmovable)?;
    catalog_unmovable::read(connection, &mut unmovable)?;
    let wanted = |name: &TableName| schema.is_none_or(|s| s == name.schema) && !name.name.starts_with(OWN);
    let version = connection.version().map_err(|e| super::error::failed("ask DuckDB for its version", e))?;
    Ok(Catalog {
        engine: Engine::Duckdb,
        version: version.trim_start_matches('v').to_owned(),
        tables: tables.into_values().filter(|t| wanted(&t.name)).collect(),
        sequences: sequences.into_iter().filter(|s| wanted(&s.name)).collect(),
        unmovable,
    })
}

fn tables(connection: &Connection) -> Result<BTreeMap<TableName, Table>> {
    let columns = "schema_name, table_name, CAST(estimated_size AS BIGINT)";
    let mut tables = BTreeMap::new();
    for row in rows(connection, columns, "duckdb_tables()", "NOT internal AND NOT temporary")? {
        let name = row.name()?;
        let table = Table {
            name: name.clone(),
            columns: Vec::new(),
            primary_key: None,
            unique: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            estimated_rows: row.maybe_number(2)?.and_then(|n| u64::try_from(n).ok()),
        };
        tables.insert(name, table);
    }
    Ok(tables)
}

fn columns(
    connection: &Connection,
    tables: &mut BTreeMap<TableName, Table>,
    sequences: &[Sequence],
) -> Result<()> {
    let columns =
        "schema_name, table_name, column_name, data_type, is_nullable, column_default, is_generated,
                   generation_expression";
    let filter = "NOT internal ORDER BY schema_name, table_name, column_index";
    for row in rows(connection, columns, "duckdb_columns()", filter)? {
        let name = row.name()?;
        // Views have columns too.
        let Some(table) = tables.get_mut(&name) else { continue };
        let declared = row.text(3)?;
        let generated = row.is(6);
        let default = if generated { None } else { row.maybe_text(5)? };
        table.columns.push(Column {
            name: row.text(2)?,
            logical: declared::parse(&declared).map(|d| d.logical),
            declared,
            nullable: row.is(4),
            default: default.map(|sql| default_value(&sql, &name.schema, sequences)),
            identity: None,
            generated: if generated { row.maybe_text(7)?.or(row.maybe_text(5)?) } else { None },
        });
    }
    Ok(())
}

/// A default; `nextval('name')` is looked for in the table's schema first, as far as the name says none.
fn default_value(sql: &str, schema: &str, sequences: &[Sequence]) -> DefaultValue {
    let counted = || {
        let argument = sql.strip_prefix("nextval(")?.strip_suffix(')')?;
        let (mut parts, rest) =
            sql_text::qualified(&text_literal(argument)?).map(|(p, r)| (p, r.trim().len()))?;
        let name = parts.pop().filter(|_| rest == 0)?;
        let places: Vec<String> = match parts.pop() {
            Some(said) => vec![said],
            None => vec!["main".to_owned(), schema.to_owned()],
        };
        let found = sequences.iter().find(|s| s.name.name == name && places.contains(&s.name.schema));
        found.map(|sequence| DefaultValue::NextValue(sequence.name.clone()))
    };
    counted().unwrap_or_else(|| parse_default(sql))
}

fn constraints(
    connection: &Connection,
    tables: &mut BTreeMap<TableName, Table>,
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    let columns = "schema_name, table_name, constraint_type, constraint_column_names, constraint_text, referenced_table,
                   referenced_column_names, constraint_name";
    let filter = "constraint_type <> 'NOT NULL' ORDER BY schema_name, table_name, constraint_index";
    for row in rows(connection, columns, "duckdb_constraints()", filter)? {
        let name = row.name()?;
        let Some(table) = tables.get_mut(&name) else { continue };
        // The names DuckDB shows are its own: it forgets the ones it is given.
        let key = Key { name: None, columns: row.texts(3)? };
        match row.text(2)?.as_str() {
            "PRIMARY KEY" => table.primary_key = Some(key),
            "UNIQUE" => table.unique.push(key),
            "FOREIGN KEY" => table.foreign_keys.push(ForeignKey {
                name: None,
                columns: key.columns,
                // DuckDB has no foreign keys across schemas, and no actions.
                referenced: TableName::new(&name.schema, row.text(5)?),
                referenced_columns: row.texts(6)?,
                on_delete: ReferentialAction::NoAction,
                on_update: ReferentialAction::NoAction,
                deferred: false,
            }),
            kind => {
                let kind =
                    if kind == "CHECK" { "check constraint".to_owned() } else { kind.to_ascii_lowercase() };
                let text = row.text(4)?;
                let reason = format!("add it on the target by hand: {text}");
                let before = unmovable.len();
                catalog_unmovable::push(unmovable, &kind, &name, Some(&row.text(7)?), reason);
                for check in unmovable.iter_mut().skip(before) {
                    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
                    let table = format!("{}.{}", quoted(&name.schema), quoted(&name.name));
                    check.sql = Some(format!("ALTER TABLE {table} ADD {text}"));
                }
            }
        }
    }
    Ok(())
}

fn indexes(
    connection: &Connection,
    tables: &mut BTreeMap<TableName, Table>,
    unmovable: &mut Vec<Unmovable>,
) -> Result<()> {
    let columns = "schema_name, table_name, index_name, is_unique, sql";
    let filter = "NOT is_primary ORDER BY schema_name, table_name, index_name";
    for row in rows(connection, columns, "duckdb_indexes()", filter)? {
        let name = row.name()?;
        let Some(table) = tables.get_mut(&name) else { continue };
        let (index, sql) = (row.text(2)?, row.text(4)?);
        match index_columns(&sql, table) {
            Some(columns) => table.indexes.push(Index { name: index, unique: row.is(3), columns }),
            None => {
                let reason = format!("it is on an expression; create it on the target by hand: {sql}");
                let label = format!("{name}.{index}");
                unmovable.push(Unmovable::new("index", label, reason).with_sql(sql));
            }
        }
    }
    Ok(())
}

/// The columns of an index, if it is an ordinary one on columns alone.
fn index_columns(sql: &str, table: &Table) -> Option<Vec<IndexColumn>> {
    if sql_text::has_word(sql, "USING") || sql_text::has_word(sql, "WHERE") {
        return None;
    }
    sql_text::split_list(sql_text::parenthesised(sql)?)
        .into_iter()
        .map(|part| {
            let (name, rest) = sql_text::identifier(part)?;
            let known = rest.trim().is_empty() && table.column(&name).is_some();
            known.then_some(IndexColumn { name, descending: false })
        })
        .collect()
}

fn sequences(connection: &Connection) -> Result<Vec<Sequence>> {
    let columns =
        "schema_name, sequence_name, start_value, increment_by, min_value, max_value, cycle, last_value";
    let filter = "NOT temporary ORDER BY schema_name, sequence_name";
    rows(connection, columns, "duckdb_sequences()", filter)?
        .iter()
        .map(|row| {
            let mut sequence = Sequence {
                name: row.name()?,
                start: row.number(2)?,
                increment: row.number(3)?,
                min: row.number(4)?,
                max: row.number(5)?,
                cycle: row.is(6),
                next: row.number(2)?,
            };
            if let Some(last) = row.maybe_number(7)? {
                let next = last.saturating_add(sequence.increment);
                let start_again = if sequence.increment < 0 { sequence.max } else { sequence.min };
                let within = (sequence.min..=sequence.max).contains(&next);
                sequence.next = if within || !sequence.cycle { next } else { start_again };
            }
            Ok(sequence)
        })
        .collect()
}
