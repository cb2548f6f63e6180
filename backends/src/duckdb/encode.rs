//! Rows on their way into DuckDB: what it can hold, and the Arrow arrays it is given them in.

use std::sync::Arc;

use duckdb::arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder,
    Float32Builder, Float64Builder, Int16Builder, Int32Builder, Int64Builder, ListArray, StringBuilder,
    Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use duckdb::arrow::buffer::{NullBuffer, OffsetBuffer};
use duckdb::arrow::datatypes::Field;
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value, digest, escape, temporal};

use super::literal;

/// The last day before DuckDB's infinity, and the first after its negative (`Date::IsFinite` in its `date.hpp`).
const LAST_DAY: i32 = i32::MAX - 1;
/// The first instant: 290309-12-22 (BC) 00:00:00 (`Timestamp::MIN_*` in `timestamp.cpp`). The last is one before infinity.
const FIRST_INSTANT: i64 = -9_223_372_022_400_000_000;
/// The digits that DuckDB's DECIMAL holds; more are kept as text.
const DECIMAL_DIGITS: u16 = 38;

/// Appends the canonical bytes of a row once all its values are found to fit.
///
/// # Errors
/// `Invalid` if a value is of another kind than its type keeps, or DuckDB can't hold it, naming its ordinal from 1.
pub(super) fn encode_row(types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
    let invalid = |why: String| Error::new(ErrorKind::Invalid, "encode a row for DuckDB").context(why);
    if types.len() != row.len() {
        return Err(invalid(format!("{} values for {} columns", row.len(), types.len())));
    }
    for ((logical, value), ordinal) in types.iter().zip(row).zip(1..) {
        check(logical, value).map_err(|why| invalid(format!("value {ordinal} {why}")))?;
    }
    digest::append_row(row, out);
    Ok(())
}

/// Whether DuckDB holds `value` in a column of type `logical`; else why not.
pub(super) fn check(logical: &LogicalType, value: &Value<'_>) -> Result<(), String> {
    use LogicalType as L;
    let within = |fits: bool, what: &str| if fits { Ok(()) } else { Err(format!("is {what}")) };
    match (logical, value) {
        (_, Value::Null)
        | (L::Bool, Value::Bool(_))
        | (L::Int64, Value::Int(_))
        | (L::Float32, Value::Float32(_))
        | (L::Float64, Value::Float64(_))
        | (L::Numeric, Value::Decimal(_))
        | (L::Bytes, Value::Bytes(_))
        | (L::Uuid, Value::Uuid(_))
        | (L::Interval, Value::Interval(..)) => Ok(()),
        (L::Int16, Value::Int(v)) => within(i16::try_from(*v).is_ok(), "beyond 16 bits"),
        (L::Int32, Value::Int(v)) => within(i32::try_from(*v).is_ok(), "beyond 32 bits"),
        (L::Decimal { precision, .. }, Value::Decimal(_)) if *precision > DECIMAL_DIGITS => Ok(()),
        (L::Decimal { precision, scale }, Value::Decimal(v)) => within(
            literal::parse_decimal(v, *precision, *scale).is_some(),
            "a decimal beyond its precision and scale",
        ),
        (L::Text, Value::Text(v)) | (L::Json, Value::Json(v)) => {
            within(escape::is_utf8(v), "text that is not UTF-8")
        }
        (L::Date, Value::Date(v)) => within(
            matches!(*v, i32::MIN | i32::MAX) || (-LAST_DAY..=LAST_DAY).contains(v),
            "a date that DuckDB can't hold",
        ),
        (L::Time, Value::Time(v)) => within((0..=temporal::DAY).contains(v), "a time beyond 24:00"),
        (L::TimeTz, Value::TimeTz(v, offset)) => within(
            (0..=temporal::DAY).contains(v) && offset.abs() <= literal::MAX_OFFSET,
            "a time beyond 24:00 or an offset beyond 15:59:59",
        ),
        (L::Timestamp, Value::Timestamp(v)) | (L::TimestampTz, Value::TimestampTz(v)) => {
            within(*v == i64::MIN || *v >= FIRST_INSTANT, "an instant that DuckDB can't hold")
        }
        (L::Bits, Value::Bits(count, v)) => {
            let whole = *count > 0 && v.len() == (*count as usize).div_ceil(8);
            within(whole, "a string of no bits, or of other than its bytes")
        }
        (L::List(element), Value::List(values)) => values.iter().try_for_each(|v| check(element, v)),
        (_, other) => Err(format!("is a {} where a {logical} belongs", other.kind())),
    }
}

