//! The rows that a run put aside: listed, exported, and written after all once a policy allows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::Cell;
use serde::Serialize;
use trimaran_backends::{Access, Database, Location, OpenOptions, Session};
use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;
use crate::finding::Outcome;
use crate::hazard::Hazard;
use crate::journal::{Journal, Run};
use crate::plan::Plan;
use crate::reach::open;
use crate::report::{new_table, number};
use crate::source::Budget;

pub mod export;
pub mod retry;
mod retry_plan;

/// How many keys of a group are named.
const FIRST_KEYS: usize = 5;

/// Which quarantine.
#[derive(Debug, Clone)]
pub struct Which {
    /// The target that it lies in.
    pub to: Location,
    /// The schema of the journal; the engine's default if there is none.
    pub schema: Option<String>,
    /// The source of the run; needed only where the journal has runs from several.
    pub from: Option<Location>,
    /// Memory and threads.
    pub budget: Budget,
}

/// A target, opened, with the run whose quarantine it is about.
pub struct Opened {
    /// The target.
    pub target: Box<dyn Database>,
    /// The journal.
    pub journal: Journal,
    /// The run.
    pub run: Run,
    /// The run's plan.
    pub plan: Plan,
    /// The journal's schema.
    pub schema: String,
}

impl Opened {
    /// Opens the target and finds the run.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if there is no run, or several to choose from; else the target's, classified.
    pub fn new(which: &Which) -> Result<Self> {
        let options = OpenOptions { access: Access::Target, memory: which.budget.engine(), sessions: 2 };
        let target = open(&which.to, options)?;
        let schema = which.schema.clone().unwrap_or_else(|| target.dialect().default_schema().to_owned());
        let journal = Journal::new(target.dialect(), &schema);
        let mut session = target.session()?;
        let runs =
            if journal.exists(session.as_mut())? { journal.runs(session.as_mut())? } else { Vec::new() };
        let run = chosen(runs, which, &schema)?;
        let plan = Plan::from_toml_unchecked(&run.plan)?;
        drop(session);
        Ok(Self { target, journal, run, plan, schema })
    }

    /// A session on the target.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn session(&self) -> Result<Box<dyn Session>> {
        self.target.session()
    }
}

fn chosen(runs: Vec<Run>, which: &Which, schema: &str) -> Result<Run> {
    let wrong = |why: String| Error::new(ErrorKind::Configuration, "find the run").context(why);
    let mut sources: Vec<String> = runs.iter().map(|run| run.source.clone()).collect();
    sources.sort();
    sources.dedup();
    let wanted = match (&which.from, sources.as_slice()) {
        (Some(from), _) => from.to_string(),
        (None, [only]) => only.clone(),
        (None, []) => {
            return Err(wrong(format!("schema {schema} has no journal of a run"))
                .hint("give the --to and --schema of the run"));
        }
        (None, several) => {
            return Err(wrong(format!("schema {schema} has runs from {}", several.join(", ")))
                .hint("name one of them with --from"));
        }
    };
    runs.into_iter().find(|run| run.source == wanted).ok_or_else(|| {
        wrong(format!("schema {schema} has no run from {wanted}"))
            .hint(format!("it has runs from: {}", sources.join(", ")))
    })
}

/// Rows that were put aside for one reason.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// The table, as people write it.
    pub table: String,
    /// The column with the hazard.
    pub column: String,
    /// The hazard.
    pub hazard: String,
    /// How many rows.
    pub count: u64,
    /// The keys of the first.
    pub first_keys: Vec<String>,
    /// What each policy would do with it in another try.
    pub policies: Vec<Outcome>,
}

/// What a command on the quarantine found and did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// `list`, `export` or `retry`.
    pub command: &'static str,
    /// The target, without secrets.
    pub target: String,
    /// The run.
    pub run: String,
    /// Rows that were written to their tables, by table.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, u64>,
    /// What is in the quarantine.
    pub groups: Vec<Group>,
    /// One sentence: how it ended.
    pub outcome: String,
    /// What to do next, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The exit code.
    pub exit_code: u8,
}

impl Report {
    fn new(command: &'static str, opened: &Opened) -> Self {
        let target = opened.target.location().to_string();
        Self { command, target, run: opened.run.id.clone(), ..Self::default() }
    }

    /// The report as text for people.
    pub fn text(&self) -> String {
        let mut out = format!("quarantine of run {} in {}\n", self.run, self.target);
        if !self.groups.is_empty() {
            let mut table = new_table(["table", "column", "hazard", "rows", "first keys"]);
            for group in &self.groups {
                table.add_row(vec![
                    Cell::new(&group.table),
                    Cell::new(&group.column),
                    Cell::new(&group.hazard),
                    number(group.count),
                    Cell::new(group.first_keys.join("\n")),
                ]);
            }
            // Writing to a String can't fail.
            let _ = writeln!(out, "\n{table}");
        }
        for (table, rows) in &self.moved {
            let _ = writeln!(out, "  {table}: {rows} row(s) written");
        }
        let _ = writeln!(out, "\n{}", self.outcome);
        if let Some(next) = &self.next {
            let _ = writeln!(out, "next: {next}");
        }
        out
    }
}

/// The quarantine's rows by table, column and hazard.
///
/// # Errors
/// The target's, classified.
pub fn groups(opened: &Opened) -> Result<Vec<Group>> {
    let mut groups: BTreeMap<(String, String, String), Group> = BTreeMap::new();
    opened.journal.entries(opened.session()?.as_mut(), &opened.run.id, &mut |entry| {
        let place = (entry.table.to_string(), entry.column.clone(), entry.reason.clone());
        let group = groups.entry(place).or_insert_with(|| Group {
            table: entry.table.to_string(),
            column: entry.column,
            policies: Hazard::parse(&entry.reason).map(Outcome::all).unwrap_or_default(),
            hazard: entry.reason,
            count: 0,
            first_keys: Vec::new(),
        });
        group.count += 1;
        if group.first_keys.len() < FIRST_KEYS {
            group.first_keys.push(entry.key);
        }
        Ok(())
    })?;
    Ok(groups.into_values().collect())
}

/// Lists what is in the quarantine.
///
/// # Errors
/// As [`Opened::new`], and the target's, classified.
pub fn list(which: &Which) -> Result<Report> {
    let opened = Opened::new(which)?;
    let groups = groups(&opened)?;
    let count: u64 = groups.iter().map(|group| group.count).sum();
    let outcome = match count {
        0 => "the quarantine is empty".to_owned(),
        n => format!("{n} row(s) in the quarantine"),
    };
    let next = (count > 0).then(|| {
        "`quarantine export` writes them to a file; `quarantine retry` with another policy or an edited plan moves them"
            .to_owned()
    });
    let exit_code = Exit::Complete.code();
    Ok(Report { groups, outcome, next, exit_code, ..Report::new("list", &opened) })
}
