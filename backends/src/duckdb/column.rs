//! Columns of a result as SeaORM's values: for each DuckDB type the one kind of value that its Rust type has.
//!
//! | DuckDB | Rust |
//! |---|---|
//! | BOOLEAN | `bool` |
//! | TINYINT, SMALLINT, INTEGER, BIGINT | `i8`, `i16`, `i32`, `i64` |
//! | UTINYINT, USMALLINT, UINTEGER, UBIGINT | `u8`, `u16`, `u32`, `u64` |
//! | HUGEINT (what `sum` of integers gives) | `i64`; an error where it doesn't fit |
//! | FLOAT, DOUBLE (what `avg` gives) | `f32`, `f64` |
//! | DECIMAL | `rust_decimal::Decimal`; an error where it doesn't fit |
//! | VARCHAR, ENUM | `String` |
//! | BLOB | `Vec<u8>` |
//! | JSON | `serde_json::Value` |
//! | UUID | `Uuid` |
//! | DATE, TIME | chrono's `NaiveDate`, `NaiveTime` |
//! | TIMESTAMP of any precision | `NaiveDateTime` |
//! | TIMESTAMP WITH TIME ZONE | `DateTime<FixedOffset>`, at +00:00 |
//! | a list of these | `Vec` of these |
//!
//! Any other type is refused by name: it can be cast to VARCHAR in the query.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use duckdb::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use duckdb::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use sea_orm::Value;
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::ArrayType;
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

/// Reads the cell of a row that isn't NULL; `Err` says why it can't be.
type Read<'a> = Box<dyn Fn(usize) -> Result<Value, String> + 'a>;

/// A column of one batch.
pub(super) struct Column<'a> {
    name: &'a str,
    cells: Cells<'a>,
}

struct Cells<'a> {
    array: &'a dyn Array,
    /// What a NULL of this type is.
    null: Value,
    read: Read<'a>,
}

impl<'a> Column<'a> {
    /// # Errors
    /// `Unsupported`, naming the column and its type, if SeaORM has no kind of value for it.
    pub(super) fn new(array: &'a ArrayRef, field: &'a Field) -> Result<Self> {
        let name = field.name().as_str();
        let cells = Cells::new(array.as_ref(), field).map_err(|found| {
            Error::new(ErrorKind::Unsupported, "read a DuckDB result")
                .context(format!("column {name} is of the type {found}, which SeaORM has no value for"))
                .hint("cast it to VARCHAR in the query")
        })?;
        Ok(Self { name, cells })
    }

    /// The cell of `row`.
    ///
    /// # Errors
    /// `Invalid`, naming the column, if the value is out of its Rust type's range; `Corrupt` if it is no such value.
    pub(super) fn get(&self, row: usize) -> Result<Value> {
        self.cells.get(row).map_err(|why| {
            Error::new(ErrorKind::Invalid, "read a DuckDB result")
                .context(format!("column {}: {why}", self.name))
                .hint("cast it in the query to a type that holds it, such as VARCHAR")
        })
    }
}

impl<'a> Cells<'a> {
    fn new(array: &'a dyn Array, field: &Field) -> Result<Self, String> {
        let label = |key: &str| field.metadata().get(key).map_or("", String::as_str);
        // How DuckDB labels what Arrow has no type for, under `arrow_lossless_conversion`.
        let (extension, details) = (label("ARROW:extension:name"), label("ARROW:extension:metadata"));
        Ok(match (extension, array.data_type()) {
            ("arrow.bool8", DataType::Int8) => {
                let cells = array.as_primitive::<Int8Type>();
                Self::of(array, Value::Bool(None), move |row| Ok(Value::from(cells.value(row) != 0)))
            }
            ("arrow.uuid", DataType::FixedSizeBinary(16)) => {
                let cells = array.as_fixed_size_binary();
                Self::of(array, Value::Uuid(None), move |row| {
                    Uuid::from_slice(cells.value(row)).map(Value::from).map_err(|e| e.to_string())
                })
            }
            ("arrow.json", DataType::Utf8) => {
                let cells = array.as_string::<i32>();
                Self::of(array, Value::Json(None), move |row| {
                    serde_json::from_str::<serde_json::Value>(cells.value(row))
                        .map(Value::from)
                        // The parser's message has a place in it and no value.
                        .map_err(|e| format!("its JSON can't be read: {e}"))
                })
            }
            ("arrow.opaque", DataType::FixedSizeBinary(16)) if details.contains("\"hugeint\"") => {
                let cells = array.as_fixed_size_binary();
                Self::of(array, Value::BigInt(None), move |row| {
                    let bytes = cells.value(row).try_into().map_err(|_| "not 16 bytes".to_owned())?;
                    i64::try_from(i128::from_le_bytes(bytes))
                        .map(Value::from)
                        .map_err(|_| "a HUGEINT beyond 64 bits".to_owned())
                })
            }
            ("arrow.opaque", _) => return Err(opaque(details)),
            _ => Self::of_arrow(array)?,
        })
    }

