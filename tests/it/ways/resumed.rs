//! A Postgres source whose snapshot has ended: tables that were copied whole stay, the others begin again.

use std::time::{Duration, Instant};

use trimaran_backends::testing::postgres::database;

use super::{source_digests, sqlite_rows, target_digests};
use crate::cli::{duckdb_url, execute, migrate, spawn_run, sqlite_url};
use crate::interruptions::numbers;

const TABLES: &str = "
    CREATE TABLE a (id int PRIMARY KEY, word text); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a (id), word text);
    CREATE TABLE c (id int PRIMARY KEY, word text);
    INSERT INTO a SELECT i, repeat(md5(i::text), 40) FROM generate_series(1, 30000) i;
    INSERT INTO b SELECT i, 1 + i % 30000, repeat(md5(i::text), 40) FROM generate_series(1, 30000) i;
    INSERT INTO c SELECT i, repeat(md5(i::text), 40) FROM generate_series(1, 30000) i;
";

/// Runs a migration again and again, and kills each at another moment: how many were met while they ran.
pub(super) fn kill_at_moments(from: &str, to: &str, times: usize) -> usize {
    let mut kills = 0;
    let mut patience = 1_000;
    for number in numbers(0x51de_b0a7).take(times) {
        let mut child = spawn_run(from, to, &["--on-hazard", "escape"]);
        let moment = Duration::from_millis(50 + number % patience);
        let begun = Instant::now();
        while begun.elapsed() < moment && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        patience += 700;
    }
    kills
}

#[test]
fn killed_at_several_moments_it_ends_as_if_undisturbed() {
    let dir = tempfile::tempdir().unwrap();
    let source = database();
    execute(&source, TABLES);
    let undisturbed = duckdb_url(&dir.path().join("undisturbed.db"));
    let reference = target_digests(&migrate("run", source.url(), &undisturbed, &[]).expect(0));
    for to in [duckdb_url(&dir.path().join("to.db")), sqlite_url(&dir.path().join("to.sqlite"))] {
        let kills = kill_at_moments(source.url(), &to, 8);
        assert!(kills > 0, "no kill met a running process");
        let ended = migrate("run", source.url(), &to, &["--on-hazard", "escape"]).expect(0);
        assert_eq!(target_digests(&ended), reference, "{to}");
        migrate("verify", source.url(), &to, &[]).expect(0);
    }
}

/// Waits until a table was copied whole and another has chunks, and kills the run there.
fn kill_between_tables(from: &str, to: &std::path::Path) {
    let mut child = spawn_run(from, &sqlite_url(to), &["--jobs", "1"]);
    let begun = Instant::now();
    let copied = || -> rusqlite::Result<bool> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let journal = rusqlite::Connection::open_with_flags(to, flags)?;
        let sql = "SELECT (SELECT count(*) FROM _trimaran_steps WHERE step = 'copied public.a') = 1
                   AND (SELECT count(*) FROM _trimaran_chunks WHERE source_table <> 'a') > 0";
        journal.query_row(sql, [], |row| row.get(0))
    };
    while !copied().unwrap_or(false) && begun.elapsed() < Duration::from_secs(60) {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_finished_table_stays_unless_it_changed_and_an_unfinished_one_begins_again() {
    let dir = tempfile::tempdir().unwrap();
    let source = database();
    execute(
        &source,
        &TABLES.replace(
            "generate_series(1, 30000) i;\n    INSERT INTO c",
            "generate_series(1, 90000) i;\n    INSERT INTO c",
        ),
    );
    let path = dir.path().join("to.sqlite");
    kill_between_tables(source.url(), &path);
    // Meanwhile the source goes on: rows that the first snapshot did not have, and one that it had otherwise.
    execute(&source, "INSERT INTO c VALUES (0, 'new'); UPDATE b SET word = 'changed' WHERE id = 1");
    let ended = migrate("run", source.url(), &sqlite_url(&path), &["--jobs", "1"]).expect(0);
    assert!(ended.stderr.contains("b begins again"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(" a begins again"), "{}", ended.stderr);
    assert_eq!(source_digests(&ended), target_digests(&ended));
    assert_eq!(sqlite_rows(&path, "SELECT word FROM b WHERE id = 1"), ["changed"]);
    assert_eq!(sqlite_rows(&path, "SELECT word FROM c WHERE id = 0"), ["new"]);
    assert_eq!(sqlite_rows(&path, "SELECT CAST(count(*) AS TEXT) FROM b"), ["90000"]);

    let changed = dir.path().join("changed.sqlite");
    kill_between_tables(source.url(), &changed);
    execute(&source, "UPDATE a SET word = 'changed too' WHERE id = 7");
    let ended = migrate("run", source.url(), &sqlite_url(&changed), &["--jobs", "1"]).expect(0);
    assert!(ended.stderr.contains(" a begins again"), "{}", ended.stderr);
    assert_eq!(sqlite_rows(&changed, "SELECT word FROM a WHERE id = 7"), ["changed too"]);
}

#[test]
fn rows_of_others_in_a_table_that_begins_again_are_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let source = database();
    execute(
        &source,
        &TABLES.replace(
            "generate_series(1, 30000) i;\n    INSERT INTO c",
            "generate_series(1, 90000) i;\n    INSERT INTO c",
        ),
    );
    let path = dir.path().join("to.sqlite");
    kill_between_tables(source.url(), &path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("INSERT INTO b VALUES (-1, NULL, 'mine')").unwrap();
    drop(other);
    let refused = migrate("run", source.url(), &sqlite_url(&path), &["--jobs", "1"]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("of which the run wrote"), "{}", refused.stderr);
    assert_eq!(sqlite_rows(&path, "SELECT word FROM b WHERE id = -1"), ["mine"]);
}

#[test]
fn what_others_write_during_the_copy_does_not_appear() {
    let dir = tempfile::tempdir().unwrap();
    let source = database();
    execute(&source, TABLES);
    let path = dir.path().join("to.sqlite");
    let mut child = spawn_run(source.url(), &sqlite_url(&path), &["--jobs", "2"]);
    let exists = || -> rusqlite::Result<i64> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        rusqlite::Connection::open_with_flags(&path, flags)?.query_row(
            "SELECT count(*) FROM _trimaran_runs",
            [],
            |row| row.get(0),
        )
    };
    // The journal begins after the check: by then the snapshot stands.
    while exists().unwrap_or(0) == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before anything could be written");
        std::thread::sleep(Duration::from_millis(2));
    }
    execute(
        &source,
        "INSERT INTO c VALUES (0, 'late'); DELETE FROM b WHERE id % 2 = 0; UPDATE a SET word = 'late'",
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(sqlite_rows(&path, "SELECT CAST(count(*) AS TEXT) FROM c"), ["30000"]);
    assert_eq!(sqlite_rows(&path, "SELECT CAST(count(*) AS TEXT) FROM b"), ["30000"]);
    assert_eq!(sqlite_rows(&path, "SELECT CAST(count(*) AS TEXT) FROM a WHERE word = 'late'"), ["0"]);
}
