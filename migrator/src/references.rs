//! Foreign keys followed in the source: which rows refer to nothing, and which must go with a row that is put aside.
//!
//! Keys are compared by meaning ([`crate::mapping`]), so a parent kept as 36 characters is found by a child kept as 32
//! digits. Memory is bounded: distinct keys are taken in as many passes as the budget asks for.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use trimaran_backends::Read;
use trimaran_core::{Engine, Result, Value};

use crate::finding::Findings;
use crate::hazard::Hazard;
use crate::plan::{Plan, TablePlan};
use crate::rows::{Gone, Held, KeyHash, RowMapper, key_hash};
use crate::scan::SCAN_ROWS;
use crate::source::{Budget, Source};
use crate::work;

/// A foreign key, by places in the plan.
#[derive(Debug, Clone)]
pub struct Link {
    /// The table that refers.
    pub child: usize,
    /// Which of its foreign keys.
    pub key: usize,
    /// The columns that refer.
    pub child_columns: Vec<usize>,
    /// The table referred to.
    pub parent: usize,
    /// The columns referred to.
    pub parent_columns: Vec<usize>,
}

/// All foreign keys of a plan.
pub fn links(plan: &Plan) -> Vec<Link> {
    let mut links = Vec::new();
    for (child, table) in plan.tables.iter().enumerate() {
        for (key, foreign) in table.foreign_keys.iter().enumerate() {
            let parent = plan
                .tables
                .iter()
                .position(|t| t.schema == foreign.references_schema && t.name == foreign.references);
            if let Some(parent) = parent
                && let Some(child_columns) = table.positions(&foreign.columns)
                && let Some(parent_columns) = plan.tables[parent].positions(&foreign.references_columns)
            {
                links.push(Link { child, key, child_columns, parent, parent_columns });
            }
        }
    }
    links
}

/// Roughly what one key costs in a hash set, with room to grow.
const KEY_BYTES: u64 = 40;

/// Finds what each foreign key must not refer to: keys that the source lacks, and keys of rows held back, followed
/// through children and cycles until nothing is added. `lost` holds, for each link, the held-back keys of its parent
/// that the scan found.
///
/// # Errors
/// The source's, classified.
pub fn resolve(
    source: &Source,
    plan: &Plan,
    links: &[Link],
    lost: Vec<HashSet<KeyHash>>,
    findings: &mut Findings,
    budget: Budget,
) -> Result<Vec<Vec<Arc<Gone>>>> {
    let mut gone: Vec<Gone> =
        lost.into_iter().map(|quarantined| Gone { quarantined, ..Gone::default() }).collect();
    // DuckDB and Postgres hold foreign keys themselves; SQLite does only where an application asks it to.
    if source.database.engine() == Engine::Sqlite {
        for (link, gone) in links.iter().zip(&mut gone) {
            gone.missing = missing(source, plan, link, budget)?;
        }
    }
    let touched = |gone: &[Gone], child: usize| {
        links.iter().zip(gone).any(|(link, gone)| link.child == child && !gone.is_empty())
    };
    let mut queue: VecDeque<usize> = (0..plan.tables.len()).filter(|t| touched(&gone, *t)).collect();
    let mut found = vec![Findings::default(); plan.tables.len()];
    while let Some(child) = queue.pop_front() {
        let followed = follow(source, plan, links, &gone, child)?;
        found[child] = followed.findings;
        for (link, keys) in followed.lost {
            let before = gone[link].quarantined.len();
            gone[link].quarantined.extend(keys);
            let next = links[link].child;
            if gone[link].quarantined.len() > before && !queue.contains(&next) {
                queue.push_back(next);
            }
        }
    }
    found.into_iter().for_each(|f| findings.merge(f));
    let mut shared: Vec<Vec<Arc<Gone>>> =
        plan.tables.iter().map(|t| vec![Arc::default(); t.foreign_keys.len()]).collect();
    for (link, gone) in links.iter().zip(gone) {
        shared[link.child][link.key] = Arc::new(gone);
    }
    Ok(shared)
}

/// The plan of a table, cut down to some of its columns and the foreign keys among them.
fn narrowed(table: &TablePlan, columns: &HashSet<usize>) -> TablePlan {
    let mut narrow = table.clone();
    narrow.columns = table
        .columns
        .iter()
        .enumerate()
        .filter(|(at, _)| columns.contains(at))
        .map(|(_, c)| c.clone())
        .collect();
    if narrow.positions(&table.primary_key).is_none() {
        narrow.primary_key.clear();
    }
    narrow
}

