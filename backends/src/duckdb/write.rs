//! Rows into a table, through Arrow batches and DuckDB's Appender.
//!
//! An Appender works inside the connection's transaction: what it flushed is gone after a rollback.

use std::sync::Arc;

use duckdb::arrow::array::Array as _;
use duckdb::arrow::datatypes::{DataType, Field, Schema};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Appender, Connection};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, digest};

use super::encode::Builder;
use super::error::failed;
use super::read::VECTOR;
use crate::catalog::TableName;

/// A batch is flushed at this many bytes of encoded rows, or at a vector's rows if those come first.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// Writes encoded rows in the current transaction; how many there were.
///
/// # Errors
/// The engine's, classified, naming the table; `Corrupt` if `rows` are not what [`super::encode`] makes.
pub(super) fn write(
    connection: &Connection,
    table: &TableName,
    columns: &[(String, LogicalType)],
    mut rows: &[u8],
) -> Result<u64> {
    let refused = |e| failed(format!("write to the table {table}"), e);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut appender =
        connection.appender_with_columns_to_db(&table.name, &table.schema, &names).map_err(refused)?;
    let mut builders: Vec<Builder> = columns.iter().map(|(_, logical)| Builder::new(logical)).collect();
    let mut written = 0;
    while !rows.is_empty() {
        let before = rows.len();
        let mut count = 0;
        while !rows.is_empty() && count < VECTOR && before - rows.len() < BATCH_BYTES {
            let row = digest::decode_row(&mut rows)?;
            if row.len() != builders.len() {
                return Err(Error::new(ErrorKind::Corrupt, format!("write to the table {table}"))
                    .context(format!("a row has {} values for {} columns", row.len(), builders.len())));
            }
            builders.iter_mut().zip(&row).try_for_each(|(builder, value)| builder.append(value))?;
            count += 1;
        }
        flush(&mut appender, &names, &mut builders).map_err(refused)?;
        written += count;
    }
    // Dropping an Appender flushes too, but swallows what goes wrong.
    appender.flush().map_err(refused)?;
    Ok(written)
}

/// Hands the builders' rows to the Appender, and empties them.
pub(super) fn flush(
    appender: &mut Appender<'_>,
    columns: &[&str],
    builders: &mut [Builder],
) -> duckdb::Result<()> {
    let arrays: Vec<_> = builders.iter_mut().map(Builder::finish).collect();
    let fields: Vec<_> = columns
        .iter()
        .zip(&arrays)
        .map(|(name, array)| {
            let field = Field::new(*name, array.data_type().clone(), true);
            match array.data_type() {
                DataType::FixedSizeBinary(16) => {
                    field.with_metadata([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())])
                }
                _ => field,
            }
        })
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|e| duckdb::Error::ToSqlConversionFailure(Box::new(e)))?;
    appender.append_record_batch(batch)?;
    appender.flush()
}
