//! SeaORM's values as DuckDB's parameters.
//!
//! DuckDB takes most values as what they are. What its client can't bind goes in another form, and its placeholder gets a
//! cast: `$1` becomes `$1::UUID`. An array always gets one, because an empty list has no type.
//!
//! A point in time is bound in UTC. Times are kept to the microsecond, as Postgres keeps them; a finer part is cut off.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use duckdb::types::{Decimal, TimeUnit, Value as Parameter};
use sea_orm::prelude::Decimal as RustDecimal;
use sea_orm::sea_query::{ArrayType, OptionEnum, Value};
use sea_orm::{DbBackend, Statement};
use trimaran_core::{Error, ErrorKind, Result};

use super::sql::{Token, tokens};

/// A statement with its parameters, ready for DuckDB.
#[derive(Debug)]
pub(super) struct Bound {
    /// The text, with casts.
    pub(super) sql: String,
    /// `$1`, `$2`, ….
    pub(super) parameters: Vec<Parameter>,
}

impl Bound {
    /// # Errors
    /// `Unsupported` for a statement of another SQL than Postgres', and for a value of a kind that DuckDB doesn't take or
    /// that could not be read back; `Invalid` for a value it can't hold.
    pub(super) fn new(statement: Statement) -> Result<Self> {
        if statement.db_backend != DbBackend::Postgres {
            return Err(Error::new(ErrorKind::Unsupported, "run a DuckDB statement")
                .context(format!("it was built for {:?}", statement.db_backend))
                .hint("build it with the connection's get_database_backend()"));
        }
        let values = statement.values.map_or_else(Vec::new, |values| values.0);
        let mut parameters = Vec::with_capacity(values.len());
        let mut casts = Vec::with_capacity(values.len());
        for (value, at) in values.into_iter().zip(1usize..) {
            let (parameter, cast) = parameter(value).map_err(|why| why.at(at))?;
            parameters.push(parameter);
            casts.push(cast);
        }
        Ok(Self { sql: with_casts(statement.sql, &casts), parameters })
    }
}