/// An Arrow array in the making. Types that Arrow and DuckDB's converter can't carry whole are text, which DuckDB
/// casts to the column's type.
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder, u16, u16),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Uuid(FixedSizeBinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    List { element: Box<Builder>, offsets: Vec<i32>, valid: Vec<bool> },
}

impl Builder {
    /// An empty array for values of type `logical`.
    pub(super) fn new(logical: &LogicalType) -> Self {
        use LogicalType as L;
        match logical {
            L::Bool => Self::Bool(BooleanBuilder::new()),
            L::Int16 => Self::Int16(Int16Builder::new()),
            L::Int32 => Self::Int32(Int32Builder::new()),
            L::Int64 => Self::Int64(Int64Builder::new()),
            L::Float32 => Self::Float32(Float32Builder::new()),
            L::Float64 => Self::Float64(Float64Builder::new()),
            L::Decimal { precision, scale } if *precision <= DECIMAL_DIGITS => {
                let builder =
                    Decimal128Builder::new().with_precision_and_scale(*precision as u8, *scale as i8);
                builder.map_or_else(
                    |_| Self::Text(StringBuilder::new()),
                    |builder| Self::Decimal(builder, *precision, *scale),
                )
            }
            L::Bytes => Self::Bytes(BinaryBuilder::new()),
            L::Uuid => Self::Uuid(FixedSizeBinaryBuilder::new(16)),
            L::Date => Self::Date(Date32Builder::new()),
            L::Time => Self::Time(Time64MicrosecondBuilder::new()),
            L::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            L::TimestampTz => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            L::List(element) => Self::List {
                element: Box::new(Self::of_element(element)),
                offsets: vec![0],
                valid: Vec::new(),
            },
            L::Decimal { .. } | L::Numeric | L::Text | L::Json | L::TimeTz | L::Interval | L::Bits => {
                Self::Text(StringBuilder::new())
            }
        }
    }

    /// A UUID in a list goes as text: the converter knows the UUID form for whole columns only.
    fn of_element(logical: &LogicalType) -> Self {
        match logical {
            LogicalType::Uuid => Self::Text(StringBuilder::new()),
            other => Self::new(other),
        }
    }

