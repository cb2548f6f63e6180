//! Views, and what of a table is an expression in the source's SQL: computed columns, and indexes that are more than columns.

use std::collections::HashMap;

use trimaran_backends::catalog::{Catalog, Table, TableName, Unmovable};
use trimaran_backends::{Database, Dialect};
use trimaran_core::{Engine, Result, Value};

use super::types::Types;
use crate::choices::Choices;
use crate::plan::{CheckPlan, IndexSqlPlan, Plan, ViewPlan};
use crate::policy::Policy;
use crate::translate::{self, Operand, Scope};

/// The columns of a table as expressions name them.
///
/// # Errors
/// The source's, classified.
pub(super) fn scope(
    source: &dyn Database,
    table: &Table,
    types: &Types,
    target: &dyn Dialect,
    choices: &Choices,
    unmovable: &[Unmovable],
) -> Result<Scope> {
    let mut collations = HashMap::new();
    if source.engine() == Engine::Sqlite {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = $1";
        let rows = source.session()?.query(sql, &[Value::text(&table.name.name)])?;
        if let Some(Value::Text(statement)) = rows.first().and_then(|row| row.first()) {
            collations = translate::collations(&String::from_utf8_lossy(statement));
        }
    }
    let prefix = format!("{}.", table.name);
    for thing in unmovable.iter().filter(|thing| thing.kind == "collation") {
        if let Some(column) = thing.name.strip_prefix(&prefix) {
            collations.entry(column.to_lowercase()).or_insert_with(|| "ANOTHER".to_owned());
        }
    }
    let columns = table.columns.iter().filter_map(|column| {
        let (logical, _) = types.get(&(table.name.clone(), column.name.clone()))?;
        let name = column.name.to_lowercase();
        let mut operand = Operand::new(target.quote(&column.name), logical);
        operand.collation = collations.remove(&name);
        operand.generated = column.generated.is_some();
        operand.rewritten = choices.on_hazard == Policy::Escape && logical.scalar().is_textual();
        Some((name, operand))
    });
    Ok(Scope { source: source.engine(), columns: columns.collect(), generated: false })
}

/// Moves the indexes of a table that can be told in the target's SQL out of what does not move.
pub(super) fn plan_indexes(plan: &mut Plan, table: &TableName, scope: Scope) {
    if plan.target != Engine::Postgres {
        return;
    }
    let scope = Scope { generated: true, ..scope };
    let mut moved = Vec::new();
    for thing in &mut plan.not_moved {
        let Some(sql) = thing.sql.clone().filter(|_| thing.kind == "index") else { continue };
        let about = translate::index_names(&sql);
        if !about.is_some_and(|(name, on)| {
            on.eq_ignore_ascii_case(&table.name)
                && (thing.name == name || thing.name == format!("{table}.{name}"))
        }) {
            continue;
        }
        match translate::index(&sql, &scope) {
            Ok(index) => {
                moved.push(thing.name.clone());
                let planned = plan.tables.iter_mut().find(|planned| planned.source_name() == *table);
                planned.into_iter().for_each(|planned| {
                    planned.index_sql.push(IndexSqlPlan {
                        name: index.name.clone(),
                        source: sql.clone(),
                        unique: index.unique,
                        on: index.items.clone(),
                        condition: index.condition.clone(),
                    });
                });
            }
            Err(why) => thing.reason = format!("{why}; {}", thing.reason),
        }
    }
    plan.not_moved.retain(|thing| thing.kind != "index" || !moved.contains(&thing.name));
}

/// Moves the CHECK constraints of a table that can be told in the target's SQL out of what does not move.
pub(super) fn plan_checks(plan: &mut Plan, table: &TableName, scope: &Scope) {
    if plan.target != Engine::Postgres {
        return;
    }
    let scope = Scope { source: scope.source, columns: scope.columns.clone(), generated: true };
    let mut moved = Vec::new();
    plan.not_moved.retain_mut(|thing| {
        let Some(sql) = thing.sql.as_ref().filter(|_| thing.kind == "check constraint") else { return true };
        let about = translate::check_names(sql).filter(|about| match about.table.as_slice() {
            [name] => *name == table.name,
            [schema, name] => (schema, name) == (&table.schema, &table.name),
            _ => false,
        });
        let Some(about) = about else { return true };
        match translate::check(sql, &scope) {
            Ok(condition) => {
                moved.push(CheckPlan { name: about.name, source: sql.clone(), sql: condition });
                false
            }
            Err(why) => {
                thing.reason = format!("{why}; {}", thing.reason);
                true
            }
        }
    });
    let planned = plan.tables.iter_mut().find(|planned| planned.source_name() == *table);
    planned.into_iter().for_each(|planned| planned.checks.append(&mut moved));
}

/// Offers the views of the source.
pub(super) fn plan_views(plan: &mut Plan, catalog: &Catalog) {
    for view in catalog.unmovable.iter().filter(|thing| thing.kind == "view") {
        let Some(sql) = &view.sql else { continue };
        let sql = sql.trim().trim_end_matches(';').to_owned();
        plan.views.push(ViewPlan { name: view.name.clone(), source: sql.clone(), sql, create: false });
    }
    let offered = "a plan offers it: put its SQL into the target's words there, and set `create = true`";
    for thing in plan.not_moved.iter_mut().filter(|thing| thing.kind == "view" && thing.sql.is_some()) {
        thing.reason = format!("{offered}; {}", thing.reason);
    }
}
