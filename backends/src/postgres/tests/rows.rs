//! Rows in and out.

use std::borrow::Cow;

use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Value, decimal};

use super::super::copy_encode::{END_DATE, EPOCH_DAYS, EPOCH_MICROS, MIN_DATE, MIN_TIMESTAMP};
use super::*;

/// Each type with values at its ends.
fn ends() -> Vec<(LogicalType, Vec<Value<'static>>)> {
    use LogicalType as T;
    let dec = |text: &str| Value::Decimal(Cow::Owned(decimal::canonical(text).unwrap().into_owned()));
    let text = |text: &str| Value::Text(Cow::Owned(text.as_bytes().to_vec()));
    let bytes = |bytes: &[u8]| Value::Bytes(Cow::Owned(bytes.to_vec()));
    let json = |text: &str| Value::Json(Cow::Owned(text.as_bytes().to_vec()));
    vec![
        (T::Bool, vec![Value::Bool(true), Value::Bool(false)]),
        (T::Int16, vec![Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())]),
        (T::Int32, vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())]),
        (T::Int64, vec![Value::Int(i64::MIN), Value::Int(i64::MAX)]),
        (
            T::Float32,
            vec![
                Value::Float32(-0.0),
                Value::Float32(f32::MIN_POSITIVE / 2.0),
                Value::Float32(f32::INFINITY),
            ],
        ),
        (T::Float64, vec![Value::Float64(-0.0), Value::Float64(0.1), Value::Float64(f64::NEG_INFINITY)]),
        (
            T::Decimal { precision: 38, scale: 10 },
            vec![dec("-1234567890123456789012345678.0123456789"), dec("0"), dec("NaN")],
        ),
        (
            T::Numeric,
            vec![
                dec("Infinity"),
                dec("-Infinity"),
                dec("NaN"),
                dec("1e131071"),
                dec("-1e-16383"),
                dec("10000"),
            ],
        ),
        (T::Text, vec![text(""), text("é日🦀\u{1}\u{1a}\u{7f}"), text(&"x".repeat(300_000))]),
        (T::Bytes, vec![bytes(&[]), bytes(&[0, 255, 0]), bytes(&[7; 300_000])]),
        (T::Json, vec![json("{\"a\" :  1, \"a\": 2}"), json("\"\\u0000\""), json("1e400")]),
        (T::Uuid, vec![Value::Uuid([0; 16]), Value::Uuid([255; 16])]),
        (
            T::Date,
            vec![
                Value::Date(i32::MIN),
                Value::Date(i32::MAX),
                Value::Date(MIN_DATE + EPOCH_DAYS),
                Value::Date(END_DATE - 1 + EPOCH_DAYS),
            ],
        ),
        (T::Time, vec![Value::Time(0), Value::Time(86_400_000_000)]),
        (
            T::TimeTz,
            vec![Value::TimeTz(86_400_000_000, 57_599), Value::TimeTz(0, -57_599), Value::TimeTz(1, 1)],
        ),
        (
            T::Timestamp,
            vec![
                Value::Timestamp(i64::MIN),
                Value::Timestamp(i64::MAX),
                Value::Timestamp(MIN_TIMESTAMP + EPOCH_MICROS),
                Value::Timestamp(i64::MAX - 1),
            ],
        ),
        (
            T::TimestampTz,
            vec![Value::TimestampTz(i64::MIN), Value::TimestampTz(-1), Value::TimestampTz(i64::MAX)],
        ),
        (
            T::Interval,
            vec![
                Value::Interval(i32::MIN, i32::MAX, i64::MIN),
                Value::Interval(0, 0, 0),
                Value::Interval(-1, 1, -1),
            ],
        ),
        (
            T::Bits,
            vec![
                Value::Bits(0, Cow::Borrowed(&[])),
                Value::Bits(9, Cow::Borrowed(&[0xff, 0x80])),
                Value::Bits(8, Cow::Borrowed(&[1])),
            ],
        ),
    ]
}

