//! DuckDB ↔ SQLite: two files, and no server.

use super::undo_duckdb::{declared, write};
use super::{duckdb_rows, source_digests, sqlite_rows, target_digests};
use crate::cli::{duckdb_url, folder, migrate, sqlite_url};
use crate::samples;

#[test]
fn every_command_works_from_duckdb_to_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let origin = dir.path().join("origin");
    std::fs::create_dir(&origin).unwrap();
    let (path, to) = (origin.join("memory.db"), dir.path().join("app.sqlite"));
    samples::pyrit::write(&path, 3_000).unwrap();
    let before = folder(&origin);
    let (from, to_url) = (duckdb_url(&path), sqlite_url(&to));
    let check = migrate("check", &from, &to_url, &[]).expect(0);
    // SQLite's text holds U+0000, and its JSON is text that nothing checks.
    assert!(check.hazards().iter().all(|h| h.ends_with("moves")), "{:?}", check.hazards());
    migrate("plan", &from, &to_url, &[]).expect(0);
    let run = migrate("run", &from, &to_url, &["--on-hazard", "escape"]).expect(0);
    assert_eq!(source_digests(&run), target_digests(&run));
    migrate("run", &from, &to_url, &["--on-hazard", "escape"]).expect(0);
    migrate("verify", &from, &to_url, &[]).expect(0);
    let refused = migrate("run", &from, &to_url, &["--on-hazard", "quarantine"]).expect(2);
    assert!(refused.stderr.contains("--restart"), "{}", refused.stderr);
    migrate("run", &from, &to_url, &["--on-hazard", "quarantine", "--restart"]).expect(0);
    assert_eq!(sqlite_rows(&to, "SELECT CAST(count(*) AS TEXT) FROM pragma_foreign_key_check"), ["0"]);
    assert_eq!(folder(&origin), before, "the source's folder is as it was");
}

#[test]
fn every_command_works_from_sqlite_to_duckdb() {
    let dir = tempfile::tempdir().unwrap();
    let origin = dir.path().join("origin");
    std::fs::create_dir(&origin).unwrap();
    let (path, to) = (origin.join("app.sqlite"), dir.path().join("app.db"));
    samples::violentutf::write(&path, 1_000).unwrap();
    let before = folder(&origin);
    let (from, to_url) = (sqlite_url(&path), duckdb_url(&to));
    migrate("check", &from, &to_url, &[]).expect(4);
    let run = migrate("run", &from, &to_url, &["--on-hazard", "quarantine"]).expect(5);
    let (source, moved, aside) = run.totals();
    assert_eq!(source, moved + aside);
    migrate("verify", &from, &to_url, &[]).expect(5);
    let (what, why) =
        super::not_moved(&run).into_iter().find(|(what, _)| what.starts_with("foreign key")).unwrap();
    assert!(why.contains("DuckDB"), "{what}: {why}");
    assert!(duckdb_rows(&to, "SELECT table_name FROM duckdb_tables()").contains(&"api_keys".to_owned()));
    assert_eq!(folder(&origin), before, "the source's folder is as it was");
}

#[test]
fn every_duckdb_type_comes_back_by_way_of_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let (path, back) = (dir.path().join("origin.db"), dir.path().join("back.db"));
    let middle = sqlite_url(&dir.path().join("middle.sqlite"));
    write(&path);
    let to = migrate("run", &duckdb_url(&path), &middle, &["--on-hazard", "escape"]).expect(0);
    let from = migrate("run", &middle, &duckdb_url(&back), &["--on-hazard", "escape"]).expect(0);
    assert_eq!(target_digests(&from), source_digests(&to));
    // SQLite has no sequences: the one that was drawn from is named, and its default with it.
    let unmoved: Vec<String> = super::not_moved(&to).into_iter().map(|(what, _)| what).collect();
    assert!(unmoved.contains(&"sequence drawn".to_owned()), "{unmoved:?}");
    assert!(unmoved.contains(&"default Order.id".to_owned()), "{unmoved:?}");
    assert_eq!(declared(&back), declared(&path));
}

#[test]
fn what_sqlite_has_no_form_for_is_named_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("origin.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, x DOUBLE); INSERT INTO t VALUES (1, 'nan'), (2, -0.0::DOUBLE), (3, 'infinity'), (4, 0)")
        .unwrap();
    source.close().unwrap();
    let to = sqlite_url(&dir.path().join("to.sqlite"));
    let check = migrate("check", &duckdb_url(&path), &to, &[]).expect(4);
    assert_eq!(check.hazards(), ["t.x out-of-range 1 rejects", "t.x inexact 1 rejects"]);
    let run = migrate("run", &duckdb_url(&path), &to, &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(run.totals(), (4, 2, 2));
}

#[test]
fn a_run_that_is_killed_goes_on_into_either_file() {
    let dir = tempfile::tempdir().unwrap();
    let (duckdb, sqlite) = (dir.path().join("memory.db"), dir.path().join("app.sqlite"));
    samples::pyrit::write(&duckdb, 20_000).unwrap();
    samples::violentutf::write(&sqlite, 20_000).unwrap();
    let ways = [
        (duckdb_url(&duckdb), sqlite_url(&dir.path().join("to.sqlite")), 0),
        (sqlite_url(&sqlite), duckdb_url(&dir.path().join("to.db")), 5),
    ];
    for (from, to, code) in ways {
        let kills = super::resumed::kill_at_moments(&from, &to, 6);
        assert!(kills > 0, "no kill met a running process");
        let run = migrate("run", &from, &to, &["--on-hazard", "escape"]).expect(code);
        let (source, moved, aside) = run.totals();
        assert_eq!(source, moved + aside);
        assert_eq!(source_digests(&run), target_digests(&run));
    }
}
