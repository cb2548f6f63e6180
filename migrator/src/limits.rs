//! What each engine can hold: the ranges, lengths and sizes of its documentation.

use std::ops::Range;

use trimaran_core::{Engine, LogicalType, Value, decimal, json, temporal};

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
/// SQLite's default limit for one value, and for a row (SQLITE_MAX_LENGTH).
const SQLITE_LIMIT: usize = 1_000_000_000;

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
            if std::str::from_utf8(v).is_err() {
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
        Value::Bytes(v) | Value::Bits(_, v) => size(engine, v.len()),
        Value::Date(v) if !matches!(*v, i32::MIN | i32::MAX) => {
            inside(i64::from(*v), days(engine, &LogicalType::Date))
        }
        Value::Timestamp(micros) | Value::TimestampTz(micros) if !matches!(*micros, i64::MIN | i64::MAX) => {
            inside(micros.div_euclid(temporal::DAY), days(engine, &LogicalType::Timestamp))
        }
        // Digits before and after the point that Postgres' numeric holds (its documentation, table 8.2).
        Value::Decimal(v) if engine == Engine::Postgres => match decimal::digits(v) {
            Some((whole, fraction)) if whole > 131_072 || fraction > 16_383 => Err(Hazard::OutOfRange),
            _ => Ok(()),
        },
        // A list is one text there, in JSON, which has its own limits.
        Value::List(values) if engine == Engine::Sqlite => {
            size(engine, values.iter().map(|value| value.weight() * 6 + 8).sum())
        }
        Value::List(values) => values.iter().try_for_each(|v| accepts(engine, v)),
        _ => Ok(()),
    }
}

/// The days since 1970 that an engine's type for dates or moments reaches over; `None` where that is all that there are.
pub fn days(engine: Engine, logical: &LogicalType) -> Option<Range<i64>> {
    match (engine, logical) {
        (Engine::Postgres, LogicalType::Date) => Some(POSTGRES_DATES),
        (Engine::Postgres, _) => Some(POSTGRES_TIMESTAMPS),
        _ => None,
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
