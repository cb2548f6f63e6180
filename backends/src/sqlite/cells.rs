//! A statement's values on their way to SQLite and its cells on their way back, past SeaORM's driver.
//!
//! Both are written as that driver writes them, for the same columns are written and compared by it: UUIDs are 16 bytes, points in time
//! are text of RFC 3339 with no more digits than they need.

use chrono::{DateTime, SecondsFormat};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};
use sea_orm::Statement;
use sea_orm::sea_query::Value;
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::error::failed;
use crate::fetch::CellType;

const OPERATION: &str = "run a query";

/// Runs a query and gives the cells of its rows, which are of these types.
///
/// # Errors
/// `Invalid` or `Unsupported` for a value that can't be bound; `Corrupt` for a cell that is of another type; else the engine's.
pub(super) fn read(
    connection: &Connection,
    statement: &Statement,
    types: &[CellType],
) -> Result<Vec<Vec<Value>>> {
    let mut prepared = prepared(connection, statement)?;
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed(OPERATION))? {
        let mut cells = Vec::with_capacity(types.len());
        for (index, kind) in types.iter().enumerate() {
            let raw = row.get_ref(index).map_err(failed(OPERATION))?;
            cells.push(cell(*kind, raw).ok_or_else(|| {
                let name = row.as_ref().column_name(index).unwrap_or("?").to_owned();
                Error::new(ErrorKind::Corrupt, OPERATION)
                    .context(format!("column {name} holds {} that is no {kind:?}", raw.data_type()))
                    .hint("another program wrote it: correct the row")
            })?);
        }
        found.push(cells);
    }
    Ok(found)
}

/// Runs a statement: which row it inserted last, and how many it changed.
///
/// # Errors
/// `Invalid` or `Unsupported` for a value that can't be bound; else the engine's.
pub(super) fn execute(connection: &Connection, statement: &Statement) -> Result<(u64, u64)> {
    let before = connection.total_changes();
    let mut prepared = prepared(connection, statement)?;
    let mut rows = prepared.raw_query();
    // To its end, whatever it returns: then it has taken effect.
    while rows.next().map_err(failed("run a statement"))?.is_some() {}
    drop(rows);
    let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
    Ok((connection.last_insert_rowid().cast_unsigned(), changed))
}

fn prepared<'c>(connection: &'c Connection, statement: &Statement) -> Result<CachedStatement<'c>> {
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed(OPERATION))?;
    let values = statement.values.iter().flat_map(|values| values.iter());
    let mut count = 0;
    for (index, value) in (1..).zip(values) {
        prepared.raw_bind_parameter(index, Bound::of(value)?).map_err(failed(OPERATION))?;
        count = index;
    }
    if count != prepared.parameter_count() {
        return Err(Error::new(ErrorKind::Invalid, OPERATION)
            .context(format!("it has {} parameters, {count} are given", prepared.parameter_count())));
    }
    Ok(prepared)
}

/// A value as the driver would bind it, borrowed where that can be.
pub(super) struct Bound<'v>(ToSqlOutput<'v>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            ToSqlOutput::Owned(value) => ToSqlOutput::Borrowed(ValueRef::from(value)),
            other => other.clone(),
        })
    }
}

impl<'v> Bound<'v> {
    /// # Errors
    /// `Invalid` for a number that is too great, `Unsupported` for a value of another kind.
    pub(super) fn of(value: &'v Value) -> Result<Self> {
        let text = |text: String| ToSqlOutput::Owned(Stored::Text(text));
        let integer = |number: i64| ToSqlOutput::Owned(Stored::Integer(number));
        let real = |number: f64| ToSqlOutput::Owned(Stored::Real(number));
        let bound = match value {
            Value::Bool(value) => value.map(|value| integer(value.into())),
            Value::TinyInt(value) => value.map(|value| integer(value.into())),
            Value::SmallInt(value) => value.map(|value| integer(value.into())),
            Value::Int(value) => value.map(|value| integer(value.into())),
            Value::BigInt(value) => value.map(integer),
            Value::Unsigned(value) => value.map(|value| integer(value.into())),
            Value::BigUnsigned(Some(value)) => {
                let value = i64::try_from(*value).map_err(|_| {
                    Error::new(ErrorKind::Invalid, "bind a statement's values")
                        .context("the number is above 9223372036854775807")
                })?;
                Some(integer(value))
            }
            Value::BigUnsigned(None) => None,
            Value::Float(value) => value.map(|value| real(value.into())),
            Value::Double(value) => value.map(real),
            Value::String(value) => {
                value.as_ref().map(|value| ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes())))
            }
            Value::Bytes(value) => value.as_ref().map(|value| ToSqlOutput::Borrowed(ValueRef::Blob(value))),
            Value::Uuid(value) => {
                value.as_ref().map(|value| ToSqlOutput::Borrowed(ValueRef::Blob(value.as_bytes())))
            }
            Value::ChronoDateTimeWithTimeZone(value) => {
                value.map(|value| text(value.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
            }
            Value::ChronoDateTimeUtc(value) => {
                value.map(|value| text(value.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
            }
            Value::Json(value) => value.as_ref().map(|value| text(value.to_string())),
            other => {
                return Err(Error::new(ErrorKind::Unsupported, "bind a statement's values")
                    .context(format!("a value of the type {:?} is not bound by position", other.array_type()))
                    .hint("run the statement by SeaORM, in a transaction of transaction()"));
            }
        };
        Ok(Self(bound.unwrap_or(ToSqlOutput::Owned(Stored::Null))))
    }
}

/// What a cell holds; `None` if that is of another type.
fn cell(kind: CellType, raw: ValueRef<'_>) -> Option<Value> {
    Some(match (kind, raw) {
        (kind, ValueRef::Null) => kind.null(),
        (CellType::Bool, ValueRef::Integer(number)) => Value::Bool(Some(number != 0)),
        (CellType::I32, ValueRef::Integer(number)) => Value::Int(Some(i32::try_from(number).ok()?)),
        (CellType::I64, ValueRef::Integer(number)) => Value::BigInt(Some(number)),
        (CellType::F64, ValueRef::Real(number)) => Value::Double(Some(number)),
        // Where a column has no affinity, a whole number may stand as one.
        #[allow(clippy::cast_precision_loss, reason = "SQLite's own conversion")]
        (CellType::F64, ValueRef::Integer(number)) => Value::Double(Some(number as f64)),
        (CellType::Text, ValueRef::Text(bytes)) => Value::from(str::from_utf8(bytes).ok()?),
        (CellType::Bytes, ValueRef::Blob(bytes)) => Value::from(bytes),
        (CellType::Uuid, ValueRef::Blob(bytes)) => Value::from(Uuid::from_slice(bytes).ok()?),
        (CellType::DateTime, ValueRef::Text(bytes)) => {
            Value::from(DateTime::parse_from_rfc3339(str::from_utf8(bytes).ok()?).ok()?)
        }
        (CellType::Json, ValueRef::Text(bytes)) => {
            Value::from(serde_json::from_slice::<serde_json::Value>(bytes).ok()?)
        }
        _ => return None,
    })
}
