//! The two sides of a comparison, read as rows of meanings: the source through the plan, the target decoded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use trimaran_backends::catalog::{Column, Table, TableName};
use trimaran_backends::{Chunk, Database, Read, Session};
use trimaran_core::digest::{self, Digest};
use trimaran_core::{Engine, Error, ErrorKind, Result, Value};

use crate::journal::Journal;
use crate::mapping;
use crate::meaning;
use crate::plan::{ColumnPlan, Plan, TablePlan};
use crate::replacement::Replacement;
use crate::scan::SCAN_ROWS;
use crate::source::{Budget, Source};
use crate::work;

/// A side's table: what to read and what it means.
pub struct Side<'a> {
    database: &'a dyn Database,
    table: Table,
    columns: Vec<Column>,
    planned: &'a TablePlan,
    /// The engine whose limits the values of the source are held against; none on the target, whose values are decoded.
    target: Option<Engine>,
    /// The digests of rows put aside, each as often as it was: those are compared as they were, whatever a normalisation
    /// would make of them.
    aside: Aside,
    /// How many values of each column its normalisation changed, in the last reading.
    replaced: Vec<AtomicU64>,
    chunks: Vec<Chunk>,
}

/// The digests of rows put aside, each as often as it was.
pub type Aside = HashMap<[u8; 32], u64>;

impl<'a> Side<'a> {
    /// The source's side of a table that moves to `target`, split by `session`; `aside` holds the rows of it that were put aside, and is needed
    /// only where a normalisation changes values.
    ///
    /// # Errors
    /// If the source lacks the table or a column, or can't be read.
    pub fn source(
        source: &'a Source,
        session: &mut dyn Session,
        planned: &'a TablePlan,
        target: Engine,
        aside: Aside,
    ) -> Result<Self> {
        let table = source.table(planned)?.clone();
        let names = planned.columns.iter().map(|c| c.name.as_str());
        let mut side = Self::new(source.database.as_ref(), session, table, names, planned)?;
        let engine = source.database.engine();
        for (column, planned) in side.columns.iter_mut().zip(&planned.columns) {
            *column = planned.to_read(engine, column);
        }
        Ok(Self { target: Some(target), aside, ..side })
    }

    /// The target's side of a table, split by `session`; `None` if the target has no such table or lacks one of its columns.
    ///
    /// # Errors
    /// If the target can't be read.
    pub fn target(
        target: &'a dyn Database,
        session: &mut dyn Session,
        tables: &[Table],
        planned: &'a TablePlan,
    ) -> Result<Option<Self>> {
        let name = planned.target_name();
        let Some(table) = tables.iter().find(|t| t.name == name) else { return Ok(None) };
        if planned.columns.iter().any(|c| table.column(&c.target).is_none()) {
            return Ok(None);
        }
        let names = planned.columns.iter().map(|c| c.target.as_str());
        Self::new(target, session, table.clone(), names, planned).map(Some)
    }

