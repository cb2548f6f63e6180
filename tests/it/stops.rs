//! Ctrl-C: whatever statement is under way, the program ends soon, with exit code 7, and the next run ends what it began. (How
//! soon is in the documentation; here the bound is wide, for a busy machine.)

use std::path::Path;
use std::time::Duration;

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, interrupt, migrate, session, spawn_heard, sqlite_url};
use crate::connections::{run_up_to, wait_until_blocked};
use crate::faults::{FLAGS, duckdb_source};

const SOON: Duration = Duration::from_secs(10);

/// Interrupts a run into Postgres whose next write is of this kind, while its statement waits for the table `child`: it would
/// wait for half a minute.
#[track_caller]
fn interrupted_at(kind: &str) {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let target = database();
    run_up_to(kind, &from, target.url(), dir.path());
    let (mut holder, mut watcher) = (session(&target), session(&target));
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child, parent IN ACCESS EXCLUSIVE MODE").unwrap();
    let child = spawn_heard(&from, target.url(), &FLAGS);
    wait_until_blocked(watcher.as_mut());
    let (outcome, took) = interrupt(child);
    assert!(took < SOON, "{kind}: it took {took:?}");
    let outcome = outcome.expect(7);
    assert!(outcome.stderr.contains("run the same command again"), "{}", outcome.stderr);
    eprintln!("{kind}: ended {:.2} s after Ctrl-C", took.as_secs_f64());
    // Nothing of it goes on in the server: a statement left behind would wait for the table still.
    let left = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock'";
    assert_eq!(cell(&target, left), "0");
    holder.rollback().unwrap();
    migrate("run", &from, target.url(), &FLAGS).expect(5);
    assert_eq!(cell(&target, "SELECT count(*) || ' ' || count(DISTINCT id) FROM child"), "4996 4996");
}

#[test]
fn a_copy_ends_soon_after_ctrl_c() {
    interrupted_at("target ROWS");
}

#[test]
fn a_key_being_built_ends_soon_after_ctrl_c() {
    interrupted_at("target ALTER");
}

#[test]
fn a_question_about_the_schema_ends_soon_after_ctrl_c() {
    // The table has its key by now, and the catalogue can't be read while it is locked.
    interrupted_at("journal UPDATE");
}

/// DuckDB builds an index of this size only with more memory than it is given by default.
const LARGE_FLAGS: [&str; 6] = ["--tables", "t", "--jobs", "2", "--memory", "1GiB"];

/// A table of many rows, with text to sort into an index.
fn large(url: &dyn Fn(&Path) -> String, path: &Path) -> String {
    let source = duckdb::Connection::open(path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, note VARCHAR);
             INSERT INTO t SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) FROM range(200000) r(i);
             CREATE INDEX t_by_note ON t (note);",
        )
        .unwrap();
    source.close().unwrap();
    url(path)
}

#[test]
fn a_run_ends_soon_after_ctrl_c_whenever_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let from = large(&duckdb_url, &dir.path().join("source.db"));
    let middle = sqlite_url(&dir.path().join("middle.sqlite"));
    stopped_again_and_again(&from, &middle);
    stopped_again_and_again(&from, database().url());
    stopped_again_and_again(&middle, &duckdb_url(&dir.path().join("target.db")));
}

/// Runs with a Ctrl-C a little later each time, until a run comes to its end.
fn stopped_again_and_again(from: &str, to: &str) {
    let mut stopped = 0;
    for wait in (1..).map(|n| Duration::from_millis(100 + 60 * n * n)) {
        let mut child = spawn_heard(from, to, &LARGE_FLAGS);
        std::thread::sleep(wait);
        let over = child.try_wait().unwrap().is_some();
        let (outcome, took) = interrupt(child);
        assert!(took < SOON, "it took {took:?} after {wait:?}");
        if over || outcome.code == 0 {
            outcome.expect(0);
            break;
        }
        // Before the program listens, the signal ends it as it ends any.
        assert!(matches!(outcome.code, 7 | -1), "{} after {wait:?}:\n{}", outcome.code, outcome.stderr);
        stopped += u32::from(outcome.code == 7);
        eprintln!("{to}: after {wait:?} ended in {:.2} s", took.as_secs_f64());
    }
    assert!(stopped >= 2, "only {stopped} signals met a run");
    let ended = migrate("run", from, to, &LARGE_FLAGS).expect(0);
    assert_eq!(ended.totals(), (200_000, 200_000, 0));
}
