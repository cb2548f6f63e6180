//! What becomes of a column.

use trimaran_backends::Dialect;
use trimaran_backends::catalog::{Column, Table, TableName, Unmovable};
use trimaran_core::{Engine, LogicalType};

use super::types::Types;
use crate::choices::{Choices, Nested};
use crate::mapping::Form;
use crate::plan::ColumnPlan;
use crate::translate::{self, Scope};

/// What columns are planned by.
pub(super) struct Drafts<'a> {
    pub(super) types: &'a Types,
    pub(super) target: &'a dyn Dialect,
    pub(super) choices: &'a Choices,
    pub(super) target_schema: &'a dyn Fn(&str) -> String,
    /// The table's columns, as its expressions name them.
    pub(super) scope: &'a Scope,
}

/// Plans a column; `None` if it does not move, which `not_moved` says then.
pub(super) fn plan_column(
    table: &Table,
    column: &Column,
    drafts: &Drafts<'_>,
    not_moved: &mut Vec<Unmovable>,
) -> Option<ColumnPlan> {
    let Drafts { types, target, choices, target_schema, scope } = drafts;
    let name = format!("{}.{}", table.name, column.name);
    let Some((logical, form)) = types.get(&(table.name.clone(), column.name.clone())).cloned() else {
        let reason = format!("type {} has no counterpart on the target yet", column.declared);
        not_moved.push(Unmovable::new("column", name, reason));
        return None;
    };
    let logical = nested(logical, target.engine(), choices.nested);
    let generated = column.generated.as_ref().and_then(|expression| {
        let translated = match target.engine() {
            Engine::Postgres if scope.columns.get(&column.name.to_lowercase()).is_some_and(|c| c.rewritten) => {
                Err("its values are written in another way".to_owned())
            }
            Engine::Postgres if form != Form::Native => Err("it is a moment".to_owned()),
            Engine::Postgres => translate::generated(expression, scope, &logical),
            other => Err(format!("not carried over to {other}")),
        };
        translated
            .map_err(|why| {
                let reason = format!(
                    "its values move, as those of any column, and the target does not compute it ({why}); it is {expression}"
                );
                not_moved.push(Unmovable::new("generated column", name.clone(), reason));
            })
            .ok()
    });
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
        generated,
        labels: Vec::new(),
        enum_type: None,
        on_hazard: choices.on_hazard,
        replace: None,
        undo: None,
    })
}

/// Lists of lists are JSON on Postgres, unless the operator wants arrays.
fn nested(logical: LogicalType, target: Engine, choice: Nested) -> LogicalType {
    let deep = matches!(&logical, LogicalType::List(element) if matches!(**element, LogicalType::List(_)));
    if deep && target == Engine::Postgres && choice == Nested::Json { LogicalType::Json } else { logical }
}

fn in_primary_key(table: &Table, column: &str) -> bool {
    table.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|c| c == column))
}
