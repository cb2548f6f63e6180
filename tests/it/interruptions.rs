//! A run that is cut off anywhere goes on where it was, and ends as an undisturbed one does.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use trimaran_backends::testing::{TestDatabase, TestServer, postgres::database};
use trimaran_core::Value;

use crate::cli::{cell, duckdb_url, migrate, session, spawn_run, sqlite_url};
use crate::samples;

/// Waits until the journal has `progress` records (chunks and steps together), or the run is over.
pub(crate) fn wait_for(database: &TestDatabase, progress: i64, child: &mut std::process::Child) {
    let begun = Instant::now();
    let mut session = session(database);
    while child.try_wait().expect("the child is ours").is_none() && begun.elapsed() < Duration::from_secs(60)
    {
        let sql = "SELECT (SELECT count(*) FROM _trimaran_chunks) + (SELECT count(*) FROM _trimaran_steps)";
        if let Ok(rows) = session.query(sql, &[])
            && matches!(rows[0][0], Value::Int(n) if n >= progress)
        {
            return;
        }
    }
}

/// The digests of a report, by table.
pub(crate) fn digests(json: &serde_json::Value) -> BTreeMap<String, (String, u64, u64)> {
    json["verified"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| {
            let text = |f: &str| v[f].as_str().unwrap().to_owned();
            let number = |f: &str| v[f].as_u64().unwrap();
            (text("table"), (text("target_digest"), number("target_rows"), number("quarantined_rows")))
        })
        .collect()
}

/// A small generator with a seed (xorshift64*, Vigna 2016), so that a failure can be repeated.
pub(crate) fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    })
}

#[test]
fn killed_at_twenty_points_the_same_command_ends_as_if_undisturbed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 20_000).unwrap();
    let from = duckdb_url(&path);
    let flags = ["--on-hazard", "quarantine"];
    let undisturbed = database();
    let reference = digests(&migrate("run", &from, undisturbed.url(), &flags).expect(5).json);
    let steps = cell(
        &undisturbed,
        "SELECT ((SELECT count(*) FROM _trimaran_chunks) + (SELECT count(*) FROM _trimaran_steps))::text",
    );
    let steps: u64 = steps.parse().unwrap();
    let target = database();
    let mut kills = 0;
    let mut points: Vec<u64> = numbers(0x7219_a4a9).take(20).map(|n| n % (steps + 1)).collect();
    points.sort_unstable();
    for point in points {
        let mut child = spawn_run(&from, target.url(), &flags);
        wait_for(&target, i64::try_from(point).unwrap(), &mut child);
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills >= 10, "only {kills} of 20 kills met a running process");
    let ended = migrate("run", &from, target.url(), &flags).expect(5);
    assert_eq!(digests(&ended.json), reference);
    assert_eq!(
        cell(
            &target,
            "SELECT count(*) FROM (SELECT id FROM \"PromptMemoryEntries\" GROUP BY id HAVING count(*) > 1) d"
        ),
        "0"
    );
    assert_eq!(cell(&target, "SELECT count(*) FROM _trimaran_runs"), "1");
}

#[test]
fn a_terminated_run_says_that_it_can_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sqlite");
    samples::violentutf::write(&path, 30_000).unwrap();
    let (from, target) = (sqlite_url(&path), database());
    let mut child = spawn_run(&from, target.url(), &["--on-hazard", "quarantine", "--jobs", "1"]);
    wait_for(&target, 8, &mut child);
    let asked = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert_eq!(child.wait().unwrap().code(), Some(7));
    migrate("verify", &from, target.url(), &[]).expect(7);
    let refused = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(2);
    assert!(refused.stderr.contains("--restart"), "{}", refused.stderr);
    let ended = migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    let (source, moved, aside) = ended.totals();
    assert_eq!(source, moved + aside);
}

#[test]
fn a_server_killed_in_the_middle_and_started_again_loses_and_doubles_nothing() {
    let server = TestServer::dedicated(&[]);
    let target = server.database();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 20_000).unwrap();
    let from = duckdb_url(&path);
    let mut child = spawn_run(&from, target.url(), &["--on-hazard", "escape", "--retries", "1"]);
    wait_for(&target, 9, &mut child);
    server.kill();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    let unreachable = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(3);
    assert!(unreachable.stderr.contains("next:"), "{}", unreachable.stderr);
    server.restart();
    let ended = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(0);
    let (source, moved, aside) = ended.totals();
    assert_eq!((source, aside), (moved, 0));
}

#[test]
fn a_full_disk_is_named_and_the_run_resumes_when_there_is_room() {
    let server = TestServer::with_disk(64 << 20, &[]);
    let target = server.database();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 20_000).unwrap();
    let from = duckdb_url(&path);
    // Room for the journal and the empty tables, not for the rows.
    server.occupy_disk(50 << 20);
    let full = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(7);
    assert!(full.stderr.to_lowercase().contains("space"), "{}", full.stderr);
    assert!(full.stderr.contains("next:"), "{}", full.stderr);
    server.free_disk();
    let ended = migrate("run", &from, target.url(), &["--on-hazard", "escape"]).expect(0);
    let (source, moved, _) = ended.totals();
    assert_eq!(source, moved);
}

#[test]
fn a_source_that_changed_is_refused_until_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    source
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a');")
        .unwrap();
    let (from, target) = (sqlite_url(&path), database());
    migrate("run", &from, target.url(), &[]).expect(0);
    source.execute_batch("INSERT INTO t VALUES (2, 'b');").unwrap();
    let changed = migrate("run", &from, target.url(), &[]).expect(8);
    assert!(changed.stderr.contains("--restart"), "{}", changed.stderr);
    migrate("verify", &from, target.url(), &[]).expect(8);
    assert_eq!(cell(&target, "SELECT count(*) FROM t"), "1");
    migrate("run", &from, target.url(), &["--restart"]).expect(0);
    assert_eq!(cell(&target, "SELECT count(*) FROM t"), "2");
}
