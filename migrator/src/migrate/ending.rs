//! How a command ends: with its report, and if it failed, with what is known by then.

use trimaran_core::{Error, Result};

use super::Order;
use super::job::Job;
use crate::exit::Exit;
use crate::interrupt;
use crate::progress::Progress;
use crate::report::Report;

/// A failure and the exit code it means, with what is known so far.
#[derive(Debug)]
pub struct Failure {
    /// The exit.
    pub exit: Exit,
    /// The error.
    pub error: Error,
    /// What was found and done until then, by a command that makes a report.
    pub report: Option<Report>,
}

impl Failure {
    /// Of a command that makes no report; `begun` says whether it may have written something.
    pub fn new(error: Error, begun: bool) -> Box<Self> {
        Box::new(Self { exit: Exit::of(&error, begun), error, report: None })
    }
}

/// Opens source and target, acts, and reports, whatever comes of it.
pub(super) fn told(
    command: &'static str,
    order: &Order,
    progress: &Progress,
    act: impl FnOnce(&mut Job<'_>) -> Result<()>,
) -> Result<Report, Box<Failure>> {
    let (ended, begun, mut report) = match Job::open(command, order, progress) {
        Ok(mut job) => (act(&mut job), job.begun, job.told()),
        Err(error) => (Err(error), false, Report::new(command, &order.from, &order.to)),
    };
    let Err(error) = ended else { return Ok(report) };
    let error = interrupt::explained(error);
    let exit = Exit::of(&error, begun);
    report.fail(exit, &error);
    Err(Box::new(Failure { exit, error, report: Some(report) }))
}
