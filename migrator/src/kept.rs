//! How a target keeps a value in a column of another declaration than the usual one: the type that the column had before a
//! migration that is undone.
//!
//! Everything here is exact or refused. What a narrower type can't hold (`UTINYINT`, an `ENUM`) is a hazard like any other;
//! SQLite's affinities, which would turn the text `007` of a column declared NUMERIC into 7, are followed beforehand.

use std::borrow::Cow;

use trimaran_core::{Engine, LogicalType, Value, temporal};

use crate::hazard::Hazard;
use crate::mapping::{self, Form};

mod affinity;
mod duckdb;

/// Whether columns of a logical type can be declared so on the target, every value checked by [`accepts`].
pub fn is_known(target: Engine, declared: &str, form: Form, logical: &LogicalType) -> bool {
    match target {
        Engine::Duckdb => {
            let (element, scalar) =
                match (declared.strip_suffix(']').and_then(|d| d.rsplit_once('[')), logical) {
                    (Some((element, _)), LogicalType::List(of)) => (element, of.as_ref()),
                    _ => (declared, logical),
                };
            duckdb::is_known(element, scalar)
        }
        Engine::Sqlite => affinity::is_known(declared, form, logical),
        Engine::Postgres => LogicalType::parse(declared).is_some_and(|l| l == *logical),
    }
}

/// The type in which a column's values are handed to the target.
pub fn carrier(target: Engine, form: Form, logical: &LogicalType) -> LogicalType {
    match (target, form) {
        (Engine::Sqlite, Form::UnixMilliseconds | Form::UnixMicroseconds) => LogicalType::Int64,
        (Engine::Sqlite, Form::UnixSeconds | Form::JulianDay) => LogicalType::Float64,
        (Engine::Sqlite, Form::UuidBytes) => LogicalType::Bytes,
        (Engine::Sqlite, Form::UuidDigits | Form::Written(_)) => LogicalType::Text,
        _ => logical.clone(),
    }
}

/// The value in the form of [`carrier`].
///
/// # Errors
/// The hazard, if the form can't hold it exactly.
pub fn carried<'v>(form: Form, logical: &LogicalType, value: &'v Value<'_>) -> Result<Value<'v>, Hazard> {
    let micros = match value {
        Value::Timestamp(micros) | Value::TimestampTz(micros) => *micros,
        Value::Uuid(bytes) => {
            return Ok(match form {
                Form::UuidBytes => Value::Bytes(Cow::Owned(bytes.to_vec())),
                Form::UuidDigits => {
                    Value::Text(Cow::Owned(temporal::format_uuid(bytes).replace('-', "").into_bytes()))
                }
                _ => value.borrowed(),
            });
        }
        other => return Ok(other.borrowed()),
    };
    let counted = match form {
        Form::UnixSeconds => Value::Float64(micros as f64 / 1e6),
        Form::UnixMilliseconds if micros % 1_000 == 0 => Value::Int(micros / 1_000),
        Form::UnixMilliseconds => return Err(Hazard::Inexact),
        Form::UnixMicroseconds => Value::Int(micros),
        Form::JulianDay => Value::Float64(micros as f64 / temporal::DAY as f64 + 2_440_587.5),
        Form::Written(spelling) => {
            let text = spelling.write(micros).ok_or(Hazard::OutOfRange)?;
            Value::Text(Cow::Owned(text.into_bytes()))
        }
        Form::Native | Form::UuidBytes | Form::UuidDigits => return Ok(value.borrowed()),
    };
    let read = mapping::convert(&counted, logical, form)?;
    if read == *value { Ok(counted) } else { Err(Hazard::Inexact) }
}

/// Whether a column of this declaration holds a value exactly.
///
/// # Errors
/// The hazard, if it does not.
pub fn accepts(
    target: Engine,
    declared: &str,
    form: Form,
    logical: &LogicalType,
    value: &Value<'_>,
) -> Result<(), Hazard> {
    match (target, value) {
        (_, Value::Null) | (Engine::Postgres, _) => Ok(()),
        (Engine::Duckdb, Value::List(values)) => match declared
            .strip_suffix(']')
            .and_then(|d| d.rsplit_once('['))
        {
            Some((element, length)) => {
                if length.parse::<usize>().is_ok_and(|length| length != values.len()) {
                    return Err(Hazard::OutOfRange);
                }
                values.iter().try_for_each(|value| accepts(target, element, form, logical.scalar(), value))
            }
            None => Ok(()),
        },
        (Engine::Duckdb, value) => duckdb::accepts(declared, value),
        (Engine::Sqlite, value) => affinity::accepts(declared, form, logical, value),
    }
}

