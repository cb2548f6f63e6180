//! What SQLite and DuckDB can't hold although a value of the type exists: each is a hazard before it is a failure.

use trimaran_core::{Engine, Value};

use crate::hazard::Hazard;

/// DuckDB's first instant: 290309-12-22 (BC) 00:00:00.
const DUCKDB_FIRST: i64 = -9_223_372_022_400_000_000;

/// Whether an engine has a form for a value.
///
/// # Errors
/// The hazard that stands in the way.
pub fn accepts(engine: Engine, value: &Value<'_>) -> Result<(), Hazard> {
    match engine {
        Engine::Postgres => Ok(()),
        Engine::Sqlite => sqlite(value),
        Engine::Duckdb => duckdb(value),
    }
}

/// A NaN becomes NULL there; the negative zero becomes zero.
fn sqlite(value: &Value<'_>) -> Result<(), Hazard> {
    let real = |value: f64| {
        if value.is_nan() {
            Err(Hazard::OutOfRange)
        } else if value == 0.0 && value.is_sign_negative() {
            Err(Hazard::Inexact)
        } else {
            Ok(())
        }
    };
    match value {
        Value::Float64(v) => real(*v),
        Value::Float32(v) => real(f64::from(*v)),
        Value::List(values) => values.iter().try_for_each(listed),
        _ => Ok(()),
    }
}

/// What a JSON array of SQLite's can't say: a NaN with a payload, text that is no UTF-8.
fn listed(value: &Value<'_>) -> Result<(), Hazard> {
    match value {
        Value::Float64(v) if v.is_nan() && v.to_bits() != f64::NAN.to_bits() => Err(Hazard::OutOfRange),
        Value::Float32(v) if v.is_nan() && v.to_bits() != f32::NAN.to_bits() => Err(Hazard::OutOfRange),
        Value::Text(v) | Value::Json(v) if std::str::from_utf8(v).is_err() => Err(Hazard::InvalidUtf8),
        Value::List(values) => values.iter().try_for_each(listed),
        _ => Ok(()),
    }
}

fn duckdb(value: &Value<'_>) -> Result<(), Hazard> {
    let inside = |fits: bool| if fits { Ok(()) } else { Err(Hazard::OutOfRange) };
    match value {
        // There is no empty string of bits.
        Value::Bits(count, _) => inside(*count > 0),
        // Its infinities are each other's negatives: the day that would be the second one.
        Value::Date(v) => inside(*v != i32::MIN + 1),
        Value::Timestamp(v) | Value::TimestampTz(v) => inside(*v == i64::MIN || *v >= DUCKDB_FIRST),
        Value::List(values) => values.iter().try_for_each(duckdb),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_has_no_form_for_is_a_hazard() {
        assert_eq!(accepts(Engine::Sqlite, &Value::Float64(-0.0)), Err(Hazard::Inexact));
        assert_eq!(accepts(Engine::Sqlite, &Value::Float32(f32::NAN)), Err(Hazard::OutOfRange));
        assert_eq!(accepts(Engine::Sqlite, &Value::List(vec![Value::Float64(f64::NAN)])), Ok(()));
        assert_eq!(accepts(Engine::Sqlite, &Value::List(vec![Value::Float64(-0.0)])), Ok(()));
        assert_eq!(accepts(Engine::Duckdb, &Value::Bits(0, [].as_slice().into())), Err(Hazard::OutOfRange));
        assert_eq!(accepts(Engine::Postgres, &Value::Float64(-0.0)), Ok(()));
    }
}
