//! What SQLite's columns become: by declared type, by storage class, by kind of table.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, migrate, sqlite_url};

/// Declared type, value in SQLite, type in Postgres, value in Postgres as text.
const SQLITE: [(&str, &str, &str, &str); 24] = [
    ("INTEGER", "9223372036854775807", "bigint", "9223372036854775807"),
    ("SMALLINT", "-5", "bigint", "-5"),
    ("REAL", "0.1", "double precision", "0.1"),
    ("DOUBLE PRECISION", "-1e300", "double precision", "-1e+300"),
    ("DECIMAL(10,2)", "12.5", "numeric", "12.5"),
    ("TEXT", "'naïve'", "text", "naïve"),
    ("VARCHAR(3)", "'longer than three'", "text", "longer than three"),
    ("BLOB", "x'00ff'", "bytea", "\\x00ff"),
    ("BOOLEAN", "1", "boolean", "true"),
    ("DATETIME", "'2025-01-02 03:04:05'", "timestamp without time zone", "2025-01-02 03:04:05"),
    (
        "TIMESTAMP",
        "'2025-01-02T03:04:05.000006'",
        "timestamp without time zone",
        "2025-01-02 03:04:05.000006",
    ),
    ("DATETIME", "'2025-01-02 03:04:05+02:00'", "timestamp with time zone", "2025-01-02 01:04:05+00"),
    ("DATETIME", "1735787045", "timestamp without time zone", "2025-01-02 03:04:05"),
    ("DATETIME", "1735787045006", "timestamp without time zone", "2025-01-02 03:04:05.006"),
    ("DATETIME", "2460677.5", "timestamp without time zone", "2025-01-02 00:00:00"),
    ("DATE", "'2025-01-02'", "date", "2025-01-02"),
    ("TIME", "'03:04:05.25'", "time without time zone", "03:04:05.25"),
    ("UUID", "'0123456789abcdef0123456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("CHAR(36)", "'01234567-89AB-cdef-0123-456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("BINARY(16)", "x'0123456789abcdef0123456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("JSON", r#"'{"a":  1, "a": 2}'"#, "json", r#"{"a":  1, "a": 2}"#),
    ("JSON", "5", "json", "5"),
    ("", "'no type declared'", "text", "no type declared"),
    ("", "7", "bigint", "7"),
];

#[test]
fn each_sqlite_type_and_form_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("types.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    let columns: Vec<_> = SQLITE.iter().enumerate().map(|(n, (sql, ..))| format!("c{n} {sql}")).collect();
    let values: Vec<_> = SQLITE.iter().map(|(_, value, ..)| *value).collect();
    source
        .execute_batch(&format!(
            "CREATE TABLE t ({}); INSERT INTO t VALUES ({});",
            columns.join(", "),
            values.join(", ")
        ))
        .unwrap();
    drop(source);
    let target = database();
    migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    for (n, (declared, value, expected_type, expected)) in SQLITE.iter().enumerate() {
        let found = cell(
            &target,
            &format!(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c{n}'"
            ),
        );
        assert_eq!(&found, expected_type, "type of {declared} {value}");
        assert_eq!(&cell(&target, &format!("SELECT c{n}::text FROM t")), expected, "{declared} {value}");
    }
}

#[test]
fn every_storage_class_in_every_affinity_moves_or_is_a_hazard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("classes.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    // Declared, and what its five rows become: an integer, a real, a text, bytes, NULL.
    const AFFINITIES: [(&str, [&str; 5]); 5] = [
        ("INTEGER", ["moves", "inexact", "wrong-type", "wrong-type", "moves"]),
        ("REAL", ["moves", "moves", "wrong-type", "wrong-type", "moves"]),
        ("TEXT", ["moves", "moves", "moves", "wrong-type", "moves"]),
        ("NUMERIC", ["moves", "moves", "wrong-type", "wrong-type", "moves"]),
        ("BLOB", ["wrong-type", "wrong-type", "wrong-type", "moves", "moves"]),
    ];
    let mut expected = Vec::new();
    for (declared, becomes) in AFFINITIES {
        source
            .execute_batch(&format!("CREATE TABLE in_{declared} (id INTEGER PRIMARY KEY, v {declared})"))
            .unwrap();
        for (id, value) in ["7", "0.5", "'word'", "x'00ff'", "NULL"].into_iter().enumerate() {
            source.execute_batch(&format!("INSERT INTO in_{declared} VALUES ({id}, {value})")).unwrap();
        }
        let mut hazards: Vec<&str> = becomes.into_iter().filter(|what| *what != "moves").collect();
        hazards.sort_unstable();
        let mut counted: Vec<(&str, usize)> = Vec::new();
        for hazard in hazards {
            match counted.last_mut() {
                Some((last, count)) if *last == hazard => *count += 1,
                _ => counted.push((hazard, 1)),
            }
        }
        expected.extend(
            counted
                .into_iter()
                .map(|(hazard, count)| format!("in_{declared}.v {hazard} {count} quarantines")),
        );
    }
    drop(source);
    let target = database();
    let run = migrate("run", &sqlite_url(&path), target.url(), &["--on-hazard", "quarantine"]).expect(5);
    let (mut hazards, left) = (run.hazards(), expected.len());
    hazards.sort();
    expected.sort();
    assert_eq!(hazards, expected);
    assert!(left > 0);
    let (source_rows, target_rows, aside) = run.totals();
    assert_eq!((source_rows, target_rows + aside), (25, 25));
    assert_eq!(cell(&target, r#"SELECT string_agg(v, ',' ORDER BY id) FROM "in_TEXT""#), "7,0.5,word");
    assert_eq!(cell(&target, r#"SELECT string_agg(v::text, ',' ORDER BY id) FROM "in_NUMERIC""#), "7,0.5");
}

#[test]
fn strict_tables_tables_without_rowid_and_null_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kinds.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE strict (id INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT;
             INSERT INTO strict VALUES (1, 9223372036854775807, 2, '5', x'00', 'x'), (2, NULL, 0.5, '', x'', NULL);
             CREATE TABLE keyed (a TEXT, b INTEGER, v REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
             INSERT INTO keyed VALUES ('x', 1, 0.5), ('x', 2, 1e300);
             CREATE TABLE loose (k TEXT PRIMARY KEY, v INTEGER);
             INSERT INTO loose VALUES ('a', 1), (NULL, 2), (NULL, 3);
             CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT);
             INSERT INTO counted VALUES (41, 'kept'), (99, 'deleted'); DELETE FROM counted WHERE id = 99;
             CREATE TABLE reused (id INTEGER PRIMARY KEY, v TEXT);
             INSERT INTO reused VALUES (7, 'last');",
        )
        .unwrap();
    drop(source);
    let target = database();
    let run = migrate("run", &sqlite_url(&path), target.url(), &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(run.hazards(), ["loose.k null-in-key 2 quarantines"]);
    assert_eq!(cell(&target, "SELECT r || t || encode(b, 'hex') || a FROM strict WHERE id = 1"), "2500x");
    assert_eq!(cell(&target, "SELECT v::text FROM keyed WHERE (a, b) = ('x', 2)"), "1e+300");
    // AUTOINCREMENT never gives out a number again; a plain integer key goes on behind the greatest.
    assert_eq!(cell(&target, "INSERT INTO counted (v) VALUES ('next') RETURNING id"), "100");
    assert_eq!(cell(&target, "INSERT INTO reused (v) VALUES ('next') RETURNING id"), "8");
}
