//! Rows written and read back.

use std::borrow::Cow;

use super::*;

/// Every logical type with values that DuckDB holds.
fn samples() -> Vec<(LogicalType, Vec<Value<'static>>)> {
    use LogicalType as L;
    let decimal = |text: &'static str| Value::Decimal(Cow::Borrowed(text));
    vec![
        (L::Bool, vec![Value::Bool(true), Value::Bool(false)]),
        (L::Int16, vec![Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())]),
        (L::Int32, vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())]),
        (L::Int64, vec![Value::Int(i64::MIN), Value::Int(i64::MAX)]),
        (L::Float32, vec![Value::Float32(-0.0), Value::Float32(f32::MIN_POSITIVE)]),
        (L::Float64, vec![Value::Float64(f64::NEG_INFINITY), Value::Float64(0.1)]),
        (L::Decimal { precision: 4, scale: 2 }, vec![decimal("-99.99"), decimal("0.5")]),
        (L::Decimal { precision: 9, scale: 0 }, vec![decimal("999999999"), decimal("0")]),
        (L::Decimal { precision: 18, scale: 18 }, vec![decimal("-0.999999999999999999"), decimal("0")]),
        (
            L::Decimal { precision: 38, scale: 10 },
            vec![decimal("9999999999999999999999999999.9999999999"), decimal("-1")],
        ),
        (L::Text, vec![Value::text(""), Value::text("a\0b — 日本語")]),
        (L::Bytes, vec![Value::Bytes(Cow::Borrowed(b"")), Value::Bytes(Cow::Borrowed(b"\0\xff"))]),
        (L::Json, vec![Value::Json(Cow::Borrowed(b"{\"a\":  1.50}")), Value::Json(Cow::Borrowed(b"null"))]),
        (L::Uuid, vec![Value::Uuid([0; 16]), Value::Uuid([0xfe; 16])]),
        (L::Date, vec![Value::Date(i32::MIN), Value::Date(-2_147_483_646), Value::Date(i32::MAX)]),
        (L::Time, vec![Value::Time(0), Value::Time(86_400_000_000)]),
        (
            L::TimeTz,
            vec![Value::TimeTz(1, -57_599), Value::TimeTz(86_400_000_000, 57_599), Value::TimeTz(0, 19_800)],
        ),
        (
            L::Timestamp,
            vec![
                Value::Timestamp(i64::MIN),
                Value::Timestamp(-9_223_372_022_400_000_000),
                Value::Timestamp(i64::MAX),
            ],
        ),
        (
            L::TimestampTz,
            vec![Value::TimestampTz(i64::MIN), Value::TimestampTz(-1), Value::TimestampTz(i64::MAX)],
        ),
        (
            L::Interval,
            vec![
                Value::Interval(i32::MIN, i32::MAX, i64::MIN),
                Value::Interval(-14, 3, -5),
                Value::Interval(i32::MAX, i32::MIN, i64::MAX),
            ],
        ),
        (L::Bits, vec![Value::Bits(1, Cow::Borrowed(&[0])), Value::Bits(10, Cow::Borrowed(&[0xff, 0xc0]))]),
    ]
}

#[test]
fn every_type_is_read_as_it_was_written() {
    for (logical, values) in samples() {
        let list = LogicalType::List(Box::new(logical.clone()));
        let columns = [(owned("a"), logical.clone()), (owned("l"), list.clone())];
        let mut elements = values.clone();
        elements.push(Value::Null);
        let mut rows: Vec<_> =
            values.iter().map(|v| vec![v.clone(), Value::List(elements.clone())]).collect();
        rows.push(vec![Value::Null, Value::Null]);
        rows.push(vec![values[0].clone(), Value::List(Vec::new())]);
        let fixture = Fixture::new(&format!(
            "CREATE TABLE t (a {}, l {})",
            logical.stored_as(Engine::Duckdb),
            list.stored_as(Engine::Duckdb)
        ));
        assert_eq!(
            write_rows(&fixture.target(), "t", &columns, &rows).unwrap(),
            rows.len() as u64,
            "{logical}"
        );
        assert_eq!(read_all(&fixture.source(), "t", 1000), rows, "{logical}");
    }
}

