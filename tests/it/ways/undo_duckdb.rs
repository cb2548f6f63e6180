//! DuckDB → Postgres → DuckDB.

use std::path::Path;

use trimaran_backends::testing::postgres::database;

use super::{duckdb_rows, source_digests, target_digests};
use crate::cli::{duckdb_url, migrate, sqlite_url};
use crate::samples;

/// Every type that moves, with its first value; the second row has its least or strangest, the third NULL.
pub(super) const TYPES: [(&str, &str, &str); 37] = [
    ("BOOLEAN", "true", "false"),
    ("TINYINT", "127", "-128"),
    ("SMALLINT", "32767", "-32768"),
    ("INTEGER", "2147483647", "-2147483648"),
    ("BIGINT", "9223372036854775807", "-9223372036854775808"),
    ("UTINYINT", "255", "0"),
    ("USMALLINT", "65535", "0"),
    ("UINTEGER", "4294967295", "0"),
    ("UBIGINT", "18446744073709551615", "0"),
    ("HUGEINT", "170141183460469231731687303715884105727", "-170141183460469231731687303715884105728"),
    ("UHUGEINT", "340282366920938463463374607431768211455", "0"),
    ("FLOAT", "0.1", "'infinity'"),
    ("DOUBLE", "0.1", "'-infinity'"),
    ("DECIMAL(18,4)", "-12345678901234.5678", "0.0001"),
    ("DECIMAL(38,10)", "1234567890123456789012345678.0123456789", "-1"),
    ("VARCHAR", "'naïve 日本 🦑'", "'a' || chr(0) || 'b' || chr(26) || '0'"),
    ("BLOB", r"'\x00\xFF'::BLOB", "''::BLOB"),
    ("BIT", "'0101101'::BIT", "'1'::BIT"),
    ("UUID", "'ffffffff-0000-4000-8000-0123456789ab'", "'00000000-0000-0000-0000-000000000000'"),
    ("JSON", r#"'{"b": 1, "a": [1, 2,  3], "b": 2}'"#, r#"'{"t": NaN, "n": "\u0000"}'"#),
    ("DATE", "'0044-03-15 (BC)'", "'infinity'"),
    ("TIME", "'23:59:59.999999'", "'00:00:00'"),
    ("TIMETZ", "'12:00:00+05:30'", "'00:00:00-11:00'"),
    ("TIMESTAMP", "'2025-02-03 04:05:06.789012'", "'-infinity'"),
    ("TIMESTAMP_S", "'2025-02-03 04:05:06'", "'1969-12-31 23:59:59'"),
    ("TIMESTAMP_MS", "'2025-02-03 04:05:06.789'", "'1969-12-31 23:59:59.999'"),
    ("TIMESTAMP_NS", "'2025-02-03 04:05:06.789012'", "'1969-12-31 23:59:59.999999'"),
    ("TIMESTAMPTZ", "'2025-02-03 04:05:06+00'", "'0001-01-01 (BC) 00:00:00+00'"),
    ("INTERVAL", "INTERVAL (-14) MONTH + INTERVAL 3 DAY + INTERVAL 5 SECOND", "INTERVAL 0 DAY"),
    ("ENUM('low', 'it''s high')", "'it''s high'", "'low'"),
    ("INTEGER[]", "[1, NULL, 3]", "[]"),
    ("UTINYINT[]", "[0, NULL, 255]", "[]"),
    ("FLOAT[3]", "[0.5, -1.5, 2]", "[NULL, 0, 1]"),
    ("VARCHAR[]", "['a', '', NULL]", "['x' || chr(0), chr(26)]"),
    ("UUID[]", "['ffffffff-0000-4000-8000-0123456789ab']", "[]"),
    ("DECIMAL(9,2)[]", "[1.25, NULL]", "[]"),
    ("TIMESTAMP[]", "['2025-02-03 04:05:06.789012']", "[]"),
];

/// A file with a table of every type, of keys of every kind, and of names that need quotes.
pub(super) fn write(path: &Path) {
    let source = duckdb::Connection::open(path).unwrap();
    let columns: Vec<String> =
        TYPES.iter().enumerate().map(|(at, (sql, ..))| format!("c{at} {sql}")).collect();
    let row = |pick: fn(&(&str, &str, &str)) -> String| TYPES.iter().map(pick).collect::<Vec<_>>().join(", ");
    source
        .execute_batch(&format!(
            "CREATE TABLE every (id INTEGER PRIMARY KEY, {});
             INSERT INTO every VALUES (1, {}); INSERT INTO every VALUES (2, {}); INSERT INTO every (id) VALUES (3);",
            columns.join(", "),
            row(|(_, first, _)| (*first).to_owned()),
            row(|(_, _, second)| (*second).to_owned()),
        ))
        .unwrap();
    source
        .execute_batch(
            r#"CREATE SEQUENCE drawn START 5;
            CREATE TABLE "Order" (id BIGINT DEFAULT nextval('drawn') PRIMARY KEY, "Group" VARCHAR NOT NULL DEFAULT 'it''s',
                part UTINYINT, made TIMESTAMP DEFAULT current_timestamp, UNIQUE ("Group", part));
            INSERT INTO "Order" ("Group", part) SELECT 'g' || i, i % 200 FROM range(3000) t(i);
            CREATE TABLE line (id UUID PRIMARY KEY, "order" BIGINT REFERENCES "Order" (id), weight DOUBLE);
            INSERT INTO line SELECT md5('l' || i)::UUID, 5 + i % 3000, i / 7 FROM range(5000) t(i);
            CREATE TABLE note (line UUID REFERENCES line (id), text VARCHAR);
            INSERT INTO note SELECT md5('l' || i)::UUID, 'before' || chr(0) || i FROM range(100) t(i);
            CREATE INDEX by_weight ON line (weight); CREATE UNIQUE INDEX once ON note (text);
            CREATE TABLE "empty one" ("a ""quoted"" name" INTEGER);"#,
        )
        .unwrap();
    source.close().unwrap();
}

/// What a file declares: columns, keys and indexes, a line each.
pub(super) fn declared(path: &Path) -> Vec<String> {
    let columns = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM duckdb_columns()
                   WHERE table_name NOT LIKE '\\_trimaran%' ESCAPE '\\' AND NOT internal ORDER BY 1";
    let keys = "SELECT table_name || ' ' || constraint_type || ' ' || constraint_column_names::VARCHAR || coalesce(referenced_table, '')
                FROM duckdb_constraints() WHERE table_name NOT LIKE '\\_trimaran%' ESCAPE '\\' AND constraint_type <> 'NOT NULL' ORDER BY 1";
    let indexes = "SELECT index_name || ' ' || table_name || ' ' || is_unique || ' ' || expressions FROM duckdb_indexes() ORDER BY 1";
    [columns, keys, indexes].into_iter().flat_map(|sql| duckdb_rows(path, sql)).collect()
}

#[test]
fn every_type_key_and_index_comes_back_from_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("origin.db"), dir.path().join("back.db"));
    write(&path);
    let middle = database();
    let to = migrate("run", &duckdb_url(&path), middle.url(), &["--on-hazard", "escape"]).expect(0);
    let from = migrate("run", middle.url(), &duckdb_url(&back), &[]).expect(0);
    assert_eq!(target_digests(&from), source_digests(&to));
    assert_eq!(declared(&back), declared(&path));
    let hostile = "SELECT hex(text) FROM note ORDER BY 1";
    assert_eq!(duckdb_rows(&back, hostile), duckdb_rows(&path, hostile));
    for (at, (kind, ..)) in TYPES.iter().enumerate() {
        let values = format!("SELECT coalesce(c{at}::VARCHAR, 'NULL') FROM every ORDER BY id");
        assert_eq!(duckdb_rows(&back, &values), duckdb_rows(&path, &values), "{kind}");
    }
    // The counter goes on where it was.
    let next =
        |path| duckdb_rows(path, "INSERT INTO \"Order\" (\"Group\") VALUES ('next') RETURNING id::VARCHAR");
    assert_eq!(next(&back), next(&path));
    migrate("verify", middle.url(), &duckdb_url(&back), &[]).expect(6);
}

