//! From the engine's own values to what they mean, exactly or not at all.
//!
//! [`convert`] turns a native value into the column's logical type. Both sides of a migration go through it: the source
//! before the digest is taken, the target when it is read back. So a UUID kept as 32 digits, as 36 characters or as
//! 16 bytes is one value, and a digest compares meanings rather than spellings.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use trimaran_core::{LogicalType, Value, decimal, escape, json, temporal};

use crate::hazard::Hazard;
use crate::spelling::Spelling;

/// How a source without date types keeps the moments of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As the engine's own type, or as ISO 8601 text.
    #[default]
    Native,
    /// Integers or reals: seconds since 1970.
    UnixSeconds,
    /// Integers: milliseconds since 1970.
    UnixMilliseconds,
    /// Integers: microseconds since 1970.
    UnixMicroseconds,
    /// Reals: Julian day numbers.
    JulianDay,
    /// UUIDs as their 16 bytes.
    UuidBytes,
    /// UUIDs as 32 digits.
    UuidDigits,
    /// Moments as text, all in one spelling.
    Written(Spelling),
}

impl Form {
    /// Whether it is the usual one, which a plan need not mention.
    pub fn is_native(&self) -> bool {
        *self == Form::Native
    }

    /// Whether moments are numbers in it.
    pub fn is_count(self) -> bool {
        matches!(self, Form::UnixSeconds | Form::UnixMilliseconds | Form::UnixMicroseconds | Form::JulianDay)
    }
}

/// The value as its logical type.
///
/// # Errors
/// The hazard, if this value is not exactly of that type.
#[inline]
pub fn convert<'v>(value: &'v Value<'_>, logical: &LogicalType, form: Form) -> Result<Value<'v>, Hazard> {
    // Nearly all values are of their column's type, and each of them comes by here.
    match as_it_is(value, logical) {
        Some(same) => Ok(same),
        None => converted(value, logical, form),
    }
}

/// A value that is of the type already; NULL is of all types.
#[inline]
fn as_it_is<'v>(value: &'v Value<'_>, logical: &LogicalType) -> Option<Value<'v>> {
    use LogicalType as L;
    Some(match (value, logical) {
        (Value::Null, _) => Value::Null,
        (Value::Bool(v), L::Bool) => Value::Bool(*v),
        (Value::Int(v), L::Int64) => Value::Int(*v),
        (Value::Float32(v), L::Float32) => Value::Float32(*v),
        (Value::Float64(v), L::Float64) => Value::Float64(*v),
        (Value::Text(v), L::Text) => Value::Text(Cow::Borrowed(v)),
        (Value::Bytes(v), L::Bytes) => Value::Bytes(Cow::Borrowed(v)),
        (Value::Json(v), L::Json) => Value::Json(Cow::Borrowed(v)),
        (Value::Uuid(v), L::Uuid) => Value::Uuid(*v),
        (Value::Date(v), L::Date) => Value::Date(*v),
        (Value::Time(v), L::Time) => Value::Time(*v),
        (Value::TimeTz(v, offset), L::TimeTz) => Value::TimeTz(*v, *offset),
        (Value::Timestamp(v), L::Timestamp) => Value::Timestamp(*v),
        (Value::TimestampTz(v), L::TimestampTz) => Value::TimestampTz(*v),
        (Value::Interval(months, days, micros), L::Interval) => Value::Interval(*months, *days, *micros),
        (Value::Bits(count, v), L::Bits) => Value::Bits(*count, Cow::Borrowed(v)),
        _ => return None,
    })
}

