//! Defaults in Postgres's SQL, fitted to the type of their column.

use trimaran_core::{LogicalType, decimal, json, temporal};

use super::numeric::{MAX_FRACTION, MAX_WHOLE};
use crate::catalog::{DefaultValue, TableName};

/// The current time on a clock without a zone, in UTC whatever the session's zone is.
const UTC_NOW: &str = "(now() AT TIME ZONE 'UTC')";

/// A text literal, correct under `standard_conforming_strings`.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The SQL of `default` for a column of type `logical`; `qualify` spells a sequence's name. `None` if Postgres can't
/// say it, or if it would say something else than the source does.
pub(super) fn default_sql(
    default: &DefaultValue,
    logical: &LogicalType,
    qualify: impl Fn(&TableName) -> String,
) -> Option<String> {
    use LogicalType as T;
    match default {
        DefaultValue::Null => Some("NULL".to_owned()),
        DefaultValue::Number(number) => from_number(number, logical),
        DefaultValue::Text(text) => from_text(text, logical),
        DefaultValue::Bool(value) => match logical {
            T::Bool => Some(value.to_string()),
            T::Int16 | T::Int32 | T::Int64 | T::Numeric => Some(i32::from(*value).to_string()),
            T::Json => Some(literal(if *value { "true" } else { "false" })),
            // As text, one engine means `true` and another `1`.
            _ => None,
        },
        DefaultValue::CurrentTimestamp => match logical {
            T::Timestamp => Some(UTC_NOW.to_owned()),
            T::TimestampTz => Some("now()".to_owned()),
            T::Date => Some(format!("{UTC_NOW}::date")),
            _ => None,
        },
        DefaultValue::CurrentDate => match logical {
            T::Date => Some(format!("{UTC_NOW}::date")),
            T::Timestamp => Some(format!("date_trunc('day', {UTC_NOW})")),
            _ => None,
        },
        DefaultValue::CurrentTime => match logical {
            T::Time => Some(format!("{UTC_NOW}::time")),
            T::TimeTz => Some(format!("({UTC_NOW}::time AT TIME ZONE 'UTC')")),
            _ => None,
        },
        DefaultValue::NewUuid => match logical {
            T::Uuid => Some("gen_random_uuid()".to_owned()),
            T::Text => Some("gen_random_uuid()::text".to_owned()),
            _ => None,
        },
        DefaultValue::NextValue(sequence) => match logical {
            T::Int16 | T::Int32 | T::Int64 | T::Numeric => {
                Some(format!("nextval({})", literal(&qualify(sequence))))
            }
            _ => None,
        },
        DefaultValue::Expression(_) => None,
    }
}

