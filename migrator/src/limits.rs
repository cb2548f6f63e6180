//! What each engine can hold: the ranges, lengths and sizes of its documentation.

use std::ops::Range;

use trimaran_core::{Engine, LogicalType, Value, decimal, escape, json, temporal};

use crate::hazard::Hazard;
use crate::holds;

/// The days since 1970 that Postgres' `date` holds: from 4714-11-24 BC to the day before 5874898-01-01 (its documentation,
/// table 8.9).
const POSTGRES_DATES: Range<i64> = -2_440_588..2_145_042_906;
/// The days that Postgres' `timestamp` holds: to the day before 294277-01-01.
const POSTGRES_TIMESTAMPS: Range<i64> = -2_440_588..106_762_940;
/// Postgres refuses fields of a gigabyte; COPY needs a little room for the rest of the row.
const POSTGRES_FIELD_LIMIT: usize = 1_073_741_823 - 1_024;
/// Postgres builds a row that it sends as one value of at most a gigabyte.
const POSTGRES_ROW_LIMIT: usize = 0x3fff_ffff - 4_096;
/// The most bytes of an entry of a B-tree: a third of a page of 8 kB, less its overhead (`BTMaxItemSize`).
const POSTGRES_INDEX_LIMIT: usize = 2_704;
/// Offsets from UTC stay below sixteen hours, in seconds, on all engines.
const OFFSET_LIMIT: i32 = 16 * 3600;
/// The most dimensions of an array (`MAXDIM`).
const POSTGRES_DIMENSIONS: usize = 6;
/// SQLite's default limit for one value, and for a row (SQLITE_MAX_LENGTH).
const SQLITE_LIMIT: usize = 1_000_000_000;

/// Whether an engine can hold a value in a column of a type. Of a list alone one can't tell whether NULL in it is a list.
///
/// # Errors
/// The hazard that stands in the way.
#[inline]
pub fn accepts_as(engine: Engine, logical: &LogicalType, value: &Value<'_>) -> Result<(), Hazard> {
    // Every value of these kinds is held everywhere.
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uuid(_) => Ok(()),
        _ => looked_at(engine, logical, value),
    }
}

fn looked_at(engine: Engine, logical: &LogicalType, value: &Value<'_>) -> Result<(), Hazard> {
    if let (LogicalType::List(element), Value::List(values)) = (logical, value)
        && engine == Engine::Postgres
        && matches!(**element, LogicalType::List(_))
    {
        if values.iter().any(Value::is_null) {
            return Err(Hazard::OutOfRange);
        }
        values.iter().try_for_each(|value| accepts_as(engine, element, value))?;
    }
    accepts(engine, value)
}

/// Whether an engine can hold a value of a logical type.
///
/// # Errors
/// The hazard that stands in the way.
pub fn accepts(engine: Engine, value: &Value<'_>) -> Result<(), Hazard> {
    holds::accepts(engine, value)?;
    match value {
        // SQLite keeps any bytes as text, and JSON is text there.
        Value::Text(v) | Value::Json(v) if engine == Engine::Sqlite => size(engine, v.len()),
        Value::Text(v) => {
            if engine == Engine::Postgres && memchr::memchr(0, v).is_some() {
                return Err(Hazard::NulInText);
            }
            if !escape::is_utf8(v) {
                return Err(if is_utf8_but_for_surrogates(v) {
                    Hazard::LoneSurrogate
                } else {
                    Hazard::InvalidUtf8
                });
            }
            size(engine, v.len())
        }
        Value::Json(v) => {
            match json::check(v) {
                Ok(()) => {}
                Err(json::Fault::NotANumber) if engine == Engine::Duckdb => {}
                Err(json::Fault::NotANumber) => return Err(Hazard::JsonNan),
                Err(_) if memchr::memchr(0, v).is_some() => return Err(Hazard::NulInText),
                Err(_) if is_utf8_but_for_surrogates(v) => return Err(Hazard::LoneSurrogate),
                Err(_) if std::str::from_utf8(v).is_err() => return Err(Hazard::InvalidUtf8),
                Err(_) => return Err(Hazard::InvalidJson),
            }
            size(engine, v.len())
        }
        Value::Date(v) if !matches!(*v, i32::MIN | i32::MAX) => {
            inside(i64::from(*v), days(engine, &LogicalType::Date))
        }
        Value::Timestamp(micros) | Value::TimestampTz(micros) if !matches!(*micros, i64::MIN | i64::MAX) => {
            inside(micros.div_euclid(temporal::DAY), days(engine, &LogicalType::Timestamp))
        }
        Value::TimeTz(_, offset) if offset.abs() >= OFFSET_LIMIT => Err(Hazard::OutOfRange),
        // Digits before and after the point that Postgres' numeric holds (its documentation, table 8.2).
        Value::Decimal(v) if engine == Engine::Postgres => match decimal::digits(v) {
            Some((whole, fraction)) if whole > 131_072 || fraction > 16_383 => Err(Hazard::OutOfRange),
            _ => Ok(()),
        },
        Value::Bytes(v) | Value::Bits(_, v) => size(engine, v.len()),
        // A list is one text there, in JSON, which has its own limits.
        Value::List(values) if engine == Engine::Sqlite => {
            size(engine, values.iter().map(|value| value.weight() * 6 + 8).sum())
        }
        Value::List(values) => {
            let nested = values.iter().any(|v| matches!(v, Value::List(_)));
            if engine == Engine::Postgres && nested && lengths(values).is_none() {
                return Err(Hazard::OutOfRange);
            }
            values.iter().try_for_each(|v| accepts(engine, v))
        }
        _ => Ok(()),
    }
}

