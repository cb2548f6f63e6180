//! A statement's values on their way to SQLite and its cells on their way back, past SeaORM's driver.
//!
//! Both are written as that driver writes them, for the same columns are written and compared by it: UUIDs are 16 bytes, points in time
//! are text of RFC 3339 with no more digits than they need.

use chrono::{DateTime, SecondsFormat};
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, params_from_iter};
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
    let values = statement.values.iter().flat_map(|values| values.iter());
    let values = values.map(stored).collect::<Result<Vec<_>>>()?;
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(failed(OPERATION))?;
    let mut rows = prepared.query(params_from_iter(values)).map_err(failed(OPERATION))?;
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

/// A value as the driver would bind it.
fn stored(value: &Value) -> Result<Stored> {
    let text = |text: String| Stored::Text(text);
    let stored = match value {
        Value::Bool(value) => value.map(|value| Stored::Integer(value.into())),
        Value::TinyInt(value) => value.map(|value| Stored::Integer(value.into())),
        Value::SmallInt(value) => value.map(|value| Stored::Integer(value.into())),
        Value::Int(value) => value.map(|value| Stored::Integer(value.into())),
        Value::BigInt(value) => value.map(Stored::Integer),
        Value::Unsigned(value) => value.map(|value| Stored::Integer(value.into())),
        Value::BigUnsigned(Some(value)) => {
            let value = i64::try_from(*value).map_err(|_| {
                Error::new(ErrorKind::Invalid, "bind a statement's values")
                    .context("the number is above 9223372036854775807")
            })?;
            Some(Stored::Integer(value))
        }
        Value::BigUnsigned(None) => None,
        Value::Float(value) => value.map(|value| Stored::Real(value.into())),
        Value::Double(value) => value.map(Stored::Real),
        Value::String(value) => value.clone().map(text),
        Value::Bytes(value) => value.clone().map(Stored::Blob),
        Value::Uuid(value) => value.map(|value| Stored::Blob(value.as_bytes().to_vec())),
        Value::ChronoDateTimeWithTimeZone(value) => {
            value.map(|value| text(value.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
        }
        Value::ChronoDateTimeUtc(value) => {
            value.map(|value| text(value.to_rfc3339_opts(SecondsFormat::AutoSi, false)))
        }
        other => {
            return Err(Error::new(ErrorKind::Unsupported, "bind a statement's values")
                .context(format!("a value of the type {:?} is not fetched by", other.array_type()))
                .hint("run the query by SeaORM"));
        }
    };
    Ok(stored.unwrap_or(Stored::Null))
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
