//! Whatever is changed on the target, however little, verification finds and names it.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, execute, migrate};

const SOURCE: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR, n DOUBLE, j JSON, l FLOAT[]);
    INSERT INTO t SELECT i, 'value ' || i, i / 10.0, '{\"n\": ' || i || '}', [i, 0.5] FROM range(5000) r(i);
    UPDATE t SET v = '' WHERE id = 17; UPDATE t SET n = 0.1 WHERE id = 20;
    CREATE TABLE keyless (v VARCHAR); INSERT INTO keyless SELECT 'line ' || (i % 50) FROM range(100) r(i);";

#[test]
fn every_kind_of_tampering_is_caught_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source.execute_batch(SOURCE).unwrap();
    source.close().unwrap();
    let from = duckdb_url(&path);
    let target = database();
    migrate("run", &from, target.url(), &[]).expect(0);
    migrate("verify", &from, target.url(), &[]).expect(0);

    // What is done, how it is undone, what is named: kind, key, columns.
    let cases = [
        (
            "UPDATE t SET v = 'valuf 5' WHERE id = 5",
            "UPDATE t SET v = 'value 5' WHERE id = 5",
            vec![("different", "5", "v")],
        ),
        (
            "DELETE FROM t WHERE id = 4999",
            "INSERT INTO t VALUES (4999, 'value 4999', 499.9, '{\"n\": 4999}', '{4999,0.5}')",
            vec![("missing", "4999", "")],
        ),
        (
            "INSERT INTO t VALUES (5000, 'value', 0, '{}', '{}')",
            "DELETE FROM t WHERE id = 5000",
            vec![("extra", "5000", "")],
        ),
        (
            "UPDATE t SET v = NULL WHERE id = 17",
            "UPDATE t SET v = '' WHERE id = 17",
            vec![("different", "17", "v")],
        ),
        (
            "UPDATE t SET n = 0.10000000000000002 WHERE id = 20",
            "UPDATE t SET n = 0.1 WHERE id = 20",
            vec![("different", "20", "n")],
        ),
        (
            "UPDATE t SET v = CASE id WHEN 8 THEN 'value 9' ELSE 'value 8' END WHERE id IN (8, 9)",
            "UPDATE t SET v = 'value ' || id WHERE id IN (8, 9)",
            vec![("different", "8", "v"), ("different", "9", "v")],
        ),
        (
            "UPDATE t SET j = '{\"n\":3}' WHERE id = 3",
            "UPDATE t SET j = '{\"n\": 3}' WHERE id = 3",
            vec![("different", "3", "j")],
        ),
        (
            "UPDATE t SET l = '{4,0.25}' WHERE id = 4",
            "UPDATE t SET l = '{4,0.5}' WHERE id = 4",
            vec![("different", "4", "l")],
        ),
        (
            "UPDATE t SET id = 7000 WHERE id = 70",
            "UPDATE t SET id = 70 WHERE id = 7000",
            vec![("missing", "70", ""), ("extra", "7000", "")],
        ),
    ];
    for (tamper, undo, expected) in cases {
        execute(&target, tamper);
        let verify = migrate("verify", &from, target.url(), &[]).expect(6);
        let table =
            verify.json["verified"].as_array().unwrap().iter().find(|v| v["table"] == "t").unwrap().clone();
        let named: Vec<(String, String, String)> = table["differences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| {
                let columns = d["columns"].as_array().map_or(String::new(), |all| {
                    all.iter().map(|c| c["column"].as_str().unwrap()).collect::<Vec<_>>().join(",")
                });
                (d["kind"].as_str().unwrap().to_owned(), d["key"].as_str().unwrap().to_owned(), columns)
            })
            .collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())).collect();
        assert_eq!(named, expected, "{tamper}");
        assert!(!verify.stderr.contains("valuf"), "values are hidden: {}", verify.stderr);
        execute(&target, undo);
    }
    migrate("verify", &from, target.url(), &[]).expect(0);

    // A doubled row where no key forbids it, and one row fewer where another is one more.
    execute(&target, "INSERT INTO keyless VALUES ('line 7')");
    let doubled = migrate("verify", &from, target.url(), &[]).expect(6);
    assert!(doubled.stderr.contains("keyless"), "{}", doubled.stderr);
    execute(
        &target,
        "DELETE FROM keyless WHERE ctid IN (SELECT ctid FROM keyless WHERE v = 'line 8' LIMIT 1)",
    );
    assert_eq!(cell(&target, "SELECT count(*) FROM keyless"), "100");
    migrate("verify", &from, target.url(), &[]).expect(6);
}

#[test]
fn values_are_shown_only_when_asked_for_and_a_dropped_key_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source.execute_batch(SOURCE).unwrap();
    source.close().unwrap();
    let from = duckdb_url(&path);
    let target = database();
    migrate("run", &from, target.url(), &[]).expect(0);
    execute(&target, "UPDATE t SET v = 'secret word' WHERE id = 1");
    let hidden = migrate("verify", &from, target.url(), &[]).expect(6);
    assert!(!hidden.stderr.contains("secret word") && !hidden.json.to_string().contains("secret word"));
    let shown = migrate("verify", &from, target.url(), &["--show-values"]).expect(6);
    assert!(shown.stderr.contains("value 1") && shown.stderr.contains("secret word"), "{}", shown.stderr);
    execute(&target, "UPDATE t SET v = 'value 1' WHERE id = 1; ALTER TABLE t DROP CONSTRAINT t_pkey");
    let keyless = migrate("verify", &from, target.url(), &[]).expect(6);
    assert_eq!(keyless.json["missing_keys"][0], "primary key of t (id)");
}

#[test]
fn a_tampered_quarantine_is_caught_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR); INSERT INTO t VALUES (1, 'a' || chr(0)), (2, 'ok')").unwrap();
    source.close().unwrap();
    let target = database();
    migrate("run", &duckdb_url(&path), target.url(), &["--on-hazard", "quarantine"]).expect(5);
    execute(
        &target,
        "UPDATE _trimaran_quarantine SET row_bytes = set_byte(row_bytes, 20, get_byte(row_bytes, 20) # 1)",
    );
    migrate("verify", &duckdb_url(&path), target.url(), &[]).expect(6);
    execute(&target, "DELETE FROM _trimaran_quarantine");
    migrate("verify", &duckdb_url(&path), target.url(), &[]).expect(6);
}
