//! The four commands: check, plan, run, verify.

mod ending;
mod job;
mod moving;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use trimaran_backends::Location;
use trimaran_backends::catalog::Unmovable;
use trimaran_core::{Error, ErrorKind, Result};

use crate::choices::Choices;
use crate::completion;
use crate::exit::Exit;
use crate::interrupt;
use crate::journal::{self, Journal, Run, State};
use crate::objects;
use crate::plan::{Plan, TablePlan};
use crate::progress::Progress;
use crate::report::Report;
use crate::resume::{self, Resume};
use crate::retry::RunLock;
use crate::schema::{self, Occupied};
use crate::source::Budget;
use crate::steps::Written;
use crate::verify;
pub use ending::Failure;
use ending::told;
use job::Job;
use moving::{Moved, Moving};

/// What every command is told.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where from.
    pub from: Location,
    /// Where to.
    pub to: Location,
    /// What the operator chose.
    pub choices: Choices,
    /// A plan to go by.
    pub plan: Option<PathBuf>,
    /// Memory and threads.
    pub budget: Budget,
    /// How often what fails for a reason that passes is tried again.
    pub retries: usize,
    /// Whether an unfinished run is to be undone first.
    pub restart: bool,
    /// Whether differences may show values.
    pub show_values: bool,
}

/// Reads everything and changes nothing: what is there, what does not move, every hazard.
///
/// # Errors
/// With the exit code that it means.
pub fn check(order: &Order, progress: &Progress) -> Result<Report, Box<Failure>> {
    told("check", order, progress, |job| {
        let plan = job.plan()?;
        let mut scan = job.scan(&plan)?;
        schema::survey(job.target.as_ref(), &plan, &mut scan.findings)?;
        job.source.unchanged()?;
        job.report.hazards = scan.findings.into_vec();
        if !job.rejects() {
            let outcome = match job.report.hazards.len() {
                0 => "no hazards: everything listed moves exactly".to_owned(),
                n => format!("{n} hazard(s), all provided for"),
            };
            job.report.end(Exit::Complete, outcome, Some("the same command with `run` moves it"));
        }
        job.report.went_by = Some(plan);
        Ok(())
    })
}

/// Makes the plan; the report holds it.
///
/// # Errors
/// With the exit code that it means.
pub fn plan(order: &Order, progress: &Progress) -> Result<Report, Box<Failure>> {
    told("plan", order, progress, |job| {
        let plan = job.plan()?;
        let outcome = format!("a plan for {} table(s), {} row(s)", plan.tables.len(), plan.estimate.rows);
        job.report.went_by = Some(plan.clone());
        job.report.plan = Some(plan);
        job.report.end(
            Exit::Complete,
            outcome,
            Some("`check` finds the hazards; edit the plan and give it with --plan"),
        );
        Ok(())
    })
}

/// Moves everything and proves it; continues what was interrupted.
///
/// # Errors
/// With the exit code that it means.
pub fn run(order: &Order, progress: &Progress) -> Result<Report, Box<Failure>> {
    told("run", order, progress, run_job)
}

