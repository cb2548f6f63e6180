//! The logical types, and one table of how each engine keeps them.
//!
//! A logical type says what a column *means*; [`LogicalType::stored_as`] says what each engine calls it. SQLite has no
//! types beyond five storage classes, so the names used there are chosen for their *affinity* (`TEXT` in the name gives
//! text affinity, see <https://sqlite.org/datatype3.html#determination_of_column_affinity>), and keep their meaning
//! readable: `UUID TEXT`, `NUMERIC TEXT`.

use std::fmt;

use crate::Engine;

pub mod keeping;

/// What the values of a column mean, whichever engine keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// True or false.
    Bool,
    /// Signed integer of 16 bits.
    Int16,
    /// Signed integer of 32 bits.
    Int32,
    /// Signed integer of 64 bits.
    Int64,
    /// IEEE 754 binary32; NaN payloads and the sign of zero count.
    Float32,
    /// IEEE 754 binary64; NaN payloads and the sign of zero count.
    Float64,
    /// A decimal number of at most `precision` digits, `scale` of them after the point.
    Decimal {
        /// Digits in all, at least 1.
        precision: u16,
        /// Digits after the point, at most `precision`.
        scale: u16,
    },
    /// A decimal number of any size; integers beyond 64 bits are kept so.
    Numeric,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A JSON document, kept as its exact text.
    Json,
    /// A UUID.
    Uuid,
    /// A day of the proleptic Gregorian calendar.
    Date,
    /// A time of day in microseconds, 24:00 included.
    Time,
    /// A time of day with its own offset from UTC.
    TimeTz,
    /// A date and time without a zone, in microseconds.
    Timestamp,
    /// An instant, in microseconds.
    TimestampTz,
    /// Months, days and microseconds, each with its own sign.
    Interval,
    /// A string of bits.
    Bits,
    /// A list of values of one type, any of which may be NULL.
    List(Box<LogicalType>),
}

/// How each engine spells a logical type that has no parameters: (type, Postgres, SQLite, DuckDB).
const SPELLINGS: [(LogicalType, &str, &str, &str); 18] = [
    (LogicalType::Bool, "boolean", "BOOLEAN", "BOOLEAN"),
    (LogicalType::Int16, "smallint", "SMALLINT", "SMALLINT"),
    (LogicalType::Int32, "integer", "INTEGER", "INTEGER"),
    (LogicalType::Int64, "bigint", "BIGINT", "BIGINT"),
    (LogicalType::Float32, "real", "FLOAT", "FLOAT"),
    (LogicalType::Float64, "double precision", "DOUBLE", "DOUBLE"),
    (LogicalType::Numeric, "numeric", "NUMERIC TEXT", "VARCHAR"),
    (LogicalType::Text, "text", "TEXT", "VARCHAR"),
    (LogicalType::Bytes, "bytea", "BLOB", "BLOB"),
    (LogicalType::Json, "json", "JSON TEXT", "JSON"),
    (LogicalType::Uuid, "uuid", "UUID TEXT", "UUID"),
    (LogicalType::Date, "date", "DATE TEXT", "DATE"),
    (LogicalType::Time, "time", "TIME TEXT", "TIME"),
    (LogicalType::TimeTz, "time with time zone", "TIMETZ TEXT", "TIMETZ"),
    (LogicalType::Timestamp, "timestamp", "TIMESTAMP TEXT", "TIMESTAMP"),
    (LogicalType::TimestampTz, "timestamp with time zone", "TIMESTAMPTZ TEXT", "TIMESTAMPTZ"),
    (LogicalType::Interval, "interval", "INTERVAL TEXT", "INTERVAL"),
    (LogicalType::Bits, "bit varying", "BITS TEXT", "BIT"),
];

