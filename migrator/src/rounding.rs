//! Numbers and moments brought into the range of a type, or to its precision: what the normalisations `clamp`, `infinity`
//! and `round` compute.

use std::borrow::Cow;

use trimaran_core::{Engine, LogicalType, Value, decimal, temporal};

use crate::limits;
use crate::mapping::{self, Form};
use crate::replacement::LAST_MICRO;

/// Whether a value lies below zero or before 1970; `None` if it is no number or moment, or NaN.
fn is_low(value: &Value<'_>) -> Option<bool> {
    Some(match value {
        Value::Int(v) | Value::Timestamp(v) | Value::TimestampTz(v) => *v < 0,
        Value::Date(v) => *v < 0,
        Value::Float64(v) if !v.is_nan() => *v < 0.0,
        Value::Float32(v) if !v.is_nan() => *v < 0.0,
        Value::Decimal(v) if v != "NaN" => v.starts_with('-'),
        // A moment too far away for 64 bits of microseconds is told as text that begins with its count.
        Value::Text(v) => {
            let text = std::str::from_utf8(v).ok()?;
            let number = text.split(' ').next()?;
            decimal::canonical(number).filter(|n| n != "NaN")?.starts_with('-')
        }
        _ => return None,
    })
}

/// The nearer end of the range of `logical` on `target`.
pub(crate) fn clamp(value: &Value<'_>, logical: &LogicalType, target: Engine) -> Option<Value<'static>> {
    let low = is_low(value)?;
    let end = |least: i64, greatest: i64| if low { least } else { greatest };
    Some(match logical {
        LogicalType::Int16 => Value::Int(end(i16::MIN.into(), i16::MAX.into())),
        LogicalType::Int32 => Value::Int(end(i32::MIN.into(), i32::MAX.into())),
        LogicalType::Int64 => Value::Int(end(i64::MIN, i64::MAX)),
        LogicalType::Float32 => Value::Float32(if low { f32::MIN } else { f32::MAX }),
        LogicalType::Decimal { precision, scale } => {
            let digits = "9".repeat(usize::from(*precision));
            let (whole, fraction) = digits.split_at(usize::from(precision - scale));
            let text = format!("{}0{whole}.{fraction}", if low { "-" } else { "" });
            Value::Decimal(Cow::Owned(decimal::canonical(&text)?.into_owned()))
        }
        LogicalType::Date => {
            let days = limits::days(target, logical)?;
            Value::Date(i32::try_from(end(days.start, days.end - 1)).ok()?)
        }
        LogicalType::Timestamp | LogicalType::TimestampTz => {
            let days = limits::days(target, logical)?;
            // The greatest moment that 64 bits of microseconds since 1970 tell, infinity apart, is before Postgres' own end.
            let greatest =
                ((days.end - 1).saturating_mul(temporal::DAY)).saturating_add(LAST_MICRO).min(i64::MAX - 1);
            let micros = end(days.start * temporal::DAY, greatest);
            if *logical == LogicalType::Timestamp {
                Value::Timestamp(micros)
            } else {
                Value::TimestampTz(micros)
            }
        }
        _ => return None,
    })
}

/// The infinity that a value lies towards.
pub(crate) fn infinite(value: &Value<'_>, logical: &LogicalType) -> Option<Value<'static>> {
    let low = is_low(value)?;
    let micros = if low { i64::MIN } else { i64::MAX };
    Some(match logical {
        LogicalType::Float32 => Value::Float32(if low { f32::NEG_INFINITY } else { f32::INFINITY }),
        LogicalType::Date => Value::Date(if low { i32::MIN } else { i32::MAX }),
        LogicalType::Timestamp => Value::Timestamp(micros),
        LogicalType::TimestampTz => Value::TimestampTz(micros),
        _ => return None,
    })
}

/// The nearest value that `logical` keeps.
pub(crate) fn round(value: &Value<'_>, logical: &LogicalType, form: Form) -> Option<Value<'static>> {
    use LogicalType as L;
    Some(match (logical, value) {
        (L::Float32, Value::Float64(v)) => Value::Float32(*v as f32),
        (L::Float64, Value::Int(v)) => Value::Float64(*v as f64),
        (L::Float64, Value::Decimal(v)) => Value::Float64(v.parse().ok()?),
        (L::Int16 | L::Int32 | L::Int64, Value::Float64(v)) => {
            let text = decimal::from_f64(v.round_ties_even());
            Value::Int(text.parse().ok()?)
        }
        (L::Int16 | L::Int32 | L::Int64, Value::Decimal(v)) => {
            Value::Int(decimal::rounded(v, 0)?.parse().ok()?)
        }
        (L::Decimal { scale, .. }, Value::Float64(v)) => rounded(&decimal::from_f64(*v), *scale)?,
        (L::Decimal { scale, .. }, Value::Decimal(v)) => rounded(v, *scale)?,
        (L::Decimal { scale, .. }, Value::Text(v)) => {
            rounded(&decimal::canonical(std::str::from_utf8(v).ok()?)?, *scale)?
        }
        (L::Time | L::TimeTz | L::Timestamp | L::TimestampTz, Value::Text(v)) => {
            moment(std::str::from_utf8(v).ok()?, logical)?
        }
        (L::Timestamp | L::TimestampTz, Value::Float64(v)) => {
            let micros = match form {
                Form::UnixSeconds => nearest(v * 1e6)?,
                Form::JulianDay => temporal::nearest_to_julian_day(*v)?,
                _ => return None,
            };
            if *logical == L::Timestamp { Value::Timestamp(micros) } else { Value::TimestampTz(micros) }
        }
        _ => return None,
    })
}

fn rounded(canonical: &str, scale: u16) -> Option<Value<'static>> {
    decimal::rounded(canonical, usize::from(scale)).map(|text| Value::Decimal(Cow::Owned(text)))
}

fn nearest(micros: f64) -> Option<i64> {
    (micros.abs() < 9.0e18).then(|| micros.round_ties_even() as i64)
}

/// A moment of which the text says more than six digits of a second.
fn moment(text: &str, logical: &LogicalType) -> Option<Value<'static>> {
    let at = text.rfind('.')? + 1;
    let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let (kept, finer) = text[at..at + digits].split_at_checked(6)?;
    let whole = format!("{}{kept}{}", &text[..at], &text[at + digits..]);
    let value = Value::Text(Cow::Owned(whole.into_bytes()));
    let value = mapping::convert(&value, logical, Form::Native).ok()?;
    let odd = kept.ends_with(['1', '3', '5', '7', '9']);
    let (first, rest) = finer.split_at_checked(1)?;
    let more = first > "5" || first == "5" && (odd || rest.bytes().any(|b| b != b'0'));
    let step = i64::from(more);
    Some(match value {
        Value::Time(v) => Value::Time(v + step),
        Value::TimeTz(v, offset) => Value::TimeTz(v + step, offset),
        Value::Timestamp(v) => Value::Timestamp(v + step),
        Value::TimestampTz(v) => Value::TimestampTz(v + step),
        _ => return None,
    })
}
