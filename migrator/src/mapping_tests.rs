use super::*;
use crate::limits::accepts;
use trimaran_core::Engine;

fn converted(value: Value<'static>, name: &str, form: Form) -> Result<Value<'static>, Hazard> {
    let logical = LogicalType::parse(name).unwrap();
    convert(&value, &logical, form).map(Value::into_owned)
}

#[test]
fn each_form_of_a_uuid_is_one_value() {
    let uuid = Value::Uuid([0x11; 16]);
    let forms = [
        Value::text("11111111-1111-1111-1111-111111111111"),
        Value::text("11111111111111111111111111111111"),
        Value::Bytes(Cow::Borrowed(&[0x11; 16])),
    ];
    for form in forms {
        assert_eq!(converted(form, "uuid", Form::Native), Ok(uuid.clone()));
    }
    assert_eq!(converted(Value::text("blk_ai"), "uuid", Form::Native), Err(Hazard::WrongType));
}

#[test]
fn moments_kept_as_text_or_numbers_are_one_value() {
    let moment = Ok(Value::Timestamp(1_735_700_645_000_000));
    assert_eq!(converted(Value::text("2025-01-01 03:04:05"), "timestamp", Form::Native), moment);
    assert_eq!(converted(Value::text("2025-01-01 03:04:05.000000"), "timestamp", Form::Native), moment);
    assert_eq!(converted(Value::Int(1_735_700_645), "timestamp", Form::UnixSeconds), moment);
    assert_eq!(converted(Value::Int(1_735_700_645_000), "timestamp", Form::UnixMilliseconds), moment);
    assert_eq!(converted(Value::Float64(1_735_700_645.0), "timestamp", Form::UnixSeconds), moment);
    assert_eq!(
        converted(Value::text("2025-01-01 03:04:05.1234567"), "timestamp", Form::Native),
        Err(Hazard::Inexact)
    );
    assert_eq!(
        converted(Value::text("2025-01-01 03:04:05Z"), "timestamp", Form::Native),
        Err(Hazard::WrongType)
    );
}

#[test]
fn a_value_that_would_be_rounded_or_cut_is_a_hazard() {
    assert_eq!(converted(Value::Int(40_000), "smallint", Form::Native), Err(Hazard::OutOfRange));
    assert_eq!(converted(Value::Int(i64::MAX), "double precision", Form::Native), Err(Hazard::Inexact));
    assert_eq!(converted(Value::Float64(0.1), "real", Form::Native), Err(Hazard::Inexact));
    assert_eq!(converted(Value::text("1.234"), "numeric(5,2)", Form::Native), Err(Hazard::Inexact));
    assert_eq!(converted(Value::Int(12_345), "numeric(5,2)", Form::Native), Err(Hazard::OutOfRange));
    assert_eq!(converted(Value::text("twelve"), "bigint", Form::Native), Err(Hazard::WrongType));
    assert_eq!(converted(Value::Int(2), "boolean", Form::Native), Err(Hazard::WrongType));
}

#[test]
fn what_postgres_cannot_hold_is_named() {
    let refuses = |value: Value<'static>| accepts(Engine::Postgres, &value).unwrap_err();
    assert_eq!(refuses(Value::text("a\0b")), Hazard::NulInText);
    assert_eq!(refuses(Value::Text(Cow::Borrowed(b"\xff"))), Hazard::InvalidUtf8);
    assert_eq!(refuses(Value::Json(Cow::Borrowed(b"{\"a\":NaN}"))), Hazard::JsonNan);
    assert_eq!(refuses(Value::Json(Cow::Borrowed(b"{a}"))), Hazard::InvalidJson);
    assert_eq!(refuses(Value::Date(-2_440_589)), Hazard::OutOfRange);
    assert_eq!(refuses(Value::Timestamp(-2_440_588 * temporal::DAY - 1)), Hazard::OutOfRange);
    assert_eq!(accepts(Engine::Postgres, &Value::Timestamp(i64::MAX)), Ok(()));
    assert_eq!(accepts(Engine::Postgres, &Value::Json(Cow::Borrowed(b"\"\\u0000\""))), Ok(()));
    assert_eq!(accepts(Engine::Duckdb, &Value::text("a\0b")), Ok(()));
}

#[test]
fn escaping_is_undone_inside_lists_too() {
    let list = Value::List(vec![Value::text("a\0"), Value::Null, Value::text("b")]);
    let kept = escaped(&list).unwrap();
    assert_eq!(accepts(Engine::Postgres, &kept), Ok(()));
    assert_eq!(unescaped(kept).unwrap(), list);
    assert_eq!(escaped(&Value::text("plain")), None);
}
