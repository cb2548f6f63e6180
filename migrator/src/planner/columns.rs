//! What becomes of a column.

use trimaran_backends::Dialect;
use trimaran_backends::catalog::{Column, Table, TableName, Unmovable};

use super::Choices;
use super::types::Types;
use crate::plan::ColumnPlan;

/// Plans a column; `None` if it does not move, which `not_moved` says then.
pub(super) fn plan_column(
    table: &Table,
    column: &Column,
    types: &Types,
    target: &dyn Dialect,
    choices: &Choices,
    target_schema: &dyn Fn(&str) -> String,
    not_moved: &mut Vec<Unmovable>,
) -> Option<ColumnPlan> {
    let name = format!("{}.{}", table.name, column.name);
    if let Some(expression) = &column.generated {
        let reason = format!("the target is not given it; it was generated as {expression}");
        not_moved.push(Unmovable::new("generated column", name, reason));
        return None;
    }
    let Some((logical, form)) = types.get(&(table.name.clone(), column.name.clone())).cloned() else {
        let reason = format!("type {} has no counterpart on the target yet", column.declared);
        not_moved.push(Unmovable::new("column", name, reason));
        return None;
    };
    let default = column.default.as_ref().and_then(|default| {
        use trimaran_backends::catalog::DefaultValue as D;
        let renamed = match default {
            D::Null => return None,
            D::NextValue(sequence) => {
                D::NextValue(TableName::new(target_schema(&sequence.schema), &sequence.name))
            }
            other => other.clone(),
        };
        let sql = target.default_sql(&renamed, &logical);
        if sql.is_none() {
            let written = match default {
                D::Expression(sql) => sql.clone(),
                other => format!("{other:?}"),
            };
            let reason = format!("{written} has no sure counterpart on the target");
            not_moved.push(Unmovable::new("default", name.clone(), reason));
        }
        sql
    });
    Some(ColumnPlan {
        name: column.name.clone(),
        target: column.name.clone(),
        source: column.declared.clone(),
        logical,
        form,
        nullable: column.nullable && !in_primary_key(table, &column.name),
        default,
        identity: column.identity.as_ref().map(|identity| identity.next.unwrap_or(1)),
        on_hazard: choices.on_hazard,
        replace: None,
    })
}

fn in_primary_key(table: &Table, column: &str) -> bool {
    table.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|c| c == column))
}
