//! The policies of single columns: each normalisation changes what its name says and nothing else, and is verified.

use trimaran_backends::testing::postgres::database;

use super::{edited_plan, write_duckdb, write_sqlite};
use crate::cli::{cell, duckdb_url, execute, migrate, sqlite_url};

/// A table `t` whose row 1 has a hazard in `v` and whose row 2 has none.
struct Case {
    /// `true`: SQLite.
    sqlite: bool,
    create: &'static str,
    hazard: &'static str,
    lines: &'static str,
    /// What row 1 has on the target, as text.
    arrives: &'static str,
}

const NUL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, 'ok');";
const BROKEN: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, CAST(x'61ff62' AS TEXT)), (2, 'ok');";
const CLASSES: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 'twelve'), (2, 12);";
const FINE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME); INSERT INTO t VALUES (1, '2025-01-01 00:00:00.1234567'), (2, '2025-01-01 00:00:00'), (3, '2025-01-01');";
const FAR: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATETIME); INSERT INTO t VALUES (1, 9223372036854775807), (2, 1700000000), (3, 1600000000);";
const DATES: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v DATE); INSERT INTO t VALUES (1, '5877642-06-25 (BC)'), (2, '2025-01-01')";
const NANOS: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TIMESTAMP_NS); INSERT INTO t VALUES (1, '2025-01-01 00:00:00.123456789'), (2, '2025-01-01')";

const REPLACED: [Case; 14] = [
    case(true, NUL, "nul-in-text", "on_hazard = \"replace\"\nreplace = \"drop-nul\"", "ab"),
    case(
        true,
        NUL,
        "nul-in-text",
        "on_hazard = \"replace\"\nreplace = \"replacement-character\"",
        "a\u{fffd}b",
    ),
    case(true, NUL, "nul-in-text", "on_hazard = \"replace\"\nreplace = \"null\"", "none"),
    case(
        true,
        BROKEN,
        "invalid-utf8",
        "on_hazard = \"replace\"\nreplace = \"replacement-character\"",
        "a\u{fffd}b",
    ),
    case(
        true,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '[NaN]'), (2, '[1]');",
        "json-nan",
        "on_hazard = \"replace\"\nreplace = \"nan-to-null\"",
        "[null]",
    ),
    case(true, CLASSES, "wrong-type", "on_hazard = \"replace\"\nreplace = \"null\"", "none"),
    case(true, FINE, "inexact", "on_hazard = \"replace\"\nreplace = \"round\"", "2025-01-01 00:00:00.123457"),
    case(
        true,
        FAR,
        "out-of-range",
        "on_hazard = \"replace\"\nreplace = \"clamp\"",
        "294247-01-10 04:00:54.775806",
    ),
    case(true, FAR, "out-of-range", "on_hazard = \"replace\"\nreplace = \"infinity\"", "infinity"),
    case(false, DATES, "out-of-range", "on_hazard = \"replace\"\nreplace = \"clamp\"", "4714-11-24 BC"),
    case(false, DATES, "out-of-range", "on_hazard = \"replace\"\nreplace = \"infinity\"", "-infinity"),
    case(
        false,
        NANOS,
        "inexact",
        "on_hazard = \"replace\"\nreplace = \"round\"",
        "2025-01-01 00:00:00.123457",
    ),
    case(
        false,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR[]); INSERT INTO t VALUES (1, ['x', 'y' || chr(0)]), (2, [])",
        "nul-in-text",
        "on_hazard = \"replace\"\nreplace = \"drop-nul\"",
        "{x,y}",
    ),
    case(
        false,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v JSON); INSERT INTO t VALUES (1, '{\"a\": [NaN, -Infinity]}'), (2, '[]')",
        "json-nan",
        "on_hazard = \"replace\"\nreplace = \"nan-to-null\"",
        "{\"a\": [null, null]}",
    ),
];

const fn case(
    sqlite: bool,
    create: &'static str,
    hazard: &'static str,
    lines: &'static str,
    arrives: &'static str,
) -> Case {
    Case { sqlite, create, hazard, lines, arrives }
}