fn converted<'v>(value: &'v Value<'_>, logical: &LogicalType, form: Form) -> Result<Value<'v>, Hazard> {
    use LogicalType as L;
    Ok(match (logical, value) {
        (L::Bool, Value::Int(0)) => Value::Bool(false),
        (L::Bool, Value::Int(1)) => Value::Bool(true),
        (L::Int16, Value::Int(v)) => within(*v, i64::from(i16::MIN), i64::from(i16::MAX))?,
        (L::Int32, Value::Int(v)) => within(*v, i64::from(i32::MIN), i64::from(i32::MAX))?,
        (L::Int16 | L::Int32 | L::Int64, Value::Decimal(_) | Value::Float64(_)) => integer(value, logical)?,
        (L::Float64, Value::Int(v)) => exact_float(*v)?,
        (L::Float64, Value::Decimal(v)) => float_of_decimal(v)?,
        (L::Float64, Value::Float32(v)) => Value::Float64(f64::from(*v)),
        (L::Float32, Value::Float64(v)) => narrow_float(*v)?,
        (L::Decimal { .. } | L::Numeric, _) => number(value, logical)?,
        (L::Text, Value::Json(v)) => Value::Text(Cow::Borrowed(v)),
        (L::Json, Value::Text(v)) => Value::Json(Cow::Borrowed(v)),
        // A column declared JSON has numeric affinity in SQLite: the document `5` is kept as an integer.
        (L::Json, Value::Int(v)) => Value::Json(Cow::Owned(v.to_string().into_bytes())),
        (L::Json, Value::Float64(v)) => {
            Value::Json(Cow::Owned(decimal::from_f64(*v).into_owned().into_bytes()))
        }
        (L::Uuid, Value::Text(v)) => Value::Uuid(temporal::parse_uuid(v).ok_or(Hazard::WrongType)?),
        (L::Uuid, Value::Bytes(v)) => Value::Uuid(v.as_ref().try_into().map_err(|_| Hazard::WrongType)?),
        (L::Date | L::Time | L::TimeTz | L::Timestamp | L::TimestampTz, Value::Text(v)) => {
            let read = moment(std::str::from_utf8(v).map_err(|_| Hazard::InvalidUtf8)?, logical);
            // Moments before the year 1 are told in a form that only this program writes.
            match read {
                Err(Hazard::WrongType) => stored(value, logical).ok_or(Hazard::WrongType)?,
                read => read?,
            }
        }
        (L::Timestamp | L::TimestampTz, Value::Int(_) | Value::Float64(_)) => {
            let micros = counted(value, form)?;
            if *logical == L::Timestamp { Value::Timestamp(micros) } else { Value::TimestampTz(micros) }
        }
        (L::List(element), Value::List(values)) => {
            Value::List(values.iter().map(|v| convert(v, element, form)).collect::<Result<_, _>>()?)
        }
        (_, Value::Text(_)) => stored(value, logical).ok_or(Hazard::WrongType)?,
        _ => return Err(Hazard::WrongType),
    })
}

/// What SQLite keeps as text of a type that it does not have, in the form that this program writes.
#[cfg(feature = "sqlite")]
fn stored<'v>(value: &'v Value<'_>, logical: &LogicalType) -> Option<Value<'v>> {
    match logical {
        LogicalType::Interval
        | LogicalType::Bits
        | LogicalType::List(_)
        | LogicalType::Date
        | LogicalType::Timestamp
        | LogicalType::TimestampTz => trimaran_backends::sqlite::storage::from_stored(logical, value),
        _ => None,
    }
}

#[cfg(not(feature = "sqlite"))]
fn stored<'v>(_: &'v Value<'_>, _: &LogicalType) -> Option<Value<'v>> {
    None
}

fn within(value: i64, least: i64, greatest: i64) -> Result<Value<'static>, Hazard> {
    if (least..=greatest).contains(&value) { Ok(Value::Int(value)) } else { Err(Hazard::OutOfRange) }
}

fn exact_float(value: i64) -> Result<Value<'static>, Hazard> {
    let float = value as f64;
    if float as i128 == i128::from(value) { Ok(Value::Float64(float)) } else { Err(Hazard::Inexact) }
}

fn float_of_decimal(value: &str) -> Result<Value<'static>, Hazard> {
    let float: f64 = value.parse().map_err(|_| Hazard::WrongType)?;
    if float.is_infinite() && !value.ends_with("Infinity") {
        return Err(Hazard::OutOfRange);
    }
    // All that a binary64 is, its decimal expansion says; what it says less of was rounded.
    if decimal::canonical(&format!("{float:.1100}")).as_deref() == Some(value) || !float.is_finite() {
        Ok(Value::Float64(float))
    } else {
        Err(Hazard::Inexact)
    }
}

