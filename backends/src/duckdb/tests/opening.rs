//! What is found before DuckDB touches a file, and what is left after it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::*;

/// Set in a child process: the file to hold open until standard input ends.
const HOLD: &str = "TRIMARAN_TEST_HOLD_DUCKDB_FILE";

#[test]
fn what_is_no_duckdb_file_is_named() {
    let fixture = Fixture::empty();
    let path = fixture.path();
    assert_eq!(kind_of(open(&path, Access::Source)), ErrorKind::NotFound);
    assert!(!path.exists());
    assert_eq!(kind_of(open(&path.join("deeper"), Access::Target)), ErrorKind::NotFound);

    let report = |found: &[u8]| {
        std::fs::write(&path, found).unwrap();
        let error = open(&path, Access::Source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.next_step().is_some());
        error.report()
    };
    assert!(report(b"").contains("is empty"));
    assert!(report(b"short").contains("is not a DuckDB database"));
    assert!(report(&[0; 20_000]).contains("is not a DuckDB database"));
    assert!(report(b"SQLite format 3\0 and more").contains("sqlite://"));
    assert!(report(b"12345678DUCK").contains("cut short"));

    let error = open(fixture.folder.path(), Access::Source).unwrap_err();
    assert!(error.report().contains("it is a folder"));
}

#[test]
fn a_damaged_file_is_corrupt() {
    let fixture = Fixture::new("CREATE TABLE t AS SELECT range AS i FROM range(1000)");
    let mut bytes = std::fs::read(fixture.path()).unwrap();
    // Both database headers: a checkpoint may have left either as the newer.
    for at in [4096 + 100, 8192 + 100, 4096 + 20, 8192 + 20] {
        bytes[at] ^= 0xff;
    }
    std::fs::write(fixture.path(), &bytes).unwrap();
    assert_eq!(kind_of(open(&fixture.path(), Access::Source)), ErrorKind::Corrupt);
}

#[test]
fn an_encrypted_file_is_told_from_a_plain_one() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let mut bytes = std::fs::read(fixture.path()).unwrap();
    bytes[20] |= 1;
    std::fs::write(fixture.path(), &bytes).unwrap();
    let error = open(&fixture.path(), Access::Source).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.report().contains("encrypted"));
}

#[cfg(unix)]
#[test]
fn a_new_target_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::empty();
    let target = fixture.target();
    target.session().unwrap().execute("CREATE TABLE t (i INTEGER)").unwrap();
    drop(target);
    let mode = std::fs::metadata(fixture.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_source_and_its_wal_stay_as_they_were() {
    let fixture = Fixture::new(
        "CREATE TABLE t (i INTEGER, v VARCHAR); INSERT INTO t VALUES (1, 'in the file'); CHECKPOINT;
         PRAGMA disable_checkpoint_on_shutdown; INSERT INTO t VALUES (2, 'in the WAL')",
    );
    let before = fixture.contents();
    assert!(before.iter().any(|(name, bytes)| name.ends_with(".wal") && !bytes.is_empty()));

    let source = fixture.source();
    let identity = source.identity().unwrap();
    assert!(identity.0.contains_key("wal size"), "{identity:?}");
    assert_eq!(read_all(&source, "t", 1000).len(), 2);
    let mut session = source.session().unwrap();
    assert_eq!(kind_of(session.execute("INSERT INTO t VALUES (3, 'x')")), ErrorKind::Invalid);
    assert_eq!(kind_of(session.execute("SET threads = 4")), ErrorKind::Invalid);
    assert_eq!(source.identity().unwrap(), identity);
    drop((session, source));

    assert_eq!(fixture.contents(), before);
}

#[test]
fn no_statement_reads_another_file() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let source = fixture.source();
    let mut session = source.session().unwrap();
    let other = fixture.folder.path().join("other.csv");
    std::fs::write(&other, "a\n1\n").unwrap();
    let read = format!("SELECT * FROM read_csv('{}')", other.display());
    assert_eq!(kind_of(session.query(&read, &[])), ErrorKind::Forbidden);
    let attach = format!("ATTACH '{}'", fixture.folder.path().join("new.duckdb").display());
    assert_eq!(kind_of(session.execute(&attach)), ErrorKind::Forbidden);
}

#[test]
fn any_change_changes_the_identity() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let identity = || fixture.source().identity().unwrap();
    let before = identity();
    assert_eq!(before, identity());
    fixture.target().session().unwrap().execute("INSERT INTO t VALUES (1)").unwrap();
    let after = identity();
    let differences = before.differences(&after).join(", ");
    assert!(differences.contains("iteration"), "{differences}");
}

#[test]
fn one_file_opened_twice_shares_its_handle() {
    let fixture = Fixture::new("CREATE TABLE t AS SELECT 1 AS i");
    let (first, second) = (fixture.source(), fixture.source());
    assert_eq!(read_all(&first, "t", 1000), read_all(&second, "t", 1000));
    drop(first);
    assert_eq!(read_all(&second, "t", 1000).len(), 1);
    let error = open(&fixture.path(), Access::Target).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.report().contains("this process"), "{}", error.report());
    // A session keeps the file open on its own.
    let session = second.session().unwrap();
    drop(second);
    assert_eq!(kind_of(open(&fixture.path(), Access::Target)), ErrorKind::Locked);
    drop(session);
    drop(fixture.target());
}

#[cfg(unix)]
#[test]
fn a_link_is_the_file_it_leads_to() {
    let fixture = Fixture::new("CREATE TABLE t AS SELECT 1 AS i");
    let link = fixture.folder.path().join("link.duckdb");
    std::os::unix::fs::symlink(fixture.path(), &link).unwrap();
    let _source = fixture.source();
    assert_eq!(kind_of(open(&link, Access::Target)), ErrorKind::Locked);
    drop(open(&link, Access::Source).unwrap());
}

#[test]
fn opening_and_closing_from_many_threads_is_orderly() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let target = fixture.target();
                    target.session().unwrap().execute("INSERT INTO t VALUES (1)").unwrap();
                }
            });
        }
    });
    assert_eq!(read_all(&fixture.source(), "t", 1000).len(), 80);
}

#[test]
fn a_file_that_another_process_holds_is_locked_and_stays_so() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let name = "duckdb::tests::opening::hold_the_file_named_in_the_environment";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(HOLD, fixture.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("the file is held")));

    for access in [Access::Source, Access::Target] {
        let error = open(&fixture.path(), access).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert!(error.next_step().is_some());
        #[cfg(target_os = "linux")]
        assert!(error.report().contains(&child.id().to_string()), "{}", error.report());
    }

    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    drop(fixture.source());
}

/// No test of its own: what the child process of the test above runs.
#[test]
fn hold_the_file_named_in_the_environment() {
    let Some(path) = std::env::var_os(HOLD) else { return };
    let _held = duckdb::Connection::open(path).unwrap();
    println!("the file is held");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn examining_a_file_does_not_drop_its_lock() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER)");
    let source = fixture.source();
    source.identity().unwrap();
    let name = "duckdb::tests::opening::fail_to_write_the_file_named_in_the_environment";
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(HOLD, fixture.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

/// No test of its own: what the child process of the test above runs.
#[test]
fn fail_to_write_the_file_named_in_the_environment() {
    let Some(path) = std::env::var_os(HOLD) else { return };
    assert_eq!(kind_of(open(Path::new(&path), Access::Target)), ErrorKind::Locked);
}