#[cfg(test)]
mod tests {
    use super::affinity::is_plain;
    use super::duckdb::labels;
    use super::*;

    #[test]
    fn labels_of_an_enum_are_read_with_their_quotes() {
        assert_eq!(labels("ENUM('a', 'it''s', ',')"), Some(vec!["a".into(), "it's".into(), ",".into()]));
        assert_eq!(labels("ENUM('a'"), None);
        assert_eq!(labels("VARCHAR"), None);
    }

    #[test]
    fn a_narrower_type_takes_what_it_holds() {
        let int = |declared: &str, v: i64| {
            accepts(Engine::Duckdb, declared, Form::Native, &LogicalType::Int16, &Value::Int(v))
        };
        assert_eq!(int("UTINYINT", 255), Ok(()));
        assert_eq!(int("UTINYINT", -1), Err(Hazard::OutOfRange));
        assert_eq!(int("TINYINT", 128), Err(Hazard::OutOfRange));
        let text =
            |v| accepts(Engine::Duckdb, "ENUM('low')", Form::Native, &LogicalType::Text, &Value::text(v));
        assert_eq!(text("low"), Ok(()));
        assert_eq!(text("high"), Err(Hazard::OutOfRange));
        let moment = Value::Timestamp(1_500_000);
        let kept =
            |declared| accepts(Engine::Duckdb, declared, Form::Native, &LogicalType::Timestamp, &moment);
        assert_eq!(kept("TIMESTAMP_S"), Err(Hazard::Inexact));
        assert_eq!(kept("TIMESTAMP_MS"), Ok(()));
    }

    #[test]
    fn what_an_affinity_would_change_is_refused() {
        let kept = |declared: &str, logical: &LogicalType, value: Value<'_>| {
            accepts(Engine::Sqlite, declared, Form::Native, logical, &value)
        };
        assert_eq!(kept("STRING", &LogicalType::Text, Value::text("007")), Err(Hazard::Inexact));
        assert_eq!(kept("STRING", &LogicalType::Text, Value::text("seven")), Ok(()));
        assert_eq!(kept("JSON", &LogicalType::Json, Value::Json(b"5".as_slice().into())), Ok(()));
        assert_eq!(
            kept("JSON", &LogicalType::Json, Value::Json(b"1.50".as_slice().into())),
            Err(Hazard::Inexact)
        );
        assert_eq!(kept("DECIMAL(9,2)", &LogicalType::Numeric, Value::Decimal("12.5".into())), Ok(()));
        assert_eq!(
            kept("DECIMAL(9,2)", &LogicalType::Numeric, Value::Decimal("12345678901234567.89".into())),
            Err(Hazard::Inexact)
        );
    }

    #[test]
    fn moments_go_back_into_their_count() {
        let moment = Value::Timestamp(1_700_000_000_250_000);
        for form in [Form::UnixSeconds, Form::UnixMilliseconds, Form::UnixMicroseconds] {
            let counted = carried(form, &LogicalType::Timestamp, &moment).unwrap();
            assert_eq!(
                mapping::convert(&counted, &LogicalType::Timestamp, form),
                Ok(moment.borrowed()),
                "{form:?}"
            );
        }
        let fine = Value::Timestamp(1_700_000_000_250_001);
        assert_eq!(carried(Form::UnixMilliseconds, &LogicalType::Timestamp, &fine), Err(Hazard::Inexact));
    }

    #[test]
    fn a_declaration_is_words_or_not_used() {
        assert!(is_plain("VARCHAR(36)") && is_plain("") && is_plain("double  precision"));
        assert!(
            !is_plain("TEXT)") && !is_plain("TEXT PRIMARY KEY") && !is_plain("a\"b") && !is_plain("x; y")
        );
    }
}
