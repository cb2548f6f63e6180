//! Parquet, as model hubs publish datasets (cargo feature `parquet`).

use std::fs::File;

use trimaran_core::Result;
use trimaran_core::model::NewDatasetPrompt;

use super::Mapping;

/// The prompts in a Parquet file. Only the mapped columns are read, a page at a time.
///
/// Texts must be UTF-8. In metadata, numbers, lists and structs become JSON, dates and times ISO 8601 texts in UTC,
/// decimals texts, maps objects, and NaN null, as which missing numbers are often written. The iterator ends with
/// the first error.
///
/// # Errors
/// `Corrupt` if it is no Parquet file; `Invalid` if it lacks a column of the mapping, or one has a type that has no
/// JSON; `Unsupported` in a build without the cargo feature `parquet`.
#[cfg(not(feature = "parquet"))]
pub fn parquet(_file: File, _mapping: Mapping) -> Result<Box<dyn Iterator<Item = Result<NewDatasetPrompt>>>> {
    Err(trimaran_core::Error::new(trimaran_core::ErrorKind::Unsupported, super::OPERATION)
        .context("this build has no Parquet support")
        .hint("build with the cargo feature `parquet`"))
}

/// The prompts in a Parquet file. Only the mapped columns are read, a page at a time.
///
/// Texts must be UTF-8. In metadata, numbers, lists and structs become JSON, dates and times ISO 8601 texts in UTC,
/// decimals texts, maps objects, and NaN null, as which missing numbers are often written. The iterator ends with
/// the first error.
///
/// # Errors
/// `Corrupt` if it is no Parquet file; `Invalid` if it lacks a column of the mapping, or one has a type that has no
/// JSON; `Unsupported` in a build without the cargo feature `parquet`.
#[cfg(feature = "parquet")]
pub fn parquet(file: File, mapping: Mapping) -> Result<Box<dyn Iterator<Item = Result<NewDatasetPrompt>>>> {
    rows::rows(file, mapping)
}

#[cfg(feature = "parquet")]
mod rows {
    use std::fs::File;
    use std::sync::Arc;

    use chrono::DateTime;
    use parquet::basic::{ConvertedType, LogicalType};
    use parquet::errors::ParquetError;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::reader::RowIter;
    use parquet::record::{Field, Row};
    use parquet::schema::types::Type;
    use serde_json::{Map, Number, Value};
    use trimaran_core::model::NewDatasetPrompt;
    use trimaran_core::{Error, Result};

    use crate::import::{Mapping, damaged, unfit};

    pub(super) fn rows(
        file: File,
        mapping: Mapping,
    ) -> Result<Box<dyn Iterator<Item = Result<NewDatasetPrompt>>>> {
        let reader =
            SerializedFileReader::new(file).map_err(|error| unsound("the file".to_owned(), error))?;
        let schema = reader.metadata().file_metadata().schema().clone();
        let names: Vec<_> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        mapping.check_header(&names)?;
        let fields: Vec<Arc<Type>> =
            schema.get_fields().iter().filter(|field| mapping.takes(field.name())).cloned().collect();
        for field in &fields {
            if !has_json(field) {
                return Err(unfit(format!("the column {:?}", field.name()), "its type has no JSON"));
            }
        }
        let projection = Type::group_type_builder(schema.name())
            .with_fields(fields)
            .build()
            .map_err(|error| unsound("the schema".to_owned(), error))?;
        let rows = RowIter::from_file_into(Box::new(reader))
            .project(Some(projection))
            .map_err(|error| unsound("the schema".to_owned(), error))?;
        let mut ended = false;
        let prompts = rows.zip(1u64..).map_while(move |(row, number)| {
            if ended {
                return None;
            }
            let place = format!("row {number}");
            let prompt = row
                .map_err(|error| unsound(place.clone(), error))
                .and_then(|row| object(&place, row))
                .and_then(|record| mapping.prompt(&place, record));
            ended = prompt.is_err();
            Some(prompt)
        });
        Ok(Box::new(prompts))
    }

