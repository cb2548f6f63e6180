//! Cells of Arrow batches as values.
//!
//! The kinds of Arrow arrays are told apart once per batch; reading a cell is then a match and a borrow.

use std::borrow::Cow;

use duckdb::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, ListArray,
    StringArray, Time64MicrosecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use duckdb::arrow::buffer::NullBuffer;
use duckdb::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value, decimal, temporal};

use super::error::unreadable;
use super::literal;

/// A column of one batch.
pub(super) enum Cells<'a> {
    /// A column of nothing but untyped NULLs.
    Null(&'a dyn Array),
    Bool(&'a BooleanArray),
    /// One byte, as `arrow_lossless_conversion` gives booleans.
    Bool8(&'a Int8Array),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    UInt8(&'a UInt8Array),
    UInt16(&'a UInt16Array),
    UInt32(&'a UInt32Array),
    /// Up to 2⁶⁴, which only a decimal holds.
    UInt64(&'a UInt64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, i8),
    /// 16 bytes in the processor's order, as `arrow_lossless_conversion` gives HUGEINT.
    HugeInt(&'a FixedSizeBinaryArray),
    Text(&'a StringArray),
    Json(&'a StringArray),
    Bytes(&'a BinaryArray),
    Uuid(&'a FixedSizeBinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time64MicrosecondArray),
    Timestamp {
        counts: &'a [i64],
        array: &'a dyn Array,
        unit: TimeUnit,
        zoned: bool,
    },
    /// Text that DuckDB cast the values to.
    Cast(&'a StringArray, Cast),
    List(&'a ListArray, Box<Cells<'a>>),
    FixedList(&'a FixedSizeListArray, Box<Cells<'a>>),
}

/// What text was cast from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cast {
    Decimal,
    TimeTz,
    Interval,
    Bits,
}

impl<'a> Cells<'a> {
    /// A column of a table, selected as [`super::select`] does.
    ///
    /// # Errors
    /// `Unsupported` if Arrow's type is none that `logical` comes in.
    pub(super) fn of_column(array: &'a ArrayRef, logical: &LogicalType) -> Result<Self> {
        let array: &'a dyn Array = array.as_ref();
        if let LogicalType::List(element) = logical {
            return match array.data_type() {
                DataType::List(_) => {
                    let list = array.as_list::<i32>();
                    Ok(Self::List(list, Box::new(Self::of_column(list.values(), element)?)))
                }
                DataType::FixedSizeList(..) => {
                    let list = array.as_fixed_size_list();
                    Ok(Self::FixedList(list, Box::new(Self::of_column(list.values(), element)?)))
                }
                other => Err(unexpected(other)),
            };
        }
        Ok(match (array.data_type(), logical) {
            (DataType::Int8, LogicalType::Bool) => Self::Bool8(array.as_primitive::<Int8Type>()),
            (DataType::Utf8, LogicalType::Json) => Self::Json(array.as_string()),
            (DataType::Utf8, LogicalType::Decimal { .. } | LogicalType::Numeric) => {
                Self::Cast(array.as_string(), Cast::Decimal)
            }
            (DataType::Utf8, LogicalType::TimeTz) => Self::Cast(array.as_string(), Cast::TimeTz),
            (DataType::Utf8, LogicalType::Interval) => Self::Cast(array.as_string(), Cast::Interval),
            (DataType::Utf8, LogicalType::Bits) => Self::Cast(array.as_string(), Cast::Bits),
            (DataType::FixedSizeBinary(16), LogicalType::Uuid) => Self::Uuid(array.as_fixed_size_binary()),
            _ => Self::of_type(array)?,
        })
    }

    /// A column of any query's result.
    ///
    /// # Errors
    /// `Unsupported` for a type that must be cast in the query.
    pub(super) fn of_result(array: &'a ArrayRef, field: &Field) -> Result<Self> {
        let extension = field.metadata().get("ARROW:extension:name").map(String::as_str);
        let opaque = field.metadata().get("ARROW:extension:metadata").map_or("", String::as_str);
        let logical = match extension {
            Some("arrow.bool8") => LogicalType::Bool,
            Some("arrow.uuid") => LogicalType::Uuid,
            Some("arrow.json") => LogicalType::Json,
            Some("arrow.opaque") if opaque.contains("\"hugeint\"") => {
                return Ok(Self::HugeInt(array.as_ref().as_fixed_size_binary()));
            }
            Some("arrow.opaque") => return Err(unexpected(array.data_type()).context(opaque.to_owned())),
            _ => match array.data_type() {
                DataType::List(_) | DataType::FixedSizeList(..) => {
                    LogicalType::List(Box::new(LogicalType::Text))
                }
                _ => LogicalType::Text,
            },
        };
        Self::of_column(array, &logical)
    }

    fn of_type(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null(array),
            DataType::Boolean => Self::Bool(array.as_boolean()),
            DataType::Int8 => Self::Int8(array.as_primitive::<Int8Type>()),
            DataType::Int16 => Self::Int16(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            DataType::UInt8 => Self::UInt8(array.as_primitive::<UInt8Type>()),
            DataType::UInt16 => Self::UInt16(array.as_primitive::<UInt16Type>()),
            DataType::UInt32 => Self::UInt32(array.as_primitive::<UInt32Type>()),
            DataType::UInt64 => Self::UInt64(array.as_primitive::<UInt64Type>()),
            DataType::Float32 => Self::Float32(array.as_primitive::<Float32Type>()),
            DataType::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive::<Decimal128Type>(), *scale),
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Binary => Self::Bytes(array.as_binary()),
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Time(array.as_primitive::<Time64MicrosecondType>())
            }
            DataType::Timestamp(unit, zone) => {
                let counts = match unit {
                    TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
                    TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
                    TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
                    TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
                };
                Self::Timestamp { counts, array, unit: *unit, zoned: zone.is_some() }
            }
            other => return Err(unexpected(other)),
        })
    }

    fn array(&self) -> &'a dyn Array {
        match self {
            Self::Null(a) => *a,
            Self::Bool(a) => *a,
            Self::Bool8(a) | Self::Int8(a) => *a,
            Self::Int16(a) => *a,
            Self::Int32(a) => *a,
            Self::Int64(a) => *a,
            Self::UInt8(a) => *a,
            Self::UInt16(a) => *a,
            Self::UInt32(a) => *a,
            Self::UInt64(a) => *a,
            Self::Float32(a) => *a,
            Self::Float64(a) => *a,
            Self::Decimal(a, _) => *a,
            Self::HugeInt(a) | Self::Uuid(a) => *a,
            Self::Text(a) | Self::Json(a) | Self::Cast(a, _) => *a,
            Self::Bytes(a) => *a,
            Self::Date(a) => *a,
            Self::Time(a) => *a,
            Self::Timestamp { array, .. } => *array,
            Self::List(a, _) => *a,
            Self::FixedList(a, _) => *a,
        }
    }

    /// The cell of `row`.
    ///
    /// # Errors
    /// `Corrupt` if DuckDB's text of a value can't be read.
    pub(super) fn get(&self, row: usize) -> Result<Value<'a>> {
        if self.array().is_null(row) { Ok(Value::Null) } else { self.held(row) }
    }

    /// Which cells are NULL, for a reader of all of them to ask once.
    pub(super) fn nulls(&self) -> Option<&'a NullBuffer> {
        self.array().nulls()
    }

    /// The cell of `row`, which is not NULL.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) fn held(&self, row: usize) -> Result<Value<'a>> {
        Ok(match self {
            Self::Null(_) => Value::Null,
            Self::Bool(a) => Value::Bool(a.value(row)),
            Self::Bool8(a) => Value::Bool(a.value(row) != 0),
            Self::Int8(a) => Value::Int(a.value(row).into()),
            Self::Int16(a) => Value::Int(a.value(row).into()),
            Self::Int32(a) => Value::Int(a.value(row).into()),
            Self::Int64(a) => Value::Int(a.value(row)),
            Self::UInt8(a) => Value::Int(a.value(row).into()),
            Self::UInt16(a) => Value::Int(a.value(row).into()),
            Self::UInt32(a) => Value::Int(a.value(row).into()),
            Self::UInt64(a) => Value::Decimal(Cow::Owned(a.value(row).to_string())),
            Self::Float32(a) => Value::Float32(a.value(row)),
            Self::Float64(a) => Value::Float64(a.value(row)),
            Self::Decimal(a, scale) => {
                Value::Decimal(Cow::Owned(literal::format_decimal(a.value(row), *scale)))
            }
            Self::HugeInt(a) => {
                let number = i128::from_le_bytes(sixteen(a.value(row))?);
                i64::try_from(number)
                    .map_or_else(|_| Value::Decimal(Cow::Owned(number.to_string())), Value::Int)
            }
            Self::Text(a) => Value::Text(Cow::Borrowed(a.value(row).as_bytes())),
            Self::Json(a) => Value::Json(Cow::Borrowed(a.value(row).as_bytes())),
            Self::Bytes(a) => Value::Bytes(Cow::Borrowed(a.value(row))),
            Self::Uuid(a) => Value::Uuid(sixteen(a.value(row))?),
            Self::Date(a) => Value::Date(match a.value(row) {
                // DuckDB's negative infinity is the negative of its infinity.
                days if days == -i32::MAX => i32::MIN,
                days => days,
            }),
            Self::Time(a) => Value::Time(a.value(row)),
            Self::Timestamp { counts, unit, zoned, .. } => timestamp(counts[row], *unit, *zoned),
            Self::Cast(a, cast) => cast.read(a.value(row))?,
            Self::List(a, elements) => {
                let offsets = a.value_offsets();
                list(elements, offsets[row] as usize..offsets[row + 1] as usize)?
            }
            Self::FixedList(a, elements) => {
                let start = a.value_offset_at(row);
                list(elements, start..start + a.value_length() as usize)?
            }
        })
    }
}

impl Cast {
    fn read(self, text: &str) -> Result<Value<'_>> {
        let value = match self {
            Cast::Decimal => decimal::canonical(text).map(Value::Decimal),
            Cast::TimeTz => literal::parse_time_tz(text),
            Cast::Interval => literal::parse_interval(text),
            Cast::Bits => literal::parse_bits(text),
        };
        value.ok_or_else(|| unreadable("a value cast to text", format!("{text:?}")))
    }
}

fn list<'a>(elements: &Cells<'a>, range: std::ops::Range<usize>) -> Result<Value<'a>> {
    range.map(|at| elements.get(at)).collect::<Result<_>>().map(Value::List)
}