    fn new<'n>(
        database: &'a dyn Database,
        session: &mut dyn Session,
        table: Table,
        names: impl Iterator<Item = &'n str>,
        planned: &'a TablePlan,
    ) -> Result<Self> {
        let columns = names
            .map(|name| {
                table.column(name).cloned().ok_or_else(|| {
                    Error::new(ErrorKind::Changed, "compare")
                        .context(format!("{} has no column {name}", table.name))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let chunks = session.chunks(&table, SCAN_ROWS)?;
        let replaced = columns.iter().map(|_| AtomicU64::new(0)).collect();
        Ok(Self { database, table, columns, planned, target: None, aside: Aside::new(), replaced, chunks })
    }

    /// Calls `visit` with every row's values by meaning, on as many threads as the budget has; each thread begins with
    /// `start()`, and the threads' states are returned.
    ///
    /// # Errors
    /// The engine's, classified; or what `visit` returned.
    pub fn each<S: Send>(
        &self,
        budget: Budget,
        start: impl Fn() -> S + Sync,
        visit: impl Fn(&mut S, &[Value<'_>]) -> Result<()> + Sync,
    ) -> Result<Vec<S>> {
        self.replaced.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        let aside = Mutex::new(self.aside.clone());
        work::share(
            "verify",
            &self.chunks,
            budget.jobs,
            || self.database.session(),
            |session, chunk| {
                let mut state = start();
                self.each_of(session.as_mut(), *chunk, &aside, |values| visit(&mut state, values))?;
                Ok(state)
            },
        )
    }

    fn each_of(
        &self,
        session: &mut dyn Session,
        chunk: Chunk,
        aside: &Mutex<Aside>,
        mut visit: impl FnMut(&[Value<'_>]) -> Result<()>,
    ) -> Result<()> {
        let read = Read { table: &self.table, columns: &self.columns, chunk };
        session.read(&read, &mut |row| visit(&self.meanings(row, aside)?))
    }

    /// The database that it is read from.
    pub fn database(&self) -> &'a dyn Database {
        self.database
    }

    /// The parts that it is read in.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The number of rows of one chunk and the sum of their digests, and the bytes of their values. Only where no
    /// normalisation changes values: what was put aside is told apart in a reading of the whole ([`Side::sum`]).
    ///
    /// # Errors
    /// The engine's, classified.
    pub fn chunk_sum(&self, session: &mut dyn Session, chunk: Chunk) -> Result<(Sum, u64)> {
        let (mut sum, mut canonical, mut bytes) = (Sum::default(), Vec::new(), 0);
        self.each_of(session, chunk, &Mutex::default(), |values| {
            digest::encode_row(values, &mut canonical);
            sum.add(Digest::of_row(&canonical));
            bytes += canonical.len() as u64;
            Ok(())
        })?;
        Ok((sum, bytes))
    }

    fn meanings<'v>(&self, row: &'v [Value<'_>], aside: &Mutex<Aside>) -> Result<Vec<Value<'v>>> {
        let mut values = Vec::with_capacity(row.len());
        let Some(target) = self.target else {
            for (native, column) in row.iter().zip(&self.planned.columns) {
                // What has no meaning stands for itself, and is a difference.
                let value = mapping::convert(native, &column.logical, column.kept_form())
                    .unwrap_or_else(|_| native.borrowed());
                values.push(if column.is_escaped() { mapping::unescaped(value)? } else { value });
            }
            return Ok(values);
        };
        let mut replaced = Vec::new();
        for (at, (native, column)) in row.iter().zip(&self.planned.columns).enumerate() {
            if column.normalisation().is_some() {
                let meaning = meaning::of(native, column, target);
                replaced.extend(meaning.replaced.map(|value| (at, value)));
                values.push(meaning.exact);
            } else {
                // What has no meaning stands for itself: such a row was put aside, or else it is a difference.
                values.push(meaning::exact(native, column).unwrap_or_else(|_| native.borrowed()));
            }
        }
        if !replaced.is_empty() && !take(aside, &values) {
            for (at, value) in replaced {
                self.replaced[at].fetch_add(1, Ordering::Relaxed);
                values[at] = value;
            }
        }
        Ok(values)
    }

    /// How many values each normalisation changed in the last reading: the column, its normalisation, and how many.
    pub fn replaced(&self) -> Vec<Replaced> {
        let of = |(column, count): (&ColumnPlan, &AtomicU64)| {
            let by = column.normalisation()?;
            Some(Replaced { column: column.name.clone(), by, values: count.load(Ordering::Relaxed) })
        };
        self.planned.columns.iter().zip(&self.replaced).filter_map(of).collect()
    }

    /// The number of rows and the sum of their digests.
    ///
    /// # Errors
    /// The engine's, classified.
    pub fn sum(&self, budget: Budget, rows_done: impl Fn(u64, u64) + Sync) -> Result<Sum> {
        let parts = self.each(
            budget,
            || (Sum::default(), Vec::new(), 0u64),
            |(sum, canonical, bytes), values| {
                digest::encode_row(values, canonical);
                sum.add(Digest::of_row(canonical));
                *bytes += canonical.len() as u64;
                if sum.rows % 1_024 == 0 {
                    rows_done(1_024, *bytes);
                    *bytes = 0;
                }
                Ok(())
            },
        )?;
        let mut total = Sum::default();
        for (sum, _, bytes) in parts {
            rows_done(sum.rows % 1_024, bytes);
            total.rows += sum.rows;
            total.digest.add(sum.digest);
        }
        Ok(total)
    }
}

/// Whether the row is one that was put aside; each such row is taken once.
fn take(aside: &Mutex<Aside>, values: &[Value<'_>]) -> bool {
    let mut aside = aside.lock().unwrap_or_else(PoisonError::into_inner);
    if aside.is_empty() {
        return false;
    }
    let mut canonical = Vec::new();
    digest::encode_row(values, &mut canonical);
    match aside.get_mut(&digest::sha256(&canonical)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// What a column's normalisation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// The column.
    pub column: String,
    /// Its normalisation.
    pub by: Replacement,
    /// How many values it changed.
    pub values: u64,
}

/// Rows and the sum of their digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub rows: u64,
    /// The sum.
    pub digest: Digest,
}

impl Sum {
    /// Adds a row.
    pub fn add(&mut self, row: Digest) {
        self.rows += 1;
        self.digest.add(row);
    }
}

/// The rows that a run put aside, by table: how many and their sum.
///
/// # Errors
/// The target's, classified.
pub fn quarantine_sums(
    target: &dyn Database,
    journal: &Journal,
    run: &str,
) -> Result<HashMap<TableName, Sum>> {
    let mut sums: HashMap<TableName, Sum> = HashMap::new();
    let mut session = target.session()?;
    journal.quarantined(session.as_mut(), run, &mut |table, bytes| {
        sums.entry(table.clone()).or_default().add(Digest::of_row(bytes));
        Ok(())
    })?;
    Ok(sums)
}

/// The digests of the rows of one table that a run put aside, each as often as it was.
///
/// # Errors
/// The target's, classified.
pub fn aside(target: &dyn Database, journal: &Journal, run: &str, planned: &TablePlan) -> Result<Aside> {
    let mut digests = Aside::new();
    let name = planned.source_name();
    let mut session = target.session()?;
    journal.quarantined(session.as_mut(), run, &mut |table, bytes| {
        if *table == name {
            *digests.entry(digest::sha256(bytes)).or_default() += 1;
        }
        Ok(())
    })?;
    Ok(digests)
}

/// The target's tables in all schemas that the plan writes to.
///
/// # Errors
/// The target's, classified.
pub fn target_tables(target: &dyn Database, plan: &Plan) -> Result<Vec<Table>> {
    let schemas: std::collections::BTreeSet<&str> =
        plan.tables.iter().map(|t| t.target_schema.as_str()).collect();
    let mut tables = Vec::new();
    for schema in schemas {
        tables.extend(target.catalog(Some(schema))?.tables);
    }
    Ok(tables)
}
