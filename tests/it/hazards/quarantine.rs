//! `trimaran migrate quarantine`: rows that were put aside are listed, exported, and moved after all.

use std::process::{Command, Stdio};

use trimaran_backends::testing::{TestDatabase, postgres::database};

use super::{edited_plan, write_sqlite};
use crate::cli::{Outcome, cell, execute, migrate, sqlite_url};

const MIXED: &str = "
    CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT, raw BLOB, n INTEGER);
    INSERT INTO p VALUES (1, 'a' || char(0), x'00ff', 1), (2, 'b', NULL, 'two'), (3, CAST(x'ff' AS TEXT), x'', 3), (4, '', NULL, 4);
    CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p, up INTEGER REFERENCES c);
    INSERT INTO c VALUES (1, 1, NULL), (2, 2, NULL), (3, 4, 1), (4, 9, NULL);";

fn command(verb: &str, target: &TestDatabase, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trimaran"));
    command.args(["migrate", "quarantine", verb, "--to", target.url(), "--json"]).args(flags);
    command.env_remove("PGPASSWORD").env_remove("PGPASSFILE").stdin(Stdio::null());
    command
}

fn quarantine(verb: &str, target: &TestDatabase, flags: &[&str]) -> Outcome {
    let output = command(verb, target, flags).output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        json: serde_json::from_slice(&output.stdout).unwrap_or(serde_json::Value::Null),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn groups(outcome: &Outcome) -> Vec<String> {
    let text = |v: &serde_json::Value| v.as_str().unwrap_or("").to_owned();
    let groups = outcome.json["groups"].as_array().unwrap();
    groups
        .iter()
        .map(|g| {
            format!("{}.{} {} {}", text(&g["table"]), text(&g["column"]), text(&g["hazard"]), g["count"])
        })
        .collect()
}

fn moved_aside(dir: &std::path::Path, sql: &str) -> (String, TestDatabase) {
    let path = dir.join("source.sqlite");
    write_sqlite(&path, sql);
    let (from, target) = (sqlite_url(&path), database());
    migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    (from, target)
}

#[test]
fn rows_put_aside_are_listed_and_exported_exactly_and_no_file_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let (_, target) = moved_aside(dir.path(), MIXED);
    let list = quarantine("list", &target, &[]).expect(0);
    let expected = [
        "c.p orphan 1",
        "c.p parent 2",
        "c.up parent 1",
        "p.n wrong-type 1",
        "p.v invalid-utf8 1",
        "p.v nul-in-text 1",
    ];
    assert_eq!(groups(&list), expected);
    assert_eq!(list.json["groups"][3]["first_keys"][0], "2");

    let file = dir.path().join("rows.jsonl");
    let flags = ["-o", file.to_str().unwrap()];
    quarantine("export", &target, &flags).expect(0);
    let written = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<serde_json::Value> = written.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 7);
    let row =
        |key: &str| rows.iter().find(|r| r["table"] == "p" && r["key"] == key).unwrap()["values"].clone();
    assert_eq!(row("1"), serde_json::json!({"id": 1, "v": "a\0", "raw": {"base64": "AP8="}, "n": 1}));
    assert_eq!(row("2"), serde_json::json!({"id": 2, "v": "b", "raw": null, "n": "two"}));
    assert_eq!(row("3")["v"], serde_json::json!({"base64": "/w=="}));
    let refused = quarantine("export", &target, &flags).expect(2);
    assert!(refused.stderr.contains("stays as it is"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    let csv = command("export", &target, &["--format", "csv"]).output().unwrap();
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(
        csv.contains("\"p\",\"1\",\"v\",\"nul-in-text\",") && csv.contains("\"raw\",\"base64:AP8=\""),
        "{csv}"
    );
    assert!(csv.contains("\"raw\",\n"), "NULL has no quotes: {csv}");
    quarantine("list", &target, &["--schema", "elsewhere"]).expect(2);
}

#[test]
fn rows_move_under_escape_with_what_refers_to_them_and_the_proof_holds() {
    let dir = tempfile::tempdir().unwrap();
    let (from, target) = moved_aside(dir.path(), MIXED);
    let retry = quarantine("retry", &target, &["--on-hazard", "escape"]).expect(5);
    assert_eq!(retry.json["moved"], serde_json::json!({"p": 2, "c": 2}));
    assert_eq!(groups(&retry), ["c.p orphan 1", "c.p parent 1", "p.n wrong-type 1"]);
    assert_eq!(cell(&target, "SELECT string_agg(id::text, ',' ORDER BY id) FROM c"), "1,3");
    let verify = migrate("verify", &from, target.url(), &[]).expect(5);
    assert_eq!(verify.totals(), (8, 5, 3));
    migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    // Again, it finds nothing more to do.
    let again = quarantine("retry", &target, &["--on-hazard", "escape"]).expect(5);
    assert_eq!(again.json["outcome"], "0 row(s) written, 3 left in the quarantine");
    execute(&target, "UPDATE p SET v = 'a' WHERE id = 1");
    migrate("verify", &from, target.url(), &[]).expect(6);
}

#[test]
fn rows_move_under_an_edited_plan_whose_normalisations_are_verified() {
    let dir = tempfile::tempdir().unwrap();
    let (from, target) = moved_aside(
        dir.path(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INTEGER); INSERT INTO t VALUES (1, 'a' || char(0), 1), (2, 'b', 'x'), (3, 'c', 3);",
    );
    let other = database();
    let edits = [
        ("v", "on_hazard = \"replace\"\nreplace = \"drop-nul\""),
        ("n", "on_hazard = \"replace\"\nreplace = \"null\""),
        ("id", "on_hazard = \"quarantine\""),
    ];
    let plan = edited_plan(dir.path(), &from, &other, &edits);
    quarantine("retry", &target, &["--plan", plan.to_str().unwrap()]).expect(0);
    assert_eq!(
        cell(&target, "SELECT string_agg(v || coalesce(n::text, '-'), ',' ORDER BY id) FROM t"),
        "a1,b-,c3"
    );
    let verify = migrate("verify", &from, target.url(), &[]).expect(0);
    let replaced = verify.json["verified"][0]["replaced"].as_array().unwrap();
    assert_eq!(replaced.iter().map(|r| r["values"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 1]);
    execute(&target, "UPDATE t SET n = 2 WHERE id = 2");
    migrate("verify", &from, target.url(), &[]).expect(6);
}

#[test]
fn a_policy_that_would_change_the_meaning_of_what_is_written_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (from, target) = moved_aside(
        dir.path(),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a' || char(0)), (2, 'mark ' || char(26));",
    );
    let marked = quarantine("retry", &target, &["--on-hazard", "escape"]).expect(2);
    assert!(marked.stderr.contains("U+001A") && marked.stderr.contains("next:"), "{}", marked.stderr);
    let plan = edited_plan(dir.path(), &from, &database(), &[("v", "on_hazard = \"as_bytes\"")]);
    let retyped = quarantine("retry", &target, &["--plan", plan.to_str().unwrap()]).expect(2);
    assert!(retyped.stderr.contains("--restart"), "{}", retyped.stderr);
    migrate("verify", &from, target.url(), &[]).expect(5);
}

#[test]
fn a_retry_that_is_killed_goes_on_where_it_was_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, 'row ' || i || char(0) FROM n;
         INSERT INTO t VALUES (40000, 'fine');";
    let (from, target) = moved_aside(dir.path(), sql);
    let mut kills = 0;
    for left in [29_000, 20_000, 8_000] {
        let mut child = command("retry", &target, &["--on-hazard", "escape"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let waiting = || cell(&target, "SELECT count(*) FROM _trimaran_quarantine").parse::<u64>().unwrap();
        while child.try_wait().unwrap().is_none() && waiting() > left {}
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills > 0, "no kill met a running process");
    migrate("verify", &from, target.url(), &[]).expect(5);
    quarantine("retry", &target, &["--on-hazard", "escape"]).expect(0);
    let verify = migrate("verify", &from, target.url(), &[]).expect(0);
    assert_eq!(verify.totals(), (30_001, 30_001, 0));
}