#[test]
fn numbers_beyond_duckdbs_decimals_are_kept_as_text() {
    let wide = LogicalType::Decimal { precision: 50, scale: 2 };
    let fixture = Fixture::new(&format!("CREATE TABLE t (a {})", wide.stored_as(Engine::Duckdb)));
    let number = "12345678901234567890123456789012345678901234.5";
    let target = fixture.target();
    write_rows(&target, "t", &[(owned("a"), wide)], &[vec![Value::Decimal(number.into())]]).unwrap();
    assert_eq!(read_all(&target, "t", 10), [[Value::text(number)]]);
}

#[test]
fn what_duckdb_cannot_hold_is_refused_by_ordinal() {
    use LogicalType as L;
    let fixture = Fixture::empty();
    let target = fixture.target();
    let cases = [
        (L::Int16, Value::Int(32_768)),
        (L::Int32, Value::Int(1 << 40)),
        (L::Int64, Value::text("1")),
        (L::Decimal { precision: 4, scale: 2 }, Value::Decimal("100".into())),
        (L::Decimal { precision: 4, scale: 2 }, Value::Decimal("0.001".into())),
        (L::Decimal { precision: 4, scale: 2 }, Value::Decimal("NaN".into())),
        (L::Text, Value::Text(Cow::Borrowed(b"\xff"))),
        (L::Json, Value::text("{}")),
        (L::Date, Value::Date(-i32::MAX)),
        (L::Time, Value::Time(86_400_000_001)),
        (L::TimeTz, Value::TimeTz(0, 57_600)),
        (L::Timestamp, Value::Timestamp(i64::MIN + 1)),
        (L::Bits, Value::Bits(0, Cow::Borrowed(&[]))),
        (L::Bits, Value::Bits(9, Cow::Borrowed(&[0]))),
        (L::List(Box::new(L::Int16)), Value::List(vec![Value::Int(1 << 20)])),
    ];
    for (logical, value) in cases {
        let mut out = Vec::new();
        let error =
            target.encode_row(&[L::Bool, logical.clone()], &[Value::Null, value], &mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{logical}");
        assert!(error.to_string().contains("value 2"), "{error}");
        assert!(out.is_empty());
    }
    assert_eq!(kind_of(target.encode_row(&[L::Bool], &[], &mut Vec::new())), ErrorKind::Invalid);
}

#[test]
fn written_rows_belong_to_the_transaction() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER PRIMARY KEY, v VARCHAR DEFAULT 'said')");
    let target = fixture.target();
    let columns = [(owned("i"), LogicalType::Int32)];
    let mut rows = Vec::new();
    for i in 0..5_000 {
        target.encode_row(&[LogicalType::Int32], &[Value::Int(i)], &mut rows).unwrap();
    }
    let name = TableName::new("main", "t");
    let mut session = target.session().unwrap();
    session.begin().unwrap();
    assert_eq!(session.write(&name, &columns, &rows).unwrap(), 5_000);
    session.rollback().unwrap();
    assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(0)]]);

    session.begin().unwrap();
    session.write(&name, &columns, &rows).unwrap();
    session.commit().unwrap();
    assert_eq!(
        session.query("SELECT count(*), min(v) FROM t", &[]).unwrap(),
        [[Value::Int(5_000), Value::text("said")]]
    );

    session.begin().unwrap();
    let doubled = session.write(&name, &columns, &rows);
    let error = doubled.and_then(|_| session.commit()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(kind_of(session.commit()), ErrorKind::Aborted);
    assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(5_000)]]);

    assert_eq!(
        kind_of(session.write(&TableName::new("main", "nowhere"), &columns, &rows)),
        ErrorKind::NotFound
    );
    assert_eq!(kind_of(session.write(&name, &columns, b"rubbish")), ErrorKind::Corrupt);
}

#[test]
fn columns_are_written_by_name() {
    let fixture = Fixture::new("CREATE SCHEMA s; CREATE TABLE s.t (a INTEGER, \"B c\" VARCHAR, d INTEGER)");
    let target = fixture.target();
    let columns = [(owned("d"), LogicalType::Int32), (owned("B c"), LogicalType::Text)];
    let mut rows = Vec::new();
    target
        .encode_row(&[LogicalType::Int32, LogicalType::Text], &[Value::Int(4), Value::text("b")], &mut rows)
        .unwrap();
    let mut session = target.session().unwrap();
    session.write(&TableName::new("s", "t"), &columns, &rows).unwrap();
    assert_eq!(
        session.query("SELECT * FROM s.t", &[]).unwrap(),
        [[Value::Null, Value::text("b"), Value::Int(4)]]
    );
}
