//! The two sides of a comparison, read as rows of meanings: the source through the plan, the target decoded.

use std::collections::HashMap;

use trimaran_backends::catalog::{Column, Table, TableName};
use trimaran_backends::{Chunk, Database, Read};
use trimaran_core::digest::{self, Digest};
use trimaran_core::{Error, ErrorKind, Result, Value};

use crate::journal::Journal;
use crate::mapping::{self, Form};
use crate::plan::{Plan, TablePlan};
use crate::scan::SCAN_ROWS;
use crate::source::{Budget, Source};
use crate::work;

/// A side's table: what to read and what it means.
pub struct Side<'a> {
    database: &'a dyn Database,
    table: Table,
    columns: Vec<Column>,
    planned: &'a TablePlan,
    decode: bool,
    chunks: Vec<Chunk>,
}

impl<'a> Side<'a> {
    /// The source's side of a table.
    ///
    /// # Errors
    /// If the source lacks the table or a column, or can't be read.
    pub fn source(source: &'a Source, planned: &'a TablePlan) -> Result<Self> {
        let table = source.table(planned)?.clone();
        let names = planned.columns.iter().map(|c| c.name.as_str());
        Self::new(source.database.as_ref(), table, names, planned, false)
    }

    /// The target's side of a table; `None` if the target has no such table or lacks one of its columns.
    ///
    /// # Errors
    /// If the target can't be read.
    pub fn target(
        target: &'a dyn Database,
        tables: &[Table],
        planned: &'a TablePlan,
    ) -> Result<Option<Self>> {
        let name = planned.target_name();
        let Some(table) = tables.iter().find(|t| t.name == name) else { return Ok(None) };
        if planned.columns.iter().any(|c| table.column(&c.target).is_none()) {
            return Ok(None);
        }
        let names = planned.columns.iter().map(|c| c.target.as_str());
        Self::new(target, table.clone(), names, planned, true).map(Some)
    }

    fn new<'n>(
        database: &'a dyn Database,
        table: Table,
        names: impl Iterator<Item = &'n str>,
        planned: &'a TablePlan,
        decode: bool,
    ) -> Result<Self> {
        let columns = names
            .map(|name| {
                table.column(name).cloned().ok_or_else(|| {
                    Error::new(ErrorKind::Changed, "compare")
                        .context(format!("{} has no column {name}", table.name))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let chunks = database.session()?.chunks(&table, SCAN_ROWS)?;
        Ok(Self { database, table, columns, planned, decode, chunks })
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
        work::share(
            &self.chunks,
            budget.jobs,
            || self.database.session(),
            |session, chunk| {
                let mut state = start();
                let read = Read { table: &self.table, columns: &self.columns, chunk: *chunk };
                session.read(&read, &mut |row| {
                    let values = self.meanings(row)?;
                    visit(&mut state, &values)
                })?;
                Ok(state)
            },
        )
    }

    fn meanings<'v>(&self, row: &'v [Value<'_>]) -> Result<Vec<Value<'v>>> {
        let mut values = Vec::with_capacity(row.len());
        for (native, column) in row.iter().zip(&self.planned.columns) {
            let form = if self.decode { Form::Native } else { column.form };
            // What has no meaning stands for itself: such a row was put aside, or else it is a difference.
            let value = mapping::convert(native, &column.logical, form).unwrap_or_else(|_| native.borrowed());
            let escaped = self.decode && column.is_escaped();
            values.push(if escaped { mapping::unescaped(value)? } else { value });
        }
        Ok(values)
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
