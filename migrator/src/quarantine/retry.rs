//! Rows that were put aside, tried again under another policy: what moves now is written to its table, and leaves the
//! quarantine, in one transaction.
//!
//! Nothing but policies may differ from the plan of the run, and only so that what was written already keeps its meaning; so
//! `verify` goes on to prove that the source is the target and the quarantine together.

use std::collections::BTreeSet;
use std::path::PathBuf;

use trimaran_backends::Session;
use trimaran_backends::dialect::Phase;
use trimaran_core::digest::{self, Digest};
use trimaran_core::{Error, ErrorKind, Result};

use super::retry_plan::{allowed, wanted};
use super::{Opened, Report, Which, groups};
use crate::exit::Exit;
use crate::hazard::Hazard;
use crate::interrupt;
use crate::journal::{Entry, State};
use crate::objects;
use crate::plan::TablePlan;
use crate::policy::Policy;
use crate::progress::Progress;
use crate::retry::lock_name;
use crate::rows::{Held, RowMapper};
use crate::source::Budget;

/// The most rows of one transaction.
const ROWS: usize = 1_000;

/// How to try again.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The policy for the columns that rows were put aside for.
    pub on_hazard: Option<Policy>,
    /// The run's plan, with other policies.
    pub plan: Option<PathBuf>,
}

/// A failure, and whether anything may have been written before it.
pub type Failed = (Error, bool);

/// Writes the rows that a policy allows now.
///
/// # Errors
/// [`ErrorKind::Configuration`] if the plan differs in more than policies, or a policy would change the meaning of what is
/// written already; [`ErrorKind::Interrupted`] on request: the same command continues; else the target's, classified.
pub fn retry(which: &Which, choice: &Choice, progress: &Progress) -> Result<Report, Failed> {
    let mut begun = false;
    attempt(which, choice, progress, &mut begun).map_err(|error| (error, begun))
}

fn attempt(which: &Which, choice: &Choice, progress: &Progress, begun: &mut bool) -> Result<Report> {
    let mut opened = Opened::new(which)?;
    let mut session = opened.session()?;
    if !session.try_lock(&lock_name(&opened.schema))? {
        return Err(Error::new(ErrorKind::Configuration, "try again")
            .context(format!("another migration into schema {} is at work", opened.schema))
            .hint("wait for it to end"));
    }
    if opened.run.state == State::Writing {
        return Err(Error::new(ErrorKind::Interrupted, "try again")
            .context("the run is not complete")
            .hint("`run` with the same flags continues it"));
    }
    let plan = wanted(&opened, choice)?;
    if plan != opened.plan {
        allowed(&opened, &plan, which.budget)?;
    }
    *begun = true;
    opened.journal.renew(session.as_mut())?;
    if plan != opened.plan {
        session.begin()?;
        let set = opened.journal.set_plan(session.as_mut(), &opened.run.id, &plan.to_toml()?);
        finish(session.as_mut(), set)?;
        opened.plan = plan;
    }
    let mut report = Report::new("retry", &opened);
    // A row may wait for another of the quarantine that it refers to: so again until nothing more moves.
    let work = Work { opened: &opened, budget: which.budget };
    loop {
        let mut moved = 0;
        let waiting: BTreeSet<String> = groups(&opened)?.into_iter().map(|group| group.table).collect();
        let tables = opened.plan.tables.iter();
        for table in tables.filter(|table| waiting.contains(&table.source_name().to_string())) {
            let rows = work.table(session.as_mut(), table)?;
            if rows > 0 {
                progress.say(format!("{}: {rows} row(s) written", table.source_name()));
                *report.moved.entry(table.source_name().to_string()).or_default() += rows;
                moved += rows;
            }
        }
        if moved == 0 {
            break;
        }
    }
    for table in &opened.plan.tables {
        for statement in opened.target.dialect().complete(&table.definition(&opened.plan), Phase::Counters) {
            session.execute(&statement.sql).map_err(|error| error.context(statement.step))?;
        }
    }
    report.groups = groups(&opened)?;
    let (moved, left): (u64, u64) =
        (report.moved.values().sum(), report.groups.iter().map(|group| group.count).sum());
    report.outcome = format!("{moved} row(s) written, {left} left in the quarantine");
    report.next = Some(if left == 0 {
        "`verify` with the run's --from and --to proves it".to_owned()
    } else {
        "`verify` proves it; choose another policy for the rows that are left, or export them".to_owned()
    });
    report.exit_code = if left == 0 { Exit::Complete } else { Exit::Quarantined }.code();
    Ok(report)
}

