//! Chunks and rows.

use trimaran_core::{Error, ErrorKind};

use super::*;
use crate::bulk::Chunk;

const SERIES: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)";

/// Reads a table of a source in chunks of ten, each chunk through another session, and checks that every row comes once.
fn covered(create: &str, insert: &str) -> (Vec<Chunk>, Vec<usize>) {
    let (folder, source, catalog) = source_of(&format!("{create}; {insert}"));
    let table = &catalog.tables[0];
    let chunks = source.session().unwrap().chunks(table, 10).unwrap();
    assert_eq!(folder.source().session().unwrap().chunks(table, 10).unwrap(), chunks, "the same every time");
    assert!(chunks.iter().zip(0..).all(|(chunk, at)| chunk.ordinal == at));
    assert!(chunks.windows(2).all(|pair| pair[0].to == pair[1].from));
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let mut sessions = [source.session().unwrap(), source.session().unwrap()];
    for (at, chunk) in chunks.iter().enumerate() {
        let before = seen.len();
        let read = Read { table, columns: &table.columns, chunk: *chunk };
        let mut keep = |row: &[Value<'_>]| {
            seen.push(format!("{row:?}"));
            Ok(())
        };
        sessions[at % 2].read(&read, &mut keep).unwrap();
        sizes.push(seen.len() - before);
        // The same chunk again by a database that was never asked to split.
        let mut again = Vec::new();
        let keep = &mut |row: &[Value<'_>]| {
            again.push(format!("{row:?}"));
            Ok(())
        };
        folder.source().session().unwrap().read(&read, keep).unwrap();
        assert_eq!(again, seen[before..]);
    }
    let mut expected: Vec<String> =
        rows_of(&source, &table.name.name).iter().map(|row| format!("{row:?}")).collect();
    let count =
        folder
            .application()
            .query_row(&format!("SELECT count(*) FROM \"{}\"", table.name.name), [], |r| r.get::<_, i64>(0));
    assert_eq!(expected.len() as i64, count.unwrap());
    expected.sort();
    seen.sort();
    assert_eq!(seen, expected);
    (chunks, sizes)
}

#[test]
fn dense_rowids_are_cut_by_arithmetic() {
    let (chunks, sizes) = covered("CREATE TABLE t (v)", &format!("INSERT INTO t {SERIES} SELECT i FROM n"));
    assert_eq!((chunks.len(), sizes), (100, vec![10; 100]));
    assert_eq!(chunks[0], Chunk { ordinal: 0, from: 1, to: 11 });
    assert_eq!(chunks[99].to, i64::MAX);
}

#[test]
fn sparse_rowids_make_no_empty_chunks() {
    let (chunks, sizes) = covered(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        &format!("INSERT INTO t {SERIES} SELECT i * i * 1000000, i FROM n"),
    );
    assert_eq!((chunks.len(), sizes), (100, vec![10; 100]));
}

#[test]
fn rowids_at_the_ends_of_their_range_are_read() {
    let (chunks, _) = covered(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "INSERT INTO t VALUES (-9223372036854775808), (-5), (0), (9223372036854775806), (9223372036854775807)",
    );
    assert_eq!(chunks, [Chunk { ordinal: 0, from: i64::MIN, to: i64::MAX }]);
    covered(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        &format!("INSERT INTO t {SERIES} SELECT i - 500 FROM n"),
    );
    covered(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        &format!("INSERT INTO t {SERIES} SELECT 9223372036854775807 - i + 1 FROM n"),
    );
}

#[test]
fn an_empty_table_has_no_chunks() {
    assert!(covered("CREATE TABLE t (v)", "").0.is_empty());
    assert!(covered("CREATE TABLE t (v PRIMARY KEY) WITHOUT ROWID", "").0.is_empty());
}