fn source(dir: &std::path::Path, case: &Case) -> String {
    let path = dir.join("source");
    if case.sqlite {
        write_sqlite(&path, case.create);
        sqlite_url(&path)
    } else {
        write_duckdb(&path, case.create);
        duckdb_url(&path)
    }
}

#[test]
fn each_normalisation_is_found_counted_verified_and_can_be_told_from_tampering() {
    for case in REPLACED {
        let dir = tempfile::tempdir().unwrap();
        let from = source(dir.path(), &case);
        let target = database();
        let plan = edited_plan(dir.path(), &from, &target, &[("v", case.lines)]);
        let flags = ["--plan", plan.to_str().unwrap()];
        let check = migrate("check", &from, target.url(), &flags).expect(0);
        let expected = format!("t.v {} 1 replaces", case.hazard);
        assert!(check.hazards().contains(&expected), "{expected}: {:?}", check.hazards());
        assert!(check.stderr.contains("Lossy"), "{}", check.stderr);
        let run = migrate("run", &from, target.url(), &flags).expect(0);
        assert_eq!(run.json["verified"][0]["replaced"][0]["values"], 1, "{}", case.lines);
        assert!(
            run.json["outcome"].as_str().unwrap().contains("1 value(s) changed"),
            "{}",
            run.json["outcome"]
        );
        let arrived = cell(&target, "SELECT coalesce(v::text, 'none') FROM t WHERE id = 1");
        assert_eq!(arrived, case.arrives, "{} of {}", case.lines, case.create);
        migrate("verify", &from, target.url(), &[]).expect(0);
        execute(&target, "UPDATE t SET v = (SELECT v FROM t WHERE id = 2) WHERE id = 1");
        let verify = migrate("verify", &from, target.url(), &[]).expect(6);
        let difference = &verify.json["verified"][0]["differences"][0];
        assert_eq!(
            (difference["key"].as_str(), difference["columns"][0]["column"].as_str()),
            (Some("1"), Some("v"))
        );
    }
}

#[test]
fn columns_become_text_or_bytes_that_hold_every_value() {
    let text = [
        case(true, CLASSES, "", "on_hazard = \"as_text\"", "twelve"),
        case(true, FINE, "", "on_hazard = \"as_text\"", "2025-01-01 00:00:00.1234567"),
        case(true, FAR, "", "on_hazard = \"as_text\"", "9223372036854775807"),
        case(false, NANOS, "", "on_hazard = \"as_text\"", "2025-01-01 00:00:00.123456789"),
        case(true, CLASSES, "", "on_hazard = \"as_bytes\"", "\\x7477656c7665"),
        case(true, NUL, "", "on_hazard = \"as_bytes\"", "\\x610062"),
        case(true, BROKEN, "", "on_hazard = \"as_bytes\"", "\\x61ff62"),
        case(
            false,
            NANOS,
            "",
            "on_hazard = \"as_bytes\"",
            "\\x323032352d30312d30312030303a30303a30302e313233343536373839",
        ),
    ];
    for case in text {
        let dir = tempfile::tempdir().unwrap();
        let from = source(dir.path(), &case);
        let target = database();
        let plan = edited_plan(dir.path(), &from, &target, &[("v", case.lines)]);
        let flags = ["--plan", plan.to_str().unwrap()];
        let run = migrate("run", &from, target.url(), &flags).expect(0);
        assert_eq!(run.json["lossy"], serde_json::Value::Null);
        assert_eq!(cell(&target, "SELECT v::text FROM t WHERE id = 1"), case.arrives, "{}", case.create);
        let kept = if case.lines.contains("as_text") { "text" } else { "bytea" };
        assert_eq!(cell(&target, "SELECT pg_typeof(v)::text FROM t WHERE id = 1"), kept);
        migrate("verify", &from, target.url(), &[]).expect(0);
        migrate("run", &from, target.url(), &flags).expect(0);
        execute(&target, "UPDATE t SET v = (SELECT v FROM t WHERE id = 2) WHERE id = 1");
        migrate("verify", &from, target.url(), &[]).expect(6);
    }
}

