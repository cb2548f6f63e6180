//! Opening: what is refused and how, and that a source is left exactly as it is.

use trimaran_core::ErrorKind;

use super::application::Application;
use super::*;
use crate::sqlite::snapshot::Way;

/// Opens a source in the way expected, finds `rows` rows in table `t` through every session, closes it, and finds the
/// folder exactly as it was: the same files with the same bytes and times, at every step.
fn read_without_a_trace(folder: &Folder, way: Way, rows: usize) {
    let before = folder.state();
    let source = folder.source();
    assert_eq!(source.way(), Some(way));
    assert_eq!(folder.state(), before, "after opening");
    // Three were opened at the start; two more are opened now.
    let mut sessions: Vec<_> = (0..5).map(|_| source.session().unwrap()).collect();
    for session in &mut sessions {
        assert_eq!(read_chunks(&source, session.as_mut(), "t", 7).0.len(), rows);
    }
    assert_eq!(folder.state(), before, "after reading");
    assert_eq!(source.identity().unwrap(), folder.source().identity().unwrap());
    drop(source);
    drop(sessions);
    assert_eq!(folder.state(), before, "after closing");
}

/// An application that has a database with a write-ahead log open: ten rows in the file, ten more in the log only.
fn living() -> (Folder, Application) {
    let folder = Folder::new();
    let mut application = Application::start(&folder.database());
    application.run(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
         INSERT INTO t SELECT i, 'in the file' FROM n;
         PRAGMA wal_checkpoint(TRUNCATE);
         INSERT INTO t SELECT id + 10, 'in the log' FROM t;",
    );
    (folder, application)
}

#[test]
fn a_rollback_journal_database_is_read_without_a_trace() {
    let folder = Folder::new();
    folder.application().execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (1), (2)").unwrap();
    read_without_a_trace(&folder, Way::Locks, 2);
}

#[test]
fn a_journal_kept_for_the_next_transaction_is_not_hot() {
    let folder = Folder::new();
    folder
        .application()
        .execute_batch("PRAGMA journal_mode = PERSIST; CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .unwrap();
    assert!(folder.state().contains_key("app.sqlite-journal"));
    read_without_a_trace(&folder, Way::Locks, 1);
}

#[test]
fn a_living_log_is_read_without_a_trace() {
    let (folder, mut application) = living();
    read_without_a_trace(&folder, Way::SharedIndex, 20);
    // Nor does the application notice, during the reading or after it.
    let source = folder.source();
    application.run("INSERT INTO t SELECT id + 100, 'during' FROM t");
    drop(source);
    application.run("PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE id > 100");
    drop(application);
    read_without_a_trace(&folder, Way::Copy, 20);
}

#[test]
fn the_log_of_a_killed_application_is_read_without_a_trace() {
    let (folder, application) = living();
    application.kill();
    assert_eq!(folder.state().len(), 3);
    read_without_a_trace(&folder, Way::SharedIndex, 20);
}

#[test]
fn a_reader_keeps_its_lock_whatever_else_is_examined() {
    let folder = Folder::new();
    let mut application = Application::start(&folder.database());
    application.run("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    let source = folder.source();
    // Each of these opens and closes what would drop the process's locks if the file itself were opened and closed.
    source.identity().unwrap();
    drop(folder.source());
    drop(source.session().unwrap());
    assert!(application.try_run("INSERT INTO t VALUES (2)").unwrap_err().contains("locked"));
    drop(source);
    application.run("INSERT INTO t VALUES (2)");
}

#[test]
fn a_log_left_by_a_crash_with_its_index_is_read_without_a_trace() {
    let (folder, _application) = living();
    read_without_a_trace(&folder.copy(&["", "-wal", "-shm"]), Way::SharedIndex, 20);
}

#[test]
fn a_log_left_without_its_index_is_read_without_a_trace() {
    let (folder, _application) = living();
    read_without_a_trace(&folder.copy(&["", "-wal"]), Way::PrivateIndex, 20);
}

#[test]
fn a_log_format_database_closed_cleanly_is_read_without_a_trace() {
    let (folder, application) = living();
    drop(application);
    assert_eq!(folder.state().len(), 1);
    read_without_a_trace(&folder, Way::Copy, 20);
    let (empty_log, _application) = living();
    let empty_log = empty_log.copy(&[""]);
    std::fs::write(empty_log.0.path().join("app.sqlite-wal"), b"").unwrap();
    read_without_a_trace(&empty_log, Way::PrivateIndex, 10);
}

#[test]
fn names_that_mean_something_in_a_uri_are_only_names() {
    let (folder, _application) = living();
    for (suffixes, rows) in [(&["", "-wal"][..], 20), (&["", "-wal", "-shm"], 20), (&[""], 10)] {
        let copy = Folder::new();
        for suffix in suffixes {
            let name = format!("a b?mode=rwc&x=%41#é.db{suffix}");
            std::fs::copy(folder.0.path().join(format!("app.sqlite{suffix}")), copy.0.path().join(name))
                .unwrap();
        }
        let before = copy.state();
        let source = open(&copy.0.path().join("a b?mode=rwc&x=%41#é.db"), Access::Source).unwrap();
        assert_eq!(rows_of(&source, "t").len(), rows);
        assert_eq!(copy.state(), before);
    }
}

#[test]
fn all_sessions_see_one_snapshot_while_an_application_writes() {
    let (folder, mut application) = living();
    let source = folder.source();
    let mut sessions: Vec<_> = (0..3).map(|_| source.session().unwrap()).collect();
    let then = source.identity().unwrap();
    application.run("INSERT INTO t SELECT id + 100, 'later' FROM t; PRAGMA wal_checkpoint(PASSIVE)");
    for session in &mut sessions {
        assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(20)]]);
    }
    let now = source.identity().unwrap();
    assert_ne!(then, now);
    // Another session would see another state.
    assert_eq!(source.session().err().unwrap().kind(), ErrorKind::Changed);
    // An older snapshot is never taken for the newer state.
    assert_ne!(now, folder.source().identity().unwrap());
}

