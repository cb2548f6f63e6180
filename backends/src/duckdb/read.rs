//! Rows out of a table: chunks by row id, and their cells from Arrow batches.
//!
//! Row ids count up in storage order; a range of them lets DuckDB skip the row groups outside it. A deleted row leaves a
//! hole, which only makes a chunk smaller. A table with a column called `rowid` has no row ids that SQL could name: it is one chunk,
//! read by one query.

use std::ops::Range;

use duckdb::Connection;
use trimaran_core::{Error, Result, Value};

use super::decode::Cells;
use super::dialect::DIALECT;
use super::error::failed;
use super::select::Selection;
use crate::catalog::Table;
use crate::{Chunk, Dialect as _};

/// The rows of a row group (DuckDB's `DEFAULT_ROW_GROUP_SIZE`): what statistics and compression are kept for.
pub(super) const ROW_GROUP: u64 = 122_880;
/// The rows of a vector (`STANDARD_VECTOR_SIZE`): what DuckDB reads at a time, and what one Arrow batch holds.
pub(super) const VECTOR: u64 = 2_048;

/// Why reading ended early.
pub(super) enum Stop {
    /// DuckDB failed.
    Engine(Error),
    /// The one who takes the rows refused one.
    Caller(Error),
}

/// Splits a table into chunks of about `rows` rows: whole row groups if there are that many, else whole vectors.
pub(super) fn chunks(connection: &Connection, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
    if hides_row_ids(table) {
        return Ok(vec![Chunk { ordinal: 0, from: 0, to: i64::MAX }]);
    }
    let sql = format!("SELECT max(rowid) FROM {}", DIALECT.qualify(&table.name));
    let last: Option<i64> = connection
        .query_row(&sql, [], |row| row.get(0))
        .map_err(|e| failed(format!("split the table {}", table.name), e))?;
    Ok(last.map_or_else(Vec::new, |last| split(last, rows)))
}

/// Whether `rowid` means a column of the table, which may hold anything.
pub(super) fn hides_row_ids(table: &Table) -> bool {
    table.columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid"))
}

fn split(last: i64, rows: u64) -> Vec<Chunk> {
    let step =
        if rows >= ROW_GROUP { rows / ROW_GROUP * ROW_GROUP } else { rows.max(1).next_multiple_of(VECTOR) };
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let mut chunks = Vec::new();
    let mut from = 0i64;
    for ordinal in 0.. {
        let to = from.checked_add(step).filter(|to| *to <= last);
        chunks.push(Chunk { ordinal, from, to: to.unwrap_or(i64::MAX) });
        match to {
            Some(to) => from = to,
            None => break,
        }
    }
    chunks
}

/// Reads a range of a table by one query, in order.
pub(super) fn read_range(
    connection: &Connection,
    table: &Table,
    selection: &Selection,
    range: &Range<i64>,
    on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>,
) -> Result<(), Stop> {
    let refused = |e| Stop::Engine(failed(format!("read the table {}", table.name), e));
    let corrupt =
        |e: Error, column: &str| Stop::Engine(e.context(format!("table {}, column {column}", table.name)));
    let mut statement = connection.prepare(&selection.query(range)).map_err(refused)?;
    for batch in statement.stream_arrow([]).map_err(refused)? {
        let batch = batch.map_err(refused)?;
        let mut cells = Vec::with_capacity(selection.columns.len());
        for ((name, logical), array) in selection.columns.iter().zip(batch.columns()) {
            let column = Cells::of_column(array, logical).map_err(|e| corrupt(e, name))?;
            cells.push((name, column.nulls(), column));
        }
        let mut row = Vec::with_capacity(cells.len());
        for at in 0..batch.num_rows() {
            row.clear();
            for (name, nulls, column) in &cells {
                row.push(match nulls {
                    Some(nulls) if nulls.is_null(at) => Value::Null,
                    _ => column.held(at).map_err(|e| corrupt(e, name))?,
                });
            }
            on_row(&row).map_err(Stop::Caller)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_follow_row_groups_or_vectors_and_end_open() {
        let shape = |last, rows| split(last, rows).iter().map(|c| (c.from, c.to)).collect::<Vec<_>>();
        assert_eq!(shape(0, 10), [(0, i64::MAX)]);
        assert_eq!(shape(2_047, 1), [(0, i64::MAX)]);
        assert_eq!(shape(2_048, 1), [(0, 2_048), (2_048, i64::MAX)]);
        assert_eq!(shape(300_000, 130_000), [(0, 122_880), (122_880, 245_760), (245_760, i64::MAX)]);
        assert_eq!(shape(i64::MAX - 1, u64::MAX), [(0, i64::MAX)]);
        assert_eq!(split(9_000_000, 122_880).last().map(|c| c.ordinal), Some(73));
    }
}
