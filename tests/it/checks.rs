//! CHECK constraints: those that mean the same on Postgres are added after the rows, the others are reported.

use trimaran_backends::testing::{TestDatabase, postgres::database};

use crate::cli::{Outcome, cell, duckdb_url, execute, migrate, session, sqlite_url};
use crate::hazards::{write_duckdb, write_sqlite};

const TABLE: &str = "
    CREATE TABLE t (
        id INTEGER PRIMARY KEY, age INTEGER CONSTRAINT grown CHECK (age BETWEEN 18 AND 150), kind TEXT CHECK (kind IN ('a', 'b')),
        share REAL CHECK (share >= 0), name TEXT CHECK (name LIKE 'x%'), CHECK (age > id OR kind = 'a')
    );";

fn not_moved(outcome: &Outcome) -> Vec<&str> {
    let all = outcome.json["not_moved"].as_array().unwrap();
    let checks = all.iter().filter(|thing| thing["kind"] == "check constraint");
    checks.map(|thing| thing["reason"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_refused(target: &TestDatabase, values: &str) {
    let refused = session(target).execute(&format!("INSERT INTO t VALUES ({values})")).unwrap_err();
    assert_eq!(refused.engine_code(), Some("23514"), "{values}: {}", refused.report());
}

#[test]
fn checks_of_sqlite_hold_on_postgres_and_the_rest_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    write_sqlite(
        &path,
        &format!("{TABLE} INSERT INTO t VALUES (1, 20, 'b', 0.5, 'x'), (2, NULL, 'a', NULL, NULL);"),
    );
    let (from, target) = (sqlite_url(&path), database());
    let ran = migrate("run", &from, target.url(), &[]).expect(0);
    assert_eq!(not_moved(&ran), ["`LIKE` is not carried over; not enforced on the target: name LIKE 'x%'"]);
    execute(&target, "INSERT INTO t VALUES (3, NULL, NULL, 1.5, 'y')");
    for values in ["4, 17, 'a', 1, 'x'", "4, 20, 'c', 1, 'x'", "4, 20, 'a', -0.5, 'x'", "40, 20, 'b', 1, 'x'"]
    {
        assert_refused(&target, values);
    }
    assert_eq!(
        cell(&target, "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conname = 'grown'"),
        "1"
    );
}

#[test]
fn checks_of_duckdb_hold_on_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.db");
    write_duckdb(
        &path,
        "CREATE TABLE t (id BIGINT PRIMARY KEY, age INTEGER CHECK (age > 17), kind VARCHAR, CHECK (kind IN ('a', 'b') OR age IS NULL));
         INSERT INTO t VALUES (1, 20, 'a'), (2, NULL, 'c')",
    );
    let target = database();
    let ran = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    assert!(not_moved(&ran).is_empty(), "{:?}", not_moved(&ran));
    assert_refused(&target, "3, 17, 'a'");
    assert_refused(&target, "3, 20, 'c'");
}

#[test]
fn a_check_that_rows_break_ends_the_run_and_a_plan_without_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    // SQLite holds such a row where checks were ignored when it was written.
    write_sqlite(
        &path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, age INTEGER CHECK (age > 17));
         PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (1, 20), (2, 3);",
    );
    let (from, target) = (sqlite_url(&path), database());
    let broken = migrate("run", &from, target.url(), &[]).expect(4);
    assert!(broken.stderr.contains("out of the plan"), "{}", broken.stderr);

    let file = dir.path().join("plan.toml");
    migrate("plan", &from, database().url(), &["-o", file.to_str().unwrap()]).expect(0);
    let plan = std::fs::read_to_string(&file).unwrap();
    let (head, check) = plan.split_once("[[table.check]]").unwrap();
    let rest = check.split_once("\n\n").map_or("", |(_, rest)| rest);
    std::fs::write(&file, format!("{head}{rest}")).unwrap();
    migrate("run", &from, target.url(), &["--restart", "--plan", file.to_str().unwrap()]).expect(0);
    assert_eq!(cell(&target, "SELECT count(*) FROM t"), "2");
}

#[test]
fn a_policy_that_would_change_what_is_checked_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    write_sqlite(&path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (length(v) < 3));");
    let (from, target) = (sqlite_url(&path), database());
    let plan = crate::hazards::edited_plan(dir.path(), &from, &target, &[("v", "on_hazard = \"escape\"")]);
    let refused = migrate("check", &from, target.url(), &["--plan", plan.to_str().unwrap()]).expect(2);
    assert!(refused.stderr.contains("take that `check` out"), "{}", refused.stderr);
    // Chosen for all columns, it is known when the plan is made.
    let ran = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(0);
    assert!(not_moved(&ran)[0].contains("written in another way"), "{:?}", not_moved(&ran));
}
