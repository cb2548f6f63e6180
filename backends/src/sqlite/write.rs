//! Rows on their way in: canonical bytes ([`trimaran_core::digest`]), inserted by one prepared statement.
//!
//! SQLite has nothing faster than a prepared INSERT in one transaction: there is no bulk interface.

use rusqlite::Connection;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value, digest};

use super::dialect::DIALECT;
use super::error::failed;
use super::storage;
use crate::Dialect;
use crate::catalog::TableName;

/// A value to bind. Text is bound with its length, so that U+0000 in it does no harm.
pub(crate) struct Bound<'v>(pub(crate) ValueRef<'v>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

/// Appends a row's canonical bytes, if SQLite can hold each of its values as its type asks.
pub(crate) fn encode_row(types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
    let fault = |context: String| Error::new(ErrorKind::Invalid, "encode a row for SQLite").context(context);
    if types.len() != row.len() {
        return Err(fault(format!("it has {} values for {} columns", row.len(), types.len())));
    }
    for (at, (logical, value)) in types.iter().zip(row).enumerate() {
        storage::to_stored(logical, value).map_err(|why| fault(format!("column {}: {why}", at + 1)))?;
    }
    digest::append_row(row, out);
    Ok(())
}

/// Inserts rows that [`encode_row`] appended: how many.
pub(crate) fn rows(
    connection: &Connection,
    table: &TableName,
    columns: &[(String, LogicalType)],
    mut rows: &[u8],
) -> Result<u64> {
    let operation = || format!("write rows to {table}");
    let names = columns.iter().map(|(name, _)| DIALECT.quote(name)).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; columns.len()].join(", ");
    let sql = if columns.is_empty() {
        format!("INSERT INTO {} DEFAULT VALUES", DIALECT.qualify(table))
    } else {
        format!("INSERT INTO {} ({names}) VALUES ({places})", DIALECT.qualify(table))
    };
    let mut statement = connection.prepare_cached(&sql).map_err(failed(operation))?;
    let mut written = 0;
    while !rows.is_empty() {
        let row = digest::decode_row(&mut rows)?;
        if row.len() != columns.len() {
            return Err(Error::new(ErrorKind::Invalid, operation()).context(format!(
                "a row has {} values for {} columns",
                row.len(),
                columns.len()
            )));
        }
        for (at, (value, (name, logical))) in row.iter().zip(columns).enumerate() {
            let stored = storage::to_stored(logical, value).map_err(|why| {
                Error::new(ErrorKind::Invalid, operation()).context(format!("column {name}: {why}"))
            })?;
            let bound = Bound(match &stored {
                Value::Int(v) => ValueRef::Integer(*v),
                Value::Float64(v) => ValueRef::Real(*v),
                Value::Text(v) => ValueRef::Text(v),
                Value::Bytes(v) => ValueRef::Blob(v),
                _ => ValueRef::Null,
            });
            statement
                .raw_bind_parameter(at + 1, bound)
                .map_err(|error| failed(operation)(error).context(format!("column {name}")))?;
        }
        statement.raw_execute().map_err(failed(operation))?;
        written += 1;
    }
    Ok(written)
}
