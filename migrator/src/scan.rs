//! One read of the whole source that decides on every row, so that hazards are known before anything is written.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use trimaran_backends::{Read, Session};
use trimaran_core::Result;

use crate::hazard::{Findings, Treatment};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::references::{self, Link};
use crate::rows::{Gone, KeyHash, RowMapper, key_hash};
use crate::source::{Budget, Source};
use crate::work;

/// Rows per chunk of a scan; DuckDB's row group.
pub const SCAN_ROWS: u64 = 122_880;

/// What the scan found of one table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TableScan {
    /// Its name, as people write it.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// The bytes of its values.
    pub bytes: u64,
    /// Rows that will not be written as they stand.
    pub held_back: u64,
    /// The bytes of its largest value.
    pub largest: u64,
    /// The column of that value.
    pub largest_column: Option<String>,
    /// The key of that value's row.
    pub largest_key: Option<String>,
}

/// What the scan found.
pub struct Scan {
    /// Each table of the plan, in its order.
    pub tables: Vec<TableScan>,
    /// Hazards.
    pub findings: Findings,
    /// For each table of the plan and each of its foreign keys, what it must not refer to.
    pub gone: Vec<Vec<Arc<Gone>>>,
}

/// What one chunk told.
#[derive(Default)]
struct Part {
    scan: TableScan,
    findings: Findings,
    /// For each link whose parent is this table: the keys of rows that are held back.
    lost: Vec<(usize, HashSet<KeyHash>)>,
}

/// Reads every row of every table of the plan and decides on it.
///
/// # Errors
/// The source's, classified; [`trimaran_core::ErrorKind::Interrupted`] on request.
pub fn scan(source: &Source, plan: &Plan, budget: Budget, progress: &Progress) -> Result<Scan> {
    let links = references::links(plan);
    let chunks = source.chunks(plan, |_| SCAN_ROWS)?;
    let meters: Vec<_> =
        plan.tables.iter().map(|t| progress.table("check", &t.source_name().to_string(), t.rows)).collect();
    let parts = work::share(
        &chunks,
        budget.jobs,
        || source.database.session(),
        |session, (at, chunk)| {
            meters[*at].start();
            let planned = &plan.tables[*at];
            let mapper = RowMapper::new(plan, planned, source.table(planned)?, &[])?;
            let read = Read { table: source.table(planned)?, columns: mapper.columns(), chunk: *chunk };
            let part = scan_chunk(session.as_mut(), &read, &mapper, &links, *at)?;
            meters[*at].add(part.scan.rows, part.scan.bytes);
            Ok((*at, part))
        },
    )?;
    meters.iter().for_each(|meter| meter.clear());
    let mut tables: Vec<TableScan> = plan
        .tables
        .iter()
        .map(|t| TableScan { table: t.source_name().to_string(), ..TableScan::default() })
        .collect();
    let mut findings = Findings::default();
    let mut lost = vec![HashSet::new(); links.len()];
    for (at, part) in parts {
        let table = &mut tables[at];
        table.rows += part.scan.rows;
        table.bytes += part.scan.bytes;
        table.held_back += part.scan.held_back;
        if part.scan.largest > table.largest {
            table.largest = part.scan.largest;
            table.largest_column = part.scan.largest_column;
            table.largest_key = part.scan.largest_key;
        }
        findings.merge(part.findings);
        for (link, keys) in part.lost {
            lost[link].extend(keys);
        }
    }
    let gone = references::resolve(source, plan, &links, lost, &mut findings, budget)?;
    Ok(Scan { tables, findings, gone })
}

fn scan_chunk(
    session: &mut dyn Session,
    read: &Read<'_>,
    mapper: &RowMapper<'_>,
    links: &[Link],
    at: usize,
) -> Result<Part> {
    let planned = mapper.table();
    let name = planned.source_name().to_string();
    let mut part = Part {
        lost: links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.parent == at)
            .map(|(place, _)| (place, HashSet::new()))
            .collect(),
        ..Part::default()
    };
    session.read(read, &mut |row| {
        let mapped = mapper.map(row);
        part.scan.rows += 1;
        for (column, value) in mapped.values.iter().enumerate() {
            let weight = value.weight() as u64;
            part.scan.bytes += weight;
            if weight > part.scan.largest {
                part.scan.largest = weight;
                part.scan.largest_column = Some(planned.columns[column].name.clone());
                part.scan.largest_key = Some(mapper.shown_key(&mapped.values));
            }
        }
        for (column, hazard, treatment) in &mapped.hazards {
            let column = &planned.columns[*column];
            let found = || mapper.shown_key(&mapped.values);
            part.findings.add(&name, Some(&column.name), *hazard, *treatment, found);
        }
        if mapped.obstacle().is_some() {
            part.scan.held_back += 1;
            for (link, keys) in &mut part.lost {
                keys.extend(key_hash(&mapped.values, &links[*link].parent_columns));
            }
        }
        Ok(())
    })?;
    Ok(part)
}

impl Scan {
    /// Whether a hazard stands in the way of a run.
    pub fn rejects(findings: &[crate::hazard::Finding]) -> bool {
        findings.iter().any(|f| f.treatment == Treatment::Rejects)
    }
}
