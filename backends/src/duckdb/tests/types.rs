//! Every type, at its extremes, as it is read.

use std::borrow::Cow;

use super::*;

/// What `SELECT expression` of the declared type reads as.
fn read_as(cases: &[(&str, &str, Value<'static>)]) {
    let columns: Vec<_> =
        cases.iter().enumerate().map(|(at, (declared, ..))| format!("c{at} {declared}")).collect();
    let values: Vec<_> = cases.iter().map(|(_, sql, _)| *sql).collect();
    let nulls = vec!["NULL"; cases.len()].join(", ");
    let fixture = Fixture::new(&format!(
        "CREATE TABLE t ({}); INSERT INTO t VALUES ({}); INSERT INTO t VALUES ({nulls})",
        columns.join(", "),
        values.join(", ")
    ));
    let rows = read_all(&fixture.source(), "t", 1000);
    for ((declared, sql, expected), value) in cases.iter().zip(&rows[0]) {
        assert_eq!(value, expected, "{sql} as {declared}");
    }
    assert!(rows[1].iter().all(Value::is_null));
}

fn decimal(text: &'static str) -> Value<'static> {
    Value::Decimal(Cow::Borrowed(text))
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(text)
}

#[test]
fn numbers() {
    read_as(&[
        ("BOOLEAN", "true", Value::Bool(true)),
        ("BOOLEAN", "false", Value::Bool(false)),
        ("TINYINT", "-128", Value::Int(-128)),
        ("UTINYINT", "255", Value::Int(255)),
        ("SMALLINT", "-32768", Value::Int(-32768)),
        ("USMALLINT", "65535", Value::Int(65535)),
        ("INTEGER", "-2147483648", Value::Int(i32::MIN.into())),
        ("UINTEGER", "4294967295", Value::Int(u32::MAX.into())),
        ("BIGINT", "-9223372036854775808", Value::Int(i64::MIN)),
        ("UBIGINT", "18446744073709551615", decimal("18446744073709551615")),
        (
            "HUGEINT",
            "-170141183460469231731687303715884105728",
            decimal("-170141183460469231731687303715884105728"),
        ),
        (
            "HUGEINT",
            "170141183460469231731687303715884105727",
            decimal("170141183460469231731687303715884105727"),
        ),
        (
            "UHUGEINT",
            "340282366920938463463374607431768211455",
            decimal("340282366920938463463374607431768211455"),
        ),
        (
            "BIGNUM",
            "'-99999999999999999999999999999999999999999999'",
            decimal("-99999999999999999999999999999999999999999999"),
        ),
        ("DECIMAL(4,1)", "-999.9", decimal("-999.9")),
        ("DECIMAL(9,0)", "7", decimal("7")),
        ("DECIMAL(18,3)", "0.1", decimal("0.1")),
        (
            "DECIMAL(38,10)",
            "9999999999999999999999999999.9999999999",
            decimal("9999999999999999999999999999.9999999999"),
        ),
        (
            "DECIMAL(38,10)",
            "-9999999999999999999999999999.9999999999",
            decimal("-9999999999999999999999999999.9999999999"),
        ),
        (
            "DECIMAL(38,38)",
            "-0.00000000000000000000000000000000000001",
            decimal("-0.00000000000000000000000000000000000001"),
        ),
        ("FLOAT", "'inf'", Value::Float32(f32::INFINITY)),
        ("DOUBLE", "1.7976931348623157e308", Value::Float64(f64::MAX)),
        ("DOUBLE", "5e-324", Value::Float64(5e-324)),
    ]);
}

#[test]
fn floats_keep_their_bits() {
    let fixture = Fixture::new("CREATE TABLE t (f FLOAT, d DOUBLE)");
    let columns = [(owned("f"), LogicalType::Float32), (owned("d"), LogicalType::Float64)];
    let bits = [
        (0x7fc0_0001u32, 0x7ff8_0000_0000_0abcu64),
        (0x8000_0000, 1 << 63),
        (0xff80_0000, 0xfff0 << 48),
        (1, 1),
    ];
    let rows: Vec<_> = bits
        .iter()
        .map(|(f, d)| vec![Value::Float32(f32::from_bits(*f)), Value::Float64(f64::from_bits(*d))])
        .collect();
    let target = fixture.target();
    write_rows(&target, "t", &columns, &rows).unwrap();
    let read = read_all(&target, "t", 1000);
    for ((f, d), row) in bits.iter().zip(&read) {
        let (Value::Float32(read_f), Value::Float64(read_d)) = (&row[0], &row[1]) else { panic!("{row:?}") };
        assert_eq!((read_f.to_bits(), read_d.to_bits()), (*f, *d));
    }
}

#[test]
fn texts_bytes_and_bits() {
    read_as(&[
        ("VARCHAR", "''", text("")),
        ("VARCHAR", "'a' || chr(0) || 'b'", text("a\0b")),
        ("VARCHAR", "'日本語 — «»'", text("日本語 — «»")),
        ("VARCHAR", "repeat('x', 4194304)", Value::Text(vec![b'x'; 4 << 20].into())),
        ("BLOB", "''::BLOB", Value::Bytes(Cow::Borrowed(b""))),
        ("BLOB", "'\\x00\\xFF\\x80'::BLOB", Value::Bytes(Cow::Borrowed(b"\x00\xff\x80"))),
        ("BLOB", "repeat('\\xAB'::BLOB, 1048576)", Value::Bytes(vec![0xab; 1 << 20].into())),
        (
            "JSON",
            "'{\"b\": 1,  \"a\": [null, 1.50], \"b\": \"\\u0000\"}'",
            Value::Json(Cow::Borrowed(b"{\"b\": 1,  \"a\": [null, 1.50], \"b\": \"\\u0000\"}")),
        ),
        ("UUID", "'00000000-0000-0000-0000-000000000000'", Value::Uuid([0; 16])),
        ("UUID", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", Value::Uuid([0xff; 16])),
        (
            "UUID",
            "'01234567-89ab-cdef-0123-456789abcdef'",
            Value::Uuid([
                1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
            ]),
        ),
        ("BIT", "'1'", Value::Bits(1, Cow::Borrowed(&[0x80]))),
        ("BIT", "'0000000011'", Value::Bits(10, Cow::Borrowed(&[0, 0xc0]))),
        ("ENUM('x', 'it''s', 'a,)b')", "'a,)b'", text("a,)b")),
    ]);
}

#[test]
fn times() {
    read_as(&[
        ("DATE", "'1970-01-01'", Value::Date(0)),
        ("DATE", "'5877642-06-25 (BC)'", Value::Date(-2_147_483_646)),
        ("DATE", "'5881580-07-10'", Value::Date(2_147_483_646)),
        ("DATE", "'infinity'", Value::Date(i32::MAX)),
        ("DATE", "'-infinity'", Value::Date(i32::MIN)),
        ("TIME", "'24:00:00'", Value::Time(86_400_000_000)),
        ("TIME", "'01:02:03.000004'", Value::Time(3_723_000_004)),
        ("TIMETZ", "'01:02:03.5-15:59:59'", Value::TimeTz(3_723_500_000, -57_599)),
        ("TIMETZ", "'24:00:00+05:30'", Value::TimeTz(86_400_000_000, 19_800)),
        ("TIMESTAMP", "'1969-12-31 23:59:59.999999'", Value::Timestamp(-1)),
        ("TIMESTAMP", "'290309-12-22 (BC) 00:00:00'", Value::Timestamp(-9_223_372_022_400_000_000)),
        ("TIMESTAMP", "'294247-01-10 04:00:54.775806'", Value::Timestamp(i64::MAX - 1)),
        ("TIMESTAMP", "'infinity'", Value::Timestamp(i64::MAX)),
        ("TIMESTAMP", "'-infinity'", Value::Timestamp(i64::MIN)),
        ("TIMESTAMP_S", "'2020-01-01 00:00:01'", Value::Timestamp(1_577_836_801_000_000)),
        ("TIMESTAMP_S", "'-infinity'", Value::Timestamp(i64::MIN)),
        ("TIMESTAMP_MS", "'2020-01-01 00:00:01.002'", Value::Timestamp(1_577_836_801_002_000)),
        ("TIMESTAMP_MS", "'infinity'", Value::Timestamp(i64::MAX)),
        ("TIMESTAMP_NS", "'2020-01-01 00:00:01.002003'", Value::Timestamp(1_577_836_801_002_003)),
        ("TIMESTAMP_NS", "'2020-01-01 00:00:01.002003004'", text("2020-01-01 00:00:01.002003004")),
        ("TIMESTAMP_NS", "'1969-12-31 23:59:59.999999999'", text("1969-12-31 23:59:59.999999999")),
        ("TIMESTAMP_NS", "'-infinity'", Value::Timestamp(i64::MIN)),
        ("TIMESTAMPTZ", "'2020-01-01 00:00:00+00'", Value::TimestampTz(1_577_836_800_000_000)),
        ("TIMESTAMPTZ", "'-infinity'", Value::TimestampTz(i64::MIN)),
        ("INTERVAL", "'-14 months 1 day -25 hours'", Value::Interval(-14, 1, -90_000_000_000)),
        ("INTERVAL", "'0 days'", Value::Interval(0, 0, 0)),
        ("INTERVAL", "to_months(-2147483648)", Value::Interval(i32::MIN, 0, 0)),
        ("INTERVAL", "to_days(-2147483648)", Value::Interval(0, i32::MIN, 0)),
        ("INTERVAL", "to_microseconds(9223372036854775807)", Value::Interval(0, 0, i64::MAX)),
        ("INTERVAL", "'-2562047788:00:54.775808'", Value::Interval(0, 0, i64::MIN)),
    ]);
}

#[test]
fn lists() {
    let list = |values: &[Value<'static>]| Value::List(values.to_vec());
    read_as(&[
        ("INTEGER[]", "[]", list(&[])),
        ("INTEGER[]", "[1, NULL, 3]", list(&[Value::Int(1), Value::Null, Value::Int(3)])),
        ("FLOAT[3]", "[1.5, NULL, -0.0]", list(&[Value::Float32(1.5), Value::Null, Value::Float32(-0.0)])),
        ("VARCHAR[]", "['', 'a', NULL]", list(&[text(""), text("a"), Value::Null])),
        ("UUID[]", "['ffffffff-ffff-ffff-ffff-ffffffffffff']", list(&[Value::Uuid([0xff; 16])])),
        ("BOOLEAN[]", "[true, false]", list(&[Value::Bool(true), Value::Bool(false)])),
        (
            "HUGEINT[]",
            "[-170141183460469231731687303715884105728, NULL]",
            list(&[decimal("-170141183460469231731687303715884105728"), Value::Null]),
        ),
        ("DECIMAL(38,10)[]", "[1.5]", list(&[decimal("1.5")])),
        ("INTERVAL[]", "[to_months(3), NULL]", list(&[Value::Interval(3, 0, 0), Value::Null])),
        ("TIMETZ[]", "['12:00:00+02'::TIMETZ]", list(&[Value::TimeTz(43_200_000_000, 7200)])),
        ("BIT[]", "['101'::BIT]", list(&[Value::Bits(3, Cow::Borrowed(&[0xa0]))])),
        ("ENUM('x', 'y')[]", "['y', NULL]", list(&[text("y"), Value::Null])),
        ("JSON[]", "['{}']", list(&[Value::Json(Cow::Borrowed(b"{}"))])),
        (
            "TIMESTAMP_NS[]",
            "['2020-01-01 00:00:00.000000001'::TIMESTAMP_NS]",
            list(&[text("2020-01-01 00:00:00.000000001")]),
        ),
        ("DATE[2]", "['-infinity'::DATE, NULL]", list(&[Value::Date(i32::MIN), Value::Null])),
    ]);
}

#[test]
fn nested_types_are_json_and_lists_of_lists_are_lists() {
    let json = |text: &'static str| Value::Json(Cow::Borrowed(text.as_bytes()));
    let list = |values: &[Value<'static>]| Value::List(values.to_vec());
    read_as(&[
        (
            "INTEGER[][]",
            "[[1, NULL], NULL, []]",
            list(&[list(&[Value::Int(1), Value::Null]), Value::Null, list(&[])]),
        ),
        ("DECIMAL(38,1)[2][]", "[[0.5, 1.0]]", list(&[list(&[decimal("0.5"), decimal("1")])])),
        ("HUGEINT[][][]", "[[[1], []]]", list(&[list(&[list(&[decimal("1")]), list(&[])])])),
        ("ENUM('x', 'y')[][]", "[['y', NULL]]", list(&[list(&[text("y"), Value::Null])])),
        (
            "STRUCT(a HUGEINT, \"b \"\"q\" DECIMAL(38,20), c STRUCT(d BLOB, t TIMETZ))",
            "{'a': 170141183460469231731687303715884105727, 'b \"q': '123456789012345678.12345678901234567890', 'c': {'d': '\\xAA', 't': '12:00:00+05:30'}}",
            json(
                "{\"a\":170141183460469231731687303715884105727,\"b \\\"q\":\"123456789012345678.12345678901234567890\",\"c\":{\"d\":\"\\\\xAA\",\"t\":\"12:00:00+05:30\"}}",
            ),
        ),
        ("MAP(VARCHAR, INTEGER[])", "MAP {'k': [1, NULL], 'l': NULL}", json("{\"k\":[1,null],\"l\":null}")),
        ("UNION(i INTEGER, s VARCHAR)[]", "[union_value(i := 1), NULL]", json("[{\"i\":1},null]")),
        (
            "STRUCT(d DOUBLE, j JSON)",
            "{'d': 'nan', 'j': '{\"n\":  1.00}'}",
            json("{\"d\":NaN,\"j\":\"{\\\"n\\\":  1.00}\"}"),
        ),
    ]);
}

#[test]
fn a_column_that_does_not_move_is_refused_by_name() {
    let fixture =
        Fixture::new("CREATE TABLE t (i INTEGER, s STRUCT(a VARIANT)); INSERT INTO t VALUES (1, {'a': 1})");
    let source = fixture.source();
    let t = table(&source, "t");
    let mut session = source.session().unwrap();
    let chunk = session.chunks(&t, 1000).unwrap()[0];
    let error = session.read(&Read { table: &t, columns: &t.columns, chunk }, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("column s"), "{error}");
    let mut seen = 0;
    let mut count = |_: &[Value<'_>]| {
        seen += 1;
        Ok(())
    };
    session.read(&Read { table: &t, columns: &t.columns[..1], chunk }, &mut count).unwrap();
    assert_eq!(seen, 1);
}
