//! Rows copied, tables completed and verified: side by side as far as the target bears it.
//!
//! A table gets its keys and indexes as soon as its rows are there, by the session that holds the run's lock, while other tables are
//! copied. Once all are, their rows are read for the verification while what is left is completed. With one job, and on
//! engines that have one writer, each waits for the one before.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use trimaran_backends::catalog::Unmovable;
use trimaran_core::{Error, ErrorKind, Result};

use super::job::Job;
use crate::completion::{Completion, Loaded};
use crate::copy::{Copied, Copy};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::retry::RunLock;
use crate::scan::Scan;
use crate::schema::Occupied;
use crate::steps::Written;
use crate::verify::Verified;
use crate::work;

/// What moves the rows of a run.
pub(super) struct Moving<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) plan: &'a Plan,
    pub(super) journal: &'a Journal,
    pub(super) run: &'a str,
    pub(super) scan: &'a Scan,
    pub(super) occupied: &'a Occupied,
}

/// What came of it.
pub(super) struct Moved {
    /// What the target could not be given although the rows are all there.
    pub(super) refused: Vec<Unmovable>,
    /// How source and target compare, where that was found out on the way.
    pub(super) verified: Option<Vec<Verified>>,
}

impl Moving<'_> {
    /// Moves what is left. `totals` becomes what was copied of each table, however far it got.
    ///
    /// # Errors
    /// As [`Copy::run`], [`Completion::run`] and the verification; [`ErrorKind::Changed`] if the source changed meanwhile.
    pub(super) fn run(&self, lock: &mut RunLock, totals: &Mutex<Vec<Copied>>) -> Result<Moved> {
        let job = self.job;
        let beside = job.order.budget.jobs > 1 && job.target.dialect().bears_side_by_side();
        let target = Written { database: job.target.as_ref(), lock, retries: &job.retries };
        let completion =
            Completion::new(target, self.journal, self.run, self.plan, self.occupied, job.progress)?;
        let (sender, loaded) = channel();
        std::thread::scope(|scope| {
            let completing = work::spawn(scope, "keys", move || completion.run(&loaded))?;
            let copied = job.timed("copy", || self.copy(totals, beside.then_some(&sender)));
            let since = Instant::now();
            let copied =
                copied.and_then(|()| job.source.unchanged()).and_then(|()| tell(&sender, Loaded::All(since)));
            drop(sender);
            let verified = match &copied {
                Ok(()) if beside => Some(self.verify(totals)),
                _ => None,
            };
            match (copied, joined(completing)) {
                (Ok(()), Ok(refused)) => Ok(Moved { refused, verified: verified.transpose()? }),
                (Err(copied), Ok(_)) => Err(copied),
                (Err(copied), Err(completing)) if copied.kind() != ErrorKind::Aborted => {
                    if copied.kind() != ErrorKind::Interrupted {
                        job.progress.say(format!("keys: {completing}"));
                    }
                    Err(copied)
                }
                // A copy that ended because the completion did has the same cause.
                (_, Err(completing)) => Err(completing),
            }
        })
    }

    fn copy(&self, totals: &Mutex<Vec<Copied>>, loaded: Option<&Sender<Loaded>>) -> Result<()> {
        let Self { job, scan, .. } = self;
        let copy = Copy {
            source: &job.source,
            target: job.target.as_ref(),
            plan: self.plan,
            journal: self.journal,
            run: self.run,
            held: &scan.held,
            scanned: &scan.tables,
            budget: job.order.budget,
            retries: &job.retries,
        };
        copy.run(job.progress, totals, |at| {
            loaded.map_or(Ok(()), |completion| tell(completion, Loaded::Table(at)))
        })
    }

    fn verify(&self, totals: &Mutex<Vec<Copied>>) -> Result<Vec<Verified>> {
        let copied = totals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.job.timed("verify", || self.job.verify(self.plan, self.journal, self.run, Some(&copied)))
    }
}

/// Tells the thread that completes tables what is loaded.
///
/// # Errors
/// [`ErrorKind::Aborted`] if it has ended.
fn tell(completion: &Sender<Loaded>, loaded: Loaded) -> Result<()> {
    completion.send(loaded).map_err(|_| {
        Error::new(ErrorKind::Aborted, "copy").context("a table that had been copied could not be completed")
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
