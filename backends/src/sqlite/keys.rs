//! Indexes, the keys behind them, and foreign keys.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use trimaran_core::Result;

use super::ddl::{ConstraintKind, Outline};
use super::error::failed;
use crate::catalog::{ForeignKey, Index, IndexColumn, Key, ReferentialAction, Table, TableName, Unmovable};

/// The collation that other engines sort and compare by too, as far as uniqueness goes.
const BINARY: &str = "BINARY";

/// An index as SQLite describes it.
pub(crate) struct Described {
    name: String,
    unique: bool,
    origin: String,
    partial: bool,
    columns: Vec<DescribedColumn>,
}

struct DescribedColumn {
    /// `None` for an expression or the rowid.
    name: Option<String>,
    descending: bool,
    collation: String,
}

/// Whether SQLite keeps the primary key as an index of its own, so that no column is an alias of the rowid.
pub(crate) fn has_key_index(indexes: &[Described]) -> bool {
    indexes.iter().any(|index| index.origin == "pk")
}

/// The indexes of a table in the order in which they were made.
pub(crate) fn describe(connection: &Connection, table: &str) -> Result<Vec<Described>> {
    let operation = || format!("read the indexes of {table}");
    let rows = |sql: &str, argument: &str, each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>| {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([argument])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        rusqlite::Result::Ok(())
    };
    let mut indexes = Vec::new();
    rows(
        "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main') ORDER BY seq DESC",
        table,
        &mut |row| {
            let (name, unique) = (row.get(0)?, row.get(1)?);
            let (origin, partial) = (row.get(2)?, row.get(3)?);
            indexes.push(Described { name, unique, origin, partial, columns: Vec::new() });
            Ok(())
        },
    )
    .map_err(failed(operation))?;
    for index in &mut indexes {
        let columns = &mut index.columns;
        rows(
            "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno",
            &index.name,
            &mut |row| {
                let (name, descending, collation) = (row.get(0)?, row.get(1)?, row.get(2)?);
                columns.push(DescribedColumn { name, descending, collation });
                Ok(())
            },
        )
        .map_err(failed(operation))?;
    }
    Ok(indexes)
}

/// Puts a table's unique constraints and indexes into their places. `sql_of` gives the statement an index was made by.
pub(crate) fn place(
    table: &mut Table,
    indexes: Vec<Described>,
    outline: &Outline,
    sql_of: impl Fn(&str) -> String,
    unmovable: &mut Vec<Unmovable>,
) {
    for index in indexes {
        let names: Option<Vec<String>> = index.columns.iter().map(|column| column.name.clone()).collect();
        let collated = index.columns.iter().find(|column| !column.collation.eq_ignore_ascii_case(BINARY));
        if let ("pk" | "u", Some(columns)) = (index.origin.as_str(), &names) {
            if let Some(column) = collated {
                let name = format!("{}.({})", table.name, columns.join(", "));
                unmovable.push(Unmovable::new("collation", name, weaker(&column.collation)));
            }
            if index.origin == "u" {
                let name = outline.name_of(ConstraintKind::Unique, columns);
                table.unique.push(Key { name, columns: columns.clone() });
            }
            continue;
        }
        let why = match (&names, collated) {
            (None, _) => "it indexes an expression or the rowid".to_owned(),
            _ if index.partial => "it is partial".to_owned(),
            (_, Some(column)) if index.unique => {
                format!("it is unique by the collation {}; {}", column.collation, weaker(&column.collation))
            }
            (_, Some(column)) => format!("it sorts by the collation {}", column.collation),
            (Some(_), None) => {
                let columns = index.columns.into_iter().filter_map(|column| {
                    column.name.map(|name| IndexColumn { name, descending: column.descending })
                });
                let columns = columns.collect();
                table.indexes.push(Index { name: index.name, unique: index.unique, columns });
                continue;
            }
        };
        let sql = sql_of(&index.name);
        let reason = format!("{why}; make it on the target by hand where it is needed: {sql}");
        unmovable.push(Unmovable::new("index", index.name, reason).with_sql(sql));
    }
    table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
}

