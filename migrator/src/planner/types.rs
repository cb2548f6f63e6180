//! The type that each column has on the target, and the form that the source keeps it in.

use std::collections::{HashMap, HashSet};

use trimaran_backends::Database;
use trimaran_backends::catalog::{Column, Table, TableName, Unmovable};
use trimaran_core::{Engine, LogicalType, Result};

use crate::arrays;
use crate::mapping::Form;
use crate::profile::{self, Profile};
use crate::undo::Origins;

/// A column of a table.
type Place = (TableName, String);

/// The type and form of columns, by table and name.
pub(super) type Types = HashMap<Place, (LogicalType, Form)>;

/// The type and form of each column, and the rows of each table; values are looked at by up to `jobs` threads.
pub(super) fn types(
    source: &dyn Database,
    tables: &[&Table],
    origins: &Origins,
    jobs: usize,
    not_moved: &mut Vec<Unmovable>,
) -> Result<(Types, HashMap<TableName, u64>)> {
    let mut session = source.session()?;
    let mut types = Types::new();
    let mut rows = HashMap::new();
    let mut profiles: HashMap<(TableName, String), Profile> = HashMap::new();
    let doubtful = source.engine() == Engine::Sqlite;
    let keyed = keyed_columns(tables);
    for table in tables {
        let sql = format!("SELECT count(*) FROM {}", source.dialect().qualify(&table.name));
        let counted = session.query(&sql, &[])?;
        let count = counted.first().and_then(|r| r.first());
        let count = match count {
            Some(trimaran_core::Value::Int(n)) => u64::try_from(*n).unwrap_or_default(),
            _ => 0,
        };
        rows.insert(table.name.clone(), count);
        if doubtful {
            let columns: Vec<Column> = table
                .columns
                .iter()
                .filter(|c| origins.kept(table, &c.name).is_none())
                .filter(|c| profile::is_in_doubt(c) || keyed.contains(&(&table.name, c.name.as_str())))
                .cloned()
                .collect();
            let found = profile::profile(source, session.as_mut(), table, &columns, jobs)?;
            for (column, profile) in columns.iter().zip(found) {
                profiles.insert((table.name.clone(), column.name.clone()), profile);
            }
        }
        for column in &table.columns {
            let place = (table.name.clone(), column.name.clone());
            let chosen = match profiles.get(&place) {
                Some(profile) => Some(profile.choose(column.logical.as_ref())),
                None => column.logical.clone().map(|logical| (logical, Form::Native)),
            };
            // What a run before has written is of the type that it wrote.
            let chosen = match origins.kept(table, &column.name) {
                Some(kept) if doubtful || column.declared == kept.0.stored_as(source.engine()) => Some(kept),
                _ => chosen,
            };
            types.extend(chosen.map(|chosen| (place, chosen)));
        }
        for (column, report) in arrays::shaped(source, session.as_mut(), table)? {
            types.insert((table.name.clone(), column), (LogicalType::Text, Form::Native));
            not_moved.push(report);
        }
    }
    unify(tables, &mut types, &profiles);
    Ok((types, rows))
}

fn keyed_columns<'a>(tables: &[&'a Table]) -> HashSet<(&'a TableName, &'a str)> {
    let mut keyed = HashSet::new();
    for table in tables {
        for key in &table.foreign_keys {
            keyed.extend(key.columns.iter().map(|c| (&table.name, c.as_str())));
            keyed.extend(key.referenced_columns.iter().map(|c| (&key.referenced, c.as_str())));
        }
    }
    keyed
}

/// Gives columns that a foreign key joins one type, where a change of type can: UUIDs kept in two forms, or declared
/// as UUID on one side only, become `uuid` if every value on every side is one, else text.
fn unify(tables: &[&Table], types: &mut Types, profiles: &HashMap<(TableName, String), Profile>) {
    let mut pairs = Vec::new();
    for table in tables {
        for key in &table.foreign_keys {
            for (column, referenced) in key.columns.iter().zip(&key.referenced_columns) {
                pairs.push((
                    (table.name.clone(), column.clone()),
                    (key.referenced.clone(), referenced.clone()),
                ));
            }
        }
    }
    // A column once found not to be all UUIDs drags its neighbours along, never back: so this ends.
    let mut plain = HashSet::new();
    let mut changed = true;
    while changed {
        changed = false;
        for (child, parent) in &pairs {
            let (Some((a, _)), Some((b, _))) = (types.get(child), types.get(parent)) else { continue };
            let joinable =
                |t: &LogicalType| matches!(t, LogicalType::Uuid | LogicalType::Text | LogicalType::Bytes);
            if a == b || !joinable(a) || !joinable(b) {
                continue;
            }
            let uuids = |p| !plain.contains(p) && profiles.get(p).is_some_and(Profile::is_uuid);
            let common = if uuids(child) && uuids(parent) {
                LogicalType::Uuid
            } else if *a == LogicalType::Bytes || *b == LogicalType::Bytes {
                continue;
            } else {
                plain.extend([child, parent]);
                LogicalType::Text
            };
            for place in [child, parent] {
                let form = match profiles.get(place) {
                    Some(profile) if common == LogicalType::Uuid => profile.uuid_form().unwrap_or_default(),
                    _ => Form::Native,
                };
                types.insert(place.clone(), (common.clone(), form));
            }
            changed = true;
        }
    }
    alike(&pairs, types, profiles);
}

/// Takes a column without values, of UUIDs, to keep them as the column does that a foreign key joins it with.
fn alike(pairs: &[(Place, Place)], types: &mut Types, profiles: &HashMap<Place, Profile>) {
    let is_empty = |place: &Place| profiles.get(place).is_some_and(|profile| profile.uuid_form().is_none());
    let mut changed = true;
    while changed {
        changed = false;
        for (child, parent) in pairs {
            for (empty, other) in [(child, parent), (parent, child)] {
                let form = match types.get(other) {
                    Some((LogicalType::Uuid, form)) if !form.is_native() => *form,
                    _ => continue,
                };
                if let Some((LogicalType::Uuid, kept)) = types.get_mut(empty)
                    && kept.is_native()
                    && is_empty(empty)
                {
                    *kept = form;
                    changed = true;
                }
            }
        }
    }
}