/// The text with `::TYPE` after each placeholder that needs it.
fn with_casts(sql: String, casts: &[Option<&'static str>]) -> String {
    if casts.iter().all(Option::is_none) {
        return sql;
    }
    let mut out = String::with_capacity(sql.len() + 16 * casts.len());
    let mut copied = 0;
    for (token, range) in tokens(&sql) {
        if let Token::Placeholder(number) = token
            && let Some(Some(cast)) = number.checked_sub(1).and_then(|at| casts.get(at))
        {
            out.push_str(&sql[copied..range.end]);
            // Writing to a string doesn't fail.
            let _ = write!(out, "::{cast}");
            copied = range.end;
        }
    }
    out.push_str(&sql[copied..]);
    out
}

/// Why a value is no parameter.
struct Refusal {
    kind: ErrorKind,
    why: String,
    hint: &'static str,
}

impl Refusal {
    fn at(self, ordinal: usize) -> Error {
        Error::new(self.kind, format!("bind the parameter ${ordinal} of a DuckDB statement"))
            .context(self.why)
            .hint(self.hint)
    }
}

fn unsupported(what: &str, hint: &'static str) -> Refusal {
    Refusal { kind: ErrorKind::Unsupported, why: format!("DuckDB takes no {what} here"), hint }
}

const ZONED: &str = "use DateTimeWithTimeZone (chrono's DateTime<FixedOffset>); what is read back is one";
const PLAIN: &str = "use a number, text, bytes, Json, Uuid, Decimal or a chrono date or time";

type Bindable = Result<(Parameter, Option<&'static str>), Refusal>;

/// `value` as a parameter, and what its placeholder must be cast to.
fn parameter(value: Value) -> Bindable {
    let cast = match &value {
        Value::Array(kind, _) => Some(list_type(kind)?),
        Value::Uuid(_) => Some("UUID"),
        Value::Json(_) => Some("JSON"),
        Value::ChronoDateTimeWithTimeZone(_) => Some("TIMESTAMPTZ"),
        _ => None,
    };
    let parameter = match value {
        Value::Array(_, items) => match items {
            Some(items) => {
                Some(Parameter::List(items.into_iter().map(element).collect::<Result<_, Refusal>>()?))
            }
            None => None,
        },
        scalar => return Ok((element(scalar)?, cast)),
    };
    Ok((parameter.unwrap_or(Parameter::Null), cast))
}

fn element(value: Value) -> Result<Parameter, Refusal> {
    let parameter = match value {
        Value::Bool(v) => v.map(Parameter::Boolean),
        Value::TinyInt(v) => v.map(Parameter::TinyInt),
        Value::SmallInt(v) => v.map(Parameter::SmallInt),
        Value::Int(v) => v.map(Parameter::Int),
        Value::BigInt(v) => v.map(Parameter::BigInt),
        Value::TinyUnsigned(v) => v.map(Parameter::UTinyInt),
        Value::SmallUnsigned(v) => v.map(Parameter::USmallInt),
        Value::Unsigned(v) => v.map(Parameter::UInt),
        Value::BigUnsigned(v) => v.map(Parameter::UBigInt),
        Value::Float(v) => v.map(Parameter::Float),
        Value::Double(v) => v.map(Parameter::Double),
        Value::String(v) => v.map(Parameter::Text),
        Value::Char(v) => v.map(|c| Parameter::Text(c.into())),
        Value::Enum(OptionEnum::Some(v)) => Some(Parameter::Text(v.value.to_string())),
        Value::Enum(OptionEnum::None(_)) => None,
        Value::Bytes(v) => v.map(Parameter::Blob),
        Value::Json(v) => v.map(|json| Parameter::Text(json.to_string())),
        Value::Uuid(v) => v.map(|uuid| Parameter::Text(uuid.to_string())),
        Value::Decimal(v) => v.map(decimal).transpose()?,
        Value::ChronoDate(v) => v.map(date).transpose()?,
        Value::ChronoTime(v) => v.map(time).transpose()?,
        Value::ChronoDateTime(v) => v.map(timestamp),
        Value::ChronoDateTimeWithTimeZone(v) => v.map(|instant| timestamp(instant.naive_utc())),
        Value::ChronoDateTimeUtc(_) => return Err(unsupported("chrono DateTime<Utc>", ZONED)),
        Value::ChronoDateTimeLocal(_) => return Err(unsupported("chrono DateTime<Local>", ZONED)),
        Value::Array(..) => return Err(unsupported("array of arrays", PLAIN)),
        // Kinds of crates that another dependency may have switched on in SeaORM.
        #[allow(unreachable_patterns, reason = "which kinds there are depends on SeaORM's features")]
        other => return Err(unsupported(&format!("{:?}", other.array_type()), PLAIN)),
    };
    Ok(parameter.unwrap_or(Parameter::Null))
}

fn list_type(kind: &ArrayType) -> Result<&'static str, Refusal> {
    Ok(match kind {
        ArrayType::Bool => "BOOLEAN[]",
        ArrayType::TinyInt => "TINYINT[]",
        ArrayType::SmallInt => "SMALLINT[]",
        ArrayType::Int => "INTEGER[]",
        ArrayType::BigInt => "BIGINT[]",
        ArrayType::TinyUnsigned => "UTINYINT[]",
        ArrayType::SmallUnsigned => "USMALLINT[]",
        ArrayType::Unsigned => "UINTEGER[]",
        ArrayType::BigUnsigned => "UBIGINT[]",
        ArrayType::Float => "FLOAT[]",
        ArrayType::Double => "DOUBLE[]",
        ArrayType::String | ArrayType::Char | ArrayType::Enum(_) => "VARCHAR[]",
        ArrayType::Bytes => "BLOB[]",
        ArrayType::Json => "JSON[]",
        ArrayType::ChronoDate => "DATE[]",
        ArrayType::ChronoTime => "TIME[]",
        ArrayType::ChronoDateTime => "TIMESTAMP[]",
        ArrayType::ChronoDateTimeWithTimeZone => "TIMESTAMPTZ[]",
        ArrayType::ChronoDateTimeUtc => return Err(unsupported("array of chrono DateTime<Utc>", ZONED)),
        ArrayType::ChronoDateTimeLocal => return Err(unsupported("array of chrono DateTime<Local>", ZONED)),
        ArrayType::Uuid => "UUID[]",
        ArrayType::Decimal => {
            return Err(unsupported("array of decimals", "use an array of text and cast it"));
        }
        #[allow(unreachable_patterns, reason = "which kinds there are depends on SeaORM's features")]
        other => return Err(unsupported(&format!("array of {other:?}"), PLAIN)),
    })
}

fn decimal(value: RustDecimal) -> Result<Parameter, Refusal> {
    let (digits, scale) = (value.mantissa(), value.scale());
    let width = digits.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    let width = u8::try_from(width.max(scale)).unwrap_or(u8::MAX);
    let scale = u8::try_from(scale).unwrap_or(u8::MAX);
    // A rust_decimal has 29 digits at most, DuckDB's decimals 38.
    Decimal::new(width, scale, digits).map(Parameter::Decimal).map_err(|e| Refusal {
        kind: ErrorKind::Invalid,
        why: format!("DuckDB can't hold the decimal: {e}"),
        hint: PLAIN,
    })
}

fn date(value: NaiveDate) -> Result<Parameter, Refusal> {
    let days = value.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days();
    i32::try_from(days).map(Parameter::Date32).map_err(|_| Refusal {
        kind: ErrorKind::Invalid,
        why: "the date is too far away".to_owned(),
        hint: PLAIN,
    })
}

fn time(value: NaiveTime) -> Result<Parameter, Refusal> {
    const MICROS: i64 = 1_000_000;
    let micros =
        i64::from(value.num_seconds_from_midnight()) * MICROS + i64::from(value.nanosecond()) / 1_000;
    // Within a leap second before midnight chrono counts on.
    if micros >= 24 * 3_600 * MICROS {
        return Err(Refusal {
            kind: ErrorKind::Invalid,
            why: "DuckDB's times have no leap second".to_owned(),
            hint: "use 23:59:59.999999",
        });
    }
    Ok(Parameter::Time64(TimeUnit::Microsecond, micros))
}

fn timestamp(value: NaiveDateTime) -> Parameter {
    Parameter::Timestamp(TimeUnit::Microsecond, value.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(sql: &str, values: Vec<Value>) -> Result<Bound> {
        Bound::new(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
    }

    #[test]
    fn casts_are_added_to_placeholders_alone() {
        let values = vec![Value::Int(Some(1)), Value::Uuid(None), Value::Array(ArrayType::Int, None)];
        let bound = bound("SELECT $1, $2, '$2', \"$3\", $3, $2 -- $3", values).unwrap();
        assert_eq!(bound.sql, "SELECT $1, $2::UUID, '$2', \"$3\", $3::INTEGER[], $2::UUID -- $3");
    }

    #[test]
    fn what_could_not_be_read_back_is_refused_with_what_to_use_instead() {
        let now = DateTime::UNIX_EPOCH;
        for value in [
            Value::from(now),
            Value::from(now.with_timezone(&chrono::Local)),
            Value::Array(ArrayType::ChronoDateTimeUtc, None),
        ] {
            let error = bound("SELECT $1", vec![value]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.next_step().unwrap().contains("DateTimeWithTimeZone"), "{}", error.report());
            assert!(error.to_string().contains("$1"), "{error}");
        }
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (text, width) in [("0", 1), ("-0.001", 3), ("12.50", 4), ("79228162514264337593543950335", 29)] {
            let Ok(Parameter::Decimal(decimal)) = decimal(text.parse().unwrap()) else { panic!("{text}") };
            assert_eq!((decimal.to_string(), decimal.width()), (text.to_owned(), width));
        }
    }
}