/// A number of another kind as an integer, where it is one.
fn integer(value: &Value<'_>, logical: &LogicalType) -> Result<Value<'static>, Hazard> {
    let text = match value {
        Value::Decimal(v) => Cow::Borrowed(v.as_ref()),
        Value::Float64(v) => decimal::from_f64(*v),
        _ => return Err(Hazard::WrongType),
    };
    match decimal::digits(&text) {
        None => return Err(Hazard::OutOfRange),
        Some((_, 1..)) => return Err(Hazard::Inexact),
        Some(_) => {}
    }
    let number: i64 = text.parse().map_err(|_| Hazard::OutOfRange)?;
    match logical {
        LogicalType::Int16 => within(number, i64::from(i16::MIN), i64::from(i16::MAX)),
        LogicalType::Int32 => within(number, i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => Ok(Value::Int(number)),
    }
}

fn narrow_float(value: f64) -> Result<Value<'static>, Hazard> {
    let narrow = value as f32;
    if f64::from(narrow) == value || value.is_nan() {
        Ok(Value::Float32(narrow))
    } else if narrow.is_infinite() {
        Err(Hazard::OutOfRange)
    } else {
        Err(Hazard::Inexact)
    }
}

fn number<'v>(value: &'v Value<'_>, logical: &LogicalType) -> Result<Value<'v>, Hazard> {
    let text: Cow<'v, str> = match value {
        Value::Decimal(v) => Cow::Borrowed(v),
        Value::Int(v) => Cow::Owned(v.to_string()),
        Value::Float64(v) => decimal::from_f64(*v),
        Value::Text(v) => {
            let text = std::str::from_utf8(v).map_err(|_| Hazard::InvalidUtf8)?;
            decimal::canonical(text).ok_or(Hazard::WrongType)?
        }
        _ => return Err(Hazard::WrongType),
    };
    if let LogicalType::Decimal { precision, scale } = logical {
        let (whole, fraction) = decimal::digits(&text).ok_or(Hazard::OutOfRange)?;
        if fraction > usize::from(*scale) {
            return Err(Hazard::Inexact);
        }
        if whole > usize::from(precision - scale) {
            return Err(Hazard::OutOfRange);
        }
    }
    Ok(Value::Decimal(text))
}

fn moment(text: &str, logical: &LogicalType) -> Result<Value<'static>, Hazard> {
    // So DuckDB's reader tells a moment of which 64 bits of microseconds can't.
    if text.ends_with("seconds since 1970-01-01 00:00:00") {
        return Err(Hazard::OutOfRange);
    }
    let infinite = match text {
        "infinity" => Some((i32::MAX, i64::MAX)),
        "-infinity" => Some((i32::MIN, i64::MIN)),
        _ => None,
    };
    let wrong = || {
        // A fraction of more than six digits is a moment too, but finer than any target keeps it.
        let finer = text
            .rfind('.')
            .is_some_and(|at| text[at + 1..].bytes().take_while(u8::is_ascii_digit).count() > 6);
        if finer { Hazard::Inexact } else { Hazard::WrongType }
    };
    Ok(match logical {
        LogicalType::Date => match infinite {
            Some((days, _)) => Value::Date(days),
            None => Value::Date(temporal::parse_date(text).ok_or_else(wrong)?),
        },
        LogicalType::Time => Value::Time(temporal::parse_time(text).ok_or_else(wrong)?),
        LogicalType::TimeTz => {
            let (micros, offset) = temporal::parse_time_tz(text).ok_or_else(wrong)?;
            Value::TimeTz(micros, offset)
        }
        _ => {
            let zoned = *logical == LogicalType::TimestampTz;
            if let Some((_, micros)) = infinite {
                return Ok(if zoned { Value::TimestampTz(micros) } else { Value::Timestamp(micros) });
            }
            let moment = temporal::parse_timestamp(text).ok_or_else(wrong)?;
            match (zoned, moment.offset) {
                (true, Some(_)) => Value::TimestampTz(moment.utc()),
                (false, None) => Value::Timestamp(moment.local),
                // With an offset where the column has none, or the other way round, the meaning is not certain.
                _ => return Err(Hazard::WrongType),
            }
        }
    })
}

