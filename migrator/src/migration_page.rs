//! The report of a migration as a page: one file, no script, nothing from elsewhere, for those who were not there.

use serde::Serialize;
use trimaran_core::{Result, Timestamp};

use crate::exit::Exit;
use crate::finding::Outcome;
use crate::migration_chart::{Chart, seconds};
use crate::plan::{Plan, TablePlan};
use crate::policy::{Policy, Treatment};
use crate::report::{Report, bytes, line};
use crate::report_output::{UNFINISHED, shown};
use crate::report_page::number;
use crate::report_template;

const TEMPLATE: &str = include_str!("templates/migration.html");

/// What the report does not say itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// When the page is made.
    pub(crate) made_at: Timestamp,
    /// Bytes of memory that the command was given.
    pub(crate) memory: u64,
    /// How many threads read and wrote.
    pub(crate) jobs: usize,
}

#[derive(Serialize)]
struct Page<'r> {
    title: String,
    /// `good`, `care` or `bad`: how it ended.
    verdict: &'static str,
    word: &'static str,
    outcome: String,
    causes: Vec<String>,
    next: Option<String>,
    /// What the page begins with if the command did not end.
    unfinished: Option<&'static str>,
    report: &'r Report,
    made_at: String,
    took: String,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    phases: Vec<Phase>,
    tables: Vec<Table>,
    hazards: Vec<Hazard>,
    choices: Vec<Choice>,
    policies: Vec<&'static str>,
    lossy: Vec<String>,
    plan: Vec<Planned>,
    plan_text: Option<String>,
    memory: String,
    jobs: usize,
    version: &'static str,
}

/// A number that stands alone.
#[derive(Serialize)]
struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

#[derive(Serialize)]
struct Phase {
    name: &'static str,
    took: String,
}

#[derive(Serialize)]
struct Table {
    name: String,
    rows: String,
    /// The bar's length, in percent of the table with most rows.
    bar: f64,
    written: Option<String>,
    aside: Option<String>,
    bytes: Option<String>,
    took: Option<String>,
    digest: Option<String>,
    equal: Option<bool>,
    differences: Vec<String>,
}

#[derive(Serialize)]
struct Hazard {
    place: String,
    meaning: String,
    detail: String,
    rows: String,
    treatment: String,
    is_bad: bool,
    keys: Vec<String>,
}

/// What each policy would do with a kind of hazard.
#[derive(Serialize)]
struct Choice {
    meaning: &'static str,
    outcomes: Vec<String>,
}

#[derive(Serialize)]
struct Planned {
    name: String,
    target: String,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    source: String,
    target: String,
    policy: String,
}

/// The page.
///
/// # Errors
/// If the template can't be filled, which tests rule out.
pub(crate) fn html(report: &Report, about: About) -> Result<String> {
    report_template::fill("migration.html", TEMPLATE, page_of(report, about)?)
}