#[test]
fn what_changes_under_a_reader_without_locks_is_noticed() {
    let (folder, _application) = living();
    let folder = folder.copy(&["", "-wal"]);
    let source = folder.source();
    let catalog = source.catalog(None).unwrap();
    let mut session = source.session().unwrap();
    let table = &catalog.tables[0];
    let chunk = session.chunks(table, 100).unwrap()[0];
    let read = Read { table, columns: &table.columns, chunk };
    session.read(&read, &mut |_| Ok(())).unwrap();
    folder.application().execute_batch("DELETE FROM t").unwrap();
    let error = session.read(&read, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert!(error.next_step().is_some());
}

#[test]
fn an_identity_tells_states_apart_and_outlives_a_reopening() {
    let folder = Folder::new();
    let application = folder.application();
    application.execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (1)").unwrap();
    let first = folder.source().identity().unwrap();
    assert_eq!(folder.source().identity().unwrap(), first);
    application.execute_batch("UPDATE t SET v = 2").unwrap();
    let second = folder.source().identity().unwrap();
    assert!(first.differences(&second).iter().any(|fact| fact.starts_with("change counter")));
}

#[test]
fn a_hot_journal_is_refused_and_left_alone() {
    let folder = Folder::new();
    let mut application = Application::start(&folder.database());
    application.run(
        "CREATE TABLE t (v); PRAGMA cache_size = 2; PRAGMA cache_spill = 1;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO t SELECT hex(randomblob(100)) FROM n;
         BEGIN; UPDATE t SET v = 'half done' || v;",
    );
    // As long as the application lives, the journal is its own business, but what it has spilled can't be read past.
    let busy = open(&folder.database(), Access::Source).err().unwrap();
    assert_eq!(busy.kind(), ErrorKind::Locked);
    application.kill();
    let crashed = folder;
    let before = crashed.state();
    let error = open(&crashed.database(), Access::Source).err().unwrap();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Corrupt, Some("SQLITE_READONLY_ROLLBACK")));
    assert!(error.next_step().unwrap().contains("recovers"), "{error:?}");
    assert_eq!(crashed.state(), before);
    // The same beside a database that would be read from a private copy.
    let (closed, application) = living();
    drop(application);
    std::fs::copy(
        crashed.database().with_extension("sqlite-journal"),
        closed.database().with_extension("sqlite-journal"),
    )
    .unwrap();
    let error = open(&closed.database(), Access::Source).err().unwrap();
    assert_eq!(error.engine_code(), Some("SQLITE_READONLY_ROLLBACK"));
}

