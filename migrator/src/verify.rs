//! The proof: for each table, what the source holds equals what the target holds plus what was put aside.

use serde::Serialize;
use trimaran_backends::{Catalog, Database};
use trimaran_core::Result;
use trimaran_core::digest::Digest;

use crate::compare::{self, Difference};
use crate::copy::Copied;
use crate::journal::Journal;
use crate::plan::{Plan, TablePlan};
use crate::progress::{Meter, Progress};
use crate::retry::Retries;
use crate::sides::{self, Replaced, Side, Sum};
use crate::source::{Budget, Source};
use crate::sums::{self, Summed};

/// The comparison of one table.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The table, as people write it.
    pub table: String,
    /// Rows on the source.
    pub source_rows: u64,
    /// Rows on the target.
    pub target_rows: u64,
    /// Rows put aside.
    pub quarantined_rows: u64,
    /// The source's digest.
    pub source_digest: String,
    /// The digest of target and quarantine together.
    pub target_digest: String,
    /// Whether the two are equal, in count and digest.
    pub equal: bool,
    /// What normalisations changed on the way: the columns that have one. The source's digest is taken after them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
    /// What differs, if anything does: the first few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// What a verification needs.
pub struct Verify<'a> {
    /// The source.
    pub source: &'a Source,
    /// The target.
    pub target: &'a dyn Database,
    /// The plan that the run went by.
    pub plan: &'a Plan,
    /// The journal.
    pub journal: &'a Journal,
    /// The run.
    pub run: &'a str,
    /// Memory and threads.
    pub budget: Budget,
    /// Whether differences may show values.
    pub show_values: bool,
    /// Tries again what fails for a reason that passes.
    pub retries: &'a Retries<'a>,
}

impl<'a> Verify<'a> {
    /// Compares every table. `copied` holds the digests taken while copying; without them the source is read again.
    ///
    /// # Errors
    /// The engines', classified; [`trimaran_core::ErrorKind::Interrupted`] on request. A difference is no error.
    pub fn run(&self, copied: Option<&[Copied]>, progress: &Progress) -> Result<Vec<Verified>> {
        let (tables, aside) = self.retries.run("verify", || {
            let tables = sides::target_tables(self.target, self.plan)?;
            Ok((tables, sides::quarantine_sums(self.target, self.journal, self.run)?))
        })?;
        let sources = self.sources(copied, progress)?;
        let sides = self.retries.run("verify", || {
            let mut session = self.target.session()?;
            let side = |planned| Side::target(self.target, session.as_mut(), &tables, planned);
            self.plan.tables.iter().map(side).collect::<Result<Vec<_>>>()
        })?;
        let mut targets = self.target_sums(&sides, &sources, progress)?.into_iter();
        let mut all = Vec::with_capacity(self.plan.tables.len());
        for ((planned, side), (source, replaced)) in self.plan.tables.iter().zip(&sides).zip(sources) {
            let target = if side.is_some() { targets.next() } else { None };
            let quarantined = aside.get(&planned.source_name()).copied().unwrap_or_default();
            let judged = self.judge(planned, source, target, quarantined, side.as_ref(), progress)?;
            all.push(Verified { replaced, ..judged });
        }
        Ok(all)
    }

