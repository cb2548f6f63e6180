//! Each hazard under each policy: found before the copy, and handled as it says.

use trimaran_backends::testing::postgres::database;

use super::write_sqlite as write;
use crate::cli::{cell, duckdb_url, execute, migrate, sqlite_url};

/// A table with one bad row and one good one; the hazard; whether `escape` carries it.
struct Case {
    create: &'static str,
    hazard: &'static str,
    escapes: bool,
}

const SQLITE: [Case; 12] = [
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, 'ok');",
        hazard: "t.v nul-in-text",
        escapes: true,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT)), (2, 'ok');",
        hazard: "t.v invalid-utf8",
        escapes: true,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '[NaN]'), (2, '[1]');",
        hazard: "t.v json-nan",
        escapes: true,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '{broken'), (2, '[1]');",
        hazard: "t.v invalid-json",
        escapes: true,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 'twelve'), (2, 12);",
        hazard: "t.v wrong-type",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME); INSERT INTO t VALUES (1, '2025-01-01 00:00:00.1234567'), (2, '2025-01-01 00:00:00'), (3, '2025-01-01');",
        hazard: "t.v inexact",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (NULL, 'x'), ('b', 'y');",
        hazard: "t.id null-in-key",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO t VALUES (1, 9), (2, 1), (3, NULL);",
        hazard: "t.v orphan",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, CAST(x'61eda08062' AS TEXT)), (2, 'ok');",
        hazard: "t.v lone-surrogate",
        escapes: true,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME); INSERT INTO t VALUES (1, 1700000000000), (2, 1700000000), (3, 0), (4, 100000000), (5, 1600000000);",
        hazard: "t.v mixed-units",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME); INSERT INTO t VALUES (1, 9223372036854775807), (2, 1700000000), (3, 1600000000);",
        hazard: "t.v out-of-range",
        escapes: false,
    },
    Case {
        create: "CREATE TABLE p (id INTEGER PRIMARY KEY, w TEXT); CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER REFERENCES p, up INTEGER REFERENCES t); INSERT INTO p VALUES (1, 'bad' || char(0)), (2, 'ok'); INSERT INTO t VALUES (1, 1, NULL), (2, 2, 3), (3, 2, 1), (4, 2, 4);",
        hazard: "p.w nul-in-text",
        escapes: true,
    },
];

#[test]
fn each_sqlite_hazard_is_rejected_before_anything_is_written_then_handled() {
    for case in SQLITE {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.sqlite");
        write(&path, case.create);
        let from = sqlite_url(&path);
        let target = database();
        let rejected = migrate("run", &from, target.url(), &[]).expect(4);
        assert!(
            rejected.hazards().contains(&format!("{} 1 rejects", case.hazard)),
            "{:?}",
            rejected.hazards()
        );
        assert_eq!(
            cell(&target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
            "0",
            "{}",
            case.create
        );
        let check = migrate("check", &from, target.url(), &["--on-hazard", "quarantine"]).expect(0);
        assert!(check.hazards().contains(&format!("{} 1 quarantines", case.hazard)), "{:?}", check.hazards());
        let run = migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
        let (source, moved, aside) = run.totals();
        assert_eq!(source, moved + aside, "{}", case.create);
        migrate("verify", &from, target.url(), &[]).expect(5);

        let escaped = database();
        let run = migrate("run", &from, escaped.url(), &["--on-hazard", "escape"]);
        run.expect(if case.escapes { 0 } else { 5 });
        migrate("verify", &from, escaped.url(), &[]).expect(if case.escapes { 0 } else { 5 });
    }
}

#[test]
fn rows_that_refer_to_a_quarantined_row_go_with_it_through_every_generation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.sqlite");
    write(&path, SQLITE[11].create);
    let target = database();
    migrate("run", &sqlite_url(&path), target.url(), &["--on-hazard", "quarantine"]).expect(5);
    // 1 refers to the bad parent, 3 to 1, 2 to 3; 4 refers to itself and stays.
    assert_eq!(cell(&target, "SELECT string_agg(id::text, ',' ORDER BY id) FROM t"), "4");
    assert_eq!(
        cell(
            &target,
            "SELECT string_agg(row_key, ',' ORDER BY row_key) FROM _trimaran_quarantine WHERE reason = 'parent'"
        ),
        "1,2,3"
    );
    assert_eq!(cell(&target, "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"), "2");
}

