//! What a declared type means.
//!
//! SQLite enforces nothing of a declared type beyond its affinity, so a meaning read here is a claim that the migrator
//! checks value by value: an integer type of any width may hold 64 bits, a `DECIMAL(10,2)` any number, a `UUID` anything.

use trimaran_core::{Engine, LogicalType};

/// Names that SQL knows and people use, in upper case, without arguments, and what they mean. `None`: the values decide.
const NAMES: [(&str, Option<LogicalType>); 72] = {
    use LogicalType as L;
    [
        ("INT", Some(L::Int64)),
        ("INTEGER", Some(L::Int64)),
        ("TINYINT", Some(L::Int64)),
        ("SMALLINT", Some(L::Int64)),
        ("MEDIUMINT", Some(L::Int64)),
        ("BIGINT", Some(L::Int64)),
        ("UNSIGNED BIG INT", Some(L::Int64)),
        ("INT2", Some(L::Int64)),
        ("INT4", Some(L::Int64)),
        ("INT8", Some(L::Int64)),
        // Trimaran's own schema, and nobody else, says so: see `schema::columns`.
        ("INT32", Some(L::Int32)),
        ("SERIAL", Some(L::Int64)),
        ("BIGSERIAL", Some(L::Int64)),
        ("YEAR", Some(L::Int64)),
        ("BOOL", Some(L::Bool)),
        ("BOOLEAN", Some(L::Bool)),
        ("REAL", Some(L::Float64)),
        ("FLOAT", Some(L::Float64)),
        ("FLOAT4", Some(L::Float64)),
        ("FLOAT8", Some(L::Float64)),
        ("DOUBLE", Some(L::Float64)),
        ("DOUBLE PRECISION", Some(L::Float64)),
        ("DECIMAL", Some(L::Numeric)),
        ("NUMERIC", Some(L::Numeric)),
        ("NUMBER", Some(L::Numeric)),
        ("MONEY", Some(L::Numeric)),
        ("DATE", Some(L::Date)),
        ("TIME", Some(L::Time)),
        ("TIME WITHOUT TIME ZONE", Some(L::Time)),
        ("TIMETZ", Some(L::TimeTz)),
        ("TIME WITH TIME ZONE", Some(L::TimeTz)),
        ("DATETIME", Some(L::Timestamp)),
        ("TIMESTAMP", Some(L::Timestamp)),
        ("TIMESTAMP WITHOUT TIME ZONE", Some(L::Timestamp)),
        ("TIMESTAMPTZ", Some(L::TimestampTz)),
        ("TIMESTAMP WITH TIME ZONE", Some(L::TimestampTz)),
        ("DATETIME WITH TIME ZONE", Some(L::TimestampTz)),
        ("DATETIMEOFFSET", Some(L::TimestampTz)),
        ("JSON", Some(L::Json)),
        ("JSONB", Some(L::Json)),
        ("UUID", Some(L::Uuid)),
        ("GUID", Some(L::Uuid)),
        ("UNIQUEIDENTIFIER", Some(L::Uuid)),
        ("UUID_TEXT", Some(L::Uuid)),
        ("TEXT", Some(L::Text)),
        ("TINYTEXT", Some(L::Text)),
        ("MEDIUMTEXT", Some(L::Text)),
        ("LONGTEXT", Some(L::Text)),
        ("CLOB", Some(L::Text)),
        ("STRING", Some(L::Text)),
        ("CHAR", Some(L::Text)),
        ("CHARACTER", Some(L::Text)),
        ("NCHAR", Some(L::Text)),
        ("NATIVE CHARACTER", Some(L::Text)),
        ("VARCHAR", Some(L::Text)),
        ("NVARCHAR", Some(L::Text)),
        ("CHARACTER VARYING", Some(L::Text)),
        ("VARYING CHARACTER", Some(L::Text)),
        ("CITEXT", Some(L::Text)),
        ("XML", Some(L::Text)),
        ("ENUM", Some(L::Text)),
        ("INET", Some(L::Text)),
        ("BLOB", Some(L::Bytes)),
        ("TINYBLOB", Some(L::Bytes)),
        ("MEDIUMBLOB", Some(L::Bytes)),
        ("LONGBLOB", Some(L::Bytes)),
        ("BINARY", Some(L::Bytes)),
        ("VARBINARY", Some(L::Bytes)),
        ("BYTEA", Some(L::Bytes)),
        ("ANY", None),
        // By SQLite's rule for `INT` these two would be integers.
        ("INTERVAL", None),
        ("POINT", None),
    ]
};

/// Types that hold a UUID by their length: 36 or 32 characters, 16 bytes.
const UUID_SIZED: [(&str, &str); 5] =
    [("CHAR", "36"), ("CHAR", "32"), ("CHARACTER", "36"), ("BINARY", "16"), ("BLOB", "16")];

/// Types that Trimaran itself creates in SQLite and whose names say exactly what is kept.
const OWN: [LogicalType; 11] = {
    use LogicalType as L;
    [
        L::Numeric,
        L::Json,
        L::Uuid,
        L::Date,
        L::Time,
        L::TimeTz,
        L::Timestamp,
        L::TimestampTz,
        L::Interval,
        L::Bits,
        L::Text,
    ]
};

