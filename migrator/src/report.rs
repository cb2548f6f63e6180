//! What a command found and did: one structure, written as JSON for programs and as text for people.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use trimaran_backends::Location;
use trimaran_backends::catalog::Unmovable;
use trimaran_core::Error;

use crate::compare::{Difference, Kind};
use crate::copy::Copied;
use crate::exit::Exit;
use crate::finding::Finding;
use crate::plan::Plan;
use crate::report_hazards;
use crate::scan::TableScan;
use crate::storage_classes::StorageClasses;
use crate::timeline::Span;
use crate::verify::Verified;

/// The result of a command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// `check`, `plan`, `run` or `verify`.
    pub command: &'static str,
    /// The source, without secrets.
    pub source: String,
    /// The source's engine and version.
    pub source_version: String,
    /// The target, without secrets.
    pub target: String,
    /// The target's engine and version.
    pub target_version: String,
    /// The run, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The plan, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The plan that was gone by, for the page.
    #[serde(skip)]
    pub went_by: Option<Plan>,
    /// What the source holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableScan>,
    /// What does not move.
    pub not_moved: Vec<Unmovable>,
    /// Hazards.
    pub hazards: Vec<Finding>,
    /// The storage classes of columns whose values are of several, or of another than declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub storage_classes: Vec<StorageClasses>,
    /// The columns whose values with a hazard are changed, by the plan's policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lossy: Vec<String>,
    /// What was copied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copied: Vec<Copied>,
    /// What was compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<Verified>,
    /// Keys that the plan has and the target lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_keys: Vec<String>,
    /// How often something was tried again: a lost connection, a deadlock.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
    /// Seconds by phase.
    pub seconds: Vec<(&'static str, f64)>,
    /// When what was done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Span>,
    /// The error that it ended with.
    #[serde(flatten)]
    pub failed: Option<Failed>,
    /// One sentence: how it ended.
    pub outcome: String,
    /// What to do next, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The exit code.
    pub exit_code: u8,
}

/// The error that a command ended with.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// What it says.
    pub error: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it came from, the nearest first.
    pub causes: Vec<String>,
}

impl Report {
    /// Of a command that has found and done nothing yet.
    pub fn new(command: &'static str, from: &Location, to: &Location) -> Self {
        Self { command, source: from.to_string(), target: to.to_string(), ..Self::default() }
    }

    /// Sets that it ended with an error.
    pub fn fail(&mut self, exit: Exit, error: &Error) {
        self.end(exit, error.to_string(), error.next_step());
        self.failed =
            Some(Failed { error: error.to_string(), kind: error.kind().name(), causes: error.causes() });
    }

    /// Sets how it ended.
    pub fn end(&mut self, exit: Exit, outcome: impl Into<String>, next: Option<&str>) {
        self.exit_code = exit.code();
        self.outcome = outcome.into();
        self.next = next.map(str::to_owned);
    }

    /// The report as text for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "from  {}  ({})", self.source, self.source_version)?;
        writeln!(out, "to    {}  ({})", self.target, self.target_version)?;
        if !self.tables.is_empty() && self.verified.is_empty() {
            let mut table = new_table(["table", "rows", "size", "largest value", "in column"]);
            for scan in &self.tables {
                table.add_row(vec![
                    Cell::new(&scan.table),
                    number(scan.rows),
                    right(bytes(scan.bytes)),
                    right(bytes(scan.largest)),
                    Cell::new(scan.largest_column.as_deref().unwrap_or("")),
                ]);
            }
            writeln!(out, "\n{table}")?;
        }
        if !self.verified.is_empty() {
            let mut table = new_table(["table", "source rows", "target rows", "quarantined", "digest", ""]);
            for v in &self.verified {
                table.add_row(vec![
                    Cell::new(&v.table),
                    number(v.source_rows),
                    number(v.target_rows),
                    number(v.quarantined_rows),
                    Cell::new(format!("{}…", &v.source_digest[..12])),
                    Cell::new(if v.equal { "equal" } else { "DIFFERS" }),
                ]);
            }
            writeln!(out, "\n{table}")?;
            self.write_differences(out)?;
        }
        report_hazards::write(self, out)?;
        if !self.not_moved.is_empty() {
            writeln!(out, "\nNot moved")?;
            for thing in &self.not_moved {
                writeln!(out, "  {} {}: {}", thing.kind, thing.name, thing.reason)?;
            }
        }
        for key in &self.missing_keys {
            writeln!(out, "  missing on the target: {key}")?;
        }
        if !self.seconds.is_empty() {
            let parts: Vec<_> = self.seconds.iter().map(|(phase, s)| format!("{phase} {s:.1} s")).collect();
            // Phases that went on side by side take less in all than their sum.
            let all = self.timeline.iter().map(|span| span.to).fold(0.0, f64::max);
            writeln!(out, "\n{}; {all:.1} s in all", parts.join(", "))?;
        }
        if self.retries > 0 {
            writeln!(out, "tried again {} time(s): connections lost, deadlocks and the like", self.retries)?;
        }
        writeln!(out, "\n{}", self.outcome)?;
        if let Some(next) = &self.next {
            writeln!(out, "next: {next}")?;
        }
        Ok(())
    }

    fn write_differences(&self, out: &mut String) -> std::fmt::Result {
        for table in self.verified.iter().filter(|v| !v.differences.is_empty()) {
            writeln!(out, "{}: the first rows that differ", table.table)?;
            for difference in &table.differences {
                writeln!(out, "  {}", line(difference))?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A row that differs, in one line.
pub(crate) fn line(difference: &Difference) -> String {
    let key = &difference.key;
    match difference.kind {
        Kind::TableMissing => "the table, or one of its columns, is not on the target".to_owned(),
        Kind::Missing => format!("{key}: missing on the target"),
        Kind::Extra => format!("{key}: on the target, not (or less often) in the source"),
        Kind::Different => {
            let columns: Vec<_> = difference
                .columns
                .iter()
                .map(|c| match (&c.source, &c.target) {
                    (Some(source), Some(target)) => format!("{} ({source} → {target})", c.column),
                    _ => c.column.clone(),
                })
                .collect();
            format!("{key}: differs in {}", columns.join(", "))
        }
    }
}

pub(crate) fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

pub(crate) fn number(n: u64) -> Cell {
    right(indicatif::HumanCount(n).to_string())
}

pub(crate) fn bytes(n: u64) -> String {
    indicatif::BinaryBytes(n).to_string()
}
