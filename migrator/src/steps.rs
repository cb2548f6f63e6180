//! Statements of the target's schema: each a step that the journal records, done once whatever happens.

use std::collections::HashSet;

use trimaran_backends::dialect::Statement;
use trimaran_backends::{Database, Session};
use trimaran_core::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::journal::Journal;
use crate::retry::{Retries, RunLock};

/// Does a statement and its journal record in one transaction, unless the journal has it.
pub(crate) struct Steps<'a> {
    pub(crate) target: Written<'a>,
    journal: &'a Journal,
    run: &'a str,
    done: HashSet<String>,
}

/// The target as a run writes its schema.
pub struct Written<'a> {
    /// The target.
    pub database: &'a dyn Database,
    /// The session that the run's lock is held by.
    pub lock: &'a mut RunLock,
    /// Tries again what fails for a reason that passes.
    pub retries: &'a Retries<'a>,
}

impl<'a> Steps<'a> {
    /// Reads from the journal which steps are done.
    pub(crate) fn new(target: Written<'a>, journal: &'a Journal, run: &'a str) -> Result<Self> {
        let done =
            target.lock.run(target.retries, "read the journal", |session| journal.steps(session, run))?;
        Ok(Self { target, journal, run, done })
    }

    /// Whether the step was taken, in this process or before it.
    pub(crate) fn is_done(&self, step: &str) -> bool {
        self.done.contains(step)
    }

    /// Takes a step, unless it was taken.
    ///
    /// # Errors
    /// The target's, classified, naming the step.
    pub(crate) fn take(&mut self, statement: &Statement) -> Result<()> {
        if self.is_done(&statement.step) {
            return Ok(());
        }
        interrupt::check()?;
        let (journal, run, step) = (self.journal, self.run, &statement.step);
        let recorded = |session: &mut dyn Session| Ok(journal.steps(session, run)?.contains(step));
        let mut tried = false;
        self.target.lock.run(self.target.retries, step, |session| {
            // The attempt before may have been committed, and only the answer was lost.
            if std::mem::replace(&mut tried, true) && recorded(session)? {
                return Ok(());
            }
            let taken = |session: &mut dyn Session, sql: &str| {
                session.begin()?;
                let done = session
                    .execute(sql)
                    .and_then(|_| journal.record_step(session, run, step))
                    .and_then(|()| session.commit());
                done.inspect_err(|_| drop(session.rollback()))
            };
            let done = match (taken(session, &statement.sql), &statement.otherwise) {
                (Err(error), Some(otherwise)) if is_refusal(&error) => taken(session, otherwise),
                (done, _) => done,
            };
            let Err(error) = done else { return Ok(()) };
            // So may that of a process before this one, just now.
            if error.kind() == ErrorKind::Conflict && recorded(session).unwrap_or(false) {
                return Ok(());
            }
            Err(error.context(step.clone()))
        })?;
        self.done.insert(statement.step.clone());
        Ok(())
    }
}

/// Whether Postgres refuses a statement as it stands: a name is taken (SQLSTATE 42P07, duplicate_table), or the table is of a kind that it
/// does not go for, such as a partitioned one (0A000, feature_not_supported).
fn is_refusal(error: &Error) -> bool {
    matches!(error.engine_code(), Some("42P07" | "0A000"))
}
