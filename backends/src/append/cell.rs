//! SeaORM's values as the cells that the engines' encoders take.

use std::borrow::Cow;

use chrono::DateTime;
use sea_orm::sea_query::Value;
use trimaran_core::{LogicalType, Value as Cell};

/// The type that values of this kind have, NULL included; `None` if it is left to the driver.
pub(crate) fn logical(value: &Value) -> Option<LogicalType> {
    Some(match value {
        Value::Bool(_) => LogicalType::Bool,
        Value::SmallInt(_) => LogicalType::Int16,
        Value::Int(_) => LogicalType::Int32,
        Value::BigInt(_) => LogicalType::Int64,
        Value::Float(_) => LogicalType::Float32,
        Value::Double(_) => LogicalType::Float64,
        Value::String(_) => LogicalType::Text,
        Value::Bytes(_) => LogicalType::Bytes,
        Value::Json(_) => LogicalType::Json,
        Value::Uuid(_) => LogicalType::Uuid,
        Value::ChronoDate(_) => LogicalType::Date,
        Value::ChronoDateTime(_) => LogicalType::Timestamp,
        Value::ChronoDateTimeWithTimeZone(_) => LogicalType::TimestampTz,
        _ => return None,
    })
}

/// The value, borrowed. Times are cut off at the microsecond, as the engines keep them. What [`logical`] doesn't know is
/// NULL here: nobody asks for it.
pub(crate) fn cell(value: &Value) -> Cell<'_> {
    let cell = match value {
        Value::Bool(v) => v.map(Cell::Bool),
        Value::SmallInt(v) => v.map(|v| Cell::Int(v.into())),
        Value::Int(v) => v.map(|v| Cell::Int(v.into())),
        Value::BigInt(v) => v.map(Cell::Int),
        Value::Float(v) => v.map(Cell::Float32),
        Value::Double(v) => v.map(Cell::Float64),
        Value::String(v) => v.as_ref().map(|v| Cell::text(v)),
        Value::Bytes(v) => v.as_ref().map(|v| Cell::Bytes(Cow::Borrowed(v))),
        Value::Json(v) => v.as_ref().map(|v| Cell::Json(Cow::Owned(v.to_string().into_bytes()))),
        Value::Uuid(v) => v.map(|v| Cell::Uuid(v.into_bytes())),
        Value::ChronoDate(v) => v.map(|v| {
            let days = v.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
            // chrono's years end at 262,142.
            Cell::Date(i32::try_from(days).unwrap_or(i32::MAX))
        }),
        Value::ChronoDateTime(v) => v.map(|v| Cell::Timestamp(v.and_utc().timestamp_micros())),
        Value::ChronoDateTimeWithTimeZone(v) => v.map(|v| Cell::TimestampTz(v.timestamp_micros())),
        _ => None,
    };
    cell.unwrap_or(Cell::Null)
}

/// About how many bytes a value takes.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 16,
    }
}
