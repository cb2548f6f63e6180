//! Objects of the target that are neither tables nor keys: enum types before the tables, views after everything.

use trimaran_backends::catalog::{TableName, Unmovable};
use trimaran_backends::dialect::Statement;
use trimaran_backends::{Dialect, Session};
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::journal::Journal;
use crate::plan::{CheckPlan, Plan};
use crate::steps::{Steps, Written};

/// Creates the enum types that columns of the plan have.
///
/// # Errors
/// The target's, classified, naming the step.
pub(crate) fn create_enums(dialect: &dyn Dialect, steps: &mut Steps<'_>, plan: &Plan) -> Result<()> {
    for planned in plan.enums() {
        if let Some(statement) = dialect.create_enum(&planned.name, &planned.labels) {
            steps.take(&statement)?;
        }
    }
    Ok(())
}

/// The statements that add a table's CHECK constraints.
pub(crate) fn checks(dialect: &dyn Dialect, plan: &Plan, table: usize) -> Vec<Statement> {
    let planned = &plan.tables[table];
    let name = planned.target_name();
    let add = |(at, check): (usize, &CheckPlan)| {
        let quoted = check.name.as_ref().map(|name| dialect.quote(name));
        let sql = check.statement(quoted.as_deref(), &dialect.qualify(&name));
        let shown = check.name.clone().unwrap_or_else(|| (at + 1).to_string());
        Statement::new(format!("check {shown} of {name}"), sql)
    };
    planned.checks.iter().enumerate().map(add).collect()
}

/// How it is told that rows break a check that is to be added: as of a key that they break.
pub(crate) fn broken(error: Error) -> Error {
    Error::new(ErrorKind::Conflict, "add a check")
        .context(error.to_string())
        .source(error)
        .hint("mend the source, or take the check out of the plan (`plan -o`, then `run --restart --plan`)")
}

/// Whether rows break a CHECK constraint: SQLSTATE 23514, check_violation.
pub(crate) fn is_broken_check(error: &Error) -> bool {
    error.engine_code() == Some("23514")
}

/// The statements that make a table's indexes of other than columns.
pub(crate) fn indexes(dialect: &dyn Dialect, plan: &Plan, table: usize) -> Vec<Statement> {
    let planned = &plan.tables[table];
    let name = planned.target_name();
    planned
        .index_sql
        .iter()
        .map(|index| {
            let sql = index.statement(&dialect.quote(&index.name), &dialect.qualify(&name));
            Statement::new(format!("index {} of {name}", index.name), sql)
        })
        .collect()
}

/// Makes the views that the plan says to make, and returns those that the target refused.
///
/// # Errors
/// If the target can't be reached, or on request.
pub(crate) fn create_views(
    target: Written<'_>,
    journal: &Journal,
    run: &str,
    plan: &Plan,
) -> Result<Vec<Unmovable>> {
    let mut refused = Vec::new();
    let dialect = target.database.dialect();
    let mut steps = Steps::new(target, journal, run)?;
    // A view may be of another: so again, as long as one more was made.
    let mut left: Vec<_> = plan.views.iter().filter(|view| view.create).collect();
    loop {
        let before = left.len();
        refused.clear();
        let mut waiting = Vec::new();
        for view in left {
            let path = match dialect.engine() {
                Engine::Postgres => format!("SET LOCAL search_path = {}; ", dialect.quote(&plan.schema)),
                Engine::Sqlite | Engine::Duckdb => String::new(),
            };
            match steps.take(&Statement::new(step(&view.name), format!("{path}{}", view.sql))) {
                Ok(()) => {}
                Err(error) if is_refusal(&error) => {
                    let reason = format!("the target refused it: {error}");
                    refused.push(Unmovable::new("view", view.name.clone(), reason));
                    waiting.push(view);
                }
                Err(error) => return Err(error),
            }
        }
        left = waiting;
        if left.is_empty() || left.len() == before {
            return Ok(refused);
        }
    }
}

/// Whether the target has read a statement and said no, so that the connection is as good as before.
pub(crate) fn is_refusal(error: &Error) -> bool {
    let gone = matches!(
        error.kind(),
        ErrorKind::Unavailable | ErrorKind::Interrupted | ErrorKind::Timeout | ErrorKind::Locked
    );
    error.engine_code().is_some() && !gone
}

/// Drops the views that a run made; one that was given another name stays, and keeps its tables from going.
pub(crate) fn drop_views(
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    plan: &Plan,
    done: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let made = plan.views.iter().rev().filter(|view| done(&step(&view.name)));
    let names: Vec<_> =
        made.map(|view| dialect.qualify(&TableName::new(plan.schema.clone(), view.name.clone()))).collect();
    if dialect.engine() == Engine::Postgres && !names.is_empty() {
        // One statement, so that views of one another don't stand in the way.
        session.execute(&format!("DROP VIEW IF EXISTS {}", names.join(", ")))?;
        return Ok(());
    }
    for name in names {
        session.execute(&format!("DROP VIEW IF EXISTS {name}"))?;
    }
    Ok(())
}

/// Drops the enum types that a run made.
pub(crate) fn drop_enums(
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    plan: &Plan,
    done: &dyn Fn(&str) -> bool,
) -> Result<()> {
    for planned in plan.enums() {
        let made = dialect.create_enum(&planned.name, &planned.labels);
        if made.is_some_and(|statement| done(&statement.step)) {
            session.execute(&format!("DROP TYPE IF EXISTS {}", dialect.qualify(&planned.name)))?;
        }
    }
    Ok(())
}

fn step(view: &str) -> String {
    format!("view {view}")
}