    /// What each table of the source sums up to, and what its normalisations changed.
    fn sources(&self, copied: Option<&[Copied]>, progress: &Progress) -> Result<Vec<(Sum, Vec<Replaced>)>> {
        let meter = |planned: &TablePlan| {
            progress.table("verify", &format!("{} (source)", planned.source_name()), planned.rows)
        };
        let unknown: Vec<&TablePlan> = match copied {
            Some(_) => Vec::new(),
            None => self.plan.tables.iter().filter(|planned| !planned.is_lossy()).collect(),
        };
        let sides = self.retries.run("verify", || {
            let mut session = self.source.database.session()?;
            let side = |planned: &&'a TablePlan| {
                Side::source(self.source, session.as_mut(), planned, self.plan.target, sides::Aside::new())
            };
            unknown.iter().map(side).collect::<Result<Vec<_>>>()
        })?;
        let summed: Vec<_> = unknown
            .iter()
            .zip(&sides)
            .map(|(planned, side)| Summed {
                side,
                name: planned.source_name().to_string(),
                meter: meter(planned),
            })
            .collect();
        let mut sums = sums::sums(&summed, self.budget, self.retries)?.into_iter();
        let mut all = Vec::with_capacity(self.plan.tables.len());
        for (at, planned) in self.plan.tables.iter().enumerate() {
            all.push(match copied {
                // Where values are changed on the way, how many were is counted in the source itself.
                _ if planned.is_lossy() => self.lossy(planned, &meter(planned))?,
                Some(copied) => (Sum { rows: copied[at].rows_read, digest: copied[at].digest }, Vec::new()),
                None => (sums.next().unwrap_or_default(), Vec::new()),
            });
        }
        Ok(all)
    }

    fn lossy(&self, planned: &TablePlan, meter: &Meter<'_>) -> Result<(Sum, Vec<Replaced>)> {
        meter.start();
        let summed = self.retries.run(&format!("verify {}", planned.source_name()), || {
            let side = self.source_side(planned)?;
            let sum = side.sum(self.budget, |rows, bytes| meter.add(rows, bytes))?;
            Ok((sum, side.replaced()))
        })?;
        meter.finish();
        Ok(summed)
    }

    /// What each table sums up to that the target has.
    fn target_sums(
        &self,
        sides: &[Option<Side<'_>>],
        sources: &[(Sum, Vec<Replaced>)],
        progress: &Progress,
    ) -> Result<Vec<Sum>> {
        let there = self.plan.tables.iter().zip(sides).zip(sources);
        let summed: Vec<_> = there
            .filter_map(|((planned, side), (source, _))| {
                let name = planned.source_name().to_string();
                let meter = progress.table("verify", &name, source.rows);
                side.as_ref().map(|side| Summed { side, name, meter })
            })
            .collect();
        sums::sums(&summed, self.budget, self.retries)
    }

    fn source_side<'t>(&'t self, planned: &'t TablePlan) -> Result<Side<'t>> {
        let aside = match planned.is_lossy() {
            true => sides::aside(self.target, self.journal, self.run, planned)?,
            false => sides::Aside::new(),
        };
        let mut session = self.source.database.session()?;
        Side::source(self.source, session.as_mut(), planned, self.plan.target, aside)
    }

    fn judge(
        &self,
        planned: &TablePlan,
        source: Sum,
        target: Option<Sum>,
        quarantined: Sum,
        side: Option<&Side<'_>>,
        progress: &Progress,
    ) -> Result<Verified> {
        let mut together: Digest = target.unwrap_or_default().digest;
        together.add(quarantined.digest);
        let target_rows = target.unwrap_or_default().rows;
        let equal =
            target.is_some() && source.rows == target_rows + quarantined.rows && source.digest == together;
        let mut verified = Verified {
            table: planned.source_name().to_string(),
            source_rows: source.rows,
            target_rows,
            quarantined_rows: quarantined.rows,
            source_digest: source.digest.to_string(),
            target_digest: together.to_string(),
            equal,
            replaced: Vec::new(),
            differences: Vec::new(),
        };
        if !equal {
            progress.say(format!("differs: {}; looking for the rows", verified.table));
            verified.differences = match side {
                None => vec![Difference::table_missing()],
                Some(side) => {
                    let compare = compare::Compare {
                        source: self.source_side(planned)?,
                        target: side,
                        planned,
                        aside: sides::aside(self.target, self.journal, self.run, planned)?,
                        budget: self.budget,
                        show_values: self.show_values,
                    };
                    compare.run()?
                }
            };
        }
        Ok(verified)
    }
}

/// Holds the target's keys against the plan's: each that is missing, by name.
pub fn missing_keys(plan: &Plan, catalogs: &[Catalog]) -> Vec<String> {
    let mut missing = Vec::new();
    for planned in &plan.tables {
        let definition = planned.definition(plan);
        let table = catalogs.iter().flat_map(|c| &c.tables).find(|t| t.name == definition.name);
        let Some(table) = table else { continue };
        let label = &planned.target;
        if let Some(key) = &definition.primary_key
            && table.primary_key.as_ref().map(|k| &k.columns) != Some(&key.columns)
        {
            missing.push(format!("primary key of {label} ({})", key.columns.join(", ")));
        }
        for key in &definition.unique {
            if !table.unique.iter().any(|k| k.columns == key.columns) {
                missing.push(format!("unique constraint of {label} ({})", key.columns.join(", ")));
            }
        }
        for key in &definition.foreign_keys {
            if !table.foreign_keys.iter().any(|k| k.columns == key.columns && k.referenced == key.referenced)
            {
                missing.push(format!("foreign key of {label} ({})", key.columns.join(", ")));
            }
        }
    }
    missing
}
