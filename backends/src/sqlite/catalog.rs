//! What a SQLite file holds.

use std::collections::HashMap;

use rusqlite::Connection;
use trimaran_core::{Engine, Result};

use super::ddl::{ConstraintKind, Outline};
use super::error::failed;
use super::{defaults, keys, types};
use crate::catalog::{Catalog, Column, Identity, Key, Table, TableName, Unmovable};

/// The schema of everything.
const SCHEMA: &str = "main";
/// Tables that Trimaran keeps its own records in begin so, and are nobody's data.
const JOURNAL_PREFIX: &str = "_trimaran_";
/// SQLite's own tables begin so, in any case.
const INTERNAL_PREFIX: &str = "sqlite_";

/// Reads the catalogue.
pub(crate) fn read(connection: &Connection) -> Result<Catalog> {
    let schema = Schema::read(connection).map_err(failed("read the catalogue"))?;
    let mut catalog = Catalog {
        engine: Engine::Sqlite,
        version: rusqlite::version().to_owned(),
        tables: Vec::new(),
        sequences: Vec::new(),
        unmovable: Vec::new(),
    };
    let mut references = Vec::new();
    for listed in &schema.tables {
        let reason = match listed.kind.as_str() {
            "table" => {
                let (table, outline) = read_table(connection, &schema, listed, &mut catalog.unmovable)?;
                references.extend(keys::references(connection, &table.name, &outline)?);
                catalog.tables.push(table);
                continue;
            }
            "view" => format!("write it anew for the target: {}", schema.sql_of("view", &listed.name)),
            "virtual" => format!(
                "a virtual table: its module computes it, the target has no such module ({})",
                schema.sql_of("table", &listed.name)
            ),
            "shadow" => match schema.owner_of(&listed.name) {
                Some(owner) => format!("shadow table of {owner}"),
                None => "shadow table of a virtual table".to_owned(),
            },
            other => format!("a {other}, which Trimaran does not know"),
        };
        let kind = match listed.kind.as_str() {
            "virtual" => "virtual table",
            "shadow" => "shadow table",
            other => other,
        };
        let thing = Unmovable::new(kind, &listed.name, reason);
        catalog.unmovable.push(match kind {
            "view" => thing.with_sql(schema.sql_of("view", &listed.name)),
            _ => thing,
        });
    }
    for object in schema.objects.iter().filter(|object| object.kind == "trigger" && !is_own(&object.table)) {
        let reason = format!("write it anew for the target: {}", object.sql);
        let name = format!("{}.{}", object.table, object.name);
        catalog.unmovable.push(Unmovable::new("trigger", name, reason));
    }
    keys::resolve(&mut catalog.tables, references, &mut catalog.unmovable);
    Ok(catalog)
}

/// A table of SQLite's, or of Trimaran's journal.
fn is_own(name: &str) -> bool {
    let internal =
        name.get(..INTERNAL_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(INTERNAL_PREFIX));
    internal || name.starts_with(JOURNAL_PREFIX)
}

/// What `sqlite_schema`, `sqlite_sequence` and `sqlite_stat1` say.
struct Schema {
    tables: Vec<Listed>,
    objects: Vec<Object>,
    /// The last number given out, by table.
    counters: HashMap<String, i64>,
    /// Rows by the last ANALYZE, by table.
    estimates: HashMap<String, u64>,
}

struct Listed {
    name: String,
    kind: String,
    without_rowid: bool,
    strict: bool,
}

struct Object {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

impl Schema {
    fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let objects = collect(
            connection,
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY name",
            |row| Ok(Object { kind: row.get(0)?, name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? }),
        )?;
        let tables = collect(
            connection,
            "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main' ORDER BY name",
            |row| {
                let (name, kind) = (row.get(0)?, row.get(1)?);
                Ok(Listed { name, kind, without_rowid: row.get(2)?, strict: row.get(3)? })
            },
        )?;
        // They exist only once an AUTOINCREMENT table was made, and ANALYZE run.
        let exists = |name: &str| objects.iter().any(|object| object.kind == "table" && object.name == name);
        let counters = if exists("sqlite_sequence") {
            collect(
                connection,
                "SELECT name, max(CAST(seq AS INTEGER)) FROM sqlite_sequence GROUP BY name",
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
            )?
        } else {
            Vec::new()
        };
        // The first number of `stat` is the number of rows in an index, or in the table.
        let estimates = if exists("sqlite_stat1") {
            collect(
                connection,
                "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl",
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
            )?
        } else {
            Vec::new()
        };
        let known = |(name, number): (String, Option<i64>)| number.map(|number| (name, number));
        Ok(Self {
            tables: tables.into_iter().filter(|listed: &Listed| !is_own(&listed.name)).collect(),
            objects,
            counters: counters.into_iter().filter_map(known).collect(),
            estimates: estimates
                .into_iter()
                .filter_map(known)
                .filter_map(|(name, rows)| Some((name, u64::try_from(rows).ok()?)))
                .collect(),
        })
    }