    /// Appends a value that [`encode_row`] found to fit.
    ///
    /// # Errors
    /// `Corrupt` if it does not: the rows come from somewhere else.
    pub(super) fn append(&mut self, value: &Value<'_>) -> Result<()> {
        match (self, value) {
            (Self::Bool(b), Value::Null) => b.append_null(),
            (Self::Bool(b), Value::Bool(v)) => b.append_value(*v),
            (Self::Int16(b), Value::Null) => b.append_null(),
            (Self::Int16(b), Value::Int(v)) => b.append_value(i16::try_from(*v).map_err(|_| foreign(value))?),
            (Self::Int32(b), Value::Null) => b.append_null(),
            (Self::Int32(b), Value::Int(v)) => b.append_value(i32::try_from(*v).map_err(|_| foreign(value))?),
            (Self::Int64(b), Value::Null) => b.append_null(),
            (Self::Int64(b), Value::Int(v)) => b.append_value(*v),
            (Self::Float32(b), Value::Null) => b.append_null(),
            (Self::Float32(b), Value::Float32(v)) => b.append_value(*v),
            (Self::Float64(b), Value::Null) => b.append_null(),
            (Self::Float64(b), Value::Float64(v)) => b.append_value(*v),
            (Self::Decimal(b, ..), Value::Null) => b.append_null(),
            (Self::Decimal(b, precision, scale), Value::Decimal(v)) => {
                b.append_value(literal::parse_decimal(v, *precision, *scale).ok_or_else(|| foreign(value))?);
            }
            (Self::Bytes(b), Value::Null) => b.append_null(),
            (Self::Bytes(b), Value::Bytes(v)) => b.append_value(v),
            (Self::Uuid(b), Value::Null) => b.append_null(),
            (Self::Uuid(b), Value::Uuid(v)) => b.append_value(v).map_err(|e| foreign(value).source(e))?,
            (Self::Date(b), Value::Null) => b.append_null(),
            (Self::Date(b), Value::Date(v)) => b.append_value((*v).max(-i32::MAX)),
            (Self::Time(b), Value::Null) => b.append_null(),
            (Self::Time(b), Value::Time(v)) => b.append_value(*v),
            (Self::Timestamp(b), Value::Null) => b.append_null(),
            (Self::Timestamp(b), Value::Timestamp(v) | Value::TimestampTz(v)) => {
                b.append_value((*v).max(-i64::MAX))
            }
            (Self::Text(b), Value::Null) => b.append_null(),
            (Self::Text(b), _) => append_text(b, value)?,
            (Self::List { element, offsets, valid }, Value::List(values)) => {
                values.iter().try_for_each(|v| element.append(v))?;
                let end = offsets.last().copied().unwrap_or(0) as usize + values.len();
                offsets.push(i32::try_from(end).map_err(|e| foreign(value).source(e))?);
                valid.push(true);
            }
            (Self::List { offsets, valid, .. }, Value::Null) => {
                offsets.push(offsets.last().copied().unwrap_or(0));
                valid.push(false);
            }
            _ => return Err(foreign(value)),
        }
        Ok(())
    }

    /// The array, and an empty builder again.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(b) => Arc::new(b.finish()),
            Self::Int16(b) => Arc::new(b.finish()),
            Self::Int32(b) => Arc::new(b.finish()),
            Self::Int64(b) => Arc::new(b.finish()),
            Self::Float32(b) => Arc::new(b.finish()),
            Self::Float64(b) => Arc::new(b.finish()),
            Self::Decimal(b, ..) => Arc::new(b.finish()),
            Self::Text(b) => Arc::new(b.finish()),
            Self::Bytes(b) => Arc::new(b.finish()),
            Self::Uuid(b) => Arc::new(b.finish()),
            Self::Date(b) => Arc::new(b.finish()),
            Self::Time(b) => Arc::new(b.finish()),
            Self::Timestamp(b) => Arc::new(b.finish()),
            Self::List { element, offsets, valid } => {
                let values = element.finish();
                let field = Arc::new(Field::new("element", values.data_type().clone(), true));
                let offsets = OffsetBuffer::new(std::mem::replace(offsets, vec![0]).into());
                Arc::new(ListArray::new(
                    field,
                    offsets,
                    values,
                    Some(NullBuffer::from(std::mem::take(valid))),
                ))
            }
        }
    }
}

fn append_text(builder: &mut StringBuilder, value: &Value<'_>) -> Result<()> {
    match value {
        Value::Text(v) | Value::Json(v) => {
            builder.append_value(std::str::from_utf8(v).map_err(|e| foreign(value).source(e))?);
        }
        Value::Decimal(v) => builder.append_value(v),
        Value::TimeTz(v, offset) => builder.append_value(literal::format_time_tz(*v, *offset)),
        Value::Interval(months, days, micros) => {
            builder.append_value(literal::format_interval(*months, *days, *micros));
        }
        Value::Bits(count, v) => {
            builder.append_value(literal::format_bits(*count, v).ok_or_else(|| foreign(value))?);
        }
        Value::Uuid(v) => builder.append_value(temporal::format_uuid(v)),
        _ => return Err(foreign(value)),
    }
    Ok(())
}

fn foreign(value: &Value<'_>) -> Error {
    Error::new(ErrorKind::Corrupt, "write an encoded row to DuckDB")
        .context(format!("a {} is not what its column was encoded with", value.kind()))
}