/// The lengths of a list of lists in all its dimensions; `None` if it is not regular, as Postgres's arrays are.
fn lengths(values: &[Value<'_>]) -> Option<Vec<usize>> {
    let inner = |value: &Value<'_>| match value {
        Value::List(values) if values.is_empty() => None,
        Value::List(values) => lengths(values),
        // That is how it looks to its list: a NULL among lists has another shape than they.
        _ => Some(Vec::new()),
    };
    let mut shapes = values.iter().map(inner);
    let mut shape = shapes.next().unwrap_or_else(|| Some(Vec::new()))?;
    if shapes.any(|other| other.as_ref() != Some(&shape)) {
        return None;
    }
    shape.insert(0, values.len());
    (shape.len() <= POSTGRES_DIMENSIONS).then_some(shape)
}

/// The days since 1970 that an engine's type for dates or moments reaches over; `None` where that is all that there are.
pub fn days(engine: Engine, logical: &LogicalType) -> Option<Range<i64>> {
    match (engine, logical) {
        (Engine::Postgres, LogicalType::Date) => Some(POSTGRES_DATES),
        (Engine::Postgres, _) => Some(POSTGRES_TIMESTAMPS),
        _ => None,
    }
}

/// Whether the engine has an order or an equality for values of a type, so that a key or an index can have them. Postgres has none
/// for `json`; DuckDB's indexes hold no intervals and nothing nested.
pub fn is_indexable(engine: Engine, logical: &LogicalType) -> bool {
    match engine {
        Engine::Postgres => *logical.scalar() != LogicalType::Json,
        Engine::Duckdb => !matches!(logical, LogicalType::Interval | LogicalType::List(_)),
        Engine::Sqlite => true,
    }
}

/// The most bytes of the values of one row in an index of the engine, where it has such a limit.
pub const fn index_entry(engine: Engine) -> Option<usize> {
    match engine {
        Engine::Postgres => Some(POSTGRES_INDEX_LIMIT),
        Engine::Sqlite | Engine::Duckdb => None,
    }
}

/// About how many bytes the values at `columns` take in an index: an entry's head, and each value with its length and
/// padding. Postgres may compress a long value and so hold more; this never says less than what it takes uncompressed.
pub fn index_size(values: &[Value<'_>], columns: &[usize]) -> usize {
    const HEAD: usize = 16;
    HEAD + columns.iter().map(|at| values[*at].weight().next_multiple_of(8) + 8).sum::<usize>()
}

/// The most bytes of a row on its way to the engine, where it has such a limit.
pub const fn row(engine: Engine) -> Option<usize> {
    match engine {
        Engine::Postgres => Some(POSTGRES_ROW_LIMIT),
        Engine::Sqlite => Some(SQLITE_LIMIT),
        Engine::Duckdb => None,
    }
}

/// About how many bytes a row takes on its way: each value and its length.
pub fn row_size(values: &[Value<'_>]) -> usize {
    2 + values.iter().map(|value| value.weight() + 24).sum::<usize>()
}

/// Whether a text is what a program writes that takes each half of a surrogate pair for a character: UTF-8 otherwise.
fn is_utf8_but_for_surrogates(text: &[u8]) -> bool {
    let mut rest = text;
    let mut found = false;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return found,
            Err(error) => match &rest[error.valid_up_to()..] {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => (rest, found) = (after, true),
                _ => return false,
            },
        }
    }
}

