//! What a value of the source becomes: the one place that decides on a single value, for the check, the copy, the
//! verification and the quarantine alike.

use std::borrow::Cow;

use trimaran_core::{Engine, LogicalType, Value, escape, temporal};

use crate::hazard::Hazard;
use crate::limits;
use crate::mapping::{self, Form};
use crate::plan::ColumnPlan;
use crate::policy::{Policy, Treatment};

/// A value, decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Meaning<'v> {
    /// The value by its meaning; one that has none is as the source gave it.
    pub exact: Value<'v>,
    /// What is written in its place, where the column's normalisation changes it.
    pub replaced: Option<Value<'static>>,
    /// The hazard that it has, and what becomes of it.
    pub hazard: Option<(Hazard, Treatment)>,
}

/// A value of `column` by its meaning, if it has no hazard on its way to `target`: what [`of`] finds of nearly all values, sooner.
#[inline]
pub fn safe<'v>(native: &'v Value<'_>, column: &ColumnPlan, target: Engine) -> Option<Value<'v>> {
    let value = exact(native, column).ok()?;
    let is_held = (column.nullable || !value.is_null())
        && limits::accepts_as(target, &column.logical, &value).is_ok()
        && column.fits(target, &value).is_ok();
    is_held.then_some(value)
}

/// Decides on a value of `column`, on its way to `target`.
pub fn of<'v>(native: &'v Value<'_>, column: &ColumnPlan, target: Engine) -> Meaning<'v> {
    let converted = exact(native, column);
    let fault = match &converted {
        Ok(Value::Null) if !column.nullable => Some(Hazard::NullInKey),
        Ok(value) => {
            limits::accepts_as(target, &column.logical, value).and_then(|()| column.fits(target, value)).err()
        }
        Err(hazard) => Some(*hazard),
    };
    let Some(hazard) = fault else {
        return Meaning { exact: converted.unwrap_or(Value::Null), replaced: None, hazard: None };
    };
    let replaced = column.normalisation().and_then(|replacement| {
        let mended = replacement.apply(native, &column.logical, column.form, hazard, target)?;
        (column.nullable || !mended.is_null()).then_some(mended)
    });
    let treatment = hazard.treatment(column.on_hazard, replaced.is_some() || column.is_escaped());
    let exact = converted.unwrap_or_else(|_| native.borrowed());
    Meaning { exact, replaced, hazard: Some((hazard, treatment)) }
}

/// A value of the source by its meaning, nothing replaced.
///
/// # Errors
/// The hazard, if it has none.
#[inline]
pub fn exact<'v>(native: &'v Value<'_>, column: &ColumnPlan) -> Result<Value<'v>, Hazard> {
    let value = match column.on_hazard {
        Policy::AsText => as_text(native),
        Policy::AsBytes => as_bytes(native),
        _ => mapping::convert(native, &column.logical, column.form),
    }?;
    if column.was_escaped() { as_it_was(value) } else { Ok(value) }
}

/// A value that a run before wrote through the codec. What the codec does not write was written by somebody else since.
fn as_it_was(value: Value<'_>) -> Result<Value<'_>, Hazard> {
    match value {
        Value::Bytes(bytes) => {
            let text = escape::decode(&bytes).map_err(|_| Hazard::WrongType)?.into_owned();
            Ok(Value::Bytes(Cow::Owned(text)))
        }
        other => mapping::unescaped(other).map_err(|_| Hazard::WrongType),
    }
}

/// The text of a value: text as it is, everything else as it is usually written. Bytes have none.
fn as_text<'v>(native: &'v Value<'_>) -> Result<Value<'v>, Hazard> {
    Ok(match native {
        Value::Null => Value::Null,
        Value::Text(text) | Value::Json(text) => Value::Text(Cow::Borrowed(text)),
        other => Value::Text(Cow::Owned(written(other).ok_or(Hazard::WrongType)?.into_bytes())),
    })
}

/// The bytes of a value: bytes and text as they are, a UUID's sixteen, and of everything else those of its text.
fn as_bytes<'v>(native: &'v Value<'_>) -> Result<Value<'v>, Hazard> {
    Ok(match native {
        Value::Null => Value::Null,
        Value::Text(bytes) | Value::Json(bytes) | Value::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
        Value::Uuid(bytes) => Value::Bytes(Cow::Owned(bytes.to_vec())),
        other => Value::Bytes(Cow::Owned(written(other).ok_or(Hazard::WrongType)?.into_bytes())),
    })
}

/// How a value is written: reals with the fewest digits that read back as the same, moments as ISO 8601 has them.
pub(crate) fn written(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::Float32(v) => format!("{v:?}"),
        Value::Float64(v) => format!("{v:?}"),
        Value::Decimal(v) => v.to_string(),
        Value::Uuid(v) => temporal::format_uuid(v),
        Value::Date(v) => temporal::format_date(*v),
        Value::Time(v) => temporal::format_time(*v),
        Value::TimeTz(v, offset) => {
            format!("{}{}", temporal::format_time(*v), temporal::format_offset(*offset))
        }
        Value::Timestamp(v) => temporal::format_timestamp(*v),
        Value::TimestampTz(v) if matches!(*v, i64::MIN | i64::MAX) => temporal::format_timestamp(*v),
        Value::TimestampTz(v) => match temporal::format_timestamp(*v).strip_suffix(" BC") {
            Some(moment) => format!("{moment}+00 BC"),
            None => format!("{}+00", temporal::format_timestamp(*v)),
        },
        Value::Interval(months, days, micros) => format!("{months} mons {days} days {micros} microseconds"),
        Value::Bits(count, bytes) => {
            (0..*count as usize)
                .map(|at| {
                    if bytes.get(at / 8).is_some_and(|byte| byte << (at % 8) & 0x80 != 0) { '1' } else { '0' }
                })
                .collect()
        }
        Value::Null | Value::Text(_) | Value::Json(_) | Value::Bytes(_) | Value::List(_) => return None,
    })
}

