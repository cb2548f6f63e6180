//! What a command works with: source and target, opened, and the report that it fills.

use std::sync::Arc;
use std::time::Instant;

use trimaran_backends::{Access, Database, OpenOptions};
use trimaran_core::{Error, ErrorKind, Result};

use super::Order;
use crate::copy::Copied;
use crate::exit::Exit;
use crate::finding::Finding;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::planner;
use crate::policy::Treatment;
use crate::progress::Progress;
use crate::reach::open;
use crate::report::Report;
use crate::retry::Retries;
use crate::scan::{self, Scan};
use crate::source::Source;
use crate::verify::{self, Verify};

/// The source and the target, opened, and the report begun.
pub(super) struct Job<'o> {
    pub(super) order: &'o Order,
    pub(super) source: Source,
    pub(super) target: Arc<dyn Database>,
    pub(super) progress: &'o Progress,
    pub(super) retries: Retries<'o>,
    pub(super) report: Report,
    /// Whether anything may have been written, so that a failure is an interruption.
    pub(super) begun: bool,
}

impl<'o> Job<'o> {
    pub(super) fn open(command: &'static str, order: &'o Order, progress: &'o Progress) -> Result<Self> {
        let source = Source::open(&order.from, order.budget)?;
        let options = OpenOptions {
            access: Access::Target,
            memory: order.budget.target(order.from.engine(), order.to.engine()),
            sessions: order.budget.jobs,
        };
        if order.from.path().is_some() && order.from.path() == order.to.path() {
            return Err(Error::new(ErrorKind::Configuration, "migrate")
                .context("source and target are the same file")
                .hint("name another file after --to"));
        }
        let target: Arc<dyn Database> = Arc::from(open(&order.to, options)?);
        let target_version = target.catalog(Some(target.dialect().default_schema()))?.version;
        let report = Report {
            source_version: format!("{} {}", source.catalog.engine, source.catalog.version),
            target_version: format!("{} {target_version}", target.engine()),
            ..Report::new(command, &order.from, &order.to)
        };
        let retries = Retries::new(order.retries, progress);
        Ok(Self { order, source, target, progress, retries, report, begun: false })
    }

    /// Does the work of a phase, which the timeline tells of.
    pub(super) fn timed<T>(&self, phase: &'static str, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.progress.timeline().phase(phase, begun);
        done
    }

    /// The report, with when what was done and how often again.
    pub(super) fn told(self) -> Report {
        let timeline = self.progress.timeline().spans();
        let phases = timeline.iter().filter(|span| span.table.is_none());
        let seconds = phases.map(|span| (span.phase, span.to - span.from)).collect();
        Report { retries: self.retries.count(), seconds, timeline, ..self.report }
    }

    pub(super) fn plan(&mut self) -> Result<Plan> {
        let plan = self.timed("plan", || self.make_plan())?;
        self.report.not_moved.clone_from(&plan.not_moved);
        self.report.lossy = plan.lossy();
        Ok(plan)
    }

    fn make_plan(&self) -> Result<Plan> {
        match &self.order.plan {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    Error::new(ErrorKind::Configuration, format!("read the plan {}", path.display()))
                        .source(e)
                })?;
                Plan::from_toml(&text, &self.source.catalog, self.target.engine())
            }
            None => planner::plan(
                self.source.database.as_ref(),
                &self.source.catalog,
                self.target.dialect(),
                &self.order.choices,
                self.order.budget.jobs,
            ),
        }
    }

    pub(super) fn scan(&mut self, plan: &Plan) -> Result<Scan> {
        let work = || scan::scan(&self.source, plan, self.order.budget, self.progress);
        let scan = self.timed("check", || self.retries.run("check", work))?;
        self.report.tables.clone_from(&scan.tables);
        self.report.storage_classes.clone_from(&scan.classes);
        Ok(scan)
    }

    pub(super) fn verify(
        &self,
        plan: &Plan,
        journal: &Journal,
        run: &str,
        copied: Option<&[Copied]>,
    ) -> Result<Vec<verify::Verified>> {
        Verify {
            source: &self.source,
            target: self.target.as_ref(),
            plan,
            journal,
            run,
            budget: self.order.budget,
            show_values: self.order.show_values,
            retries: &self.retries,
        }
        .run(copied, self.progress)
    }

    pub(super) fn rejects(&mut self) -> bool {
        if !Scan::rejects(&self.report.hazards) {
            return false;
        }
        let rejecting: Vec<&Finding> =
            self.report.hazards.iter().filter(|f| f.treatment == Treatment::Rejects).collect();
        let advice: std::collections::BTreeSet<&str> = rejecting.iter().map(|f| f.hazard.advice()).collect();
        let outcome = format!("{} hazard(s) stand in the way; nothing was written", rejecting.len());
        let advice = advice.into_iter().collect::<Vec<_>>().join("; ");
        self.report.end(Exit::Hazards, outcome, Some(&advice));
        true
    }
}