fn size(engine: Engine, bytes: usize) -> Result<(), Hazard> {
    let limit = match engine {
        Engine::Postgres => POSTGRES_FIELD_LIMIT,
        Engine::Sqlite => SQLITE_LIMIT,
        Engine::Duckdb => u32::MAX as usize,
    };
    if bytes > limit { Err(Hazard::TooLarge) } else { Ok(()) }
}

fn inside(day: i64, range: Option<Range<i64>>) -> Result<(), Hazard> {
    if range.is_none_or(|range| range.contains(&day)) { Ok(()) } else { Err(Hazard::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_would_refuse_is_found_before() {
        let of = |value: &Value<'_>, refusing: &[Engine]| {
            for engine in Engine::ALL {
                assert_eq!(
                    accepts(engine, value).is_err(),
                    refusing.contains(&engine),
                    "{value:?} on {engine}"
                );
            }
        };
        let row = |values: &[i64]| Value::List(values.iter().map(|v| Value::Int(*v)).collect());
        of(&Value::Float64(-0.0), &[Engine::Sqlite]);
        of(&Value::Float32(f32::NAN), &[Engine::Sqlite]);
        of(&Value::List(vec![Value::Float64(f64::NAN), Value::Float64(-0.0)]), &[]);
        of(&Value::TimeTz(0, 57_600), &Engine::ALL);
        of(&Value::TimeTz(0, -57_599), &[]);
        of(&Value::Bits(0, Default::default()), &[Engine::Duckdb]);
        of(&Value::Date(i32::MIN + 1), &[Engine::Postgres, Engine::Duckdb]);
        of(&Value::Date(i32::MIN + 2), &[Engine::Postgres]);
        of(&Value::Timestamp(i64::MIN + 1), &[Engine::Postgres, Engine::Duckdb]);
        of(&Value::TimestampTz(-9_223_372_022_400_000_000), &[Engine::Postgres]);
        of(&Value::List(vec![row(&[1, 2]), row(&[3, 4])]), &[]);
        of(&Value::List(vec![row(&[1, 2]), row(&[3])]), &[Engine::Postgres]);
        of(&Value::List(vec![row(&[])]), &[Engine::Postgres]);
        of(&Value::List(vec![Value::Null, row(&[1])]), &[Engine::Postgres]);
        of(&Value::List(vec![Value::Null]), &[]);
        let nested = LogicalType::parse("integer[][]").unwrap();
        let null = Value::List(vec![Value::Null]);
        assert_eq!(accepts_as(Engine::Postgres, &nested, &null), Err(Hazard::OutOfRange));
        assert_eq!(accepts_as(Engine::Duckdb, &nested, &null), Ok(()));
        assert_eq!(accepts_as(Engine::Postgres, &nested, &Value::List(vec![row(&[1])])), Ok(()));
    }

    #[test]
    fn surrogates_by_themselves_are_told_from_other_broken_text() {
        let fault = |text: &'static [u8]| accepts(Engine::Postgres, &Value::Text(text.into())).unwrap_err();
        assert_eq!(fault(b"a\xed\xa0\x80b"), Hazard::LoneSurrogate);
        assert_eq!(fault(b"a\xed\xa0\x80b\xff"), Hazard::InvalidUtf8);
        assert_eq!(fault(b"\xed\xa0"), Hazard::InvalidUtf8);
    }

    #[test]
    fn rows_and_entries_are_counted_with_what_goes_around_them() {
        let row = [Value::text("abc"), Value::Null, Value::Int(1)];
        assert_eq!(row_size(&row), 2 + 3 * 24 + 3 + 8);
        assert_eq!(index_size(&row, &[0, 2]), 16 + 16 + 16);
        assert!(super::row(Engine::Postgres).is_some_and(|limit| limit > POSTGRES_FIELD_LIMIT - 8_192));
    }
}
