//! Hazards, storage classes and lossy columns as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::Cell;

use crate::finding::Outcome;
use crate::policy::Policy;
use crate::report::{Report, new_table, number};

/// Writes what the check found.
pub(crate) fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    classes(report, out)?;
    hazards(report, out)?;
    lossy(report, out)
}

fn hazards(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.hazards.is_empty() {
        return Ok(());
    }
    let mut table = new_table(["table", "column", "hazard", "rows", "what happens", "first keys"]);
    for finding in &report.hazards {
        let mut meaning = finding.hazard.meaning().to_owned();
        if let Some(detail) = &finding.detail {
            write!(meaning, " ({detail})")?;
        }
        table.add_row(vec![
            Cell::new(&finding.table),
            Cell::new(finding.column.as_deref().unwrap_or("")),
            Cell::new(meaning),
            number(finding.count),
            Cell::new(finding.treatment),
            Cell::new(finding.first_keys.join("\n")),
        ]);
    }
    writeln!(out, "\nHazards\n{table}")?;
    // Once for each kind; what moves exactly does so under every policy.
    let kinds: BTreeMap<_, _> =
        report.hazards.iter().filter(|f| !f.hazard.is_note()).map(|f| (f.hazard, &f.policies)).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    let mut table = new_table(["hazard", "quarantine", "escape", "replace", "as_text", "as_bytes"]);
    for (hazard, policies) in kinds {
        let shown = |wanted: Policy| {
            let outcome = policies.iter().find(|outcome| outcome.policy == wanted);
            Cell::new(outcome.map(Outcome::to_string).unwrap_or_default())
        };
        let policies =
            Policy::ALL.iter().map(|(policy, _)| *policy).filter(|policy| *policy != Policy::Reject);
        table.add_row([Cell::new(hazard.meaning())].into_iter().chain(policies.map(shown)));
    }
    writeln!(out, "\nWhat each policy would do\n{table}")
}

fn classes(report: &Report, out: &mut String) -> std::fmt::Result {
    if report.storage_classes.is_empty() {
        return Ok(());
    }
    let mut table = new_table(["table", "column", "declared", "integer", "real", "text", "blob", "null"]);
    for classes in &report.storage_classes {
        table.add_row(vec![
            Cell::new(&classes.table),
            Cell::new(&classes.column),
            Cell::new(&classes.declared),
            number(classes.integer),
            number(classes.real),
            number(classes.text),
            number(classes.blob),
            number(classes.null),
        ]);
    }
    writeln!(out, "\nStorage classes that are mixed, or not what was declared\n{table}")
}

fn lossy(report: &Report, out: &mut String) -> std::fmt::Result {
    let columns = report.verified.iter().flat_map(|v| v.replaced.iter().map(move |r| (&v.table, r)));
    let mut columns = columns.peekable();
    if columns.peek().is_some() {
        writeln!(out, "\nLossy, as the plan says: values that were changed")?;
        for (table, replaced) in columns {
            writeln!(out, "  {table}.{}: {} by {}", replaced.column, replaced.values, replaced.by)?;
        }
    } else if !report.lossy.is_empty() {
        writeln!(out, "\nLossy, as the plan says: {}", report.lossy.join(", "))?;
    }
    Ok(())
}
