//! Chunks, and rows too large for memory to hold many of.

use super::*;

#[test]
fn chunks_cover_every_row_once_whatever_was_deleted() {
    let fixture = Fixture::new(
        "CREATE TABLE t AS SELECT range AS i, 'row ' || range AS v FROM range(300000);
         DELETE FROM t WHERE i % 7 = 0 OR i BETWEEN 100000 AND 140000 OR i > 299990;
         INSERT INTO t SELECT range, NULL FROM range(400000, 400100)",
    );
    let source = fixture.source();
    let expected: Vec<_> = (0..300_000i64)
        .filter(|i| !(i % 7 == 0 || (100_000..=140_000).contains(i) || *i > 299_990))
        .chain(400_000..400_100)
        .collect();
    for rows in [5_000, 122_880, 1_000_000] {
        let read: Vec<_> = read_all(&source, "t", rows)
            .into_iter()
            .map(|row| match row[0] {
                Value::Int(i) => i,
                ref other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(read, expected);
    }
    let t = table(&source, "t");
    let chunks = source.session().unwrap().chunks(&t, 122_880).unwrap();
    assert_eq!(chunks, source.session().unwrap().chunks(&t, 122_880).unwrap());
    assert_eq!(chunks.last().map(|c| c.to), Some(i64::MAX));
    assert!(chunks.iter().all(|c| c.from % 122_880 == 0));
}

#[test]
fn row_groups_that_vanished_leave_gaps_and_nothing_else() {
    let fixture = Fixture::new(
        "CREATE TABLE t AS SELECT range AS i, CASE WHEN range % 1000 = 0 THEN repeat('x', 100000) END AS v
         FROM range(400000);
         CHECKPOINT; DELETE FROM t WHERE i < 250000; CHECKPOINT; INSERT INTO t SELECT range, NULL FROM range(10)",
    );
    let location = Location::file(Engine::Duckdb, fixture.path());
    // A small share, so that the heavy vectors are cut.
    let options = OpenOptions { access: Access::Source, memory: 32 << 20, sessions: 16 };
    let source = DuckdbDatabase::open(&location, options).unwrap();
    let rows = read_all(&source, "t", 122_880);
    let read: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
    let expected: Vec<_> = (250_000..400_000).chain(0..10).map(Value::Int).collect();
    assert!(read == expected, "{} rows", read.len());
    assert_eq!(rows.iter().filter(|row| !row[1].is_null()).count(), 150);
}

#[test]
fn an_empty_table_has_no_chunks() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let source = fixture.source();
    let t = table(&source, "t");
    assert_eq!(source.session().unwrap().chunks(&t, 1000).unwrap(), vec![]);
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let fixture = Fixture::new("CREATE TABLE t (a INTEGER, \"B c\" VARCHAR); INSERT INTO t VALUES (1, 'x')");
    let source = fixture.source();
    let t = table(&source, "t");
    let mut session = source.session().unwrap();
    let chunk = session.chunks(&t, 1000).unwrap()[0];
    let columns = [t.columns[1].clone(), t.columns[0].clone()];
    let mut rows = 0;
    session
        .read(&Read { table: &t, columns: &columns, chunk }, &mut |row| {
            assert_eq!(row, [Value::text("x"), Value::Int(1)]);
            rows += 1;
            Ok(())
        })
        .unwrap();
    session
        .read(&Read { table: &t, columns: &[], chunk }, &mut |row| {
            assert!(row.is_empty());
            rows += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(rows, 2);
}

/// 300 rows of 256 KiB: 75 MiB in one vector, more than DuckDB is allowed here.
fn large_texts(setting: &str) -> Fixture {
    Fixture::new(&format!(
        "{setting};
         CREATE TABLE t (i INTEGER, v VARCHAR, w VARCHAR);
         INSERT INTO t SELECT range, repeat(md5(range::VARCHAR), 8192), 'w' || range FROM range(300);
         CHECKPOINT;"
    ))
}

#[test]
fn large_values_are_read_a_few_at_a_time() {
    let fixture = large_texts("SET force_compression = 'uncompressed'");
    let source = fixture.source();
    let connection = duckdb_connection(&source);
    let layout = crate::duckdb::storage::examine(&connection, &TableName::new("main", "t")).unwrap();
    let ranges = layout.ranges(0, i64::MAX, 8 << 20);
    // 8 MiB hold 31 such rows; four more are allowed beyond them.
    assert!(ranges.len() >= 9, "{ranges:?}");
    assert!(ranges.iter().all(|r| r.end - r.start <= 36 || r.start >= 300), "{ranges:?}");
    assert_eq!(layout.ranges(0, i64::MAX, 1 << 30).len(), 1);

    let rows = read_all(&source, "t", 122_880);
    assert_eq!(rows.len(), 300);
    for (at, row) in rows.iter().enumerate() {
        let (Value::Text(v), Value::Text(w)) = (&row[1], &row[2]) else { panic!("{row:?}") };
        assert_eq!((v.len(), w.as_ref()), (262_144, format!("w{at}").as_bytes()));
    }
}

#[test]
fn large_values_are_read_whatever_they_are_compressed_with() {
    for setting in ["SET force_compression = 'zstd'", "SET force_compression = 'auto'"] {
        let rows = read_all(&large_texts(setting).source(), "t", 122_880);
        assert_eq!(rows.len(), 300, "{setting}");
    }
}

#[test]
fn light_tables_are_read_in_one_go() {
    let fixture = Fixture::new(
        "CREATE TABLE t AS SELECT range AS i, repeat('x', 200) AS v, [range, range] AS l FROM range(200000)",
    );
    let source = fixture.source();
    let layout =
        crate::duckdb::storage::examine(&duckdb_connection(&source), &TableName::new("main", "t")).unwrap();
    assert_eq!(layout.ranges(0, i64::MAX, 4 << 20), vec![0..i64::MAX]);
}

#[test]
fn a_source_gets_more_memory_when_it_must_and_gives_each_row_once() {
    // The first vector is given before the large value of the second does not fit.
    let fixture = Fixture::new(
        "SET force_compression = 'uncompressed';
         CREATE TABLE t AS SELECT range AS i, CASE WHEN range = 2500 THEN repeat('x', 40000000) ELSE 'small' END AS v
         FROM range(3000);
         CHECKPOINT;",
    );
    let location = Location::file(Engine::Duckdb, fixture.path());
    let options = OpenOptions { access: Access::Source, memory: 512 << 20, sessions: 1 };
    let source = DuckdbDatabase::open(&location, options).unwrap();
    let limit = || {
        let mut session = source.session().unwrap();
        session.query("SELECT current_setting('memory_limit')", &[]).unwrap().remove(0).remove(0)
    };
    assert_eq!(limit(), Value::text("32.0 MiB"));
    let rows = read_all(&source, "t", 1_000_000);
    let read: Vec<_> = rows.iter().map(|row| row[0].clone()).collect();
    assert!(read == (0..3_000).map(Value::Int).collect::<Vec<_>>(), "{} rows", read.len());
    assert!(matches!(&rows[2_500][1], Value::Text(v) if v.len() == 40_000_000));
    assert_ne!(limit(), Value::text("32.0 MiB"));
}

#[test]
fn too_little_memory_says_what_to_raise() {
    let fixture = Fixture::new("CREATE TABLE t AS SELECT range AS i FROM range(3000000)");
    let location = Location::file(Engine::Duckdb, fixture.path());
    let options = OpenOptions { access: Access::Source, memory: 4 << 20, sessions: 1 };
    let source = DuckdbDatabase::open(&location, options).unwrap();
    let sorted =
        source.session().unwrap().query("SELECT i FROM t ORDER BY hash(i) LIMIT 1 OFFSET 2000000", &[]);
    let error = sorted.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.report().contains("--memory"), "{}", error.report());
}

fn duckdb_connection(database: &DuckdbDatabase) -> duckdb::Connection {
    database.connection().unwrap()
}