/// What a declared type means; `None` where only the values can tell: no type at all, or a name that neither people nor
/// SQLite's affinity rules know.
pub fn logical(declared: &str) -> Option<LogicalType> {
    let declared = declared.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    let (name, arguments) = split(&declared);
    if let Some(own) = own(&declared) {
        return Some(own);
    }
    if UUID_SIZED.contains(&(name.as_str(), arguments)) {
        return Some(LogicalType::Uuid);
    }
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, logical)) => logical.clone(),
        None => by_affinity(&name),
    }
}

/// The meaning of a name that Trimaran's own dialect writes.
fn own(declared: &str) -> Option<LogicalType> {
    if let Some(element) = declared.strip_prefix("LIST OF ") {
        // An element is a type as it is created, or a list of one.
        let exact = [
            (LogicalType::Int16, "SMALLINT"),
            (LogicalType::Int32, "INTEGER"),
            (LogicalType::Float32, "FLOAT"),
        ];
        let element = match exact.into_iter().find(|(_, name)| *name == element) {
            Some((logical, _)) => logical,
            None => own(element).or_else(|| logical(element))?,
        };
        return Some(LogicalType::List(Box::new(element)));
    }
    let (name, arguments) = split(declared);
    if name == "DECIMAL TEXT" {
        return LogicalType::parse(&format!("numeric({arguments})"));
    }
    OWN.into_iter().find(|logical| logical.stored_as(Engine::Sqlite) == declared)
}

/// `NAME WORDS(1,2) MORE` becomes `NAME WORDS MORE` and `1,2`.
fn split(declared: &str) -> (String, &str) {
    let Some((name, rest)) = declared.split_once('(') else { return (declared.to_owned(), "") };
    let (arguments, after) = rest.split_once(')').unwrap_or((rest, ""));
    let name = [name.trim(), after.trim()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    (name.join(" "), arguments.trim())
}

/// SQLite's own rules (<https://sqlite.org/datatype3.html#determination_of_column_affinity>), in their order. What is left
/// has NUMERIC affinity, which keeps any value: the values decide.
fn by_affinity(name: &str) -> Option<LogicalType> {
    const RULES: [(&str, LogicalType); 8] = [
        ("INT", LogicalType::Int64),
        ("CHAR", LogicalType::Text),
        ("CLOB", LogicalType::Text),
        ("TEXT", LogicalType::Text),
        ("BLOB", LogicalType::Bytes),
        ("REAL", LogicalType::Float64),
        ("FLOA", LogicalType::Float64),
        ("DOUB", LogicalType::Float64),
    ];
    RULES.into_iter().find(|(part, _)| name.contains(part)).map(|(_, logical)| logical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_read_as_people_mean_them() {
        use LogicalType as L;
        let cases = [
            ("integer", Some(L::Int64)),
            ("SMALLINT", Some(L::Int64)),
            ("int unsigned", Some(L::Int64)),
            ("TINYINT(1)", Some(L::Int64)),
            ("Boolean", Some(L::Bool)),
            ("double  precision", Some(L::Float64)),
            ("DECIMAL(10, 2)", Some(L::Numeric)),
            ("DATETIME", Some(L::Timestamp)),
            ("TIMESTAMP(6) WITH TIME ZONE", Some(L::TimestampTz)),
            ("timestamp with time zone", Some(L::TimestampTz)),
            ("DATE", Some(L::Date)),
            ("JSONB", Some(L::Json)),
            ("CHAR(36)", Some(L::Uuid)),
            ("char(32)", Some(L::Uuid)),
            ("BINARY(16)", Some(L::Uuid)),
            ("uuid_text", Some(L::Uuid)),
            ("CHAR(35)", Some(L::Text)),
            ("VARCHAR(36)", Some(L::Text)),
            ("NVARCHAR(100)", Some(L::Text)),
            ("BLOB", Some(L::Bytes)),
            ("MY_CHARS", Some(L::Text)),
            ("BIGINTEGER", Some(L::Int64)),
            ("GEOMETRY", None),
            ("POINT", None),
            ("", None),
        ];
        for (declared, expected) in cases {
            assert_eq!(logical(declared), expected, "{declared}");
        }
    }

    #[test]
    fn what_trimaran_creates_is_read_back_exactly() {
        use LogicalType as L;
        let exact = [
            L::Bool,
            L::Int64,
            L::Float64,
            L::Decimal { precision: 10, scale: 2 },
            L::Numeric,
            L::Text,
            L::Bytes,
            L::Json,
            L::Uuid,
            L::Date,
            L::Time,
            L::TimeTz,
            L::Timestamp,
            L::TimestampTz,
            L::Interval,
            L::Bits,
        ];
        let elements = [L::Int16, L::Int32, L::Float32];
        for plain in &exact {
            assert_eq!(logical(&plain.stored_as(Engine::Sqlite)).as_ref(), Some(plain));
        }
        for element in exact.into_iter().chain(elements) {
            let list = L::List(Box::new(element));
            let nested = L::List(Box::new(list.clone()));
            for logical_type in [list, nested] {
                assert_eq!(logical(&logical_type.stored_as(Engine::Sqlite)), Some(logical_type));
            }
        }
    }
}
