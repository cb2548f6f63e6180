//! Targets that are files: two runs at once, a full disk. And sources that are written while they are read.

use std::path::Path;

use trimaran_backends::testing::SmallDisk;
use trimaran_backends::testing::postgres::database;
use trimaran_backends::{Access, Location, OpenOptions, open};
use trimaran_migrator::retry::lock_name;

use crate::cli::{duckdb_url, migrate, migrate_in, session, spawn_heard, sqlite_url, status};
use crate::connections::{run_up_to, wait_until_blocked};
use crate::faults::{FLAGS, duckdb_source, sqlite_source};

fn opened(url: &str) -> Box<dyn trimaran_backends::Database> {
    let options = OpenOptions { access: Access::Target, memory: 64 << 20, sessions: 1 };
    open(&Location::parse(url).unwrap(), options).unwrap()
}

#[test]
fn a_second_run_into_a_file_refuses_and_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let from = duckdb_source(&dir.path().join("source.db"));
    let to = sqlite_url(&dir.path().join("target.sqlite"));
    let target = opened(&to);
    let mut holder = target.session().unwrap();
    assert!(holder.try_lock(&lock_name("main")).unwrap());
    let second = migrate("run", &from, &to, &FLAGS).expect(2);
    assert!(second.stderr.contains("another migration"), "{}", second.stderr);
    assert_eq!(status(&to, &[]).expect(0).json["at_work"], true);
    drop((holder, target));
    assert_eq!(status(&to, &[]).expect(0).json["runs"], serde_json::json!([]));
    assert!(matches!(migrate("run", &from, &to, &FLAGS).code, 0 | 5));

    let from = sqlite_source(&dir.path().join("source.sqlite"));
    let to = duckdb_url(&dir.path().join("target.db"));
    let holder = opened(&to);
    let second = migrate("run", &from, &to, &FLAGS).expect(3);
    assert!(second.stderr.contains("has it open"), "{}", second.stderr);
    status(&to, &[]).expect(3);
    drop(holder);
    migrate("run", &from, &to, &FLAGS).expect(5);
}

#[test]
fn the_status_of_a_file_that_is_not_there_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    for url in [sqlite_url, duckdb_url] {
        let path = dir.path().join("absent");
        let asked = status(&url(&path), &[]).expect(3);
        assert!(asked.stderr.contains("no such file"), "{}", asked.stderr);
        assert!(!path.exists());
    }
}

/// A table of some megabytes.
fn large(path: &Path) -> String {
    let source = duckdb::Connection::open(path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t AS SELECT i::INTEGER AS id, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS note
             FROM range(100000) r(i);",
        )
        .unwrap();
    source.close().unwrap();
    duckdb_url(path)
}

#[test]
fn a_full_disk_under_a_file_is_named_and_the_run_resumes_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let duckdb = large(&dir.path().join("source.db"));
    let sqlite = sqlite_url(&dir.path().join("source.sqlite"));
    migrate("run", &duckdb, &sqlite, &[]).expect(0);
    let disk = SmallDisk::create(dir.path(), 64 << 20).unwrap();
    let environment = disk.environment();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.to_str().unwrap())).collect();
    let flags = ["--tables", "t"];
    for (from, to) in [
        (&duckdb, sqlite_url(&disk.folder().join("target.sqlite"))),
        (&sqlite, duckdb_url(&disk.folder().join("target.db"))),
    ] {
        // Room for the journal and the empty tables, not for the rows.
        disk.occupy(61 << 20).unwrap();
        let full = migrate_in(&environment, "run", from, &to, &flags).expect(7);
        assert!(
            full.stderr.contains("is full") || full.stderr.to_lowercase().contains("space"),
            "{}",
            full.stderr
        );
        assert!(full.stderr.contains("next: free space"), "{}", full.stderr);
        disk.free().unwrap();
        let ended = migrate_in(&environment, "run", from, &to, &flags).expect(0);
        assert_eq!(ended.totals(), (100_000, 100_000, 0));
        for entry in std::fs::read_dir(disk.folder()).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn a_source_that_is_written_while_it_is_read_is_read_as_it_was_or_can_not_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let target = database();
    let path = dir.path().join("source.db");
    let from = duckdb_source(&path);
    run_up_to("target ROWS", &from, target.url(), dir.path());
    let (mut holder, mut watcher) = (session(&target), session(&target));
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child, parent IN ACCESS EXCLUSIVE MODE").unwrap();
    let child = spawn_heard(&from, target.url(), &FLAGS);
    wait_until_blocked(watcher.as_mut());
    // DuckDB: no other process can open the file for writing.
    let refused = duckdb::Connection::open(&path).expect_err("the file is locked").to_string();
    assert!(refused.contains("lock"), "{refused}");
    holder.rollback().unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(5));
}

#[test]
fn a_sqlite_source_with_a_log_is_read_from_one_snapshot_and_the_change_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let target = database();
    let path = dir.path().join("source.sqlite");
    let from = sqlite_source(&path);
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    run_up_to("target ROWS", &from, target.url(), dir.path());
    let (mut holder, mut watcher) = (session(&target), session(&target));
    holder.begin().unwrap();
    holder.execute("LOCK TABLE child, parent IN ACCESS EXCLUSIVE MODE").unwrap();
    let child = spawn_heard(&from, target.url(), &FLAGS);
    wait_until_blocked(watcher.as_mut());
    writer
        .execute_batch("DELETE FROM child WHERE id < 4000; INSERT INTO child VALUES (9999, 1, 'new')")
        .unwrap();
    holder.rollback().unwrap();
    // The rows are those of the snapshot; but another run could not tell it from the source as it is now.
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{stderr}");
    assert_eq!(crate::cli::cell(&target, "SELECT count(*) FROM child"), "4996");
    assert!(stderr.contains("--restart"), "{stderr}");
    let restarted: Vec<&str> = FLAGS.iter().copied().chain(["--restart"]).collect();
    let ended = migrate("run", &from, target.url(), &restarted).expect(5);
    assert_eq!(ended.totals(), (1_011, 1_010, 1));
}