fn run_job(job: &mut Job<'_>) -> Result<()> {
    let order = job.order;
    let schema =
        order.choices.schema.clone().unwrap_or_else(|| job.target.dialect().default_schema().to_owned());
    // The plan may say another schema than the flags; the journal lies where the plan says.
    let planned = if order.plan.is_some() { Some(job.plan()?) } else { None };
    let schema = planned.as_ref().map_or(schema, |p| p.schema.clone());
    let journal = Journal::new(job.target.dialect(), &schema);
    let mut lock = job.retries.run("connect", || RunLock::take(&job.target, &schema))?;
    let source = job.report.source.clone();
    let mut earlier =
        lock.run(&job.retries, "read the journal", |session| journal.earlier(session, &source))?;
    if order.restart
        && let Some(run) = earlier.take()
    {
        let plan = Plan::from_toml_unchecked(&run.plan)?;
        job.progress.say(format!("restart: dropping what run {} wrote", run.id));
        lock.run(&job.retries, "restart", |session| {
            schema::undo(job.target.as_ref(), session, &journal, &run.id, &plan)
        })?;
    }
    if let Some(run) = &earlier {
        resume::same(job.source.database.engine(), &run.identity, &job.source.identity)?;
    }
    let mut plan = match (&earlier, planned) {
        (Some(run), given) => resumed_plan(run, given, order)?,
        (None, Some(plan)) => plan,
        (None, None) => job.plan()?,
    };
    job.report.not_moved.clone_from(&plan.not_moved);
    job.report.went_by = Some(plan.clone());
    let done = earlier.as_ref().is_some_and(|run| run.state != State::Writing);
    let mut occupied = Occupied { usable: Default::default(), catalogs: Vec::new() };
    let mut scan = None;
    if !done {
        if let Some(run) = &earlier {
            let (source, target) = (&job.source, job.target.as_ref());
            let budget = order.budget;
            let resume = Resume { source, target, plan: &plan, journal: &journal, run, budget };
            lock.run(&job.retries, "resume", |session| resume.by_tables(session, job.progress))?;
        }
        let mut found = job.scan(&plan)?;
        if earlier.is_none() {
            occupied = schema::survey(job.target.as_ref(), &plan, &mut found.findings)?;
        }
        job.report.hazards = std::mem::take(&mut found.findings).into_vec();
        if job.rejects() {
            return Ok(());
        }
        scan = Some(found);
    }
    let run = match earlier {
        Some(run) => {
            job.progress.say(format!("resume: run {}", run.id));
            lock.run(&job.retries, "read the journal", |session| journal.renew(session))?;
            run
        }
        None => {
            let run = Run {
                id: run_id(),
                source: job.report.source.clone(),
                identity: job.source.identity.clone(),
                choices: order.choices.clone(),
                plan: plan.to_toml()?,
                state: State::Writing,
            };
            lock.run(&job.retries, "create the journal", |session| journal.create(session))?;
            lock.run(&job.retries, "write the journal", |session| {
                match journal.find(session, &run.source)? {
                    // The attempt before had been committed, and only the answer was lost.
                    Some(begun) if begun.id == run.id => Ok(()),
                    _ => journal.begin(session, &run),
                }
            })?;
            run
        }
    };
    job.report.run = Some(run.id.clone());
    job.begun = true;
    let (mut copied, mut verified) = (None, None);
    if let Some(scan) = &scan {
        schema::create(written(job, &mut lock), &journal, &run.id, &plan, &occupied)?;
        let totals = Mutex::default();
        let moving = Moving { job, plan: &plan, journal: &journal, run: &run.id, scan, occupied: &occupied };
        let moved = moving.run(&mut lock, &totals);
        // What was copied is told, however far it got.
        job.report.copied = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Moved { refused, verified: on_the_way } = moved?;
        copied = Some(job.report.copied.clone());
        verified = on_the_way;
        if completion::leave_out(&mut plan, &refused) {
            let text = plan.to_toml()?;
            lock.run(&job.retries, "write the journal", |session| journal.set_plan(session, &run.id, &text))?;
        }
        job.report.not_moved.extend(refused);
    } else {
        job.progress.say("everything was copied before; verifying again");
    }
    let refused = objects::create_views(written(job, &mut lock), &journal, &run.id, &plan)?;
    job.report.not_moved.extend(refused);
    let verified = match verified {
        Some(verified) => verified,
        None => job.timed("verify", || job.verify(&plan, &journal, &run.id, copied.as_deref()))?,
    };
    judge(job, &plan, verified)?;
    if job.report.exit_code != Exit::Mismatch.code() {
        let refused = statistics(job, &mut lock, &plan)?;
        job.report.not_moved.extend(refused);
        lock.run(&job.retries, "write the journal", |session| {
            journal.set_state(session, &run.id, State::Verified)
        })?;
    }
    Ok(())
}

fn written<'a>(job: &'a Job<'_>, lock: &'a mut RunLock) -> Written<'a> {
    Written { database: job.target.as_ref(), lock, retries: &job.retries }
}

/// Lets the target's planner know the tables, where the target has to be told to. What it refuses is returned: the rows are there
/// and proved.
fn statistics(job: &Job<'_>, lock: &mut RunLock, plan: &Plan) -> Result<Vec<Unmovable>> {
    let dialect = job.target.dialect();
    let of = |table: &TablePlan| Some((table.target.clone(), dialect.take_statistics(&table.target_name())?));
    let statements: Vec<(String, String)> = plan.tables.iter().filter_map(of).collect();
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    job.timed("statistics", || {
        let mut refused = Vec::new();
        for (table, sql) in statements {
            job.progress.say(&sql);
            match lock.run(&job.retries, &sql, |session| session.execute(&sql)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => refused.push(Unmovable::new("statistics", table, error.to_string())),
            }
        }
        Ok(refused)
    })
}

