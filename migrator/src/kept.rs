//! How a target keeps a value in a column of another declaration than the usual one: the type that the column had before a
//! migration that is undone.
//!
//! Everything here is exact or refused. What a narrower type can't hold (`UTINYINT`, an `ENUM`) is a hazard like any other;
//! SQLite's affinities, which would turn the text `007` of a column declared NUMERIC into 7, are followed beforehand.

use std::borrow::Cow;

use trimaran_core::{Engine, LogicalType, Value, decimal, temporal};

use crate::hazard::Hazard;
use crate::mapping::{self, Form};

/// (DuckDB's type, the least and the greatest integer that it holds).
const INTEGERS: [(&str, i128, i128); 10] = [
    ("TINYINT", -128, 127),
    ("UTINYINT", 0, 255),
    ("SMALLINT", -32_768, 32_767),
    ("USMALLINT", 0, 65_535),
    ("INTEGER", -2_147_483_648, 2_147_483_647),
    ("UINTEGER", 0, 4_294_967_295),
    ("BIGINT", i64::MIN as i128, i64::MAX as i128),
    ("UBIGINT", 0, u64::MAX as i128),
    ("HUGEINT", i128::MIN, i128::MAX),
    // Up to 2¹²⁸ − 1, of which this tells the half that 128 bits with a sign do; the rest is told by its digits.
    ("UHUGEINT", 0, i128::MAX),
];

/// Further types of DuckDB that are one of the usual ones in other words, or in narrower bounds.
const MOMENTS: [(&str, i64); 3] = [("TIMESTAMP_S", 1_000_000), ("TIMESTAMP_MS", 1_000), ("TIMESTAMP_NS", 1)];

/// The instants that `TIMESTAMP_NS` holds, in microseconds.
const NANOSECONDS: std::ops::RangeInclusive<i64> = i64::MIN / 1_000 + 1..=i64::MAX / 1_000;

/// How SQLite treats the values of a column (<https://sqlite.org/datatype3.html#determination_of_column_affinity>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    Text,
    Blob,
    Real,
    /// NUMERIC and INTEGER, which differ in casts only.
    Numeric,
}

fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        Affinity::Numeric
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Affinity::Text
    } else if has("BLOB") || declared.trim().is_empty() {
        Affinity::Blob
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// Whether columns of a logical type can be declared so on the target, every value checked by [`accepts`].
pub fn is_known(target: Engine, declared: &str, form: Form, logical: &LogicalType) -> bool {
    match target {
        Engine::Duckdb => {
            let (element, scalar) =
                match (declared.strip_suffix(']').and_then(|d| d.rsplit_once('[')), logical) {
                    (Some((element, _)), LogicalType::List(of)) => (element, of.as_ref()),
                    _ => (declared, logical),
                };
            is_known_to_duckdb(element, scalar)
        }
        Engine::Sqlite => is_plain(declared) && fits_affinity(affinity(declared), form, logical),
        Engine::Postgres => LogicalType::parse(declared).is_some_and(|l| l == *logical),
    }
}

fn is_known_to_duckdb(declared: &str, logical: &LogicalType) -> bool {
    use LogicalType as L;
    match logical {
        L::Int16 | L::Int32 | L::Int64 | L::Decimal { scale: 0, .. } => {
            INTEGERS.iter().any(|(name, ..)| *name == declared)
        }
        L::Numeric => matches!(declared, "BIGNUM" | "VARINT"),
        L::Text => declared == "VARCHAR" || labels(declared).is_some(),
        L::Timestamp => MOMENTS.iter().any(|(name, _)| *name == declared),
        other => other.stored_as(Engine::Duckdb) == declared || synonym(declared) == Some(other.clone()),
    }
}

/// The long names that DuckDB's catalogue shows.
fn synonym(declared: &str) -> Option<LogicalType> {
    match declared {
        "TIMESTAMP WITH TIME ZONE" => Some(LogicalType::TimestampTz),
        "TIME WITH TIME ZONE" => Some(LogicalType::TimeTz),
        _ => None,
    }
}

/// The labels of `ENUM('a', 'b')`.
fn labels(declared: &str) -> Option<Vec<String>> {
    let mut rest = declared.strip_prefix("ENUM(")?.strip_suffix(')')?;
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start().strip_prefix('\'')?;
        let mut label = String::new();
        loop {
            let end = rest.find('\'')?;
            label.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(more) => (label, rest) = (label + "'", more),
                None => break,
            }
        }
        labels.push(label);
        match rest.trim_start().strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.trim().is_empty().then_some(labels),
        }
    }
}