fn finish(session: &mut dyn Session, done: Result<()>) -> Result<()> {
    match done {
        Ok(()) => session.commit(),
        Err(error) => {
            drop(session.rollback());
            Err(error)
        }
    }
}

/// Whether the target refuses rows for what they say: for a key or a check.
fn is_of_rows(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict || objects::is_broken_check(error)
}

/// A row that moves now.
struct Row {
    entry: Entry,
    encoded: Vec<u8>,
    /// Its digest as it was, and as it moves.
    before: Digest,
    after: Digest,
}

struct Work<'a> {
    opened: &'a Opened,
    budget: Budget,
}

impl Work<'_> {
    /// Writes the rows of one table that move now: how many.
    fn table(&self, session: &mut dyn Session, table: &TablePlan) -> Result<u64> {
        let (run, journal) = (&self.opened.run.id, &self.opened.journal);
        let name = table.source_name();
        // The quarantine holds values by meaning: what a run before escaped is read as it was already.
        let mut meant = table.clone();
        meant
            .columns
            .iter_mut()
            .filter_map(|column| column.undo.as_mut())
            .for_each(|undo| undo.escaped = false);
        let mapper = RowMapper::of_values(&self.opened.plan, &meant, &Held::default());
        let bytes = self.budget.buffer() as u64;
        let mut moved = 0;
        for batch in journal.batches(session, run, &name, bytes, ROWS)? {
            interrupt::check()?;
            let entries = journal.batch(session, run, &name, batch)?;
            let rows = entries
                .into_iter()
                .filter_map(|entry| self.row(&mapper, entry).transpose())
                .collect::<Result<Vec<_>>>()?;
            moved += self.write(session, table, &rows)?;
        }
        Ok(moved)
    }

    /// The row as it is written; `None` if it still can't be.
    fn row(&self, mapper: &RowMapper<'_>, entry: Entry) -> Result<Option<Row>> {
        // No policy of a column helps against these: neither would the target take the rows.
        if matches!(
            Hazard::parse(&entry.reason),
            Some(Hazard::Orphan | Hazard::Duplicate | Hazard::TooLongForKey)
        ) {
            return Ok(None);
        }
        let values = digest::decode_row(&mut entry.bytes.as_slice())?;
        let mut mapped = mapper.map(&values);
        if mapped.obstacle().is_some() {
            return Ok(None);
        }
        let before = Digest::of_row(&entry.bytes);
        mapped.replace();
        let mut canonical = Vec::new();
        digest::encode_row(&mapped.values, &mut canonical);
        let after = Digest::of_row(&canonical);
        mapper.write(&mut mapped);
        let mut encoded = Vec::new();
        self.opened.target.encode_row(mapper.types(), &mapped.values, &mut encoded)?;
        drop(mapped);
        drop(values);
        Ok(Some(Row { entry, encoded, before, after }))
    }

    /// Writes rows of one chunk. Where the target refuses some for a key, those stay and the others are written.
    fn write(&self, session: &mut dyn Session, table: &TablePlan, rows: &[Row]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        session.begin()?;
        let written = self.write_all(session, table, rows);
        match finish(session, written) {
            Ok(()) => Ok(rows.len() as u64),
            Err(error) if is_of_rows(&error) && rows.len() > 1 => {
                let (head, tail) = rows.split_at(rows.len() / 2);
                Ok(self.write(session, table, head)? + self.write(session, table, tail)?)
            }
            Err(error) if is_of_rows(&error) => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn write_all(&self, session: &mut dyn Session, table: &TablePlan, rows: &[Row]) -> Result<()> {
        let columns = table.written(self.opened.plan.target);
        let encoded: Vec<u8> = rows.iter().flat_map(|row| row.encoded.iter().copied()).collect();
        session.write(&table.target_name(), &columns, &encoded)?;
        let (mut before, mut after) = (Digest::default(), Digest::default());
        for row in rows {
            before.add(row.before);
            after.add(row.after);
        }
        let entries: Vec<&Entry> = rows.iter().map(|row| &row.entry).collect();
        self.opened.journal.release(session, &self.opened.run.id, &entries, before, after)
    }
}