fn resumed_plan(run: &Run, given: Option<Plan>, order: &Order) -> Result<Plan> {
    let plan = Plan::from_toml_unchecked(&run.plan)?;
    let differs = match given {
        Some(given) => given != plan,
        None => run.choices != order.choices,
    };
    if differs {
        return Err(Error::new(ErrorKind::Configuration, "continue the run that was begun")
            .context("it was begun with other tables, policies or another plan")
            .hint("give the same flags as then, or --restart to drop what it wrote and begin again"));
    }
    Ok(plan)
}

/// Says how source and target compare.
fn judge(job: &mut Job<'_>, plan: &Plan, verified: Vec<verify::Verified>) -> Result<()> {
    let catalogs = plan
        .tables
        .iter()
        .map(|t| t.target_schema.as_str())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|schema| job.target.catalog(Some(schema)))
        .collect::<Result<Vec<_>>>()?;
    job.report.missing_keys = verify::missing_keys(plan, &catalogs);
    let rows: u64 = verified.iter().map(|v| v.target_rows).sum();
    let aside: u64 = verified.iter().map(|v| v.quarantined_rows).sum();
    let wrong: Vec<&str> = verified.iter().filter(|v| !v.equal).map(|v| v.table.as_str()).collect();
    let tables = verified.len();
    let changed: u64 = verified.iter().flat_map(|v| &v.replaced).map(|r| r.values).sum();
    let changed = match changed {
        0 => String::new(),
        n => format!("; {n} value(s) changed by lossy policies"),
    };
    if !wrong.is_empty() || !job.report.missing_keys.is_empty() {
        let what = if wrong.is_empty() {
            format!("{} key(s) are missing on the target", job.report.missing_keys.len())
        } else {
            format!("source and target differ in {}", wrong.join(", "))
        };
        job.report.end(Exit::Mismatch, what, Some("`verify --show-values` shows the values that differ"));
    } else if aside > 0 {
        let outcome = format!(
            "complete and verified: {tables} table(s), {rows} row(s) in the target, {aside} quarantined{changed}"
        );
        let next = format!(
            "the quarantined rows are in {}._trimaran_quarantine, each with key, column and reason",
            plan.schema
        );
        job.report.end(Exit::Quarantined, outcome, Some(&next));
    } else {
        let outcome =
            format!("complete and verified: {tables} table(s), {rows} row(s), every one equal{changed}");
        job.report.end(Exit::Complete, outcome, None);
    }
    job.report.verified = verified;
    Ok(())
}

/// Compares source and target by themselves, by the plan that the run went by.
///
/// # Errors
/// With the exit code that it means.
pub fn verify(order: &Order, progress: &Progress) -> Result<Report, Box<Failure>> {
    told("verify", order, progress, |job| {
        let schema =
            order.choices.schema.clone().unwrap_or_else(|| job.target.dialect().default_schema().to_owned());
        let journal = Journal::new(job.target.dialect(), &schema);
        let mut session = job.target.session()?;
        let Some(run) = journal.earlier(session.as_mut(), &job.report.source)? else {
            return Err(Error::new(ErrorKind::Configuration, "verify")
                .context(format!("schema {schema} has no journal of a run from {}", job.report.source))
                .hint("give the same --from and --schema as the run had"));
        };
        resume::same(job.source.database.engine(), &run.identity, &job.source.identity)?;
        let plan = Plan::from_toml_unchecked(&run.plan)?;
        job.report.run = Some(run.id.clone());
        if run.state == State::Writing {
            return Err(Error::new(ErrorKind::Interrupted, "verify")
                .context("the run is not complete")
                .hint("`run` with the same flags continues it"));
        }
        let verified = job.timed("verify", || job.verify(&plan, &journal, &run.id, None))?;
        job.source.unchanged()?;
        interrupt::check()?;
        judge(job, &plan, verified)?;
        job.report.went_by = Some(plan);
        Ok(())
    })
}

/// The time in milliseconds since 1970, in hexadecimal: later runs sort later.
fn run_id() -> String {
    format!("{:012x}", journal::now())
}