#[test]
fn a_pyrit_file_comes_back_from_postgres_and_by_way_of_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 3_000).unwrap();
    let middle = database();
    let file = sqlite_url(&dir.path().join("middle.sqlite"));
    for (at, middle) in [middle.url(), file.as_str()].into_iter().enumerate() {
        let back = dir.path().join(format!("back{at}.db"));
        let to = migrate("run", &duckdb_url(&path), middle, &["--on-hazard", "escape"]).expect(0);
        let from = migrate("run", middle, &duckdb_url(&back), &["--on-hazard", "escape"]).expect(0);
        assert_eq!(target_digests(&from), source_digests(&to), "{middle}");
        assert_eq!(declared(&back), declared(&path), "{middle}");
        migrate("verify", middle, &duckdb_url(&back), &[]).expect(0);
        migrate("run", middle, &duckdb_url(&back), &["--on-hazard", "escape"]).expect(0);
    }
}

#[test]
fn what_the_narrower_type_of_the_origin_can_not_hold_any_more_is_a_hazard() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("origin.db"), dir.path().join("back.db"));
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, n UTINYINT, mood ENUM('low', 'high')); INSERT INTO t VALUES (1, 7, 'low')")
        .unwrap();
    source.close().unwrap();
    let middle = database();
    migrate("run", &duckdb_url(&path), middle.url(), &[]).expect(0);
    crate::cli::execute(
        &middle,
        "ALTER TABLE t DROP CONSTRAINT t_mood_check; INSERT INTO t VALUES (2, 300, 'low'), (3, 8, 'middling')",
    );
    let check = migrate("check", middle.url(), &duckdb_url(&back), &[]).expect(4);
    assert_eq!(check.hazards(), ["t.mood out-of-range 1 rejects", "t.n out-of-range 1 rejects"]);
    migrate("run", middle.url(), &duckdb_url(&back), &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(duckdb_rows(&back, "SELECT id || ' ' || n || ' ' || mood FROM t"), ["1 7 low"]);
}