fn page_of(report: &Report, about: About) -> Result<Page<'_>> {
    let (verdict, word) = verdict(report);
    let took = report.timeline.iter().map(|span| span.to).fold(0.0, f64::max);
    let policies = || Policy::ALL.iter().filter(|(policy, _)| *policy != Policy::Reject);
    Ok(Page {
        title: format!("{} → {}", engine(&report.source_version), engine(&report.target_version)),
        verdict,
        word,
        outcome: shown(&report.outcome),
        causes: report.failed.iter().flat_map(|failed| &failed.causes).map(|cause| shown(cause)).collect(),
        next: report.next.as_deref().map(shown),
        unfinished: report.failed.as_ref().map(|_| UNFINISHED),
        report,
        made_at: about.made_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        took: seconds(took),
        tiles: tiles(report, took),
        chart: Chart::of(&report.timeline),
        phases: report.seconds.iter().map(|(name, time)| Phase { name, took: seconds(*time) }).collect(),
        tables: tables(report),
        hazards: hazards(report),
        choices: choices(report),
        policies: policies().map(|(_, name)| *name).collect(),
        lossy: lossy(report),
        plan: report.went_by.iter().flat_map(|plan| &plan.tables).map(planned).collect(),
        plan_text: report.went_by.as_ref().map(Plan::to_toml).transpose()?.map(|text| shown_lines(&text)),
        memory: bytes(about.memory),
        jobs: about.jobs,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// `DuckDB` of `duckdb 2.0.0`.
fn engine(version: &str) -> String {
    match version.split(' ').next().unwrap_or_default() {
        "duckdb" => "DuckDB".to_owned(),
        "sqlite" => "SQLite".to_owned(),
        "postgres" => "Postgres".to_owned(),
        other => shown(other),
    }
}

fn verdict(report: &Report) -> (&'static str, &'static str) {
    let code = report.exit_code;
    match report.command {
        _ if report.failed.is_some() => match Exit::from_code(code) {
            Exit::Interrupted => ("care", "stopped on the way; the same command goes on"),
            Exit::Changed => ("bad", "ended: the source has changed"),
            Exit::Hazards => ("bad", "ended: rows break a key of the target"),
            _ => ("bad", "ended with an error"),
        },
        _ if code == Exit::Mismatch.code() => ("bad", "differs"),
        _ if code == Exit::Hazards.code() => ("bad", "stopped before anything was written"),
        "check" if report.hazards.is_empty() => ("good", "nothing in the way"),
        "check" => ("care", "can be moved, with hazards provided for"),
        "plan" => ("good", "planned"),
        _ if code == Exit::Complete.code() && report.verified.iter().all(|v| v.replaced.is_empty()) => {
            ("good", "complete, every row proved equal")
        }
        _ if code == Exit::Complete.code() => ("care", "complete and proved; values were changed as planned"),
        _ => ("care", "complete and proved; rows were put aside"),
    }
}

fn tiles(report: &Report, took: f64) -> Vec<Tile> {
    let verified = !report.verified.is_empty();
    let tables = if verified { report.verified.len() } else { report.tables.len() };
    let rows: u64 = match verified {
        true => report.verified.iter().map(|v| v.source_rows).sum(),
        false => report.tables.iter().map(|t| t.rows).sum(),
    };
    let mut tiles = vec![
        Tile { name: "Tables", value: number(tables as u64), note: String::new() },
        Tile { name: "Rows in the source", value: number(rows), note: String::new() },
    ];
    if verified {
        let sum = |of: fn(&crate::verify::Verified) -> u64| number(report.verified.iter().map(of).sum());
        tiles.push(Tile { name: "Rows in the target", value: sum(|v| v.target_rows), note: String::new() });
        tiles.push(Tile {
            name: "Rows put aside",
            value: sum(|v| v.quarantined_rows),
            note: "kept whole, in the quarantine".to_owned(),
        });
    }
    if report.failed.is_some() && !report.copied.is_empty() {
        let sum = |of: fn(&crate::copy::Copied) -> u64| number(report.copied.iter().map(of).sum());
        let note = "committed by then".to_owned();
        tiles.push(Tile { name: "Rows in the target", value: sum(|c| c.rows_written), note: note.clone() });
        tiles.push(Tile { name: "Rows put aside", value: sum(|c| c.rows_quarantined), note });
    }
    let scanned: u64 = report.tables.iter().map(|t| t.bytes).sum();
    let copied: u64 = report.copied.iter().map(|t| t.bytes).sum();
    if scanned.max(copied) > 0 {
        tiles.push(Tile {
            name: "Values",
            value: bytes(scanned.max(copied)),
            note: rate(report, copied).unwrap_or_default(),
        });
    }
    tiles.push(Tile {
        name: "Hazards",
        value: number(report.hazards.len() as u64),
        note: match report.hazards.iter().filter(|h| h.treatment != Treatment::Moves).count() {
            0 => String::new(),
            n => format!("{n} not as they are"),
        },
    });
    tiles.push(Tile { name: "Time", value: seconds(took), note: String::new() });
    tiles
}

fn rate(report: &Report, copied: u64) -> Option<String> {
    let (_, time) = report.seconds.iter().find(|(phase, _)| *phase == "copy")?;
    #[allow(clippy::cast_precision_loss, reason = "it is shown to a tenth")]
    let megabytes = copied as f64 / 1e6;
    (*time > 0.0).then(|| format!("copied at {:.1} MB/s", megabytes / time))
}

fn tables(report: &Report) -> Vec<Table> {
    let most =
        report.verified.iter().map(|v| v.source_rows).chain(report.tables.iter().map(|t| t.rows)).max();
    let most = most.unwrap_or_default().max(1);
    let took = |name: &str| {
        let mut spans = report.timeline.iter().filter(|span| span.table.as_deref() == Some(name));
        spans.find(|span| span.phase == "copy").map(|span| seconds(span.to - span.from))
    };
    let scanned = |name: &str| report.tables.iter().find(|t| t.table == name).map(|t| t.bytes);
    let copied = |name: &str| report.copied.iter().find(|t| t.table == name).map(|t| t.bytes);
    let table = |name: &str, rows: u64| Table {
        name: shown(name),
        rows: number(rows),
        bar: part(rows, most),
        written: None,
        aside: None,
        bytes: copied(name).or_else(|| scanned(name)).map(bytes),
        took: took(name),
        digest: None,
        equal: None,
        differences: Vec::new(),
    };
    if report.verified.is_empty() {
        let scanned = report.tables.iter().map(|t| {
            let copied = report.copied.iter().find(|c| c.table == t.table);
            Table {
                written: copied.map(|c| number(c.rows_written)),
                aside: copied.map(|c| number(c.rows_quarantined)),
                ..table(&t.table, t.rows)
            }
        });
        return scanned.collect();
    }
    let verified = report.verified.iter().map(|v| Table {
        written: Some(number(v.target_rows)),
        aside: Some(number(v.quarantined_rows)),
        digest: Some(v.source_digest.clone()),
        equal: Some(v.equal),
        differences: v.differences.iter().map(|difference| shown(&line(difference))).collect(),
        ..table(&v.table, v.source_rows)
    });
    verified.collect()
}

fn hazards(report: &Report) -> Vec<Hazard> {
    let hazards = report.hazards.iter().map(|finding| Hazard {
        place: match &finding.column {
            Some(column) => shown(&format!("{}.{column}", finding.table)),
            None => shown(&finding.table),
        },
        meaning: finding.hazard.meaning().to_owned(),
        detail: finding.detail.as_deref().map(shown).unwrap_or_default(),
        rows: number(finding.count),
        treatment: finding.treatment.to_string(),
        is_bad: matches!(finding.treatment, Treatment::Rejects | Treatment::Quarantines),
        keys: finding.first_keys.iter().map(|key| shown(key)).collect(),
    });
    hazards.collect()
}

fn choices(report: &Report) -> Vec<Choice> {
    let kinds: std::collections::BTreeMap<_, _> =
        report.hazards.iter().filter(|f| !f.hazard.is_note()).map(|f| (f.hazard, &f.policies)).collect();
    let choices = kinds.into_iter().map(|(hazard, policies)| Choice {
        meaning: hazard.meaning(),
        outcomes: policies
            .iter()
            .filter(|outcome| outcome.policy != Policy::Reject)
            .map(Outcome::to_string)
            .collect(),
    });
    choices.collect()
}

fn lossy(report: &Report) -> Vec<String> {
    let replaced = report.verified.iter().flat_map(|v| {
        v.replaced.iter().map(move |r| format!("{}.{}: {} by {}", v.table, r.column, number(r.values), r.by))
    });
    let replaced: Vec<_> = replaced.map(|line| shown(&line)).collect();
    match replaced.is_empty() {
        true => report.lossy.iter().map(|column| shown(column)).collect(),
        false => replaced,
    }
}

fn planned(table: &TablePlan) -> Planned {
    let columns = table.columns.iter().map(|column| Column {
        name: match column.name == column.target {
            true => shown(&column.name),
            false => shown(&format!("{} → {}", column.name, column.target)),
        },
        source: shown(&column.source),
        target: column.logical.to_string(),
        policy: column.on_hazard.name().to_owned(),
    });
    Planned {
        name: shown(&table.source_name().to_string()),
        target: shown(&table.target_name().to_string()),
        columns: columns.collect(),
    }
}

/// As [`shown`], line by line.
fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// In percent, to a tenth.
fn part(part: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "it is drawn")]
    let percent = part as f64 / whole as f64 * 100.0;
    (percent * 10.0).round() / 10.0
}
