//! One read of the whole source that decides on every row, so that hazards are known before anything is written.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use trimaran_backends::{Read, Session};
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::finding::Findings;
use crate::hazard::Hazard;
use crate::plan::Plan;
use crate::policy::Treatment;
use crate::progress::Progress;
use crate::references::{self, Link};
use crate::rows::{Doubled, Held, KeyHash, RowMapper, key_hash};
use crate::schema;
use crate::source::{Budget, Source};
use crate::storage_classes::StorageClasses;
use crate::unique::{self, Watched};
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
    /// For each table of the plan, what keeps its rows from moving.
    pub held: Vec<Held>,
    /// The storage classes of columns whose values are of several, or of another than declared.
    pub classes: Vec<StorageClasses>,
}

/// What one chunk told.
#[derive(Default)]
struct Part {
    scan: TableScan,
    findings: Findings,
    classes: Vec<StorageClasses>,
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
    // An eighth of the budget for all keys together; the sorting itself needs no more.
    let count = plan.tables.iter().map(|t| 1 + t.unique.len() + t.indexes.len()).sum::<usize>().max(1) as u64;
    let watched = plan
        .tables
        .iter()
        .map(|t| {
            Ok(unique::watched(source.database.engine(), source.table(t)?, t, budget.memory / 8 / count))
        })
        .collect::<Result<Vec<Vec<Watched>>>>()?;
    let parts = work::share(
        "check",
        &chunks,
        budget.jobs,
        || source.database.session(),
        |session, (at, chunk)| {
            meters[*at].start();
            let planned = &plan.tables[*at];
            let mapper = RowMapper::new(plan, planned, source.table(planned)?, &Held::default())?;
            let read = Read { table: source.table(planned)?, columns: mapper.columns(), chunk: *chunk };
            let part = scan_chunk(session.as_mut(), &read, &mapper, &links, *at, &watched[*at])?;
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
    let mut classes: Vec<Vec<StorageClasses>> = vec![Vec::new(); plan.tables.len()];
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
        match classes[at].as_mut_slice() {
            [] => classes[at] = part.classes,
            counted => counted.iter_mut().zip(&part.classes).for_each(|(a, b)| a.merge(b)),
        }
        for (link, keys) in part.lost {
            lost[link].extend(keys);
        }
    }
    whole(source, plan, &tables)?;
    let mut held = Vec::with_capacity(plan.tables.len());
    for (at, keys) in watched.into_iter().enumerate() {
        let doubled = doubled(keys)?;
        if !doubled.is_empty() {
            let rows = duplicates(source, plan, at, &doubled, &links, budget)?;
            findings.merge(rows.findings);
            tables[at].held_back += rows.scan.held_back;
            rows.lost.into_iter().for_each(|(link, keys)| lost[link].extend(keys));
        }
        held.push(Held { gone: Vec::new(), doubled });
    }
    let gone = references::resolve(source, plan, &links, lost, &mut findings, budget)?;
    held.iter_mut().zip(gone).for_each(|(held, gone)| held.gone = gone);
    let classes = remarkable(source, plan, classes)?;
    Ok(Scan { tables, findings, held, classes })
}

/// Holds the rows that were read against what the engine itself counts: whatever is wrong with the parts that a table is read
/// in would be wrong in the copy and in its proof alike. A server's blocks are told apart by what no column can be called.
fn whole(source: &Source, plan: &Plan, tables: &[TableScan]) -> Result<()> {
    if source.database.engine() == Engine::Postgres {
        return Ok(());
    }
    let mut session = source.database.session()?;
    for (planned, scanned) in plan.tables.iter().zip(tables) {
        let counted = schema::count(source.database.as_ref(), session.as_mut(), &planned.source_name())?;
        if counted != scanned.rows {
            return Err(Error::new(ErrorKind::Corrupt, format!("read {}", scanned.table))
                .context(format!("{} row(s) were read of {counted} that the engine counts", scanned.rows))
                .hint("check the file with its engine's own tools; if it is whole, report this: nothing was written"));
        }
    }
    Ok(())
}

/// For each key of a table that several rows have something in, its columns and that.
fn doubled(keys: Vec<Watched>) -> Result<Vec<Doubled>> {
    let mut found = Vec::new();
    for key in keys {
        let (columns, doubled) = key.doubled()?;
        if !doubled.is_empty() {
            found.push((columns, Arc::new(doubled)));
        }
    }
    Ok(found)
}

/// Reads a table again for the rows that share a key: who they are is known only when all were seen once.
fn duplicates(
    source: &Source,
    plan: &Plan,
    at: usize,
    doubled: &[Doubled],
    links: &[Link],
    budget: Budget,
) -> Result<Part> {
    let planned = &plan.tables[at];
    let (table, name) = (source.table(planned)?, planned.source_name().to_string());
    let held = Held { gone: Vec::new(), doubled: doubled.to_vec() };
    let mapper = RowMapper::new(plan, planned, table, &held)?;
    let chunks = source.database.session()?.chunks(table, SCAN_ROWS)?;
    let parts = work::share(
        "check",
        &chunks,
        budget.jobs,
        || source.database.session(),
        |session, chunk| {
            let mut part = Part { lost: followed(links, at), ..Part::default() };
            session.read(&Read { table, columns: mapper.columns(), chunk: *chunk }, &mut |row| {
                let mapped = mapper.map(row);
                let mut shared = false;
                for (column, _, treatment) in
                    mapped.hazards.iter().filter(|(_, h, _)| *h == Hazard::Duplicate)
                {
                    let column = &planned.columns[*column].name;
                    let key = || mapper.shown_key(&mapped.values);
                    part.findings.add(&name, Some(column), Hazard::Duplicate, *treatment, key);
                    shared = true;
                }
                if shared {
                    part.scan.held_back += 1;
                    lose(&mut part.lost, links, &mapped.values);
                }
                Ok(())
            })?;
            Ok(part)
        },
    )?;
    let mut all = Part { lost: followed(links, at), ..Part::default() };
    for part in parts {
        all.findings.merge(part.findings);
        all.scan.held_back += part.scan.held_back;
        all.lost.iter_mut().zip(part.lost).for_each(|((_, keys), (_, more))| keys.extend(more));
    }
    Ok(all)
}

/// A place for the lost keys of each link whose parent is the table at `at`.
fn followed(links: &[Link], at: usize) -> Vec<(usize, HashSet<KeyHash>)> {
    let parents = links.iter().enumerate().filter(|(_, link)| link.parent == at);
    parents.map(|(place, _)| (place, HashSet::new())).collect()
}

fn lose(lost: &mut [(usize, HashSet<KeyHash>)], links: &[Link], values: &[trimaran_core::Value<'_>]) {
    for (link, keys) in lost {
        keys.extend(key_hash(values, &links[*link].parent_columns));
    }
}

/// The columns whose storage classes are worth showing.
fn remarkable(
    source: &Source,
    plan: &Plan,
    classes: Vec<Vec<StorageClasses>>,
) -> Result<Vec<StorageClasses>> {
    let mut shown = Vec::new();
    for (planned, counted) in plan.tables.iter().zip(classes) {
        let table = source.table(planned)?;
        shown.extend(counted.into_iter().filter(|classes| {
            let declared = table.column(&classes.column).and_then(|column| column.logical.as_ref());
            classes.is_remarkable(declared)
        }));
    }
    Ok(shown)
}

/// How many keys a thread gathers before it hands them over.
const HANDFUL: usize = 4_096;

fn scan_chunk(
    session: &mut dyn Session,
    read: &Read<'_>,
    mapper: &RowMapper<'_>,
    links: &[Link],
    at: usize,
    watched: &[Watched],
) -> Result<Part> {
    let planned = mapper.table();
    let name = planned.source_name().to_string();
    let mut part = Part { lost: followed(links, at), ..Part::default() };
    if mapper.source() == Engine::Sqlite {
        part.classes = mapper.columns().iter().map(|column| StorageClasses::new(&name, column)).collect();
    }
    let mut keys: Vec<Vec<KeyHash>> = vec![Vec::new(); watched.len()];
    session.read(read, &mut |row| {
        part.classes.iter_mut().zip(row).for_each(|(classes, value)| classes.add(value));
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
        let notes = mapper.notes(&mapped).into_iter().map(|(column, note)| (column, note, Treatment::Moves));
        for (column, hazard, treatment) in mapped.hazards.iter().copied().chain(notes) {
            let column = &planned.columns[column].name;
            let found = || mapper.shown_key(&mapped.values);
            part.findings.add(&name, Some(column), hazard, treatment, found);
        }
        if mapped.obstacle().is_some() {
            part.scan.held_back += 1;
            lose(&mut part.lost, links, &mapped.values);
            return Ok(());
        }
        for (key, hashes) in watched.iter().zip(&mut keys) {
            hashes.extend(unique::hash(|at| mapped.moving(at), &key.columns));
            if hashes.len() >= HANDFUL {
                key.take(hashes)?;
            }
        }
        Ok(())
    })?;
    watched.iter().zip(&mut keys).try_for_each(|(key, hashes)| key.take(hashes))?;
    Ok(part)
}

impl Scan {
    /// Whether a hazard stands in the way of a run.
    pub fn rejects(findings: &[crate::finding::Finding]) -> bool {
        findings.iter().any(|f| f.treatment == Treatment::Rejects)
    }
}
