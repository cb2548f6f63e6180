//! Rows of one table on their way to the engine.

use std::fmt;

use sea_orm::sea_query::{Alias, Expr, Query, Value};
use sea_orm::{DbBackend, Statement};
use trimaran_core::{Error, ErrorKind, Result};

use super::MOST_PARAMETERS;

/// Rows of one table, every column set. Its `Debug` shows no value.
pub struct Rows {
    pub(super) backend: DbBackend,
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) columns: Vec<&'static str>,
    /// Row by row.
    pub(super) cells: Vec<Value>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("table", &self.table).field("rows", &self.len()).finish_non_exhaustive()
    }
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.cells.len() / self.columns.len().max(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The schema that the entity names, if it names one.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The columns, in the order of the cells.
    pub fn columns(&self) -> &[&'static str] {
        &self.columns
    }

    /// Each row's cells, in the order of the columns.
    pub fn iter(&self) -> impl Iterator<Item = &[Value]> {
        self.cells.chunks_exact(self.columns.len().max(1))
    }

    /// The statements that insert the rows, for the dialect of the connection; each inserts at most `most` rows and as
    /// many as one statement's parameters allow.
    ///
    /// The numbers of rows are `most` and powers of two, so that few texts occur and each stays prepared.
    ///
    /// # Errors
    /// `Invalid` if a row is not whole.
    pub fn into_inserts(self, most: usize) -> impl Iterator<Item = Result<Statement>> {
        let Self { backend, schema, table, columns, cells } = self;
        let width = columns.len().max(1);
        let most = most.min(MOST_PARAMETERS / width).max(1);
        let mut left = cells.len() / width;
        let mut cells = cells.into_iter();
        let mut known: Option<(usize, String)> = None;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let count = if left >= most { most } else { 1 << left.ilog2() };
            left -= count;
            let values: Vec<Value> = cells.by_ref().take(count * width).collect();
            let sql = match &known {
                Some((of, sql)) if *of == count => Ok(sql.clone()),
                _ => text(backend, schema.as_deref(), &table, &columns, count),
            };
            Some(sql.map(|sql| {
                known = Some((count, sql.clone()));
                Statement::from_sql_and_values(backend, sql, values)
            }))
        })
    }

    /// The type of each column's values, if the fast ways know all of them.
    #[cfg(any(feature = "postgres", feature = "duckdb"))]
    pub(crate) fn types(&self) -> Option<Vec<trimaran_core::LogicalType>> {
        self.iter().next()?.iter().map(super::cell::logical).collect()
    }
}

/// The text of an INSERT of `count` rows.
fn text(
    backend: DbBackend,
    schema: Option<&str>,
    table: &str,
    columns: &[&'static str],
    count: usize,
) -> Result<String> {
    let mut insert = Query::insert();
    match schema {
        Some(schema) => insert.into_table((Alias::new(schema), Alias::new(table))),
        None => insert.into_table(Alias::new(table)),
    };
    insert.columns(columns.iter().map(|column| Alias::new(*column)));
    for _ in 0..count {
        let places = columns.iter().map(|_| Expr::val(0));
        insert.values(places).map_err(|e| Error::new(ErrorKind::Invalid, "insert rows").source(e))?;
    }
    Ok(backend.build(&insert).sql)
}
