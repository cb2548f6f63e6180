//! The policies of a plan's columns, held against what they can do: one that never helps is refused before anything is read.

use trimaran_backends::catalog::Unmovable;
use trimaran_core::{Error, ErrorKind, LogicalType, Result};

use super::{ColumnPlan, Plan, TablePlan};
use crate::meaning;
use crate::policy::Policy;
use crate::replacement::Replacement;

impl Plan {
    /// Gives columns under `as_text` and `as_bytes` the types that they have on the target.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a policy that can do nothing for its column, or that would tear a foreign key apart.
    pub(super) fn settle_policies(&mut self) -> Result<()> {
        let mut dropped = Vec::new();
        for table in &mut self.tables {
            let name = table.source_name().to_string();
            for column in &mut table.columns {
                usable(&name, column)?;
                if column.on_hazard == Policy::AsBytes && column.default.take().is_some() {
                    let reason = "the column is bytes on the target, as the plan's policy says".to_owned();
                    dropped.push(Unmovable::new("default", format!("{name}.{}", column.name), reason));
                }
                if matches!(column.on_hazard, Policy::AsText | Policy::AsBytes) {
                    column.identity = None;
                    column.labels.clear();
                    column.enum_type = None;
                }
                (column.logical, column.form) =
                    meaning::kept(column.on_hazard, column.logical.clone(), column.form);
            }
        }
        self.not_moved
            .extend(dropped.into_iter().filter(|thing| !self.not_moved.contains(thing)).collect::<Vec<_>>());
        self.computed_from_the_same()?;
        self.tables.iter().try_for_each(|table| self.joined_alike(table))
    }

    /// Columns that a foreign key joins are written in one way, or the key would not hold on the target.
    fn joined_alike(&self, table: &TablePlan) -> Result<()> {
        for key in &table.foreign_keys {
            let Some(parent) = self.table(&key.references_schema, &key.references) else { continue };
            for (column, referenced) in key.columns.iter().zip(&key.references_columns) {
                let (Some(child_at), Some(parent_at)) = (table.position(column), parent.position(referenced))
                else {
                    continue;
                };
                let (child, above) = (&table.columns[child_at], &parent.columns[parent_at]);
                let way = |column: &ColumnPlan| (column.is_escaped(), column.normalisation());
                let retyped =
                    |column: &ColumnPlan| matches!(column.on_hazard, Policy::AsText | Policy::AsBytes);
                let torn = (retyped(child) || retyped(above)) && child.logical != above.logical;
                if torn || way(child) != way(above) {
                    return Err(Error::new(ErrorKind::Configuration, "use the plan")
                        .context(format!(
                            "a foreign key joins {}.{column} ({}, {}) and {}.{referenced} ({}, {}), whose values would be \
                             written in two ways",
                            table.source_name(),
                            child.logical,
                            child.on_hazard,
                            parent.source_name(),
                            above.logical,
                            above.on_hazard
                        ))
                        .hint("give both columns one type and one policy, or take the foreign key out of the plan"));
                }
            }
        }
        Ok(())
    }

    /// The columns whose values may be changed on their way, as `table.column (normalisation)`.
    pub fn lossy(&self) -> Vec<String> {
        let of = |table: &TablePlan| {
            let name = table.source_name();
            let columns = table.columns.iter().filter_map(|column| {
                column.normalisation().map(|replacement| format!("{name}.{} ({replacement})", column.name))
            });
            columns.collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of).collect()
    }
}

/// Whether a column's policy can do anything for it.
fn usable(table: &str, column: &ColumnPlan) -> Result<()> {
    let wrong = |why: String, next: String| {
        Err(Error::new(ErrorKind::Configuration, "use the plan")
            .context(format!("column {table}.{}: {why}", column.name))
            .hint(next))
    };
    let fitting = || {
        let names = Replacement::ALL.iter().filter(|(r, _)| r.fits(&column.logical, column.nullable));
        match names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => {
                format!("no normalisation does anything for {}: quarantine", column.logical)
            }
            names => format!("for {} write one of: {names}", column.logical),
        }
    };
    match (column.on_hazard, column.replace) {
        (Policy::Replace, None) => wrong(
            "on_hazard = \"replace\" needs the name of a normalisation, such as replace = \"round\""
                .to_owned(),
            fitting(),
        ),
        (Policy::Replace, Some(replacement)) if !replacement.fits(&column.logical, column.nullable) => {
            let null = if column.nullable { "" } else { " that allows no NULL" };
            wrong(
                format!("`{replacement}` can do nothing for a column of type {}{null}", column.logical),
                fitting(),
            )
        }
        (Policy::Replace, _) => Ok(()),
        (policy, Some(replacement)) => wrong(
            format!("replace = \"{replacement}\" has no effect under on_hazard = \"{policy}\""),
            "write on_hazard = \"replace\", or take the line out".to_owned(),
        ),
        (policy @ (Policy::AsText | Policy::AsBytes), None)
            if matches!(column.logical, LogicalType::List(_)) =>
        {
            wrong(
                format!("a list can't be kept under `{policy}`"),
                "choose quarantine, or replace with a normalisation of its elements".to_owned(),
            )
        }
        _ => Ok(()),
    }
}
