//! SQLite → Postgres → SQLite.

use std::path::Path;

use trimaran_backends::testing::postgres::database;

use super::{source_digests, sqlite_rows, target_digests};
use crate::cli::{duckdb_url, execute, migrate, sqlite_url};
use crate::samples;

/// Columns of every kind that applications declare, in the forms that they keep values in.
fn write(path: &Path) {
    let source = rusqlite::Connection::open(path).unwrap();
    source
        .execute_batch(
            r#"CREATE TABLE every (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40) NOT NULL DEFAULT 'it''s', flag BOOLEAN,
                ratio REAL, price DECIMAL(10,2), raw BLOB, doc JSON, made DATETIME, seen TIMESTAMP, counted DATETIME, fine DATETIME,
                day DATE, at TIME, digits CHAR(32), bytes BINARY(16), dashed UUID, label STRING, anything, small SMALLINT,
                zoned TIMESTAMP);
            INSERT INTO every (name, flag, ratio, price, raw, doc, made, seen, counted, fine, day, at, digits, bytes, dashed, label,
                anything, small, zoned)
            VALUES ('naïve 日本 🦑', 1, 0.1, 12.5, x'00ff', '{"b": 1, "a": [1,  2]}', '2025-02-03 04:05:06', '2025-02-03 04:05:06.789',
                1700000000, 1700000000123, '2025-02-03', '04:05:06', '0123456789abcdef0123456789abcdef',
                x'000102030405060708090a0b0c0d0e0f', '01234567-89ab-cdef-0123-456789abcdef', 'plain', 'text', -5,
                '2025-02-03 04:05:06+02:00'),
               ('a' || char(0) || 'b' || char(26) || 'x', 0, -1e300, 3, x'', '5', '1999-12-31 23:59:59.999999', '2025-02-03 00:00:00',
                1600000000, 1600000000456, '0001-01-01', '23:59:59', 'ffffffffffffffffffffffffffffffff',
                x'ffffffffffffffffffffffffffffffff', '01234567-89ab-cdef-0123-456789abcdee', 'more', 'words', 32767,
                '2025-02-03 04:05:06Z');
            INSERT INTO every (name, doc) VALUES (CAST(x'ff41' AS TEXT), '{"t": NaN}');
            DELETE FROM sqlite_sequence; INSERT INTO sqlite_sequence VALUES ('every', 77);
            CREATE TABLE parent (id TEXT PRIMARY KEY, "Group" TEXT, n INT, UNIQUE ("Group", n));
            CREATE TABLE child (id INTEGER PRIMARY KEY, parent TEXT NOT NULL REFERENCES parent (id) ON DELETE CASCADE ON UPDATE SET NULL);
            WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 4000)
                INSERT INTO parent SELECT 'p' || n, 'g' || (n % 7), n FROM i;
            INSERT INTO child (parent) SELECT id FROM parent;
            CREATE INDEX by_n ON parent (n DESC, "Group"); CREATE UNIQUE INDEX once ON child (parent);"#,
        )
        .unwrap();
}

/// What a file declares: columns and keys, a line each.
fn declared(path: &Path) -> Vec<String> {
    let columns = "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.pk FROM sqlite_schema m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE '\\_trimaran%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' ORDER BY 1";
    let foreign = "SELECT m.name || ' ' || f.\"from\" || ' ' || f.\"table\" || ' ' || f.\"to\" || ' ' || f.on_delete || ' ' || f.on_update
        FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1";
    let indexes = "SELECT m.name || ' ' || i.\"unique\" || ' ' || group_concat(x.name || ' ' || x.\"desc\") FROM sqlite_schema m,
        pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x WHERE m.type = 'table' AND x.key AND m.name NOT LIKE '\\_trimaran%' ESCAPE '\\'
        GROUP BY m.name, i.name ORDER BY 1";
    [columns, foreign, indexes].into_iter().flat_map(|sql| sqlite_rows(path, sql)).collect()
}

#[test]
fn every_declared_type_and_form_comes_back_from_postgres_and_by_way_of_duckdb() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("origin.sqlite");
    write(&path);
    let postgres = database();
    let file = duckdb_url(&dir.path().join("middle.db"));
    for (at, middle) in [postgres.url(), file.as_str()].into_iter().enumerate() {
        let back = dir.path().join(format!("back{at}.sqlite"));
        let to = migrate("run", &sqlite_url(&path), middle, &["--on-hazard", "escape"]).expect(0);
        let from = migrate("run", middle, &sqlite_url(&back), &["--on-hazard", "escape"]).expect(0);
        assert_eq!(target_digests(&from), source_digests(&to), "{middle}");
        // Not only the meanings: the cells are what they were, but for moments that had an offset, which are in UTC now.
        let columns = sqlite_rows(&path, "SELECT name FROM pragma_table_info('every') WHERE name <> 'zoned'");
        for column in columns {
            let cells = format!("SELECT typeof({column}) || ' ' || hex({column}) FROM every ORDER BY id");
            assert_eq!(sqlite_rows(&back, &cells), sqlite_rows(&path, &cells), "{column} by way of {middle}");
        }
        let zoned = "SELECT coalesce(zoned, 'NULL') FROM every ORDER BY id";
        assert_eq!(sqlite_rows(&back, zoned), ["2025-02-03 02:05:06Z", "2025-02-03 04:05:06Z", "NULL"]);
        if at == 0 {
            assert_eq!(declared(&back), declared(&path));
        }
        let next = "INSERT INTO every (name) VALUES ('next') RETURNING CAST(id AS TEXT)";
        assert_eq!(sqlite_rows(&back, next), ["78"]);
    }
}

#[test]
fn a_violentutf_file_comes_back_from_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("app.sqlite"), dir.path().join("back.sqlite"));
    samples::violentutf::write(&path, 500).unwrap();
    let middle = database();
    let to = migrate("run", &sqlite_url(&path), middle.url(), &["--on-hazard", "escape"]).expect(5);
    let from = migrate("run", middle.url(), &sqlite_url(&back), &["--on-hazard", "escape"]).expect(0);
    let (source, moved, aside) = from.totals();
    assert_eq!((moved, aside), (source, 0));
    let set_aside: Vec<String> = to.json["verified"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|v| v["quarantined_rows"] != 0)
        .map(|v| v["table"].as_str().unwrap().to_owned())
        .collect();
    assert!(!set_aside.is_empty());
    let (there, here) = (source_digests(&to), target_digests(&from));
    for (table, digest) in &there {
        if set_aside.contains(table) {
            let reported = super::not_moved(&from)
                .into_iter()
                .any(|(what, _)| what == format!("quarantined rows {table}"));
            assert!(reported, "{table} has rows that were put aside: {:?}", super::not_moved(&from));
        } else {
            assert_eq!(here.get(table), Some(digest), "{table}");
        }
    }
}

#[test]
fn a_text_that_its_declaration_would_turn_into_a_number_is_a_hazard() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("origin.sqlite"), dir.path().join("back.sqlite"));
    let source = rusqlite::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, label STRING); INSERT INTO t VALUES (1, 'one')",
        )
        .unwrap();
    drop(source);
    let middle = database();
    migrate("run", &sqlite_url(&path), middle.url(), &[]).expect(0);
    execute(&middle, "INSERT INTO t (id, label) VALUES (2, '007')");
    let check = migrate("check", middle.url(), &sqlite_url(&back), &[]).expect(4);
    assert_eq!(check.hazards(), ["t.label inexact 1 rejects"]);
}
