//! What is nobody's data, and what did not come along the first time.

use trimaran_backends::testing::postgres::database;

use super::{duckdb_rows, not_moved, sqlite_rows};
use crate::cli::{cell, duckdb_url, execute, migrate, sqlite_url};
use crate::samples;

#[test]
fn the_journal_of_an_earlier_run_is_not_moved_as_data() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 500).unwrap();
    let postgres = database();
    let sqlite = dir.path().join("to.sqlite");
    let flags = ["--on-hazard", "escape"];
    migrate("run", &duckdb_url(&path), postgres.url(), &flags).expect(0);
    let moved = migrate("run", postgres.url(), &sqlite_url(&sqlite), &flags).expect(0);
    let onward = dir.path().join("onward.db");
    let again = migrate("run", &sqlite_url(&sqlite), &duckdb_url(&onward), &flags).expect(0);
    for run in [&moved, &again] {
        assert!(!run.json["verified"].to_string().contains("_trimaran"));
        assert!(!not_moved(run).iter().any(|(what, _)| what.contains("_trimaran")), "{:?}", not_moved(run));
    }
    // Each target has the journal of its own run alone.
    assert_eq!(sqlite_rows(&sqlite, "SELECT CAST(count(*) AS TEXT) FROM _trimaran_runs"), ["1"]);
    assert_eq!(duckdb_rows(&onward, "SELECT count(*)::VARCHAR FROM _trimaran_runs"), ["1"]);
    // Text that was escaped for Postgres is itself again where it need not be.
    let nul = "SELECT CAST(count(*) AS VARCHAR) FROM \"PromptMemoryEntries\" WHERE instr(original_value, char(0)) > 0 OR instr(original_value, char(26)) > 0";
    assert_eq!(sqlite_rows(&sqlite, nul), ["1"]);
}

#[test]
fn rows_put_aside_on_the_way_in_are_reported_on_the_way_back() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("memory.db"), dir.path().join("back.db"));
    samples::pyrit::write(&path, 3_000).unwrap();
    let middle = database();
    migrate("run", &duckdb_url(&path), middle.url(), &["--on-hazard", "quarantine"]).expect(5);
    let aside = cell(
        &middle,
        "SELECT count(*)::text FROM _trimaran_quarantine WHERE source_table = 'PromptMemoryEntries'",
    );
    let run = migrate("run", middle.url(), &duckdb_url(&back), &[]).expect(0);
    let unmoved = not_moved(&run);
    let (_, why) = unmoved.iter().find(|(what, _)| what == "quarantined rows PromptMemoryEntries").unwrap();
    assert!(
        why.starts_with(&format!("{aside} row(s) were put aside")) && why.contains("nul-in-text"),
        "{why}"
    );
    // Brought in first, they come back too.
    migrate("run", middle.url(), &duckdb_url(&back), &["--restart"]).expect(0);
}

#[test]
fn a_run_into_duckdb_begins_again_with_its_counters() {
    let dir = tempfile::tempdir().unwrap();
    let (path, to) = (dir.path().join("app.sqlite"), dir.path().join("to.db"));
    let source = rusqlite::Connection::open(&path).unwrap();
    source
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (7, 'a')")
        .unwrap();
    drop(source);
    let (from, to_url) = (sqlite_url(&path), duckdb_url(&to));
    migrate("run", &from, &to_url, &[]).expect(0);
    migrate("run", &from, &to_url, &["--restart"]).expect(0);
    assert_eq!(duckdb_rows(&to, "INSERT INTO t (v) VALUES ('b') RETURNING id::VARCHAR"), ["8"]);
}

#[test]
fn tables_go_back_to_their_schema_and_to_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("origin.db"), dir.path().join("back.db"));
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch("CREATE SCHEMA s; CREATE TABLE s.t (id INTEGER PRIMARY KEY, old VARCHAR); INSERT INTO s.t VALUES (1, 'a'); CREATE TABLE m AS SELECT 1 AS x")
        .unwrap();
    source.close().unwrap();
    let middle = database();
    let plan = dir.path().join("plan.toml");
    let file = plan.to_str().unwrap();
    migrate("plan", &duckdb_url(&path), middle.url(), &["--schema", "imported", "-o", file]).expect(0);
    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(
        &plan,
        text.replace("target = \"old\"", "target = \"new\"")
            .replace("target = \"t\"", "target = \"renamed\""),
    )
    .unwrap();
    migrate("run", &duckdb_url(&path), middle.url(), &["--plan", file]).expect(0);
    assert_eq!(cell(&middle, "SELECT new FROM s.renamed"), "a");
    execute(&middle, "INSERT INTO imported.m VALUES (2)");
    migrate("run", middle.url(), &duckdb_url(&back), &[]).expect(0);
    assert_eq!(duckdb_rows(&back, "SELECT old FROM s.t"), ["a"]);
    assert_eq!(duckdb_rows(&back, "SELECT x::VARCHAR FROM main.m ORDER BY 1"), ["1", "2"]);
}

#[test]
fn a_key_or_an_index_that_the_target_has_no_order_for_is_told_before_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let (path, to) = (dir.path().join("app.sqlite"), dir.path().join("to.db"));
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, body JSON UNIQUE);
             CREATE INDEX by_body ON notes (body);
             INSERT INTO notes VALUES (1, '{}'), (2, '[1]')",
        )
        .unwrap();
    let target = database();
    let run = migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    let told = not_moved(&run);
    for what in ["unique constraint notes (body)", "index by_body"] {
        let (_, why) = told.iter().find(|(told, _)| told == what).unwrap_or_else(|| panic!("{told:?}"));
        assert!(why.contains("has no index for its column body"), "{why}");
    }

    let source = database();
    execute(
        &source,
        "CREATE TABLE waits (span interval PRIMARY KEY); INSERT INTO waits VALUES ('1 day'), ('2 days')",
    );
    let run = migrate("run", source.url(), &duckdb_url(&to), &[]).expect(0);
    assert_eq!(run.totals(), (2, 2, 0));
    let told = not_moved(&run);
    assert!(told.iter().any(|(what, _)| what == "primary key waits"), "{told:?}");
}
