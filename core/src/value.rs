//! One cell of one row, borrowed from whichever engine holds it.
//!
//! Rows travel between engines as slices of [`Value`]: two of the three engines are row-oriented, and a cell of the
//! wrong kind (text in an integer column, bytes that are no UTF-8) is simply another variant, so that hostile data
//! needs no second path. See `docs/decisions/0002-rows-of-borrowed-values.md`.

use std::borrow::Cow;

/// A cell. Payloads that can be large are borrowed where the engine allows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// A binary32 number.
    Float32(f32),
    /// A binary64 number.
    Float64(f64),
    /// A decimal number in canonical text (see [`crate::decimal`]).
    Decimal(Cow<'a, str>),
    /// Text as the engine gave it; an engine that does not check may give bytes that are no UTF-8.
    Text(Cow<'a, [u8]>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// The text of a JSON document, as the engine gave it.
    Json(Cow<'a, [u8]>),
    /// The 16 bytes of a UUID, most significant first.
    Uuid([u8; 16]),
    /// Days since 1970-01-01; `i32::MAX` and `i32::MIN` are the infinities.
    Date(i32),
    /// Microseconds since midnight, at most 86,400,000,000.
    Time(i64),
    /// Microseconds since midnight, and seconds *east* of UTC.
    TimeTz(i64, i32),
    /// Microseconds since 1970-01-01T00:00; `i64::MAX` and `i64::MIN` are the infinities.
    Timestamp(i64),
    /// Microseconds since 1970-01-01T00:00Z; `i64::MAX` and `i64::MIN` are the infinities.
    TimestampTz(i64),
    /// Months, days, microseconds.
    Interval(i32, i32, i64),
    /// A number of bits, and the bytes that hold them, the first bit highest, padded with zeros.
    Bits(u32, Cow<'a, [u8]>),
    /// A list; an element may be [`Value::Null`].
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// A text value of `text`.
    pub fn text(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text.as_bytes()))
    }

    /// Whether it is SQL NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The same value, owning its payload.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(v),
            Value::Int(v) => Value::Int(v),
            Value::Float32(v) => Value::Float32(v),
            Value::Float64(v) => Value::Float64(v),
            Value::Decimal(v) => Value::Decimal(Cow::Owned(v.into_owned())),
            Value::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Value::Bytes(v) => Value::Bytes(Cow::Owned(v.into_owned())),
            Value::Json(v) => Value::Json(Cow::Owned(v.into_owned())),
            Value::Uuid(v) => Value::Uuid(v),
            Value::Date(v) => Value::Date(v),
            Value::Time(v) => Value::Time(v),
            Value::TimeTz(v, offset) => Value::TimeTz(v, offset),
            Value::Timestamp(v) => Value::Timestamp(v),
            Value::TimestampTz(v) => Value::TimestampTz(v),
            Value::Interval(months, days, micros) => Value::Interval(months, days, micros),
            Value::Bits(count, v) => Value::Bits(count, Cow::Owned(v.into_owned())),
            Value::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
        }
    }

    /// A copy that borrows from this value.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(*v),
            Value::Int(v) => Value::Int(*v),
            Value::Float32(v) => Value::Float32(*v),
            Value::Float64(v) => Value::Float64(*v),
            Value::Decimal(v) => Value::Decimal(Cow::Borrowed(v)),
            Value::Text(v) => Value::Text(Cow::Borrowed(v)),
            Value::Bytes(v) => Value::Bytes(Cow::Borrowed(v)),
            Value::Json(v) => Value::Json(Cow::Borrowed(v)),
            Value::Uuid(v) => Value::Uuid(*v),
            Value::Date(v) => Value::Date(*v),
            Value::Time(v) => Value::Time(*v),
            Value::TimeTz(v, offset) => Value::TimeTz(*v, *offset),
            Value::Timestamp(v) => Value::Timestamp(*v),
            Value::TimestampTz(v) => Value::TimestampTz(*v),
            Value::Interval(months, days, micros) => Value::Interval(*months, *days, *micros),
            Value::Bits(count, v) => Value::Bits(*count, Cow::Borrowed(v)),
            Value::List(values) => Value::List(values.iter().map(Value::borrowed).collect()),
        }
    }

    /// What kind of value it is, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float32(_) | Value::Float64(_) => "real",
            Value::Decimal(_) => "decimal",
            Value::Text(_) => "text",
            Value::Bytes(_) => "blob",
            Value::Json(_) => "json",
            Value::Uuid(_) => "uuid",
            Value::Date(_) => "date",
            Value::Time(_) => "time",
            Value::TimeTz(..) => "time with time zone",
            Value::Timestamp(_) => "timestamp",
            Value::TimestampTz(_) => "timestamp with time zone",
            Value::Interval(..) => "interval",
            Value::Bits(..) => "bits",
            Value::List(_) => "list",
        }
    }

    /// The bytes of its payload: what it weighs in memory and, nearly, in a target.
    pub fn weight(&self) -> usize {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Float32(_) | Value::Date(_) => 4,
            Value::Int(_)
            | Value::Float64(_)
            | Value::Time(_)
            | Value::Timestamp(_)
            | Value::TimestampTz(_) => 8,
            Value::TimeTz(..) => 12,
            Value::Uuid(_) | Value::Interval(..) => 16,
            Value::Decimal(v) => v.len(),
            Value::Text(v) | Value::Bytes(v) | Value::Json(v) | Value::Bits(_, v) => v.len(),
            Value::List(values) => values.iter().map(|v| v.weight() + 4).sum(),
        }
    }

    /// What a person sees of it: at most `limit` characters, control characters escaped.
    pub fn shown(&self, limit: usize) -> String {
        let text = match self {
            Value::Null => "NULL".to_owned(),
            Value::Bool(v) => v.to_string(),
            Value::Int(v) => v.to_string(),
            Value::Float32(v) => v.to_string(),
            Value::Float64(v) => v.to_string(),
            Value::Decimal(v) => v.to_string(),
            Value::Text(v) | Value::Json(v) => {
                let head = &v[..v.len().min(limit.saturating_mul(4))];
                String::from_utf8_lossy(head).escape_debug().to_string()
            }
            Value::Bytes(v) | Value::Bits(_, v) => {
                let head = &v[..v.len().min(limit)];
                format!("\\x{}", crate::digest::hex(head))
            }
            Value::Uuid(v) => crate::temporal::format_uuid(v),
            Value::Date(v) => crate::temporal::format_date(*v),
            Value::Time(v) => crate::temporal::format_time(*v),
            Value::TimeTz(v, offset) => {
                format!("{}{}", crate::temporal::format_time(*v), crate::temporal::format_offset(*offset))
            }
            Value::Timestamp(v) => crate::temporal::format_timestamp(*v),
            Value::TimestampTz(v) => format!("{}Z", crate::temporal::format_timestamp(*v)),
            Value::Interval(months, days, micros) => format!("{months} months {days} days {micros} µs"),
            Value::List(values) => {
                let shown: Vec<_> = values.iter().take(8).map(|v| v.shown(limit / 4 + 1)).collect();
                format!("[{}{}]", shown.join(", "), if values.len() > 8 { ", …" } else { "" })
            }
        };
        match text.char_indices().nth(limit) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        }
    }
}