/// The type that a column has on the target under a policy.
pub fn kept(policy: Policy, logical: LogicalType, form: Form) -> (LogicalType, Form) {
    match policy {
        Policy::AsText => (LogicalType::Text, Form::Native),
        Policy::AsBytes => (LogicalType::Bytes, Form::Native),
        _ => (logical, form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(logical: &str, nullable: bool, policy: Policy) -> ColumnPlan {
        let plan = format!(
            "name = 'c'\ntarget = 'c'\nsource = '?'\ntype = '{logical}'\nnullable = {nullable}\non_hazard = 'reject'\n"
        );
        ColumnPlan { on_hazard: policy, ..toml::from_str(&plan).unwrap() }
    }

    #[test]
    fn a_value_is_safe_exactly_if_it_has_no_hazard() {
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(5),
            Value::Int(i64::MAX),
            Value::Float64(-0.0),
            Value::Float64(f64::NAN),
            Value::Decimal("1.5".into()),
            Value::text("plain"),
            Value::text("6f3c1f2e-0000-4000-8000-000000000000"),
            Value::text("2024-02-29 12:00:00"),
            Value::Text(Cow::Borrowed(b"nul\0")),
            Value::Text(Cow::Borrowed(b"\xed\xa0\x80")),
            Value::Json(Cow::Borrowed(b"[1")),
            Value::Bytes(Cow::Borrowed(&[0, 0xff])),
            Value::Uuid([1; 16]),
            Value::Date(i32::MIN + 1),
            Value::Timestamp(i64::MIN + 1),
            Value::TimeTz(0, 57_600),
            Value::Bits(0, Cow::Borrowed(&[])),
            Value::List(vec![Value::Null, Value::text("\0")]),
        ];
        let types = [
            "boolean",
            "smallint",
            "bigint",
            "double precision",
            "numeric",
            "text",
            "json",
            "bytea",
            "uuid",
            "date",
            "timestamp",
            "time with time zone",
            "bit varying",
            "text[]",
        ];
        let (mut safe_ones, mut hazards) = (0, 0);
        for logical in types {
            for policy in [Policy::Reject, Policy::Escape, Policy::AsText, Policy::AsBytes] {
                for (nullable, target) in [true, false].into_iter().flat_map(|n| Engine::ALL.map(|e| (n, e)))
                {
                    let column = column(logical, nullable, policy);
                    for value in &values {
                        let (soon, all) = (safe(value, &column, target), of(value, &column, target));
                        let expected = all.hazard.is_none().then_some(all.exact);
                        // A NaN is not equal to itself: compared as it is told.
                        assert_eq!(
                            format!("{soon:?}"),
                            format!("{expected:?}"),
                            "{value:?} as {logical} on {target}"
                        );
                        if soon.is_some() { safe_ones += 1 } else { hazards += 1 }
                    }
                }
            }
        }
        assert!(safe_ones > 200 && hazards > 200, "{safe_ones} {hazards}");
    }
}