fn counted(value: &Value<'_>, form: Form) -> Result<i64, Hazard> {
    let scaled = |count: i64, factor: i64| count.checked_mul(factor).ok_or(Hazard::OutOfRange);
    let micros = match (value, form) {
        (Value::Int(v), Form::UnixSeconds) => scaled(*v, 1_000_000),
        (Value::Int(v), Form::UnixMilliseconds) => scaled(*v, 1_000),
        (Value::Int(v), Form::UnixMicroseconds) => Ok(*v),
        (Value::Float64(v), Form::UnixSeconds) => temporal::from_unix_seconds(*v).ok_or(Hazard::Inexact),
        (Value::Float64(v), Form::JulianDay) => temporal::from_julian_day(*v).ok_or(Hazard::Inexact),
        (Value::Int(v), Form::JulianDay) => temporal::from_julian_day(*v as f64).ok_or(Hazard::Inexact),
        _ => Err(Hazard::WrongType),
    };
    match value {
        Value::Int(v) if form != Form::JulianDay && is_of_another_unit(*v, micros.ok()) => {
            Err(Hazard::MixedUnits)
        }
        Value::Float64(v) if v.is_finite() && (v * 1e6).abs() >= 9.0e18 => Err(Hazard::OutOfRange),
        _ => micros,
    }
}

/// 1990-01-01 and 2100-01-01, in microseconds since 1970: what records that a computer made lie between.
const LIKELY: std::ops::Range<i64> = 631_152_000_000_000..4_102_444_800_000_000;

/// Whether a count says a likely moment in seconds, milliseconds or microseconds, but not in its column's unit.
fn is_of_another_unit(count: i64, in_this_unit: Option<i64>) -> bool {
    let likely = |factor: i64| count.checked_mul(factor).is_some_and(|micros| LIKELY.contains(&micros));
    !in_this_unit.is_some_and(|micros| LIKELY.contains(&micros))
        && [1, 1_000, 1_000_000].into_iter().any(likely)
}

/// The value as the `escape` policy keeps it; `None` if it stays as it is.
pub fn escaped(value: &Value<'_>) -> Option<Value<'static>> {
    match value {
        Value::Text(v) if escape::needs_encoding(v) => {
            Some(Value::Text(Cow::Owned(escape::encode(v).into_owned())))
        }
        Value::Json(v) if json::needs_encoding(v) => {
            Some(Value::Json(Cow::Owned(json::encode(v).into_owned())))
        }
        Value::List(values) if values.iter().any(|v| escaped(v).is_some()) => {
            let element = |v: &Value<'_>| escaped(v).unwrap_or_else(|| v.borrowed().into_owned());
            Some(Value::List(values.iter().map(element).collect()))
        }
        _ => None,
    }
}

/// Undoes [`escaped`].
///
/// # Errors
/// If the value is nothing that [`escaped`] produces.
pub fn unescaped(value: Value<'_>) -> trimaran_core::Result<Value<'_>> {
    Ok(match value {
        Value::Text(Cow::Borrowed(v)) => Value::Text(escape::decode(v)?),
        Value::Text(Cow::Owned(v)) => Value::Text(Cow::Owned(escape::decode(&v)?.into_owned())),
        Value::Json(Cow::Borrowed(v)) => Value::Json(json::decode(v)?),
        Value::Json(Cow::Owned(v)) => Value::Json(Cow::Owned(json::decode(&v)?.into_owned())),
        Value::List(values) => {
            Value::List(values.into_iter().map(unescaped).collect::<trimaran_core::Result<_>>()?)
        }
        other => other,
    })
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
