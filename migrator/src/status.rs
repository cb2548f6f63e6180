//! What the journal of a target says: runs, how far each has got, when something was last recorded.

use std::fmt::Write as _;

use comfy_table::Cell;
use serde::Serialize;
use trimaran_backends::{Access, Location, OpenOptions, Session};
use trimaran_core::{Error, ErrorKind, Result, temporal};

use crate::journal::{Journal, Run};
use crate::plan::Plan;
use crate::reach::open;
use crate::report::{new_table, number};
use crate::retry::lock_name;

/// The memory that a target's engine may take for a few small questions.
const MEMORY: u64 = 64 << 20;

/// The journal of one schema.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The target, without secrets.
    pub target: String,
    /// The schema of the journal.
    pub schema: String,
    /// Whether a run is at work now.
    pub at_work: bool,
    /// Its runs, the last first.
    pub runs: Vec<RunStatus>,
    /// The exit code.
    pub exit_code: u8,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// Its source, without secrets.
    pub source: String,
    /// `writing`, `written` or `verified`.
    pub state: &'static str,
    /// When it began, in UTC.
    pub begun: Option<String>,
    /// When something was last recorded, in UTC.
    pub last_change: Option<String>,
    /// How many statements of its schema are done: tables, keys, indexes, counters.
    pub steps: usize,
    /// Its tables, in the order of the plan.
    pub tables: Vec<TableStatus>,
}

/// A table of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableStatus {
    /// Its name, as people write it.
    pub table: String,
    /// Chunks that are done.
    pub chunks: u64,
    /// Rows that were read: written or put aside.
    pub rows: u64,
    /// Rows that the plan has.
    pub planned_rows: u64,
    /// Rows put aside.
    pub quarantined: u64,
}

/// Reads the journal in `schema` (the engine's default if there is none) of `target`. Changes nothing.
///
/// # Errors
/// [`ErrorKind::NotFound`] if there is no such file; else the target's, classified.
pub fn status(target: &Location, schema: Option<&str>) -> Result<Status> {
    // A target that is opened is made if it is missing; one that is asked about is not.
    if let Some(path) = target.path()
        && !path.exists()
    {
        return Err(Error::new(ErrorKind::NotFound, format!("open {target}"))
            .context("there is no such file")
            .hint("give the --to of the run"));
    }
    let database = open(target, OpenOptions { access: Access::Target, memory: MEMORY, sessions: 1 })?;
    let schema = schema.unwrap_or_else(|| database.dialect().default_schema()).to_owned();
    let journal = Journal::new(database.dialect(), &schema);
    let mut session = database.session()?;
    let session = session.as_mut();
    let at_work = !session.try_lock(&lock_name(&schema))?;
    let runs = if journal.exists(session)? { journal.runs(session)? } else { Vec::new() };
    let runs = runs.into_iter().map(|run| run_status(&journal, session, run)).collect::<Result<_>>()?;
    Ok(Status { target: target.to_string(), schema, at_work, runs, exit_code: 0 })
}

fn run_status(journal: &Journal, session: &mut dyn Session, run: Run) -> Result<RunStatus> {
    let plan = Plan::from_toml_unchecked(&run.plan)?;
    let (chunks, steps) = (journal.chunks(session, &run.id)?, journal.steps(session, &run.id)?.len());
    let last_change = journal.last_change(session, &run.id)?.map(moment);
    let begun = i64::from_str_radix(&run.id, 16).ok().map(moment);
    let tables = plan
        .tables
        .iter()
        .map(|planned| {
            let name = planned.source_name();
            let mut table =
                TableStatus { table: name.to_string(), planned_rows: planned.rows, ..TableStatus::default() };
            for chunk in chunks.iter().filter(|chunk| chunk.table == name) {
                table.chunks += 1;
                table.rows += chunk.read;
                table.quarantined += chunk.quarantined;
            }
            table
        })
        .collect();
    Ok(RunStatus {
        run: run.id,
        source: run.source,
        state: run.state.name(),
        begun,
        last_change,
        steps,
        tables,
    })
}

/// Milliseconds since 1970 as people read them.
fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1_000);
    format!("{}Z", temporal::format_timestamp(seconds.saturating_mul(1_000_000)))
}

impl Status {
    /// The status as text for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "journal in schema {} of {}", self.schema, self.target)?;
        if self.runs.is_empty() {
            writeln!(out, "\nno run")?;
        }
        for run in &self.runs {
            writeln!(out, "\nrun {} from {}: {}", run.run, run.source, run.state)?;
            let or_unknown = |moment: &Option<String>| moment.clone().unwrap_or_else(|| "unknown".to_owned());
            writeln!(
                out,
                "begun {}, last change {}, {} steps of the schema done",
                or_unknown(&run.begun),
                or_unknown(&run.last_change),
                run.steps
            )?;
            let mut table = new_table(["table", "chunks", "rows", "planned rows", "quarantined"]);
            for status in &run.tables {
                table.add_row(vec![
                    Cell::new(&status.table),
                    number(status.chunks),
                    number(status.rows),
                    number(status.planned_rows),
                    number(status.quarantined),
                ]);
            }
            writeln!(out, "{table}")?;
        }
        let next = match self.runs.first() {
            _ if self.at_work => "a migration into this schema is at work now",
            Some(run) if run.state == "writing" => "next: `run` with the same flags continues it",
            Some(run) if run.state == "written" => "next: `run` with the same flags verifies it",
            _ => return Ok(()),
        };
        writeln!(out, "\n{next}")
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_shown_to_the_second() {
        assert_eq!(moment(1_763_990_000_999), "2025-11-24 13:13:20Z");
    }
}