#[test]
fn tables_without_rowids_are_cut_by_key() {
    let (chunks, sizes) = covered(
        "CREATE TABLE t (v, a TEXT COLLATE NOCASE, b, PRIMARY KEY (a, b)) WITHOUT ROWID",
        &format!(
            "INSERT INTO t {SERIES} SELECT i, 'K' || (i % 7), CASE i % 3 WHEN 0 THEN i WHEN 1 THEN 'x' || i ELSE CAST(i AS BLOB) END FROM n"
        ),
    );
    assert_eq!((chunks.len(), sizes), (100, vec![10; 100]));
    assert_eq!(chunks[1], Chunk { ordinal: 1, from: 10, to: 20 });
    let descending = covered(
        "CREATE TABLE t (a, b, PRIMARY KEY (a DESC, b)) WITHOUT ROWID",
        &format!("INSERT INTO t {SERIES} SELECT i % 5, i FROM n"),
    );
    assert_eq!(descending.1, vec![10; 100]);
    let collated = covered(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, PRIMARY KEY (a COLLATE BINARY)) WITHOUT ROWID",
        &format!("INSERT INTO t {SERIES} SELECT CASE i % 2 WHEN 0 THEN 'k' ELSE 'K' END || (i / 2) FROM n"),
    );
    assert_eq!(collated.1, vec![10; 100]);
}

#[test]
fn columns_named_like_the_rowid_do_not_disturb() {
    for columns in
        ["rowid", "rowid, _rowid_", "rowid, \"_ROWID_\", OID", "rowid, _rowid_, oid INTEGER PRIMARY KEY"]
    {
        let values = columns.split(',').map(|_| "1001 - i").collect::<Vec<_>>().join(", ");
        let (_, sizes) = covered(
            &format!("CREATE TABLE t ({columns}, v)"),
            &format!("INSERT INTO t {SERIES} SELECT {values}, i FROM n"),
        );
        assert_eq!(sizes, vec![10; 100], "{columns}");
    }
}

#[test]
fn cells_come_as_they_are_whatever_was_declared() {
    let (_folder, source, _) = source_of(
        "CREATE TABLE \"select\" (\"Group\" INTEGER, \"a \"\"b\" TEXT, d DATE);
         INSERT INTO \"select\" VALUES
             ('no number', x'00ff', 2460000.5), (CAST(x'ff41' AS TEXT), 'a' || char(0) || 'b', -0.5),
             (9223372036854775807, '', x''), (NULL, NULL, 1e999)",
    );
    assert_eq!(
        rows_of(&source, "select"),
        [
            [Value::text("no number"), Value::Bytes(vec![0, 255].into()), Value::Float64(2_460_000.5)],
            [Value::Text(vec![0xff, 0x41].into()), Value::text("a\0b"), Value::Float64(-0.5)],
            [Value::Int(i64::MAX), Value::text(""), Value::Bytes(vec![].into())],
            [Value::Null, Value::Null, Value::Float64(f64::INFINITY)],
        ]
    );
}

#[test]
fn columns_are_read_in_the_order_asked_for_and_none_is_fine() {
    let (_folder, source, catalog) =
        source_of("CREATE TABLE t (a, b, c AS (a + b)); INSERT INTO t VALUES (1, 2)");
    let mut session = source.session().unwrap();
    let table = &catalog.tables[0];
    let chunk = session.chunks(table, 10).unwrap()[0];
    let columns = [table.columns[2].clone(), table.columns[0].clone()];
    let mut seen = Vec::new();
    let mut keep = |row: &[Value<'_>]| {
        seen.push(format!("{row:?}"));
        Ok(())
    };
    session.read(&Read { table, columns: &columns, chunk }, &mut keep).unwrap();
    session.read(&Read { table, columns: &[], chunk }, &mut keep).unwrap();
    assert_eq!(seen, ["[Int(3), Int(1)]", "[]"]);
}

#[test]
fn what_the_visitor_returns_ends_the_reading_unchanged() {
    let (_folder, source, catalog) = source_of("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)");
    let mut session = source.session().unwrap();
    let table = &catalog.tables[0];
    let chunk = session.chunks(table, 10).unwrap()[0];
    let mut count = 0;
    let stop = session.read(&Read { table, columns: &table.columns, chunk }, &mut |_| {
        count += 1;
        Err(Error::new(ErrorKind::Interrupted, "go on"))
    });
    assert_eq!((stop.unwrap_err().kind(), count), (ErrorKind::Interrupted, 1));
    assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(2)]]);
}

#[test]
fn text_of_a_utf_16_database_comes_as_utf_8() {
    let (_folder, source, _) =
        source_of("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (v); INSERT INTO t VALUES ('aé😀')");
    assert_eq!(rows_of(&source, "t"), [[Value::text("aé😀")]]);
}
