//! Sources and targets that can't be used: a clear error, the documented code, nothing touched.

use trimaran_backends::testing::postgres::{database, server};

use crate::cli::{duckdb_url, folder, migrate, sqlite_url};

#[track_caller]
fn refused(from: &str, to: &str, code: i32, says: &[&str]) {
    let outcome = migrate("run", from, to, &[]).expect(code);
    for word in says {
        assert!(outcome.stderr.contains(word), "{word:?} is not in:\n{}", outcome.stderr);
    }
    assert!(outcome.stderr.contains("next:"), "no next step in:\n{}", outcome.stderr);
    assert_eq!(outcome.json["exit_code"], code);
}

#[test]
fn a_source_that_is_missing_empty_or_no_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let target = database();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("empty"), b"").unwrap();
    std::fs::write(path("text"), b"this is no database, only a text of some length ".repeat(500)).unwrap();
    rusqlite::Connection::open(path("real.sqlite"))
        .unwrap()
        .execute_batch("CREATE TABLE t (id INTEGER)")
        .unwrap();
    let before = folder(dir.path());
    for url in [duckdb_url, sqlite_url] {
        refused(&url(&path("absent")), target.url(), 3, &["absent"]);
        refused(&url(&path("empty")), target.url(), 3, &["empty"]);
        refused(&url(&path("text")), target.url(), 3, &["not a"]);
        refused(&url(dir.path()), target.url(), 3, &["is a folder"]);
    }
    refused(&duckdb_url(&path("real.sqlite")), target.url(), 3, &["sqlite://"]);
    refused("mysql://host/db", target.url(), 2, &["mysql"]);
    assert_eq!(folder(dir.path()), before);
}

#[test]
fn a_locked_source_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let target = database();
    let sqlite = dir.path().join("app.sqlite");
    let writer = rusqlite::Connection::open(&sqlite).unwrap();
    writer.execute_batch("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1); BEGIN EXCLUSIVE; INSERT INTO t VALUES (2);").unwrap();
    refused(&sqlite_url(&sqlite), target.url(), 3, &["lock"]);
    writer.execute_batch("COMMIT").unwrap();
    migrate("run", &sqlite_url(&sqlite), target.url(), &[]).expect(0);
    let duckdb = dir.path().join("memory.db");
    let holder = duckdb::Connection::open(&duckdb).unwrap();
    holder.execute_batch("CREATE TABLE u (id INTEGER); INSERT INTO u VALUES (1); CHECKPOINT;").unwrap();
    refused(&duckdb_url(&duckdb), target.url(), 3, &["lock"]);
    holder.close().unwrap();
    migrate("run", &duckdb_url(&duckdb), target.url(), &[]).expect(0);
}

#[test]
fn a_target_that_refuses_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (id INTEGER)").unwrap();
    let from = sqlite_url(&path);
    let target = database();
    let url = url::Url::parse(target.url()).unwrap();
    let with = |change: &dyn Fn(&mut url::Url)| {
        let mut changed = url.clone();
        change(&mut changed);
        changed.to_string()
    };
    let absent = with(&|u| u.set_path("/no_such_database_here"));
    refused(&from, &absent, 3, &["no_such_database_here"]);
    refused(&from, "postgres://nobody@127.0.0.1:1/none", 3, &["127.0.0.1"]);
    let role = format!("reader_{}", target.name());
    server().execute(&format!("CREATE ROLE \"{role}\" LOGIN PASSWORD 'right'"));
    let login = |password: &str| {
        with(&|u| {
            u.set_username(&role).unwrap();
            u.set_password(Some(password)).unwrap();
        })
    };
    let wrong = migrate("run", &from, &login("wr0ng-pass"), &[]).expect(3);
    assert!(
        wrong.stderr.contains("password") && wrong.stderr.contains("--to-password-file"),
        "{}",
        wrong.stderr
    );
    assert!(!wrong.stderr.contains("wr0ng-pass"), "{}", wrong.stderr);
    server().execute(&format!(
        "REVOKE ALL ON DATABASE \"{}\" FROM PUBLIC; GRANT CONNECT ON DATABASE \"{}\" TO \"{role}\"",
        target.name(),
        target.name()
    ));
    crate::cli::execute(&target, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    refused(&from, &login("right"), 3, &["permission"]);
    server().execute(&format!(
        "REVOKE ALL ON DATABASE \"{}\" FROM \"{role}\"; DROP ROLE \"{role}\"",
        target.name()
    ));
    migrate("run", &from, target.url(), &[]).expect(0);
}

#[test]
fn the_documentation_lists_every_exit_code() {
    let docs = include_str!("../../docs/migrate.md");
    for (_, code, meaning) in trimaran_migrator::exit::TABLE {
        assert!(docs.contains(&format!("| {code} | {meaning} |")), "{code} {meaning}");
    }
}
