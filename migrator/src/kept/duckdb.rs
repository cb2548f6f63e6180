//! DuckDB's types that hold less than the usual ones, or the same under another name.

use trimaran_core::{Engine, LogicalType, Value, decimal};

use crate::hazard::Hazard;

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

/// Whether values of a logical type can be kept as `declared`, which is no list.
pub(super) fn is_known(declared: &str, logical: &LogicalType) -> bool {
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
pub(super) fn labels(declared: &str) -> Option<Vec<String>> {
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

/// Whether a column of this type holds a value.
pub(super) fn accepts(declared: &str, value: &Value<'_>) -> Result<(), Hazard> {
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