#[test]
fn an_exclusive_lock_is_an_error_with_a_next_step() {
    for sql in [
        "CREATE TABLE t (v); BEGIN EXCLUSIVE",
        // Such an application has a log and no index beside it.
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE t (v); INSERT INTO t VALUES (1)",
    ] {
        let folder = Folder::new();
        let mut application = Application::start(&folder.database());
        application.run(sql);
        let before = folder.state();
        assert!(!before.contains_key("app.sqlite-shm"));
        let error = open(&folder.database(), Access::Source).err().unwrap();
        assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Locked, Some("SQLITE_BUSY")), "{sql}");
        assert!(error.next_step().is_some());
        assert_eq!(folder.state(), before);
    }
}

#[test]
fn what_is_no_database_is_named_for_what_it_is() {
    let folder = Folder::new();
    let path = folder.database();
    let refused = |contents: Option<&[u8]>| {
        if let Some(contents) = contents {
            std::fs::write(&path, contents).unwrap();
        }
        let error = open(&path, Access::Source).err().unwrap();
        assert!(error.next_step().is_some(), "{error:?}");
        assert!(error.to_string().contains("app.sqlite"), "{error:?}");
        (error.kind(), error.to_string(), error.next_step().unwrap().to_owned())
    };
    assert_eq!(refused(None).0, ErrorKind::NotFound);
    assert!(!path.exists());
    let (kind, text, _) = refused(Some(b""));
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(text.contains("is empty"));
    assert_eq!(refused(Some(b"x")).0, ErrorKind::Corrupt);
    assert!(refused(Some(&[0; 200])).1.contains("is not a SQLite database"));
    let (_, text, hint) = refused(Some(b"\0\0\0\0\0\0\0\0DUCK\0\0\0\0\0\0\0\0"));
    assert!(text.contains("DuckDB") && hint.contains("duckdb:///"), "{text} {hint}");
    assert_eq!(refused(Some(b"SQLite format 3\0 and no more")).0, ErrorKind::Corrupt);
    let error = open(folder.0.path(), Access::Source).err().unwrap();
    assert!(error.to_string().contains("folder"), "{error}");
}

#[test]
fn a_damaged_database_is_corrupt() {
    let folder = Folder::new();
    folder.application().execute_batch("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(9000))").unwrap();
    let mut bytes = std::fs::read(folder.database()).unwrap();
    bytes[100..].fill(0xff);
    std::fs::write(folder.database(), bytes).unwrap();
    let error = open(&folder.database(), Access::Source).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
}

#[test]
fn a_target_is_created_for_its_owner_only_and_leaves_one_file() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE t (v)").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(folder.database()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(session);
    drop(target);
    assert_eq!(folder.state().keys().collect::<Vec<_>>(), ["app.sqlite"]);
    // Again, as it is now; and a source may read what is still open as a target.
    let target = folder.target();
    let _session = target.session().unwrap();
    assert_eq!(target.catalog(None).unwrap().tables.len(), 1);
    assert_eq!(folder.source().catalog(None).unwrap().tables.len(), 1);
}

#[test]
fn a_target_that_can_not_be_is_refused() {
    let folder = Folder::new();
    let error = open(&folder.0.path().join("missing/app.sqlite"), Access::Target).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.next_step().unwrap().contains("folder"));
    std::fs::write(folder.database(), "not a database at all").unwrap();
    let error = open(&folder.database(), Access::Target).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(std::fs::read(folder.database()).unwrap(), b"not a database at all");
}
