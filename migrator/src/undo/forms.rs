//! What the forms of columns have to agree in once all of them are planned.

use crate::mapping::Form;
use crate::plan::{Plan, TablePlan};
use crate::policy::Policy;

/// Has columns that a foreign key joins kept in one form: a UUID of 32 digits is not the text of 36 characters that it
/// refers to.
pub(super) fn joined_alike(plan: &mut Plan) {
    loop {
        let mut differing = Vec::new();
        for (child, table) in plan.tables.iter().enumerate() {
            for key in &table.foreign_keys {
                let there = |t: &TablePlan| t.schema == key.references_schema && t.name == key.references;
                let Some(parent) = plan.tables.iter().position(there) else { continue };
                for (column, referenced) in key.columns.iter().zip(&key.references_columns) {
                    let places = (table.position(column), plan.tables[parent].position(referenced));
                    let (Some(a), Some(b)) = places else { continue };
                    let (a_form, b_form) =
                        (table.columns[a].kept_form(), plan.tables[parent].columns[b].kept_form());
                    if a_form != b_form {
                        differing.extend([(child, a), (parent, b)]);
                    }
                }
            }
        }
        if differing.is_empty() {
            return;
        }
        for (table, column) in differing {
            if let Some(undo) = &mut plan.tables[table].columns[column].undo {
                undo.form = Form::Native;
            }
        }
    }
}

/// SQLite keeps every text as it is: there is nothing for the codec to do.
pub(super) fn text_as_it_is(plan: &mut Plan) {
    for column in plan.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if column.on_hazard == Policy::Escape && column.logical.is_textual() {
            column.on_hazard = Policy::Quarantine;
        }
    }
}
