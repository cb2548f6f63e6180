//! Which plan another try goes by, and whether what is written already means the same under it.

use trimaran_backends::Database;
use trimaran_backends::catalog::Table;
use trimaran_core::{Error, ErrorKind, Result};

use super::retry::Choice;
use super::{Opened, groups};
use crate::hazard::Hazard;
use crate::mapping;
use crate::plan::{Plan, TablePlan};
use crate::policy::Policy;
use crate::sides::{Side, target_tables};
use crate::source::Budget;

/// The plan to go by.
pub(super) fn wanted(opened: &Opened, choice: &Choice) -> Result<Plan> {
    let mut plan = opened.plan.clone();
    if let Some(path) = &choice.plan {
        let operation = format!("read the plan {}", path.display());
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::new(ErrorKind::Configuration, operation).source(e))?;
        let given = Plan::from_toml_for_retry(&text)?;
        plan = Plan { estimate: plan.estimate, not_moved: plan.not_moved, ..given };
    }
    if let Some(policy) = choice.on_hazard {
        for group in groups(opened)? {
            let helps = Hazard::parse(&group.hazard)
                .is_some_and(|h| h.treatment(policy, true) != h.treatment(Policy::Quarantine, true));
            for table in plan.tables.iter_mut().filter(|t| t.source_name().to_string() == group.table) {
                let columns = table.columns.iter_mut().filter(|column| column.name == group.column);
                for column in columns.filter(|_| helps) {
                    (column.on_hazard, column.replace) = (policy, None);
                }
            }
        }
    }
    Ok(plan)
}

/// Whether what is written already means the same under another plan.
pub(super) fn allowed(opened: &Opened, plan: &Plan, budget: Budget) -> Result<()> {
    let wrong = |why: String, next: &str| {
        Err(Error::new(ErrorKind::Configuration, "use the plan").context(why).hint(next.to_owned()))
    };
    let begin_again = "begin again with `run --restart` and that plan";
    let mut alike = plan.clone();
    for (table, was) in alike.tables.iter_mut().zip(&opened.plan.tables) {
        for (column, was) in table.columns.iter_mut().zip(&was.columns) {
            (column.on_hazard, column.replace) = (was.on_hazard, was.replace);
        }
    }
    if alike != opened.plan {
        return wrong("it differs from the run's plan in more than policies".to_owned(), begin_again);
    }
    plan.computed_from_the_same()?;
    let tables = target_tables(opened.target.as_ref(), &opened.plan)?;
    for (table, was) in plan.tables.iter().zip(&opened.plan.tables) {
        for (at, (column, before)) in table.columns.iter().zip(&was.columns).enumerate() {
            if (column.on_hazard, column.replace) == (before.on_hazard, before.replace) {
                continue;
            }
            let name = format!("{}.{}", table.source_name(), column.name);
            let retyped = |policy: Policy| matches!(policy, Policy::AsText | Policy::AsBytes);
            if retyped(column.on_hazard) || retyped(before.on_hazard) {
                return wrong(format!("`{}` changes the type of {name}", column.on_hazard), begin_again);
            }
            if before.is_escaped() {
                return wrong(format!("the values of {name} are written by the codec already"), begin_again);
            }
            if before.normalisation().is_some() {
                return wrong(format!("values of {name} are changed already"), begin_again);
            }
            if column.is_escaped() {
                let marked = marked(opened.target.as_ref(), &tables, was, at, budget)?;
                if marked > 0 {
                    return wrong(
                        format!(
                            "{name} holds {marked} value(s) with the codec's mark, U+001A, written as they are"
                        ),
                        "choose `replace` for it, or begin again with `run --restart --on-hazard escape`",
                    );
                }
            }
        }
    }
    Ok(())
}

/// How many values of a column on the target would be read as something else by the codec.
fn marked(
    target: &dyn Database,
    tables: &[Table],
    table: &TablePlan,
    at: usize,
    budget: Budget,
) -> Result<u64> {
    let mut session = target.session()?;
    let Some(side) = Side::target(target, session.as_mut(), tables, table)? else { return Ok(0) };
    let counts = side.each(
        budget,
        || 0u64,
        |count, values| {
            *count += u64::from(mapping::escaped(&values[at]).is_some());
            Ok(())
        },
    )?;
    Ok(counts.into_iter().sum())
}
