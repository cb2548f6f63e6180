//! SQLite's affinities, followed before SQLite does.

use trimaran_core::{LogicalType, Value};

use super::carried;
use crate::hazard::Hazard;
use crate::mapping::{self, Form};

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

/// Whether values of a logical type can be kept in a column declared so.
pub(super) fn is_known(declared: &str, form: Form, logical: &LogicalType) -> bool {
    is_plain(declared) && fits(affinity(declared), form, logical)
}

/// Whether a declaration is words and numbers alone, so that it can stand in a statement.
pub(super) fn is_plain(declared: &str) -> bool {
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
fn fits(affinity: Affinity, form: Form, logical: &LogicalType) -> bool {
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

/// Whether a column declared so gives back a value as it was.
pub(super) fn accepts(
    declared: &str,
    form: Form,
    logical: &LogicalType,
    value: &Value<'_>,
) -> Result<(), Hazard> {
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