#[test]
fn numbers_are_clamped_and_rounded_to_the_type_that_the_plan_gives_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("numbers.db");
    write_duckdb(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, big HUGEINT, fine DOUBLE, price DECIMAL(10,4));
         INSERT INTO t VALUES (1, 170141183460469231731687303715884105727, 0.1, 2.3450), (2, 5, 0.5, 1.5)",
    );
    let (from, target) = (duckdb_url(&path), database());
    let edits = [
        ("big", "on_hazard = \"replace\"\nreplace = \"clamp\""),
        ("fine", "on_hazard = \"replace\"\nreplace = \"round\""),
        ("price", "on_hazard = \"replace\"\nreplace = \"round\""),
    ];
    let plan = edited_plan(dir.path(), &from, &target, &edits);
    let text = std::fs::read_to_string(&plan).unwrap();
    let text = text
        .replace("type = \"numeric(39,0)\"", "type = \"bigint\"")
        .replace("type = \"double precision\"", "type = \"real\"")
        .replace("type = \"numeric(10,4)\"", "type = \"numeric(10,2)\"");
    std::fs::write(&plan, text).unwrap();
    let run = migrate("run", &from, target.url(), &["--plan", plan.to_str().unwrap()]).expect(0);
    assert_eq!(
        cell(&target, "SELECT big || ' ' || fine || ' ' || price FROM t WHERE id = 1"),
        "9223372036854775807 0.1 2.34"
    );
    let replaced = run.json["verified"][0]["replaced"].as_array().unwrap();
    assert_eq!(replaced.iter().map(|r| r["values"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn rows_put_aside_beside_a_lossy_column_are_kept_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("both.sqlite");
    write_sqlite(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INTEGER);
         INSERT INTO t VALUES (1, 'a' || char(0), 'x'), (2, 'b' || char(0), 2), (3, 'c', 3);",
    );
    let (from, target) = (sqlite_url(&path), database());
    let edits =
        [("v", "on_hazard = \"replace\"\nreplace = \"drop-nul\""), ("n", "on_hazard = \"quarantine\"")];
    let plan = edited_plan(dir.path(), &from, &target, &edits);
    let run = migrate("run", &from, target.url(), &["--plan", plan.to_str().unwrap()]).expect(5);
    assert_eq!(run.json["verified"][0]["replaced"][0]["values"], 1);
    migrate("verify", &from, target.url(), &[]).expect(5);
    let kept = "SELECT (position('\\x6100'::bytea IN row_bytes) > 0)::text FROM _trimaran_quarantine";
    assert_eq!(cell(&target, kept), "true");
    execute(
        &target,
        "UPDATE _trimaran_quarantine SET row_bytes = set_byte(row_bytes, position('\\x6100'::bytea IN row_bytes), 66)",
    );
    migrate("verify", &from, target.url(), &[]).expect(6);
}

#[test]
fn a_policy_that_can_not_help_is_refused_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plain.sqlite");
    write_sqlite(
        &path,
        "CREATE TABLE p (v TEXT PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, w TEXT REFERENCES p);",
    );
    let (from, target) = (sqlite_url(&path), database());
    let cases = [
        ("n", "on_hazard = \"replace\"\nreplace = \"drop-nul\"", "clamp, round"),
        ("n", "on_hazard = \"replace\"\nreplace = \"null\"", "allows no NULL"),
        ("n", "on_hazard = \"replace\"", "needs the name"),
        ("n", "on_hazard = \"quarantine\"\nreplace = \"round\"", "has no effect"),
        ("w", "on_hazard = \"replace\"\nreplace = \"drop-nul\"", "a foreign key joins"),
        ("w", "on_hazard = \"as_bytes\"", "a foreign key joins"),
    ];
    for (column, lines, says) in cases {
        let plan = edited_plan(dir.path(), &from, &target, &[(column, lines)]);
        let refused = migrate("check", &from, target.url(), &["--plan", plan.to_str().unwrap()]).expect(2);
        assert!(
            refused.stderr.contains(says) && refused.stderr.contains("next:"),
            "{says}: {}",
            refused.stderr
        );
    }
    let refused = migrate("check", &from, target.url(), &["--on-hazard", "replace"]).expect(2);
    assert!(refused.stderr.contains("--plan"), "{}", refused.stderr);
}