#[test]
fn every_type_written_is_read_back_equal_alone_and_in_lists() {
    let (server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    let mut types = Vec::new();
    let mut values = Vec::new();
    for (logical, ends) in ends() {
        let list = vec![Value::List(vec![]), Value::List([vec![Value::Null], ends.clone()].concat())];
        types.push(logical.clone());
        values.push(ends);
        types.push(LogicalType::List(Box::new(logical)));
        values.push(list);
    }
    let definitions: Vec<_> = columns(&types)
        .into_iter()
        .map(|(column, logical)| format!("{column} {}", logical.stored_as(Engine::Postgres)))
        .collect();
    server.execute(&format!("CREATE TABLE t ({})", definitions.join(", ")));
    // Row n has each column's n-th value; behind its last it is NULL.
    let height = values.iter().map(Vec::len).max().unwrap() + 1;
    let rows: Vec<Vec<_>> = (0..height)
        .map(|n| values.iter().map(|column| column.get(n).cloned().unwrap_or(Value::Null)).collect())
        .collect();
    assert_eq!(write_all(&database, session.as_mut(), "t", &types, &rows).unwrap(), rows.len() as u64);

    let table = table(&database, "t");
    let declared: Vec<_> = table.columns.iter().map(|c| c.logical.clone().unwrap()).collect();
    assert_eq!(declared, types, "the catalogue knows every type again");
    for (read, written) in read_all(session.as_mut(), &table, 2).into_iter().zip(&rows) {
        for (n, (read, written)) in read.iter().zip(written).enumerate() {
            let (read, written) = (bits(read), bits(written));
            assert!(read == written, "{}: {read:.80?} instead of {written:.80?}", types[n]);
        }
    }
    // Postgres agrees about what the values mean.
    let shown = |sql: &str| server.value(sql).unwrap();
    assert_eq!(shown("SELECT max(c24)::text FROM t WHERE c24 < 'infinity'"), "5874897-12-31");
    assert_eq!(shown("SELECT min(c24)::text FROM t WHERE c24 > '-infinity'"), "4714-11-24 BC");
    assert_eq!(
        shown("SELECT string_agg(c28::text, ' ' ORDER BY c28::text) FROM t"),
        "00:00:00-15:59:59 00:00:00.000001+00:00:01 24:00:00+15:59:59"
    );
    assert_eq!(shown("SELECT c36::text FROM t WHERE length(c36) = 9"), "111111111");
}

/// The value in bytes: NaN equals itself, and zero differs from minus zero.
fn bits(value: &Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    trimaran_core::digest::encode(value, &mut out);
    out
}

#[test]
fn chunks_cover_every_row_once_and_stay_the_same_under_analyze() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a bigint, b text)");
    server.execute("INSERT INTO t SELECT i, repeat('x', (i % 300)::int) FROM generate_series(1, 20000) i");
    server.execute("DELETE FROM t WHERE a % 7 = 0");
    let mut session = database.session().unwrap();
    let table = table(&database, "t");
    let chunks = session.chunks(&table, 1000).unwrap();
    assert!((10..=40).contains(&chunks.len()), "{}", chunks.len());
    assert!(chunks.windows(2).all(|w| w[0].to == w[1].from && w[0].ordinal + 1 == w[1].ordinal));
    assert_eq!((chunks[0].from, chunks.last().unwrap().to), (0, i64::MAX));
    let expected: Vec<i64> = (1..=20000).filter(|i| i % 7 != 0).collect();
    let mut keys: Vec<i64> = read_all(session.as_mut(), &table, 1000)
        .into_iter()
        .map(|row| match row[0] {
            Value::Int(key) => key,
            _ => panic!("a key"),
        })
        .collect();
    keys.sort_unstable();
    assert!(keys == expected, "{} rows instead of {}", keys.len(), expected.len());
    server.execute("ANALYZE t");
    assert_eq!(session.chunks(&table, 1000).unwrap(), chunks);
}

#[test]
fn an_empty_table_is_one_chunk_without_rows() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a int)");
    let mut session = database.session().unwrap();
    let table = table(&database, "t");
    assert_eq!(session.chunks(&table, 10).unwrap().len(), 1);
    assert!(read_all(session.as_mut(), &table, 10).is_empty());
    assert_eq!(session.write(&name("t"), &columns(&[]), &[]).unwrap_or(0), 0);
}

#[test]
fn partitions_are_read_through_their_table_and_children_are_not_read_twice() {
    let (server, database) = open(Access::Target);
    server.execute(
        "CREATE TABLE p (a int, b text) PARTITION BY RANGE (a);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
         INSERT INTO p SELECT i, 'x' FROM generate_series(0, 19) i;
         CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent);
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)",
    );
    let mut session = database.session().unwrap();
    let rows = |session: &mut dyn Session, name: &str| read_all(session, &table(&database, name), 5).len();
    assert_eq!(rows(session.as_mut(), "p"), 20);
    assert_eq!(rows(session.as_mut(), "parent"), 1);
    assert_eq!(rows(session.as_mut(), "child"), 1);
    let catalog = database.catalog(None).unwrap();
    assert_eq!(
        catalog.tables.iter().map(|t| t.name.name.as_str()).collect::<Vec<_>>(),
        ["child", "p", "parent"]
    );
    assert_eq!(catalog.unmovable.iter().filter(|u| u.kind == "partition").count(), 2);
}