    fn of(array: &'a dyn Array, null: Value, read: impl Fn(usize) -> Result<Value, String> + 'a) -> Self {
        Self { array, null, read: Box::new(read) }
    }

    /// A column of plain numbers.
    fn numbers<T: ArrowPrimitiveType>(array: &'a dyn Array, null: Value) -> Self
    where
        Value: From<T::Native>,
    {
        let cells = array.as_primitive::<T>();
        Self::of(array, null, move |row| Ok(Value::from(cells.value(row))))
    }

    fn of_arrow(array: &'a dyn Array) -> Result<Self, String> {
        Ok(match array.data_type() {
            // `SELECT NULL`.
            DataType::Null => Self::of(array, Value::String(None), |_| Ok(Value::String(None))),
            DataType::Boolean => {
                let cells = array.as_boolean();
                Self::of(array, Value::Bool(None), move |row| Ok(Value::from(cells.value(row))))
            }
            DataType::Int8 => Self::numbers::<Int8Type>(array, Value::TinyInt(None)),
            DataType::Int16 => Self::numbers::<Int16Type>(array, Value::SmallInt(None)),
            DataType::Int32 => Self::numbers::<Int32Type>(array, Value::Int(None)),
            DataType::Int64 => Self::numbers::<Int64Type>(array, Value::BigInt(None)),
            DataType::UInt8 => Self::numbers::<UInt8Type>(array, Value::TinyUnsigned(None)),
            DataType::UInt16 => Self::numbers::<UInt16Type>(array, Value::SmallUnsigned(None)),
            DataType::UInt32 => Self::numbers::<UInt32Type>(array, Value::Unsigned(None)),
            DataType::UInt64 => Self::numbers::<UInt64Type>(array, Value::BigUnsigned(None)),
            DataType::Float32 => Self::numbers::<Float32Type>(array, Value::Float(None)),
            DataType::Float64 => Self::numbers::<Float64Type>(array, Value::Double(None)),
            DataType::Decimal128(_, scale) => {
                let (cells, scale) =
                    (array.as_primitive::<Decimal128Type>(), u32::from(scale.unsigned_abs()));
                Self::of(array, Value::Decimal(None), move |row| {
                    Decimal::try_from_i128_with_scale(cells.value(row), scale)
                        .map(Value::from)
                        .map_err(|_| "a DECIMAL of more than 28 digits".to_owned())
                })
            }
            DataType::Utf8 => {
                let cells = array.as_string::<i32>();
                Self::of(array, Value::String(None), move |row| Ok(Value::from(cells.value(row))))
            }
            DataType::Binary => {
                let cells = array.as_binary::<i32>();
                Self::of(array, Value::Bytes(None), move |row| Ok(Value::from(cells.value(row))))
            }
            // An ENUM.
            DataType::Dictionary(_, _) => {
                let cells = array.as_any_dictionary();
                let keys = cells.normalized_keys();
                let texts = Self::of_arrow(cells.values().as_ref())?;
                Self::of(array, Value::String(None), move |row| (texts.read)(keys[row]))
            }
            DataType::Date32 => {
                let cells = array.as_primitive::<Date32Type>();
                Self::of(array, Value::ChronoDate(None), move |row| {
                    date(cells.value(row)).map(Value::from).ok_or_else(far)
                })
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                let cells = array.as_primitive::<Time64MicrosecondType>();
                Self::of(array, Value::ChronoTime(None), move |row| {
                    time(cells.value(row))
                        .map(Value::from)
                        .ok_or_else(|| "24:00:00 is no time of a day".to_owned())
                })
            }
            DataType::Timestamp(unit, zone) => Self::timestamps(array, *unit, zone.is_some()),
            DataType::List(element) => {
                let lists = array.as_list::<i32>();
                let offsets = lists.value_offsets();
                Self::lists(array, lists.values().as_ref(), element, move |row| {
                    offsets[row] as usize..offsets[row + 1] as usize
                })?
            }
            DataType::FixedSizeList(element, length) => {
                let (lists, length) = (array.as_fixed_size_list(), usize::try_from(*length).unwrap_or(0));
                Self::lists(array, lists.values().as_ref(), element, move |row| {
                    let start = lists.value_offset_at(row);
                    start..start + length
                })?
            }
            other => return Err(other.to_string()),
        })
    }

    fn timestamps(array: &'a dyn Array, unit: TimeUnit, zoned: bool) -> Self {
        let counts: &[i64] = match unit {
            TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
            TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
            TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
            TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
        };
        let null = if zoned { Value::ChronoDateTimeWithTimeZone(None) } else { Value::ChronoDateTime(None) };
        Self::of(array, null, move |row| {
            let instant = timestamp(counts[row], unit).ok_or_else(far)?;
            Ok(if zoned {
                let zoned: DateTime<FixedOffset> = instant.and_utc().fixed_offset();
                Value::from(zoned)
            } else {
                Value::from(instant)
            })
        })
    }

    fn lists(
        array: &'a dyn Array,
        elements: &'a dyn Array,
        field: &Field,
        range: impl Fn(usize) -> std::ops::Range<usize> + 'a,
    ) -> Result<Self, String> {
        let elements = Self::new(elements, field)?;
        if matches!(elements.null, Value::Array(..)) {
            return Err("list of lists".to_owned());
        }
        let kind: ArrayType = elements.null.array_type();
        Ok(Self::of(array, Value::Array(kind.clone(), None), move |row| {
            let items = range(row).map(|at| elements.get(at)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::Array(kind.clone(), Some(Box::new(items))))
        }))
    }

    fn get(&self, row: usize) -> Result<Value, String> {
        if self.array.is_null(row) {
            return Ok(self.null.clone());
        }
        (self.read)(row)
    }
}

/// The type that an opaque column's label names.
fn opaque(details: &str) -> String {
    serde_json::from_str::<serde_json::Value>(details)
        .ok()
        .and_then(|label| label.get("type_name")?.as_str().map(str::to_uppercase))
        .unwrap_or_else(|| details.to_owned())
}

fn date(days: i32) -> Option<NaiveDate> {
    let infinite = days == i32::MAX || days == -i32::MAX;
    let days = (!infinite).then_some(i64::from(days))?;
    DateTime::UNIX_EPOCH.date_naive().checked_add_signed(chrono::TimeDelta::try_days(days)?)
}

fn time(micros: i64) -> Option<NaiveTime> {
    let seconds = u32::try_from(micros / 1_000_000).ok()?;
    NaiveTime::from_num_seconds_from_midnight_opt(seconds, u32::try_from(micros % 1_000_000).ok()? * 1_000)
}

fn timestamp(count: i64, unit: TimeUnit) -> Option<NaiveDateTime> {
    // Infinity and its negative.
    if count == i64::MAX || count == -i64::MAX {
        return None;
    }
    Some(
        match unit {
            TimeUnit::Second => DateTime::from_timestamp(count, 0)?,
            TimeUnit::Millisecond => DateTime::from_timestamp_millis(count)?,
            TimeUnit::Microsecond => DateTime::from_timestamp_micros(count)?,
            TimeUnit::Nanosecond => DateTime::from_timestamp_nanos(count),
        }
        .naive_utc(),
    )
}

fn far() -> String {
    "a date that is infinite, or too far away for chrono".to_owned()
}