/// Whether a declaration is words and numbers alone, so that it can stand in a statement.
fn is_plain(declared: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _(),".contains(c);
    let words = [
        "CONSTRAINT",
        "PRIMARY",
        "NOT",
        "NULL",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "AS",
        "GENERATED",
    ];
    let reserved = declared
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| words.iter().any(|reserved| reserved.eq_ignore_ascii_case(word)));
    let depth = declared.chars().try_fold(0i32, |depth, c| match c {
        '(' => Some(depth + 1),
        ')' => (depth > 0).then_some(depth - 1),
        _ => Some(depth),
    });
    declared.chars().all(plain) && !reserved && depth == Some(0)
}

/// Whether an affinity leaves the values of a type what they are, or [`accepts`] can tell which it would not.
fn fits_affinity(affinity: Affinity, form: Form, logical: &LogicalType) -> bool {
    use LogicalType as L;
    match (logical, affinity) {
        (L::Bool | L::Int16 | L::Int32 | L::Int64 | L::Float32 | L::Float64, Affinity::Text) => false,
        (L::Bool | L::Int16 | L::Int32 | L::Int64, Affinity::Real) => false,
        (L::Timestamp | L::TimestampTz, affinity) if form.is_count() => {
            matches!(affinity, Affinity::Numeric | Affinity::Blob)
        }
        _ => true,
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
        (Engine::Duckdb, value) => duckdb(declared, value),
        (Engine::Sqlite, value) => sqlite(declared, form, logical, value),
    }
}

fn duckdb(declared: &str, value: &Value<'_>) -> Result<(), Hazard> {
    let inside = |fits: bool| if fits { Ok(()) } else { Err(Hazard::OutOfRange) };
    let integer = INTEGERS.iter().find(|(name, ..)| *name == declared);
    match (value, integer) {
        (Value::Int(v), Some((_, least, greatest))) => inside((*least..=*greatest).contains(&i128::from(*v))),
        (Value::Decimal(v), Some(("UHUGEINT", ..))) => inside(v.parse::<u128>().is_ok()),
        (Value::Decimal(v), Some((_, least, greatest))) => {
            inside(v.parse::<i128>().is_ok_and(|v| (*least..=*greatest).contains(&v)))
        }
        (Value::Decimal(v), None) if matches!(declared, "BIGNUM" | "VARINT") => match decimal::digits(v) {
            Some((_, 0)) => Ok(()),
            Some(_) => Err(Hazard::Inexact),
            None => Err(Hazard::OutOfRange),
        },
        (Value::Text(text), None) => match labels(declared) {
            Some(labels) => inside(labels.iter().any(|label| label.as_bytes() == text.as_ref())),
            None => Ok(()),
        },
        (Value::Timestamp(micros), None) => match MOMENTS.iter().find(|(name, _)| *name == declared) {
            Some(_) if matches!(*micros, i64::MAX | i64::MIN) => Ok(()),
            Some((_, 1)) => inside(NANOSECONDS.contains(micros)),
            Some((_, unit)) if micros % unit != 0 => Err(Hazard::Inexact),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn sqlite(declared: &str, form: Form, logical: &LogicalType, value: &Value<'_>) -> Result<(), Hazard> {
    let carried = carried(form, logical, value)?;
    let numeric = matches!(affinity(declared), Affinity::Numeric | Affinity::Real);
    // What SQLite makes of a text that looks like a number.
    let looks = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<f64>().ok());
    let text: &[u8] = match &carried {
        Value::Text(text) | Value::Json(text) if numeric => text,
        Value::Decimal(text) if numeric => text.as_bytes(),
        _ => return Ok(()),
    };
    let Some(real) = looks(text).filter(|_| text.iter().any(u8::is_ascii_digit)) else { return Ok(()) };
    let whole = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok());
    let becomes = match whole {
        Some(whole) if affinity(declared) == Affinity::Numeric => Value::Int(whole),
        // A real without a fraction becomes an integer where it is one.
        None | Some(_)
            if affinity(declared) == Affinity::Numeric && real.fract() == 0.0 && real.abs() < 9.0e15 =>
        {
            Value::Int(real as i64)
        }
        _ => Value::Float64(real),
    };
    match mapping::convert(&becomes, logical, form) {
        Ok(read) if read == *value => Ok(()),
        _ => Err(Hazard::Inexact),
    }
}

#[cfg(test)]
mod tests {
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