impl LogicalType {
    /// The type name `engine` is given when a column of this type is created there.
    pub fn stored_as(&self, engine: Engine) -> String {
        match self {
            LogicalType::Decimal { precision, scale } => match engine {
                Engine::Postgres => format!("numeric({precision},{scale})"),
                Engine::Sqlite => format!("DECIMAL TEXT({precision},{scale})"),
                Engine::Duckdb if *precision <= 38 => format!("DECIMAL({precision},{scale})"),
                Engine::Duckdb => "VARCHAR".to_owned(),
            },
            LogicalType::List(element) => match engine {
                Engine::Sqlite => format!("LIST OF {}", element.stored_as(engine)),
                Engine::Postgres | Engine::Duckdb => format!("{}[]", element.stored_as(engine)),
            },
            plain => SPELLINGS
                .iter()
                .find(|(logical, ..)| logical == plain)
                .map(|(_, postgres, sqlite, duckdb)| match engine {
                    Engine::Postgres => *postgres,
                    Engine::Sqlite => *sqlite,
                    Engine::Duckdb => *duckdb,
                })
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// The logical type that a plan's type name means, in Postgres's spelling with its usual aliases
    /// (`timestamptz`, `int8`, `varchar` …). `None` where Trimaran has no such type.
    pub fn parse(name: &str) -> Option<LogicalType> {
        let name = name.trim().to_ascii_lowercase();
        if let Some(element) = name.strip_suffix("[]") {
            return LogicalType::parse(element).map(|e| LogicalType::List(Box::new(e)));
        }
        if let Some((_, _, _, _)) = SPELLINGS.iter().find(|(_, postgres, ..)| *postgres == name) {
            return SPELLINGS.iter().find(|(_, postgres, ..)| *postgres == name).map(|(l, ..)| l.clone());
        }
        let (base, arguments) = match name.split_once('(') {
            Some((base, rest)) => (base.trim(), rest.trim_end_matches(')')),
            None => (name.as_str(), ""),
        };
        Some(match base {
            "bool" => LogicalType::Bool,
            "int2" => LogicalType::Int16,
            "int" | "int4" => LogicalType::Int32,
            "int8" => LogicalType::Int64,
            "float4" => LogicalType::Float32,
            "float8" => LogicalType::Float64,
            "varchar" | "character varying" | "char" | "character" | "bpchar" | "name" => LogicalType::Text,
            "timetz" => LogicalType::TimeTz,
            "time without time zone" => LogicalType::Time,
            "timestamptz" => LogicalType::TimestampTz,
            "timestamp without time zone" => LogicalType::Timestamp,
            "varbit" | "bit" => LogicalType::Bits,
            "numeric" | "decimal" if arguments.is_empty() => LogicalType::Numeric,
            "numeric" | "decimal" => {
                let mut parts = arguments.split(',').map(|p| p.trim().parse::<u16>());
                let precision = parts.next()?.ok()?;
                let scale = parts.next().map_or(Some(0), Result::ok)?;
                (precision >= 1 && scale <= precision).then_some(LogicalType::Decimal { precision, scale })?
            }
            _ => return None,
        })
    }

    /// Whether values are text on every engine, so that the text codec applies.
    pub fn is_textual(&self) -> bool {
        matches!(self, LogicalType::Text | LogicalType::Json)
    }

    /// The element type of a list, else the type itself.
    pub fn scalar(&self) -> &LogicalType {
        match self {
            LogicalType::List(element) => element.scalar(),
            other => other,
        }
    }
}

impl fmt::Display for LogicalType {
    /// Postgres's spelling: the one plans and reports use.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stored_as(Engine::Postgres))
    }
}

impl serde::Serialize for LogicalType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for LogicalType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        LogicalType::parse(&name).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "unknown type {name:?}; write a Postgres type such as text, bigint, uuid, json, timestamp or text[]"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_parses_back() {
        for (logical, ..) in SPELLINGS {
            assert_eq!(LogicalType::parse(&logical.to_string()), Some(logical.clone()));
            let list = LogicalType::List(Box::new(logical));
            assert_eq!(LogicalType::parse(&list.to_string()), Some(list));
        }
        let decimal = LogicalType::Decimal { precision: 10, scale: 2 };
        assert_eq!(LogicalType::parse(&decimal.to_string()), Some(decimal));
        assert_eq!(LogicalType::parse("character varying(255)"), Some(LogicalType::Text));
        assert_eq!(LogicalType::parse("geometry"), None);
        assert_eq!(LogicalType::parse("numeric(2,5)"), None);
    }

    #[test]
    fn every_type_has_a_name_on_every_engine() {
        for (logical, ..) in SPELLINGS {
            for engine in Engine::ALL {
                assert!(!logical.stored_as(engine).is_empty(), "{logical:?} on {engine}");
            }
        }
    }
}