    /// The statement that made an object, on one line.
    fn sql_of(&self, kind: &str, name: &str) -> String {
        let found = self.objects.iter().find(|object| object.kind == kind && object.name == name);
        found.map(|object| object.sql.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    }

    /// The virtual table that a shadow table belongs to: the one with the longest name that begins the shadow's.
    fn owner_of(&self, shadow: &str) -> Option<&str> {
        let virtual_tables = self.tables.iter().filter(|listed| listed.kind == "virtual");
        virtual_tables
            .map(|listed| listed.name.as_str())
            .filter(|name| shadow.strip_prefix(name).is_some_and(|rest| rest.starts_with('_')))
            .max_by_key(|name| name.len())
    }
}

fn collect<T>(
    connection: &Connection,
    sql: &str,
    each: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(sql)?.query_map([], each)?.collect()
}

fn read_table(
    connection: &Connection,
    schema: &Schema,
    listed: &Listed,
    unmovable: &mut Vec<Unmovable>,
) -> Result<(Table, Outline)> {
    let found = schema.objects.iter().find(|object| object.kind == "table" && object.name == listed.name);
    let outline = found.map(|object| Outline::read(&object.sql)).unwrap_or_default();
    let indexes = keys::describe(connection, &listed.name)?;
    let described = describe_columns(connection, &listed.name)
        .map_err(failed(|| format!("read the columns of {}", listed.name)))?;
    let mut key: Vec<(i64, String)> = described
        .iter()
        .filter(|column| column.key > 0)
        .map(|column| (column.key, column.name.clone()))
        .collect();
    key.sort_unstable();
    let key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    let alias = key.len() == 1 && !listed.without_rowid && !keys::has_key_index(&indexes);
    let columns = described
        .into_iter()
        .map(|column| {
            let in_key = column.key > 0;
            let identity =
                (alias && in_key).then(|| Identity { next: next_of(schema, &listed.name, &outline) });
            let generated =
                column.generated.then(|| outline.expression_of(&column.name).unwrap_or("?").to_owned());
            Column {
                logical: types::logical(&column.declared),
                nullable: !(column.not_null || in_key && (alias || listed.without_rowid || listed.strict)),
                default: column.default.as_deref().map(defaults::parse),
                identity,
                generated,
                name: column.name,
                declared: column.declared,
            }
        })
        .collect();
    let primary_key =
        (!key.is_empty()).then(|| Key { name: outline.name_of(ConstraintKind::Primary, &key), columns: key });
    let mut table = Table {
        name: TableName::new(SCHEMA, &listed.name),
        columns,
        primary_key,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
        estimated_rows: schema.estimates.get(&listed.name).copied(),
    };
    keys::place(&mut table, indexes, &outline, |index| schema.sql_of("index", index), unmovable);
    report_clauses(&listed.name, &outline, unmovable);
    Ok((table, outline))
}

/// Names what a `CREATE TABLE` says that has no place in the catalogue.
fn report_clauses(table: &str, outline: &Outline, unmovable: &mut Vec<Unmovable>) {
    for check in &outline.checks {
        let name = check.name.as_ref().map_or_else(|| table.to_owned(), |name| format!("{table}.{name}"));
        let reason = format!("not enforced on the target: {}", check.expression);
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let named =
            check.name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", quoted(name)));
        let sql = format!("ALTER TABLE {} ADD {named}CHECK ({})", quoted(table), check.expression);
        unmovable.push(Unmovable::new("check constraint", name, reason).with_sql(sql));
    }
    let clauses = &outline.conflict_clauses;
    if !clauses.is_empty() {
        let reason = format!("{} of them, not enforced on the target: {}", clauses.len(), clauses.join(", "));
        unmovable.push(Unmovable::new("conflict clause", table, reason));
    }
}

struct DescribedColumn {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
    /// Its place in the primary key, from 1.
    key: i64,
    generated: bool,
}

fn describe_columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<DescribedColumn>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
    )?;
    let columns = statement.query_map([table], |row| {
        Ok(DescribedColumn {
            name: row.get(0)?,
            declared: row.get(1)?,
            not_null: row.get(2)?,
            default: row.get(3)?,
            key: row.get(4)?,
            // 2 is a virtual and 3 a stored generated column (<https://sqlite.org/pragma.html#pragma_table_xinfo>).
            generated: matches!(row.get(5)?, 2 | 3),
        })
    })?;
    columns.collect()
}

/// The next number of a table that never gives one out twice; otherwise SQLite remembers none.
fn next_of(schema: &Schema, table: &str, outline: &Outline) -> Option<i64> {
    if !outline.autoincrement {
        return None;
    }
    schema.counters.get(table).copied().unwrap_or(0).checked_add(1)
}
