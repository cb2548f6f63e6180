//! Connections that are lost, servers that start again, deadlocks: the run tries again, within its limit, and ends as an
//! undisturbed one does.

use std::path::Path;
use std::time::{Duration, Instant};

use trimaran_backends::Session;
use trimaran_backends::testing::postgres::database;
use trimaran_backends::testing::{TestDatabase, TestServer};
use trimaran_core::Value;

use crate::cli::{Outcome, cell, duckdb_url, migrate, migrate_in, session, spawn_heard, status};
use crate::faults::{CHUNK_ROWS, FLAGS, duckdb_source};
use crate::interruptions::{digests, wait_for};
use crate::samples;

/// Stops a run by an injected error at the first write of this kind, so that what was before it stands.
pub(crate) fn run_up_to(kind: &str, from: &str, to: &str, folder: &Path) {
    let probe = database();
    let log = folder.join("kinds");
    migrate_in(
        &[("TRIMARAN_FAULT_LOG", log.to_str().unwrap()), CHUNK_ROWS],
        "run",
        from,
        probe.url(),
        &FLAGS,
    );
    let writes = std::fs::read_to_string(log).unwrap();
    let first = writes.lines().find_map(|line| {
        let (write, found) = line.split_once(' ')?;
        (found == kind).then(|| write.to_owned())
    });
    let fault = format!("fail:before:{}", first.unwrap_or_else(|| panic!("no {kind} in {writes}")));
    migrate_in(&[("TRIMARAN_FAULT", &fault), CHUNK_ROWS], "run", from, to, &FLAGS).expect(7);
}

/// Waits until a session of the program waits for a lock.
#[track_caller]
pub(crate) fn wait_until_blocked(session: &mut dyn Session) {
    let begun = Instant::now();
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND wait_event_type = 'Lock' AND application_name = 'trimaran'";
    while session.query(sql, &[]).unwrap()[0][0] != Value::Int(1) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing waits for a lock");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for the end of a run: its exit code and what it said.
fn end(child: std::process::Child) -> Outcome {
    let output = child.wait_with_output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        json: serde_json::Value::Null,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn terminate_others(target: &TestDatabase) -> String {
    cell(
        target,
        "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'trimaran'",
    )
}

#[test]
fn all_sessions_of_a_run_ended_three_times_over_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("memory.db");
    samples::pyrit::write(&path, 20_000).unwrap();
    let from = duckdb_url(&path);
    let flags = ["--on-hazard", "quarantine"];
    let (undisturbed, target) = (database(), database());
    let reference = digests(&migrate("run", &from, undisturbed.url(), &flags).expect(5).json);
    let mut child = spawn_heard(&from, target.url(), &flags);
    let mut ended = 0;
    for progress in [5, 9, 12] {
        wait_for(&target, progress, &mut child);
        ended += u32::from(terminate_others(&target) != "0");
    }
    assert!(ended >= 2, "the run was over too soon");
    let outcome = end(child).expect(5);
    assert!(outcome.stderr.contains("trying again in"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("tried again "), "{}", outcome.stderr);
    let again = migrate("run", &from, target.url(), &flags).expect(5);
    assert_eq!(digests(&again.json), reference);
    assert!(again.json["retries"].is_null());
    assert_eq!(cell(&target, "SELECT count(*) FROM _trimaran_runs"), "1");
}

#[test]
fn a_server_that_starts_again_is_waited_for() {
    let server = TestServer::dedicated(&[]);
    let target = server.database();
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    run_up_to("target ROWS", &from, target.url(), dir.path());
    let mut holder = session(&target);
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut watcher = session(&target);
    let child = spawn_heard(&from, target.url(), &FLAGS);
    // In the middle of a copy for certain: it waits for the table.
    wait_until_blocked(watcher.as_mut());
    drop(watcher);
    server.kill();
    drop(holder);
    server.restart();
    let outcome = end(child).expect(5);
    assert!(outcome.stderr.contains("trying again in"), "{}", outcome.stderr);
    assert_eq!(cell(&target, "SELECT count(*) || ' ' || count(DISTINCT id) FROM child"), "4996 4996");
}

#[test]
fn a_server_that_stays_away_ends_the_run_after_the_last_try() {
    let server = TestServer::dedicated(&[]);
    let target = server.database();
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    run_up_to("target ROWS", &from, target.url(), dir.path());
    let mut holder = session(&target);
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut watcher = session(&target);
    let child = spawn_heard(&from, target.url(), &[&FLAGS[..], &["--retries", "2"]].concat());
    wait_until_blocked(watcher.as_mut());
    drop(watcher);
    server.kill();
    let outcome = end(child).expect(7);
    assert!(outcome.stderr.contains("tried 3 times"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("next:"), "{}", outcome.stderr);
    drop(holder);
    server.restart();
    migrate("run", &from, target.url(), &FLAGS).expect(5);
}

#[test]
fn a_deadlock_that_the_run_loses_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let target = database();
    run_up_to("target ROWS", &from, target.url(), dir.path());
    // The run writes rows, then its record: this session goes the other way round, and waits last, so that the server
    // finds the run waiting in the circle.
    let (mut other, mut watcher) = (session(&target), session(&target));
    other.begin().unwrap();
    other.execute("LOCK TABLE _trimaran_chunks IN EXCLUSIVE MODE").unwrap();
    let child = spawn_heard(&from, target.url(), &FLAGS);
    wait_until_blocked(watcher.as_mut());
    other.execute("LOCK TABLE child, parent IN EXCLUSIVE MODE").unwrap();
    other.rollback().unwrap();
    let outcome = end(child).expect(5);
    assert!(outcome.stderr.contains("deadlock detected"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("tried again 1 time"), "{}", outcome.stderr);
    assert_eq!(cell(&target, "SELECT count(*) || ' ' || count(DISTINCT id) FROM child"), "4996 4996");
}

#[test]
fn a_second_run_refuses_while_the_first_is_at_work_and_the_status_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let target = database();
    run_up_to("target ROWS", &from, target.url(), dir.path());
    let stopped = status(target.url(), &[]).expect(0);
    assert_eq!(stopped.json["at_work"], false);
    assert!(stopped.stderr.contains("continues it"), "{}", stopped.stderr);
    let (mut holder, mut watcher) = (session(&target), session(&target));
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child, parent IN ACCESS EXCLUSIVE MODE").unwrap();
    let first = spawn_heard(&from, target.url(), &FLAGS);
    wait_until_blocked(watcher.as_mut());
    let second = migrate("run", &from, target.url(), &FLAGS).expect(2);
    assert!(second.stderr.contains("another migration"), "{}", second.stderr);
    assert_eq!(status(target.url(), &[]).expect(0).json["at_work"], true);
    holder.rollback().unwrap();
    end(first).expect(5);
    let done = status(target.url(), &[]).expect(0).json;
    assert_eq!(done["at_work"], false);
    let run = &done["runs"][0];
    assert_eq!(run["state"], "verified");
    assert!(run["last_change"].as_str().unwrap() >= run["begun"].as_str().unwrap(), "{run}");
    let child =
        run["tables"].as_array().unwrap().iter().find(|t| t["table"].as_str().unwrap().ends_with("child"));
    let child = child.unwrap();
    assert_eq!(
        (&child["rows"], &child["planned_rows"], &child["quarantined"]),
        (&5000.into(), &5000.into(), &4.into())
    );
}
