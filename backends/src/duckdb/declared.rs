//! The types DuckDB declares: what they mean here, and how they leave DuckDB exactly.

use trimaran_core::LogicalType;

use super::nested;

/// How the values of a column leave DuckDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// In Arrow's own form of the type.
    Native,
    /// Cast to text in DuckDB and parsed again, where Arrow's form loses something (an interval's microseconds, a
    /// time's offset) or is a private one.
    Text,
    /// As the JSON that DuckDB makes of them, where the type is nested.
    Json,
}

/// A declared type that Trimaran knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// What it means.
    pub(super) logical: LogicalType,
    /// How its values, or the elements of its lists, leave DuckDB.
    pub(super) carrier: Carrier,
}

/// DuckDB's scalar types without parameters, as `duckdb_columns()` spells them.
/// The list of them all is <https://duckdb.org/docs/stable/sql/data_types/overview>.
pub(super) const SCALARS: [(&str, LogicalType, Carrier); 32] = [
    ("BOOLEAN", LogicalType::Bool, Carrier::Native),
    ("TINYINT", LogicalType::Int16, Carrier::Native),
    ("SMALLINT", LogicalType::Int16, Carrier::Native),
    ("UTINYINT", LogicalType::Int16, Carrier::Native),
    ("INTEGER", LogicalType::Int32, Carrier::Native),
    ("USMALLINT", LogicalType::Int32, Carrier::Native),
    ("BIGINT", LogicalType::Int64, Carrier::Native),
    ("UINTEGER", LogicalType::Int64, Carrier::Native),
    ("UBIGINT", LogicalType::Decimal { precision: 20, scale: 0 }, Carrier::Native),
    ("HUGEINT", LogicalType::Decimal { precision: 39, scale: 0 }, Carrier::Text),
    ("UHUGEINT", LogicalType::Decimal { precision: 39, scale: 0 }, Carrier::Text),
    ("BIGNUM", LogicalType::Numeric, Carrier::Text),
    ("VARINT", LogicalType::Numeric, Carrier::Text),
    ("FLOAT", LogicalType::Float32, Carrier::Native),
    ("DOUBLE", LogicalType::Float64, Carrier::Native),
    ("VARCHAR", LogicalType::Text, Carrier::Native),
    ("BLOB", LogicalType::Bytes, Carrier::Native),
    ("JSON", LogicalType::Json, Carrier::Native),
    ("UUID", LogicalType::Uuid, Carrier::Native),
    ("DATE", LogicalType::Date, Carrier::Native),
    ("TIME", LogicalType::Time, Carrier::Native),
    ("TIMETZ", LogicalType::TimeTz, Carrier::Text),
    ("TIME WITH TIME ZONE", LogicalType::TimeTz, Carrier::Text),
    ("TIMESTAMP", LogicalType::Timestamp, Carrier::Native),
    ("TIMESTAMP_S", LogicalType::Timestamp, Carrier::Native),
    ("TIMESTAMP_MS", LogicalType::Timestamp, Carrier::Native),
    ("TIMESTAMP_NS", LogicalType::Timestamp, Carrier::Native),
    ("TIMESTAMPTZ", LogicalType::TimestampTz, Carrier::Native),
    ("TIMESTAMP WITH TIME ZONE", LogicalType::TimestampTz, Carrier::Native),
    ("TIMESTAMPTZ_NS", LogicalType::TimestampTz, Carrier::Native),
    ("INTERVAL", LogicalType::Interval, Carrier::Text),
    ("BIT", LogicalType::Bits, Carrier::Text),
];

/// Reads a type as `duckdb_columns()` gives it: a nested one is JSON, unless it is nothing but lists. `None` for VARIANT,
/// GEOMETRY and everything else that has no place among the logical types.
pub(super) fn parse(text: &str) -> Option<Declared> {
    let text = text.trim();
    if nested::is_nested(text) {
        return nested::before_json(text)
            .map(|_| Declared { logical: LogicalType::Json, carrier: Carrier::Json });
    }
    if let Some((element, _)) = nested::dimension(text) {
        let element = parse(element)?;
        return Some(Declared {
            logical: LogicalType::List(Box::new(element.logical)),
            carrier: element.carrier,
        });
    }
    scalar(text)
}

/// Reads a type that holds no others.
pub(super) fn scalar(text: &str) -> Option<Declared> {
    if let Some(arguments) = text.strip_prefix("DECIMAL(").and_then(|t| t.strip_suffix(')')) {
        let (precision, scale) = arguments.split_once(',')?;
        let logical = LogicalType::Decimal {
            precision: precision.trim().parse().ok()?,
            scale: scale.trim().parse().ok()?,
        };
        return Some(Declared { logical, carrier: Carrier::Native });
    }
    if text.starts_with("ENUM(") && text.ends_with(')') {
        return Some(Declared { logical: LogicalType::Text, carrier: Carrier::Text });
    }
    let (_, logical, carrier) = SCALARS.iter().find(|(name, ..)| *name == text)?;
    Some(Declared { logical: logical.clone(), carrier: *carrier })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_mean_logical_ones() {
        let cases = [
            ("BOOLEAN", Some(LogicalType::Bool)),
            ("DECIMAL(38,10)", Some(LogicalType::Decimal { precision: 38, scale: 10 })),
            (
                "DECIMAL(38,10)[]",
                Some(LogicalType::List(Box::new(LogicalType::Decimal { precision: 38, scale: 10 }))),
            ),
            ("ENUM('a', 'b''c', ')[')", Some(LogicalType::Text)),
            ("ENUM('a', ']')[]", Some(LogicalType::List(Box::new(LogicalType::Text)))),
            ("FLOAT[3]", Some(LogicalType::List(Box::new(LogicalType::Float32)))),
            ("TIMESTAMP WITH TIME ZONE", Some(LogicalType::TimestampTz)),
            (
                "INTEGER[][3]",
                Some(LogicalType::List(Box::new(LogicalType::List(Box::new(LogicalType::Int32))))),
            ),
            ("STRUCT(x INTEGER, \"y[]\" VARCHAR[])", Some(LogicalType::Json)),
            ("STRUCT(\"a]\" INTEGER)[]", Some(LogicalType::Json)),
            ("MAP(INTEGER, VARCHAR)", Some(LogicalType::Json)),
            ("UNION(i INTEGER, s VARCHAR)", Some(LogicalType::Json)),
            ("STRUCT(v VARIANT)", None),
            ("VARIANT", None),
            ("TIME_NS", None),
            ("GEOMETRY", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).map(|d| d.logical), expected, "{text}");
        }
    }
}
