//! What the target computes by expressions: columns, which are read and compared, but not written, and CHECK constraints.

use trimaran_backends::dialect;
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value};

use super::{ColumnPlan, Plan, TablePlan};
use crate::policy::Policy;

impl TablePlan {
    /// The names and types of the columns that are written to the target.
    pub fn written(&self, target: Engine) -> Vec<(String, LogicalType)> {
        let moves = self.columns.iter().filter(|column| column.generated.is_none());
        moves.map(|column| (column.target.clone(), column.carrier(target))).collect()
    }

    /// Takes the values of computed columns out of a row that is to be written.
    pub fn leave_out_computed(&self, values: &mut Vec<Value<'_>>) {
        if self.columns.iter().any(|column| column.generated.is_some()) {
            let mut columns = self.columns.iter();
            values.retain(|_| columns.next().is_none_or(|column| column.generated.is_none()));
        }
    }
}

/// Whether a column's policy may change its values.
fn changes(column: &ColumnPlan) -> bool {
    column.is_escaped() || matches!(column.on_hazard, Policy::Replace | Policy::AsText | Policy::AsBytes)
}

impl Plan {
    /// A check holds of the values as they are, so that a policy which changes them would make it another one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the column and the check.
    pub(super) fn checked_as_they_are(&self) -> Result<()> {
        let dialect = dialect::of(self.target)?;
        for table in &self.tables {
            for check in &table.checks {
                let named = |c: &&ColumnPlan| changes(c) && check.sql.contains(&dialect.quote(&c.target));
                if let Some(column) = table.columns.iter().find(named) {
                    return Err(Error::new(ErrorKind::Configuration, "use the plan")
                        .context(format!(
                            "table {} has the check {}, of values of {} that `{}` may change",
                            table.source_name(),
                            check.sql,
                            column.name,
                            column.on_hazard
                        ))
                        .hint("take that `check` out of the plan"));
                }
            }
        }
        Ok(())
    }

    /// A column is computed from what the target holds, so that a policy which changes that would change what comes of it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the columns.
    pub(crate) fn computed_from_the_same(&self) -> Result<()> {
        let dialect = dialect::of(self.target)?;
        for table in &self.tables {
            for (column, expression) in table.columns.iter().filter_map(|c| Some((c, c.generated.as_ref()?)))
            {
                let named = |c: &ColumnPlan| expression.contains(&dialect.quote(&c.target));
                let source = table.columns.iter().find(|c| changes(c) && (named(c) || c.name == column.name));
                if let Some(source) = source {
                    let name = table.source_name();
                    return Err(Error::new(ErrorKind::Configuration, "use the plan")
                        .context(format!(
                            "{name}.{} is computed on the target, from values of {name}.{} that `{}` may change",
                            column.name, source.name, source.on_hazard
                        ))
                        .hint(format!(
                            "take the line `generated` of {} out of the plan, so that its values move",
                            column.name
                        )));
                }
            }
        }
        Ok(())
    }
}