/// Calls `visit` with the values of some columns of every row of a table, in parallel chunks.
fn each_row(
    source: &Source,
    plan: &Plan,
    narrow: &TablePlan,
    gone: &[Arc<Gone>],
    jobs: usize,
    visit: &(impl Fn(&RowMapper<'_>, crate::rows::Mapped<'_>) + Sync),
) -> Result<()> {
    let table = source.table(narrow)?;
    let chunks = source.database.session()?.chunks(table, SCAN_ROWS)?;
    let held = Held { gone: gone.to_vec(), doubled: Vec::new() };
    let mapper = RowMapper::new(plan, narrow, table, &held)?;
    work::share(
        "check",
        &chunks,
        jobs,
        || source.database.session(),
        |session, chunk| {
            let read = Read { table, columns: mapper.columns(), chunk: *chunk };
            session.read(&read, &mut |row| {
                visit(&mapper, mapper.map(row));
                Ok(())
            })
        },
    )?;
    Ok(())
}

/// The keys that a link's child refers to and its parent does not have.
fn missing(source: &Source, plan: &Plan, link: &Link, budget: Budget) -> Result<HashSet<KeyHash>> {
    let (child, parent) = (&plan.tables[link.child], &plan.tables[link.parent]);
    let passes = u128::from((child.rows * KEY_BYTES).div_ceil((budget.memory / 4).max(1)).max(1));
    let mut missing = HashSet::new();
    for pass in 0..passes {
        let referred =
            keys(source, plan, child, &link.child_columns, budget.jobs, |key| key % passes == pass)?;
        if referred.is_empty() {
            continue;
        }
        let left = Mutex::new(referred);
        visit_keys(source, plan, parent, &link.parent_columns, budget.jobs, &|key| {
            left.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        })?;
        missing.extend(left.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    Ok(missing)
}

fn keys(
    source: &Source,
    plan: &Plan,
    table: &TablePlan,
    columns: &[usize],
    jobs: usize,
    wanted: impl Fn(KeyHash) -> bool + Sync,
) -> Result<HashSet<KeyHash>> {
    let found = Mutex::new(HashSet::new());
    visit_keys(source, plan, table, columns, jobs, &|key| {
        if wanted(key) {
            found.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        }
    })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn visit_keys(
    source: &Source,
    plan: &Plan,
    table: &TablePlan,
    columns: &[usize],
    jobs: usize,
    visit: &(impl Fn(KeyHash) + Sync),
) -> Result<()> {
    let narrow = narrowed(table, &columns.iter().copied().collect());
    let names: Vec<String> = columns.iter().map(|at| table.columns[*at].name.clone()).collect();
    let places = narrow.positions(&names).unwrap_or_default();
    each_row(source, plan, &narrow, &[], jobs, &|_, mapped| {
        if let Some(key) = key_hash(&mapped.values, &places) {
            visit(key);
        }
    })
}

/// What following one table's foreign keys told.
struct Followed {
    findings: Findings,
    /// For each link whose parent is this table: the keys of rows that refer to what is gone.
    lost: Vec<(usize, HashSet<KeyHash>)>,
}

/// Reads a child table's keys once and finds the rows that refer to what is gone.
fn follow(source: &Source, plan: &Plan, links: &[Link], gone: &[Gone], child: usize) -> Result<Followed> {
    let table = &plan.tables[child];
    let mut wanted: HashSet<usize> =
        table.positions(&table.primary_key).unwrap_or_default().into_iter().collect();
    let mut by_key = vec![Arc::<Gone>::default(); table.foreign_keys.len()];
    for (link, gone) in links.iter().zip(gone) {
        if link.child == child && !gone.is_empty() {
            wanted.extend(&link.child_columns);
            by_key[link.key] = Arc::new(gone.clone());
        }
        if link.parent == child {
            wanted.extend(&link.parent_columns);
        }
    }
    let narrow = narrowed(table, &wanted);
    let parents: Vec<(usize, Vec<usize>)> = links
        .iter()
        .enumerate()
        .filter(|(_, link)| link.parent == child)
        .filter_map(|(at, link)| {
            let names: Vec<String> =
                link.parent_columns.iter().map(|c| table.columns[*c].name.clone()).collect();
            Some((at, narrow.positions(&names)?))
        })
        .collect();
    let name = table.source_name().to_string();
    let told = Mutex::new(Followed {
        findings: Findings::default(),
        lost: parents.iter().map(|(at, _)| (*at, HashSet::new())).collect(),
    });
    each_row(source, plan, &narrow, &by_key, 1, &|mapper, mapped| {
        let refers: Vec<_> =
            mapped.hazards.iter().filter(|(_, h, _)| matches!(h, Hazard::Orphan | Hazard::Parent)).collect();
        if refers.is_empty() {
            return;
        }
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        for (column, hazard, treatment) in refers {
            let values: &[Value<'_>] = &mapped.values;
            let column = &narrow.columns[*column].name;
            told.findings.add(&name, Some(column), *hazard, *treatment, || mapper.shown_key(values));
        }
        for (at, (_, places)) in parents.iter().enumerate() {
            told.lost[at].1.extend(key_hash(&mapped.values, places));
        }
    })?;
    Ok(told.into_inner().unwrap_or_else(PoisonError::into_inner))
}
