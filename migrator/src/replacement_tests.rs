use super::*;

fn mended(
    replacement: Replacement,
    value: Value<'static>,
    logical: &str,
    form: Form,
) -> Option<Value<'static>> {
    let logical = LogicalType::parse(logical).unwrap();
    let converted = mapping::convert(&value, &logical, form);
    let hazard = match &converted {
        Ok(meant) => limits::accepts(Engine::Postgres, meant).unwrap_err(),
        Err(hazard) => *hazard,
    };
    replacement.apply(&value, &logical, form, hazard, Engine::Postgres)
}

fn bytes(text: &'static [u8]) -> Value<'static> {
    Value::Text(Cow::Borrowed(text))
}

#[test]
fn each_normalisation_is_exactly_what_its_name_says() {
    use Replacement as R;
    let native = Form::Native;
    let cases = [
        (R::DropNul, bytes(b"a\0b\0"), "text", native, Some(Value::text("ab"))),
        (R::DropNul, bytes(b"a\0\xff"), "text", native, None),
        (
            R::ReplacementCharacter,
            bytes(b"a\0\xffb\xe6\x97"),
            "text",
            native,
            Some(Value::text("a\u{fffd}\u{fffd}b\u{fffd}")),
        ),
        (R::NanToNull, bytes(b"[NaN]"), "json", native, Some(Value::Json(Cow::Borrowed(b"[null]")))),
        (R::NanToNull, bytes(b"[NaN"), "json", native, None),
        (R::Clamp, Value::Int(40_000), "smallint", native, Some(Value::Int(32_767))),
        (R::Clamp, Value::Int(-40_000), "smallint", native, Some(Value::Int(-32_768))),
        (
            R::Clamp,
            Value::Decimal("99999999999999999999".into()),
            "bigint",
            native,
            Some(Value::Int(i64::MAX)),
        ),
        (R::Clamp, Value::Int(-12_345), "numeric(5,2)", native, Some(Value::Decimal("-999.99".into()))),
        (R::Clamp, Value::Float64(1e300), "real", native, Some(Value::Float32(f32::MAX))),
        (R::Clamp, Value::Date(i32::MIN + 5), "date", native, Some(Value::Date(-2_440_588))),
        (R::Infinity, Value::Date(i32::MIN + 5), "date", native, Some(Value::Date(i32::MIN))),
        (R::Infinity, Value::Float64(-1e300), "real", native, Some(Value::Float32(f32::NEG_INFINITY))),
        (
            R::Clamp,
            Value::Int(i64::MAX),
            "timestamp",
            Form::UnixSeconds,
            Some(Value::Timestamp(i64::MAX - 1)),
        ),
        (R::Infinity, Value::Int(i64::MIN), "timestamp", Form::UnixSeconds, Some(Value::Timestamp(i64::MIN))),
        (R::Round, Value::Float64(0.1), "real", native, Some(Value::Float32(0.1))),
        (R::Round, Value::Float64(2.5), "bigint", native, Some(Value::Int(2))),
        (R::Round, Value::Int(i64::MAX), "double precision", native, Some(Value::Float64(i64::MAX as f64))),
        (R::Round, Value::text("1.235"), "numeric(5,2)", native, Some(Value::Decimal("1.24".into()))),
        (R::Round, Value::text("999.999"), "numeric(5,2)", native, None),
        (
            R::Round,
            Value::text("2025-01-01 00:00:00.1234565"),
            "timestamp",
            native,
            Some(Value::Timestamp(1_735_689_600_123_456)),
        ),
        (
            R::Round,
            Value::text("2025-01-01 00:00:00.9999999"),
            "timestamp",
            native,
            Some(Value::Timestamp(1_735_689_601_000_000)),
        ),
        (R::Null, Value::text("twelve"), "bigint", native, Some(Value::Null)),
        (R::Clamp, Value::text("twelve"), "bigint", native, None),
        (R::Round, Value::Int(40_000), "smallint", native, None),
    ];
    for (replacement, value, logical, form, expected) in cases {
        let shown = value.shown(40);
        assert_eq!(
            mended(replacement, value, logical, form),
            expected,
            "{replacement} of {shown} for {logical}"
        );
    }
}

#[test]
fn the_elements_of_a_list_are_mended_one_by_one() {
    let list = Value::List(vec![Value::text("a\0"), Value::Null, Value::text("b")]);
    let expected = Value::List(vec![Value::text("a"), Value::Null, Value::text("b")]);
    assert_eq!(mended(Replacement::DropNul, list, "text[]", Form::Native), Some(expected));
}

#[test]
fn a_normalisation_fits_types_that_have_its_hazards() {
    let fits = |replacement: Replacement, logical: &str| {
        replacement.fits(&LogicalType::parse(logical).unwrap(), true)
    };
    assert!(fits(Replacement::DropNul, "text[]") && !fits(Replacement::DropNul, "bigint"));
    assert!(fits(Replacement::Clamp, "numeric(5,2)") && !fits(Replacement::Clamp, "numeric"));
    assert!(!Replacement::Null.fits(&LogicalType::Text, false));
}