/// What a unique key loses with its collation.
fn weaker(collation: &str) -> String {
    format!(
        "the target compares exactly, so it is weaker there: values that {collation} takes for equal (NOCASE: 'A' and 'a') \
         are different, in keys and in the foreign keys that refer to them"
    )
}

/// A foreign key as SQLite describes it: the parent as written, and no parent columns where none were.
pub(crate) struct Reference {
    child: TableName,
    parent: String,
    columns: Vec<String>,
    parent_columns: Vec<Option<String>>,
    on_update: String,
    on_delete: String,
    name: Option<String>,
    deferred: bool,
}

/// The foreign keys of a table in the order in which they were declared.
pub(crate) fn references(
    connection: &Connection,
    child: &TableName,
    outline: &Outline,
) -> Result<Vec<Reference>> {
    let read = || -> rusqlite::Result<Vec<Reference>> {
        // SQLite numbers them from the last.
        let mut found: BTreeMap<std::cmp::Reverse<i64>, Reference> = BTreeMap::new();
        let mut statement = connection.prepare_cached(
            "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1, 'main') \
             ORDER BY id, seq",
        )?;
        let mut rows = statement.query([&child.name])?;
        while let Some(row) = rows.next()? {
            let (parent, on_update, on_delete) = (row.get(1)?, row.get(4)?, row.get(5)?);
            let reference = found.entry(std::cmp::Reverse(row.get(0)?)).or_insert_with(|| Reference {
                child: child.clone(),
                parent,
                columns: Vec::new(),
                parent_columns: Vec::new(),
                on_update,
                on_delete,
                name: None,
                deferred: false,
            });
            reference.columns.push(row.get(2)?);
            reference.parent_columns.push(row.get(3)?);
        }
        Ok(found.into_values().collect())
    };
    let mut found = read().map_err(failed(|| format!("read the foreign keys of {child}")))?;
    for (place, reference) in found.iter_mut().enumerate() {
        reference.name = outline.name_of(ConstraintKind::Foreign, &reference.columns);
        reference.deferred = outline.is_deferred(place);
    }
    Ok(found)
}

/// Gives the foreign keys to their tables, now that all are known; SQLite checks neither that a parent exists nor that
/// its columns do.
pub(crate) fn resolve(tables: &mut [Table], references: Vec<Reference>, unmovable: &mut Vec<Unmovable>) {
    for reference in references {
        let name = format!("{}.({})", reference.child, reference.columns.join(", "));
        match resolved(tables, &reference) {
            Ok(key) => {
                let child = tables.iter_mut().find(|table| table.name == reference.child);
                child.into_iter().for_each(|table| table.foreign_keys.push(key.clone()));
            }
            Err(why) => unmovable.push(Unmovable::new("foreign key", name, why)),
        }
    }
}

fn resolved(tables: &[Table], reference: &Reference) -> Result<ForeignKey, String> {
    let parent = tables
        .iter()
        .find(|table| table.name.name.eq_ignore_ascii_case(&reference.parent))
        .ok_or_else(|| format!("it refers to {}, and there is no such table", reference.parent))?;
    let listed: Option<Vec<&String>> = reference.parent_columns.iter().map(Option::as_ref).collect();
    let referenced_columns = match (listed, &parent.primary_key) {
        (Some(listed), _) => listed
            .into_iter()
            .map(|written| {
                let column = parent.columns.iter().find(|column| column.name.eq_ignore_ascii_case(written));
                column.map(|column| column.name.clone()).ok_or_else(|| {
                    format!("it refers to {}.{written}, and there is no such column", parent.name)
                })
            })
            .collect::<Result<Vec<_>, _>>()?,
        (None, Some(key)) if key.columns.len() == reference.columns.len() => key.columns.clone(),
        (None, _) => {
            return Err(format!(
                "it refers to the primary key of {}, which has not as many columns",
                parent.name
            ));
        }
    };
    let action = |written: &str| {
        ReferentialAction::parse(written)
            .ok_or_else(|| format!("it has the action {written}, which is unknown"))
    };
    Ok(ForeignKey {
        name: reference.name.clone(),
        columns: reference.columns.clone(),
        referenced: parent.name.clone(),
        referenced_columns,
        on_delete: action(&reference.on_delete)?,
        on_update: action(&reference.on_update)?,
        deferred: reference.deferred,
    })
}
