use std::borrow::Cow;

use super::*;

fn payload(logical: LogicalType, value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode_row(&[logical], &[value], &mut out).unwrap();
    assert_eq!(out[..2], [0, 1]);
    assert_eq!(i32::from_be_bytes(out[2..6].try_into().unwrap()) as usize, out.len() - 6);
    out.split_off(6)
}

fn refusal(logical: LogicalType, value: Value<'_>) -> String {
    let mut out = b"kept".to_vec();
    let error = encode_row(&[LogicalType::Bool, logical], &[Value::Null, value], &mut out).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(out, b"kept");
    assert!(error.to_string().contains("value 2"), "{error}");
    error.to_string()
}

#[test]
fn payloads_are_what_postgres_sends() {
    // Each from `SELECT <type>send(<literal>)` on Postgres 15.
    assert_eq!(payload(LogicalType::Bool, Value::Bool(true)), [1]);
    assert_eq!(payload(LogicalType::Int16, Value::Int(-2)), [0xff, 0xfe]);
    assert_eq!(payload(LogicalType::Int32, Value::Int(258)), [0, 0, 1, 2]);
    assert_eq!(payload(LogicalType::Int64, Value::Int(1)), [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(payload(LogicalType::Float32, Value::Float32(-0.0)), [0x80, 0, 0, 0]);
    assert_eq!(payload(LogicalType::Float64, Value::Float64(1.0)), [0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(payload(LogicalType::Text, Value::text("é")), [0xc3, 0xa9]);
    assert_eq!(payload(LogicalType::Json, Value::Json(Cow::Borrowed(b"[]"))), *b"[]");
    assert_eq!(payload(LogicalType::Bytes, Value::Bytes(Cow::Borrowed(&[0, 255]))), [0, 255]);
    assert_eq!(payload(LogicalType::Uuid, Value::Uuid([7; 16])), [7; 16]);
    assert_eq!(payload(LogicalType::Date, Value::Date(EPOCH_DAYS + 1)), [0, 0, 0, 1]);
    assert_eq!(payload(LogicalType::Date, Value::Date(i32::MIN)), [0x80, 0, 0, 0]);
    assert_eq!(payload(LogicalType::Time, Value::Time(1)), [0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(
        payload(LogicalType::TimeTz, Value::TimeTz(1, 3600)),
        [0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xf1, 0xf0]
    );
    assert_eq!(
        payload(LogicalType::Timestamp, Value::Timestamp(EPOCH_MICROS - 1)),
        [0xff; 8],
        "one microsecond before 2000"
    );
    assert_eq!(
        payload(LogicalType::TimestampTz, Value::TimestampTz(i64::MAX)),
        [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    );
    assert_eq!(
        payload(LogicalType::Interval, Value::Interval(1, 2, 3)),
        [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1]
    );
    assert_eq!(payload(LogicalType::Bits, Value::Bits(3, Cow::Borrowed(&[0b1010_0000]))), [0, 0, 0, 3, 0xa0]);
    let list = |l| LogicalType::List(Box::new(l));
    assert_eq!(payload(list(LogicalType::Int32), Value::List(vec![])), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
    assert_eq!(
        payload(list(LogicalType::Int16), Value::List(vec![Value::Null, Value::Int(5)])),
        [
            [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 2].as_slice(),
            &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0, 5]
        ]
        .concat()
    );
}

#[test]
fn a_null_is_a_length_of_minus_one() {
    let mut out = Vec::new();
    encode_row(&[LogicalType::Text], &[Value::Null], &mut out).unwrap();
    assert_eq!(out, [0, 1, 0xff, 0xff, 0xff, 0xff]);
}

#[test]
fn what_postgres_cannot_hold_is_refused_by_ordinal_and_without_the_value() {
    refusal(LogicalType::Int16, Value::Int(32_768));
    refusal(LogicalType::Int32, Value::Int(i64::MAX));
    refusal(LogicalType::Int64, Value::text("5"));
    refusal(LogicalType::Float64, Value::Float32(1.0));
    refusal(LogicalType::Numeric, Value::Float64(1.0));
    refusal(LogicalType::Decimal { precision: 2, scale: 1 }, Value::Decimal("1.25".into()));
    refusal(LogicalType::Uuid, Value::Bytes(Cow::Borrowed(&[0; 16])));
    refusal(LogicalType::Date, Value::Date(i32::MIN + 1));
    refusal(LogicalType::Time, Value::Time(86_400_000_001));
    refusal(LogicalType::Time, Value::Time(-1));
    refusal(LogicalType::TimeTz, Value::TimeTz(0, 16 * 3600));
    refusal(LogicalType::Timestamp, Value::Timestamp(i64::MIN + 1));
    refusal(LogicalType::Bits, Value::Bits(3, Cow::Borrowed(&[0xff])));
    refusal(LogicalType::Bits, Value::Bits(9, Cow::Borrowed(&[0])));
    let nested = LogicalType::List(Box::new(LogicalType::List(Box::new(LogicalType::Int16))));
    let row = |values: &[i64]| Value::List(values.iter().map(|v| Value::Int(*v)).collect());
    for ragged in [vec![row(&[1]), row(&[1, 2])], vec![row(&[])], vec![row(&[1]), Value::Null]] {
        refusal(nested.clone(), Value::List(ragged));
    }
    let secret = refusal(LogicalType::Text, Value::text("secret\0"));
    assert!(!secret.contains("secret"));
    refusal(LogicalType::Json, Value::Json(Cow::Borrowed(b"\xff")));
    let element = refusal(
        LogicalType::List(Box::new(LogicalType::Text)),
        Value::List(vec![Value::Null, Value::text("\0")]),
    );
    assert!(element.contains("element 2"), "{element}");
}

#[test]
fn the_ends_of_the_calendar_are_kept() {
    let date = |days: i32| payload(LogicalType::Date, Value::Date(days));
    date(MIN_DATE + EPOCH_DAYS);
    date(END_DATE - 1 + EPOCH_DAYS);
    refusal(LogicalType::Date, Value::Date(MIN_DATE + EPOCH_DAYS - 1));
    refusal(LogicalType::Date, Value::Date(END_DATE + EPOCH_DAYS));
    payload(LogicalType::Timestamp, Value::Timestamp(MIN_TIMESTAMP + EPOCH_MICROS));
    refusal(LogicalType::Timestamp, Value::Timestamp(MIN_TIMESTAMP + EPOCH_MICROS - 1));
    payload(LogicalType::Timestamp, Value::Timestamp(i64::MAX - 1));
}

#[test]
fn rows_of_the_wrong_width_are_refused() {
    let error = encode_row(&[LogicalType::Bool], &[], &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