fn sixteen(bytes: &[u8]) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| unreadable("16 bytes", format!("{} bytes", bytes.len())))
}

/// An instant counted in `unit`. What is finer than a microsecond or too far away for 64 bits of them becomes text that
/// says it whole, so that it is noticed and never rounded.
fn timestamp(count: i64, unit: TimeUnit, zoned: bool) -> Value<'static> {
    let micros = match count {
        i64::MAX => Some(i64::MAX),
        count if count == -i64::MAX => Some(i64::MIN),
        count => match unit {
            TimeUnit::Second => count.checked_mul(1_000_000),
            TimeUnit::Millisecond => count.checked_mul(1_000),
            TimeUnit::Microsecond => Some(count),
            TimeUnit::Nanosecond => (count % 1_000 == 0).then_some(count / 1_000),
        },
    };
    match micros {
        Some(micros) if zoned => Value::TimestampTz(micros),
        Some(micros) => Value::Timestamp(micros),
        None => {
            let text = match unit {
                TimeUnit::Nanosecond => {
                    let seconds = temporal::format_timestamp(count.div_euclid(1_000_000_000) * 1_000_000);
                    format!(
                        "{seconds}.{:09}{}",
                        count.rem_euclid(1_000_000_000),
                        if zoned { "+00" } else { "" }
                    )
                }
                TimeUnit::Second => format!("{count} seconds since 1970-01-01 00:00:00"),
                TimeUnit::Millisecond | TimeUnit::Microsecond => {
                    format!("{count} milliseconds since 1970-01-01 00:00:00")
                }
            };
            Value::Text(Cow::Owned(text.into_bytes()))
        }
    }
}

fn unexpected(found: &DataType) -> Error {
    Error::new(ErrorKind::Unsupported, "read a DuckDB result")
        .context(format!("Arrow's type {found} has no place here"))
        .hint("cast the column to VARCHAR in the query")
}
