//! Many rows at once within a transaction of the pool.
//!
//! A few rows go by a prepared INSERT of one row; many go through an Appender as Arrow batches. The Appender works inside the
//! session's transaction, as `write` says.

use duckdb::Connection;
use trimaran_core::{Error, ErrorKind, LogicalType, Result};

use super::encode::{Builder, check};
use super::error::failed;
use super::read::VECTOR;
use super::run;
use super::write::{BATCH_BYTES, flush};
use crate::append::{Rows, cell, size};

/// The Appender from this many rows on: one statement takes about as long as an Appender with a hundred rows.
const APPENDER_ROWS: usize = 2;

const APPEND: &str = "append rows";

/// Inserts `rows`.
pub(super) fn append(connection: &Connection, rows: Rows) -> Result<()> {
    match rows.types() {
        Some(types) if rows.len() >= APPENDER_ROWS => through_appender(connection, &rows, &types),
        _ => {
            for statement in rows.into_inserts(1) {
                run::execute(connection, statement?)?;
            }
            Ok(())
        }
    }
}

fn through_appender(connection: &Connection, rows: &Rows, types: &[LogicalType]) -> Result<()> {
    let refused = |e: duckdb::Error| failed(APPEND, e);
    let mut appender = match rows.schema() {
        Some(schema) => connection.appender_with_columns_to_db(rows.table(), schema, rows.columns()),
        None => connection.appender_with_columns(rows.table(), rows.columns()),
    }
    .map_err(refused)?;
    let mut builders: Vec<Builder> = types.iter().map(Builder::new).collect();
    let (mut count, mut bytes) = (0, 0);
    for row in rows.iter() {
        for ((builder, logical), (value, column)) in
            builders.iter_mut().zip(types).zip(row.iter().zip(rows.columns()))
        {
            let cell = cell(value);
            check(logical, &cell).map_err(|why| {
                Error::new(ErrorKind::Invalid, APPEND).context(format!("column {column} {why}"))
            })?;
            builder.append(&cell)?;
            bytes += size(value);
        }
        count += 1;
        if count == VECTOR || bytes >= BATCH_BYTES {
            flush(&mut appender, rows.columns(), &mut builders).map_err(refused)?;
            (count, bytes) = (0, 0);
        }
    }
    if count > 0 {
        flush(&mut appender, rows.columns(), &mut builders).map_err(refused)?;
    }
    // Dropping an Appender flushes too, but swallows what goes wrong.
    appender.flush().map_err(refused)
}