fn from_number(number: &str, logical: &LogicalType) -> Option<String> {
    use LogicalType as T;
    let exact = decimal::canonical(number)?;
    let (whole, fraction) = decimal::digits(&exact)?;
    let integer = |low: i64, high: i64| {
        exact.parse::<i64>().ok().filter(|n| (low..=high).contains(n)).map(|_| exact.to_string())
    };
    match logical {
        T::Bool => match &*exact {
            "0" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        T::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
        T::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
        T::Int64 => integer(i64::MIN, i64::MAX),
        T::Float32 => number.parse::<f32>().ok().filter(|n| n.is_finite()).map(|_| number.to_owned()),
        T::Float64 => number.parse::<f64>().ok().filter(|n| n.is_finite()).map(|_| number.to_owned()),
        T::Decimal { precision, scale } => (fraction <= usize::from(*scale)
            && whole <= usize::from(precision.saturating_sub(*scale)))
        .then(|| exact.to_string()),
        T::Numeric => (whole <= MAX_WHOLE && fraction <= MAX_FRACTION).then(|| exact.to_string()),
        // SQLite's text affinity makes of a number its text.
        T::Text => Some(literal(number)),
        T::Json => json::check(number.as_bytes()).is_ok().then(|| literal(number)),
        _ => None,
    }
}

fn from_text(text: &str, logical: &LogicalType) -> Option<String> {
    use LogicalType as T;
    if text.contains('\0') {
        return None;
    }
    let moment = || match text {
        "infinity" | "-infinity" => Some(literal(text)),
        // Without a zone in the column, an offset in the literal would be dropped.
        _ => temporal::parse_timestamp(text)
            .filter(|m| *logical == T::TimestampTz || m.offset.is_none_or(|offset| offset == 0))
            .map(|m| literal(&temporal::format_timestamp(m.utc()))),
    };
    match logical {
        T::Text => Some(literal(text)),
        T::Json => json::check(text.as_bytes()).is_ok().then(|| literal(text)),
        T::Bool => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" => Some("true".to_owned()),
            "f" | "false" | "0" => Some("false".to_owned()),
            _ => None,
        },
        T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 | T::Decimal { .. } | T::Numeric => {
            from_number(text.trim(), logical)
        }
        T::Uuid => temporal::parse_uuid(text.as_bytes()).map(|uuid| literal(&temporal::format_uuid(&uuid))),
        T::Date => match text {
            "infinity" | "-infinity" => Some(literal(text)),
            _ => temporal::parse_date(text).map(|_| literal(text)),
        },
        T::Time => temporal::parse_time(text).map(|_| literal(text)),
        T::TimeTz => temporal::parse_time_tz(text).map(|(time, offset)| {
            literal(&format!("{}{}", temporal::format_time(time), temporal::format_offset(offset)))
        }),
        T::Timestamp => moment(),
        T::TimestampTz => moment().map(|sql| match sql.strip_suffix('\'') {
            Some(open) if !open.ends_with("infinity") => format!("{open}+00'"),
            _ => sql,
        }),
        T::Bits => text.bytes().all(|b| matches!(b, b'0' | b'1')).then(|| format!("B{}", literal(text))),
        T::List(_) => (text == "{}").then(|| literal(text)),
        T::Bytes | T::Interval => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(default: &DefaultValue, logical: &LogicalType) -> Option<String> {
        default_sql(default, logical, |name| format!("\"{}\".\"{}\"", name.schema, name.name))
    }

    #[test]
    fn literals_are_fitted_to_the_column_or_refused() {
        use LogicalType as T;
        let number = |n: &str, l: T| sql(&DefaultValue::Number(n.into()), &l);
        let text = |t: &str, l: T| sql(&DefaultValue::Text(t.into()), &l);
        assert_eq!(number("0", T::Bool).as_deref(), Some("false"));
        assert_eq!(number("2", T::Bool), None);
        assert_eq!(number("70000", T::Int16), None);
        assert_eq!(number("1.0", T::Int32).as_deref(), Some("1"));
        assert_eq!(number("0", T::Text).as_deref(), Some("'0'"));
        assert_eq!(number("1.25", T::Decimal { precision: 3, scale: 1 }), None);
        assert_eq!(number("1e400", T::Float64), None);
        assert_eq!(number("0", T::Date), None);
        assert_eq!(text("it's", T::Text).as_deref(), Some("'it''s'"));
        assert_eq!(text("a\0b", T::Text), None);
        assert_eq!(text("{}", T::Json).as_deref(), Some("'{}'"));
        assert_eq!(text("{", T::Json), None);
        assert_eq!(text("7", T::Int64).as_deref(), Some("7"));
        assert_eq!(text("seven", T::Int64), None);
        assert_eq!(
            text("0123456789ABCDEF0123456789abcdef", T::Uuid).as_deref(),
            Some("'01234567-89ab-cdef-0123-456789abcdef'")
        );
        assert_eq!(text("2025-01-02T03:04", T::Timestamp).as_deref(), Some("'2025-01-02 03:04:00'"));
        assert_eq!(text("2025-01-02 03:04+01", T::Timestamp), None);
        assert_eq!(text("2025-01-02 03:04+01", T::TimestampTz).as_deref(), Some("'2025-01-02 02:04:00+00'"));
        assert_eq!(text("infinity", T::TimestampTz).as_deref(), Some("'infinity'"));
        assert_eq!(text("today", T::Date), None);
        assert_eq!(text("101", T::Bits).as_deref(), Some("B'101'"));
    }

    #[test]
    fn functions_are_said_in_utc_or_not_at_all() {
        use LogicalType as T;
        assert_eq!(
            sql(&DefaultValue::CurrentTimestamp, &T::Timestamp).as_deref(),
            Some("(now() AT TIME ZONE 'UTC')")
        );
        assert_eq!(sql(&DefaultValue::CurrentTimestamp, &T::TimestampTz).as_deref(), Some("now()"));
        assert_eq!(sql(&DefaultValue::CurrentTimestamp, &T::Text), None);
        assert_eq!(sql(&DefaultValue::NewUuid, &T::Text).as_deref(), Some("gen_random_uuid()::text"));
        assert_eq!(
            sql(&DefaultValue::NextValue(TableName::new("s", "it's")), &T::Int64).as_deref(),
            Some("nextval('\"s\".\"it''s\"')")
        );
        assert_eq!(sql(&DefaultValue::Expression("1 + 1".into()), &T::Int64), None);
    }
}
