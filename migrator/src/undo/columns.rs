//! A column and a table as they were.

use trimaran_backends::catalog::{DefaultValue, Table, TableName};
use trimaran_core::{Engine, LogicalType, Value};

use super::Undo;
use crate::hazard::Hazard;
use crate::kept;
use crate::mapping::Form;
use crate::plan::{ColumnPlan, SequencePlan, TablePlan};
use crate::policy::Policy;

impl ColumnPlan {
    /// Whether its text was escaped by a run before.
    #[inline]
    pub fn was_escaped(&self) -> bool {
        self.undo.as_ref().is_some_and(|undo| undo.escaped)
    }

    /// How the target keeps its values.
    #[inline]
    pub fn kept_form(&self) -> Form {
        self.undo.as_ref().map_or(Form::Native, |undo| undo.form)
    }

    /// The type in which its values are handed to the target.
    pub fn carrier(&self, target: Engine) -> LogicalType {
        kept::carrier(target, self.kept_form(), &self.logical)
    }

    /// Whether the type that it had before holds a value.
    ///
    /// # Errors
    /// The hazard, if it does not.
    #[inline]
    pub fn fits(&self, target: Engine, value: &Value<'_>) -> Result<(), Hazard> {
        match self.undo.as_ref().and_then(|undo| undo.declared.as_ref()) {
            Some(declared) => kept::accepts(target, declared, self.kept_form(), &self.logical, value),
            None => Ok(()),
        }
    }
}

/// Gives keys the names that they had; those that Postgres has given them go.
pub(super) fn named_as_before(table: &mut TablePlan, before: &TablePlan) {
    let source_name = |target: &String| {
        before.columns.iter().find(|c| c.name == *target).map_or_else(|| target.clone(), |c| c.target.clone())
    };
    let on = |columns: &[String]| columns.iter().map(source_name).collect::<Vec<_>>();
    for key in &mut table.unique {
        if let Some(was) = before.unique.iter().find(|was| on(&was.columns) == key.columns) {
            key.name.clone_from(&was.name);
        }
    }
    for key in &mut table.foreign_keys {
        if let Some(was) = before.foreign_keys.iter().find(|was| on(&was.columns) == key.columns) {
            key.name.clone_from(&was.name);
        }
    }
}

/// The type and form that a column had; `Err` says why it does not become what it was.
pub(super) fn as_before(was: &ColumnPlan, column: &ColumnPlan, target: Engine) -> Result<Undo, String> {
    let same = was.logical == column.logical;
    if matches!(was.on_hazard, Policy::AsText | Policy::AsBytes)
        && was.source != column.logical.stored_as(target)
    {
        return Err(format!("it was {}, and moved as {}: so it stays", was.source, was.logical));
    }
    if !same {
        return Err(format!("it was {}, and has been changed to {} since", was.source, column.logical));
    }
    if was.source == column.logical.stored_as(target) && was.form.is_native() {
        return Ok(Undo::default());
    }
    if !kept::is_known(target, &was.source, was.form, &was.logical) {
        return Err(format!("it was {}; it becomes {}", was.source, column.logical.stored_as(target)));
    }
    Ok(Undo { escaped: false, declared: Some(was.source.clone()), form: was.form })
}

/// Has the target count a column again that its origin counted; the sequence that stood in for that is not needed then.
pub(super) fn counted_as_before(
    was: &ColumnPlan,
    column: &mut ColumnPlan,
    table: &Table,
    sequences: &[SequencePlan],
) -> Option<TableName> {
    let first = was.identity?;
    let default = table.column(&column.name).and_then(|c| c.default.clone());
    match default {
        Some(DefaultValue::NextValue(sequence)) if column.identity.is_none() => {
            let next = sequences.iter().find(|s| s.target == sequence.name).map(|s| s.next);
            column.identity = Some(first.max(next.unwrap_or(first)));
            column.default = None;
            Some(sequence)
        }
        _ => None,
    }
}
