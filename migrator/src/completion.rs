//! Loaded tables completed: keys, indexes, foreign keys and counters. What a table needs nothing but its own rows for can be made
//! while others are still copied, and all of it while rows are read for the verification.

use std::collections::HashSet;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use trimaran_backends::Session;
use trimaran_backends::catalog::{Table, Unmovable};
use trimaran_backends::dialect::{Phase, Statement, TableDefinition};
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::journal::{Journal, State};
use crate::objects;
use crate::plan::{Plan, TablePlan};
use crate::progress::Progress;
use crate::schema::Occupied;
use crate::steps::{Steps, Written};

/// What has been copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The table at this place in the plan has all its rows.
    Table(usize),
    /// Every table has, since then, and the source did not change meanwhile.
    All(Instant),
}

/// The completion of a run's tables.
pub struct Completion<'a> {
    steps: Steps<'a>,
    journal: &'a Journal,
    run: &'a str,
    plan: &'a Plan,
    occupied: &'a Occupied,
    progress: &'a Progress,
    /// What could not be made although the rows are all there.
    refused: Vec<Unmovable>,
    /// The steps that these are: they are not tried again.
    given_up: HashSet<String>,
}

impl<'a> Completion<'a> {
    /// Begins: reads from the journal what an earlier process has made.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn new(
        target: Written<'a>,
        journal: &'a Journal,
        run: &'a str,
        plan: &'a Plan,
        occupied: &'a Occupied,
        progress: &'a Progress,
    ) -> Result<Self> {
        let steps = Steps::new(target, journal, run)?;
        let (refused, given_up) = Default::default();
        Ok(Self { steps, journal, run, plan, occupied, progress, refused, given_up })
    }

    /// Adds keys and indexes to each table that `loaded` names, and once all are loaded, whatever is left: foreign keys and counters,
    /// too. Ends before if `loaded` does; the next process goes on. Returns what could not be made although the rows are all
    /// there, such as an index over values longer than the engine indexes.
    ///
    /// # Errors
    /// The target's, classified, naming the step. A key that the rows break is `Conflict`.
    pub fn run(mut self, loaded: &Receiver<Loaded>) -> Result<Vec<Unmovable>> {
        for what in loaded {
            match what {
                Loaded::Table(at) => {
                    let begun = Instant::now();
                    for phase in [Phase::Keys, Phase::Indexes] {
                        self.complete(at, phase)?;
                    }
                    let table = self.plan.tables[at].source_name().to_string();
                    self.progress.timeline().table("keys", &table, (begun, Instant::now()), (0, 0));
                }
                Loaded::All(since) => {
                    let ended = self.rest();
                    self.progress.timeline().phase("keys", since);
                    ended?;
                    break;
                }
            }
        }
        Ok(self.refused)
    }

    fn rest(&mut self) -> Result<()> {
        for phase in Phase::ALL {
            for at in 0..self.plan.tables.len() {
                self.complete(at, phase)?;
            }
        }
        let (journal, run) = (self.journal, self.run);
        let Written { lock, retries, .. } = &mut self.steps.target;
        let written = |session: &mut dyn Session| journal.set_state(session, run, State::Written);
        lock.run(retries, "write the journal", written)
    }

    fn complete(&mut self, at: usize, phase: Phase) -> Result<()> {
        let table = &self.plan.tables[at];
        let dialect = self.steps.target.database.dialect();
        let mut definition = table.definition(self.plan);
        if let Some(existing) = self.occupied.table(&table.target_name())
            && self.occupied.usable.contains(&table.target_name())
        {
            without_existing(&mut definition, existing);
        }
        let own = dialect.complete(&definition, phase).into_iter().map(|s| (s, Origin::Own));
        let mut statements: Vec<_> = own.collect();
        if phase == Phase::Indexes {
            let indexes = objects::indexes(dialect, self.plan, at).into_iter();
            statements.extend(indexes.map(|s| (s, Origin::Index)));
            let checks = objects::checks(dialect, self.plan, at).into_iter();
            statements.extend(checks.map(|s| (s, Origin::Check)));
        }
        for (statement, origin) in statements {
            if self.steps.is_done(&statement.step) || self.given_up.contains(&statement.step) {
                continue;
            }
            self.progress.say(&statement.step);
            if let Err(error) = self.steps.take(&statement) {
                let refused = self.refusal(error, &statement, table, phase, origin)?;
                self.refused.push(refused);
                self.given_up.insert(statement.step);
            }
        }
        Ok(())
    }

    /// What is reported of a statement that the target refuses although the rows are all there.
    ///
    /// # Errors
    /// Any other error is handed back.
    fn refusal(
        &self,
        error: Error,
        statement: &Statement,
        table: &TablePlan,
        phase: Phase,
        origin: Origin,
    ) -> Result<Unmovable> {
        // SQLSTATE 54000, program_limit_exceeded: the value is there, only its index can't be.
        if phase == Phase::Indexes && error.engine_code() == Some("54000") {
            let reason = "a value is longer than the target can index".to_owned();
            return Ok(Unmovable::new("index", statement.step.clone(), reason));
        }
        if origin == Origin::Check && objects::is_broken_check(&error) {
            return Err(objects::broken(error));
        }
        if origin != Origin::Own && objects::is_refusal(&error) {
            let kind = if origin == Origin::Index { "index" } else { "check constraint" };
            return Ok(Unmovable::new(
                kind,
                statement.step.clone(),
                format!("the target refused it: {error}"),
            ));
        }
        // An engine that can declare foreign keys only before there are rows takes them in the rows' order.
        let engine = self.steps.target.database.engine();
        if phase == Phase::Keys && engine == Engine::Duckdb && error.kind() == ErrorKind::Conflict {
            let reason = format!("the target refuses it over these rows: {error}");
            return Ok(Unmovable::new(FOREIGN_KEYS, table.target.clone(), reason));
        }
        Err(error)
    }
}

/// Where a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// What the plan's own words say: the target takes it, or the run fails.
    Own,
    /// An index that was translated from the source's SQL, which the target may refuse.
    Index,
    /// A check constraint that was.
    Check,
}

/// What is reported where the foreign keys of a table could not be declared.
const FOREIGN_KEYS: &str = "foreign keys";

/// Takes the foreign keys that could not be declared out of a plan: whether there are any.
pub fn leave_out(plan: &mut Plan, failed: &[Unmovable]) -> bool {
    let mut any = false;
    for table in &mut plan.tables {
        if failed.iter().any(|f| f.kind == FOREIGN_KEYS && f.name == table.target) {
            table.foreign_keys.clear();
            any = true;
        }
    }
    any
}

/// Takes out of a definition what an existing table has already.
fn without_existing(definition: &mut TableDefinition, existing: &Table) {
    if existing.primary_key.is_some() {
        definition.primary_key = None;
    }
    definition.unique.retain(|key| !existing.unique.iter().any(|k| k.columns == key.columns));
    definition.indexes.retain(|index| {
        !existing
            .indexes
            .iter()
            .any(|i| i.name == index.name || i.columns == index.columns && i.unique == index.unique)
    });
    definition.foreign_keys.retain(|key| {
        !existing.foreign_keys.iter().any(|k| k.columns == key.columns && k.referenced == key.referenced)
    });
}