#[test]
fn a_partitioned_table_is_read_by_ranges_of_its_parts() {
    let (server, database) = open(Access::Target);
    server.execute(
        "CREATE SCHEMA other;
         CREATE TABLE p (gone int, a int, b text) PARTITION BY RANGE (a); ALTER TABLE p DROP COLUMN gone;
         CREATE TABLE other.\"p 1\" (b text, a int);
         ALTER TABLE p ATTACH PARTITION other.\"p 1\" FOR VALUES FROM (0) TO (4000);
         CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (4000) TO (8000) PARTITION BY LIST (b);
         CREATE TABLE p2x PARTITION OF p2 FOR VALUES IN ('x'); CREATE TABLE p2y PARTITION OF p2 DEFAULT;
         CREATE TABLE empty PARTITION OF p DEFAULT;
         INSERT INTO p SELECT i, CASE i % 2 WHEN 0 THEN 'x' ELSE 'y' END FROM generate_series(0, 7999) i;
         CREATE TABLE nobody (a int) PARTITION BY RANGE (a)",
    );
    let mut session = database.session().unwrap();
    let p = table(&database, "p");
    let chunks = session.chunks(&p, 500).unwrap();
    assert!(chunks.len() >= 16, "{chunks:?}");
    assert!(chunks.windows(2).all(|pair| pair[0].from < pair[1].from && pair[0].to <= pair[1].from));
    let mut rows = read_all(session.as_mut(), &p, 500);
    rows.sort_by_key(|row| match row[0] {
        Value::Int(a) => a,
        ref other => panic!("{other:?}"),
    });
    let expected: Vec<_> =
        (0..8_000).map(|a| vec![Value::Int(a), Value::text(if a % 2 == 0 { "x" } else { "y" })]).collect();
    assert!(rows == expected, "{} rows", rows.len());
    let nobody = table(&database, "nobody");
    assert_eq!(session.chunks(&nobody, 10).unwrap().len(), 1);
    assert!(read_all(session.as_mut(), &nobody, 10).is_empty());

    // What may be read through the root alone is.
    server.execute("ALTER TABLE p2x ENABLE ROW LEVEL SECURITY");
    let mut session = database.session().unwrap();
    assert_eq!(session.chunks(&p, 500).unwrap().len(), 1);
    assert_eq!(read_all(session.as_mut(), &p, 500).len(), 8_000);
}

#[test]
fn types_without_a_binary_form_of_ours_are_cast() {
    let (server, database) = open(Access::Target);
    server.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
         CREATE TABLE t (a mood, b jsonb, c oid, d \"char\", e inet, f mood[], g positive, h name, i char(4), j point);
         INSERT INTO t VALUES ('glad', '{\"a\":1}', 4294967295, 'x', '10.0.0.1/8', '{sad,NULL}', 5, 'n', 'ab', '(1,2)')",
    );
    let mut session = database.session().unwrap();
    let table = table(&database, "t");
    let text = |text: &'static str| Value::text(text);
    assert_eq!(
        read_all(session.as_mut(), &table, 10),
        [vec![
            text("glad"),
            Value::Json(Cow::Borrowed(b"{\"a\": 1}")),
            Value::Int(4_294_967_295),
            text("x"),
            text("10.0.0.1/8"),
            Value::List(vec![text("sad"), Value::Null]),
            Value::Int(5),
            text("n"),
            text("ab  "),
            text("(1,2)"),
        ]]
    );
    let logical: Vec<_> = table.columns.iter().map(|c| c.logical.as_ref().map(ToString::to_string)).collect();
    let names: Vec<_> = logical.iter().map(Option::as_deref).collect();
    assert_eq!(
        names,
        [
            Some("text"),
            Some("json"),
            Some("bigint"),
            Some("text"),
            Some("text"),
            Some("text[]"),
            Some("integer"),
            Some("text"),
            Some("text"),
            Some("text")
        ]
    );
}

#[test]
fn a_consumer_that_stops_gets_its_error_back_and_the_session_goes_on() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 50000)");
    let mut session = database.session().unwrap();
    let table = table(&database, "t");
    let chunk = session.chunks(&table, u64::MAX).unwrap()[0];
    let read = Read { table: &table, columns: &table.columns, chunk };
    let mut seen = 0;
    let error = session
        .read(&read, &mut |_| {
            seen += 1;
            if seen == 10 { Err(Error::new(ErrorKind::Interrupted, "go on")) } else { Ok(()) }
        })
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Interrupted, "can't go on: interrupted")
    );
    assert_eq!(seen, 10);
    assert_eq!(session.query("SELECT 7", &[]).unwrap(), [[Value::Int(7)]]);
}

#[test]
fn a_value_that_cannot_be_held_names_table_and_column() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a int, odd int[]); INSERT INTO t VALUES (1, '[0:1]={1,2}')");
    let mut session = database.session().unwrap();
    let table = table(&database, "t");
    let chunk = session.chunks(&table, 10).unwrap()[0];
    let read = Read { table: &table, columns: &table.columns, chunk };
    let error = session.read(&read, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("table t") && error.to_string().contains("\"odd\""), "{error}");
}

#[test]
fn a_moment_beyond_64_bits_comes_in_words() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (late timestamp); INSERT INTO t VALUES ('294276-12-31')");
    let mut session = database.session().unwrap();
    let words = Value::text("9224317929600 seconds since 1970-01-01 00:00:00");
    assert_eq!(read_all(session.as_mut(), &table(&database, "t"), 10), [[words]]);
}

#[test]
fn values_of_many_megabytes_survive() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (c0 text, c1 bytea)");
    let mut session = database.session().unwrap();
    let rows = [vec![
        Value::Text(Cow::Owned(vec![b'a'; 20 << 20])),
        Value::Bytes(Cow::Owned(
            (0..20 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        )),
    ]];
    let types = [LogicalType::Text, LogicalType::Bytes];
    write_all(&database, session.as_mut(), "t", &types, &rows).unwrap();
    assert!(read_all(session.as_mut(), &table(&database, "t"), 1) == rows);
}