#[test]
fn each_duckdb_hazard_is_found() {
    let cases = [
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR); INSERT INTO t VALUES (1, 'a' || chr(0)), (2, 'ok')",
            "t.v nul-in-text",
            0,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '[NaN, 1]'), (2, '[]')",
            "t.v json-nan",
            0,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '[1,]'), (2, '[]')",
            "t.v invalid-json",
            0,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR[]); INSERT INTO t VALUES (1, ['x', chr(0)]), (2, [])",
            "t.v nul-in-text",
            0,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TIMESTAMP_NS); INSERT INTO t VALUES (1, '2025-01-01 00:00:00.123456789'), (2, '2025-01-01')",
            "t.v inexact",
            5,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATE); INSERT INTO t VALUES (1, '5877642-06-25 (BC)'), (2, '2025-01-01')",
            "t.v out-of-range",
            5,
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TIMESTAMP); INSERT INTO t VALUES (1, '290309-12-22 (BC) 00:00:00'), (2, '2025-01-01')",
            "t.v out-of-range",
            5,
        ),
    ];
    for (create, hazard, escape_code) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("h.db");
        let source = duckdb::Connection::open(&path).unwrap();
        source.execute_batch(create).unwrap();
        source.close().unwrap();
        let from = duckdb_url(&path);
        let target = database();
        let rejected = migrate("run", &from, target.url(), &[]).expect(4);
        assert!(rejected.hazards().contains(&format!("{hazard} 1 rejects")), "{:?}", rejected.hazards());
        migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
        assert_eq!(cell(&target, "SELECT count(*) FROM t"), "1", "{create}");
        let escaped = database();
        migrate("run", &from, escaped.url(), &["--on-hazard", "escape"]).expect(escape_code);
        migrate("verify", &from, escaped.url(), &[]).expect(escape_code);
    }
}

#[test]
fn names_too_long_and_occupied_targets_are_found_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.sqlite");
    let long = "x".repeat(64);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&format!("CREATE TABLE {long} (id INTEGER PRIMARY KEY, a{long} TEXT); CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);"))
        .unwrap();
    let target = database();
    execute(&target, "CREATE TABLE t (id bigint); INSERT INTO t VALUES (7)");
    let check = migrate("check", &sqlite_url(&path), target.url(), &["--on-hazard", "quarantine"]).expect(4);
    let hazards = check.hazards().join("\n");
    assert!(hazards.contains(&format!("{long}. name-too-long 1 rejects")), "{hazards}");
    assert!(hazards.contains(&format!("{long}.a{long} name-too-long 1 rejects")), "{hazards}");
    assert!(hazards.contains("t. target-occupied 1 rejects"), "{hazards}");
    migrate("run", &sqlite_url(&path), target.url(), &["--tables", "t"]).expect(4);
    assert_eq!(cell(&target, "SELECT string_agg(id::text, ',') FROM t"), "7");
}

#[test]
fn an_empty_table_with_the_planned_columns_is_used_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sqlite");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL); INSERT INTO t VALUES (1, 'a');",
        )
        .unwrap();
    let target = database();
    execute(
        &target,
        "CREATE TABLE t (id bigint PRIMARY KEY, v text NOT NULL, added timestamptz DEFAULT now())",
    );
    migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    assert_eq!(cell(&target, "SELECT v || (added IS NOT NULL)::text FROM t"), "atrue");
    let other = database();
    execute(&other, "CREATE TABLE t (id bigint PRIMARY KEY, v integer)");
    let refused = migrate("run", &sqlite_url(&path), other.url(), &[]).expect(4);
    assert!(refused.json["hazards"][0]["detail"].as_str().unwrap().contains("column v is integer"));
}