    /// What the reader says of a text that isn't UTF-8 quotes it; all else may be shown.
    fn unsound(place: String, error: ParquetError) -> Error {
        if error.to_string().contains("as String") {
            return damaged(place, "it is not UTF-8");
        }
        damaged(place, "it is no sound Parquet").source(error)
    }

    /// Whether the reader of rows knows the type: it panics at others.
    fn has_json(field: &Type) -> bool {
        if field.is_group() {
            return field.get_fields().iter().all(|field| has_json(field));
        }
        let info = field.get_basic_info();
        let known = matches!(
            info.converted_type(),
            ConvertedType::NONE
                | ConvertedType::UTF8
                | ConvertedType::ENUM
                | ConvertedType::JSON
                | ConvertedType::DECIMAL
                | ConvertedType::DATE
                | ConvertedType::TIMESTAMP_MILLIS
                | ConvertedType::TIMESTAMP_MICROS
                | ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64
        );
        // Plain integers that some logical type makes times of would come as numbers without their unit.
        let is_unitless = matches!(
            info.logical_type_ref(),
            Some(
                LogicalType::Time { .. }
                    | LogicalType::Uuid
                    | LogicalType::Bson
                    | LogicalType::Timestamp { .. }
            )
        ) && info.converted_type() == ConvertedType::NONE;
        known && !is_unitless
    }

    fn object(place: &str, row: Row) -> Result<Map<String, Value>> {
        row.into_columns().into_iter().map(|(name, field)| Ok((name, json(place, &field)?))).collect()
    }

    fn json(place: &str, field: &Field) -> Result<Value> {
        let time = |time: Option<DateTime<chrono::Utc>>| {
            let time = time.ok_or_else(|| unfit(place, "a point in time is out of bounds"))?;
            Ok(Value::String(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)))
        };
        let float = |number: f64| match Number::from_f64(number) {
            Some(number) => Ok(Value::Number(number)),
            None if number.is_nan() => Ok(Value::Null),
            None => Err(unfit(place, "a number is infinite, which no JSON is")),
        };
        Ok(match field {
            Field::Null => Value::Null,
            Field::Bool(value) => Value::Bool(*value),
            Field::Byte(value) => Value::from(*value),
            Field::Short(value) => Value::from(*value),
            Field::Int(value) => Value::from(*value),
            Field::Long(value) => Value::from(*value),
            Field::UByte(value) => Value::from(*value),
            Field::UShort(value) => Value::from(*value),
            Field::UInt(value) => Value::from(*value),
            Field::ULong(value) => Value::from(*value),
            Field::Float16(value) => float(f64::from(value.to_f32()))?,
            Field::Float(value) => float(f64::from(*value))?,
            Field::Double(value) => float(*value)?,
            Field::Str(text) => Value::String(text.clone()),
            // Old writers don't say that bytes are text.
            Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
                Ok(text) => Value::String(text.to_owned()),
                Err(_) => return Err(damaged(place, "it is not UTF-8")),
            },
            Field::Date(days) => {
                let Value::String(mut text) = time(DateTime::from_timestamp(i64::from(*days) * 86_400, 0))?
                else {
                    return Ok(Value::Null);
                };
                text.truncate(text.find('T').unwrap_or(text.len()));
                Value::String(text)
            }
            Field::TimestampMillis(value) => time(DateTime::from_timestamp_millis(*value))?,
            Field::TimestampMicros(value) => time(DateTime::from_timestamp_micros(*value))?,
            // As its own reader writes it.
            Field::Decimal(_) | Field::TimeMillis(_) | Field::TimeMicros(_) => {
                Value::String(field.to_string())
            }
            Field::Group(row) => Value::Object(
                row.get_column_iter()
                    .map(|(name, field)| Ok((name.clone(), json(place, field)?)))
                    .collect::<Result<_>>()?,
            ),
            Field::ListInternal(list) => {
                Value::Array(list.elements().iter().map(|field| json(place, field)).collect::<Result<_>>()?)
            }
            Field::MapInternal(map) => {
                let mut members = Map::new();
                for (key, value) in map.entries() {
                    let key = match json(place, key)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    if members.insert(key, json(place, value)?).is_some() {
                        return Err(unfit(place, "a map has the same key twice"));
                    }
                }
                Value::Object(members)
            }
        })
    }
}
