//! Small statements, transactions and locks.

use trimaran_core::ErrorKind;

use super::*;

#[test]
fn parameters_are_bound_by_number_however_often_they_stand() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    let rows = session.query(
        "SELECT $2, $1, $2, $3, typeof($4)",
        &[Value::Int(1), Value::text("b\0c"), Value::Bytes(vec![0, 255].into()), Value::Null],
    );
    assert_eq!(
        rows.unwrap(),
        [[
            Value::text("b\0c"),
            Value::Int(1),
            Value::text("b\0c"),
            Value::Bytes(vec![0, 255].into()),
            Value::text("null")
        ]]
    );
    assert_eq!(session.query("SELECT $1, $2", &[Value::Int(1)]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(session.query("SELECT $1", &[Value::Bool(true)]).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn execute_counts_the_rows_it_touched() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    assert_eq!(session.execute("CREATE TABLE t (v)").unwrap(), 0);
    assert_eq!(session.execute("INSERT INTO t VALUES (1), (2)").unwrap(), 2);
    assert_eq!(session.execute("CREATE TABLE u (v)").unwrap(), 0);
    assert_eq!(session.execute("SELECT * FROM t").unwrap(), 0);
    assert_eq!(session.execute("DELETE FROM t; INSERT INTO u VALUES (1);").unwrap(), 3);
    assert_eq!(session.execute("INSERT INTO u VALUES (1); nonsense").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_misspelt_column_is_an_error_and_not_a_text() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE t (v)").unwrap();
    assert_eq!(session.execute("SELECT \"w\" FROM t").unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn after_a_failed_statement_a_commit_rolls_back_and_says_so() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE t (v PRIMARY KEY)").unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    let error = session.execute("INSERT INTO t VALUES (1)").unwrap_err();
    assert_eq!(
        (error.kind(), error.engine_code()),
        (ErrorKind::Conflict, Some("SQLITE_CONSTRAINT_PRIMARYKEY"))
    );
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Aborted);
    assert!(session.query("SELECT * FROM t", &[]).unwrap().is_empty());
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    session.commit().unwrap();
    session.begin().unwrap();
    session.execute("DELETE FROM t").unwrap();
    session.rollback().unwrap();
    session.rollback().unwrap();
    assert_eq!(session.query("SELECT v FROM t", &[]).unwrap(), [[Value::Int(1)]]);
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn there_is_one_writer_at_a_time() {
    let folder = Folder::new();
    let target = folder.target();
    let (mut first, mut second) = (target.session().unwrap(), target.session().unwrap());
    first.begin().unwrap();
    assert_eq!(second.begin().unwrap_err().kind(), ErrorKind::Locked);
    first.commit().unwrap();
    second.begin().unwrap();
    second.commit().unwrap();
}

#[test]
fn a_dropped_session_rolls_back() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE t (v)").unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    drop(session);
    assert!(rows_of(&target, "t").is_empty());
}

#[test]
fn a_source_is_not_written_and_keeps_its_snapshot() {
    let (_folder, source, _) = source_of("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    let mut session = source.session().unwrap();
    assert_eq!(session.execute("DELETE FROM t").unwrap_err().kind(), ErrorKind::Forbidden);
    session.begin().unwrap();
    assert_eq!(session.query("SELECT * FROM t", &[]).unwrap().len(), 1);
    session.commit().unwrap();
    assert_eq!(session.try_lock("run").unwrap_err().kind(), ErrorKind::Unsupported);
    // A session that has lost its snapshot is not handed out again.
    session.execute("ROLLBACK").unwrap();
    drop(session);
    let mut sessions: Vec<_> = (0..4).map(|_| source.session().unwrap()).collect();
    for session in &mut sessions {
        assert!(session.execute("BEGIN").is_err());
    }
}

#[test]
fn a_lock_lives_as_long_as_its_session_and_leaves_nothing() {
    let folder = Folder::new();
    let (target, other) = (folder.target(), folder.target());
    let (mut first, mut second) = (target.session().unwrap(), other.session().unwrap());
    assert!(first.try_lock("run").unwrap());
    assert!(first.try_lock("run").unwrap());
    assert!(!second.try_lock("run").unwrap());
    // Work goes on beside the lock.
    second.execute("CREATE TABLE t (v)").unwrap();
    first.execute("INSERT INTO t VALUES (1)").unwrap();
    second.query("PRAGMA wal_checkpoint(TRUNCATE)", &[]).unwrap();
    assert!(!second.try_lock("run").unwrap());
    drop(first);
    assert!(second.try_lock("run").unwrap());
    drop((second, target, other));
    assert_eq!(folder.state().keys().collect::<Vec<_>>(), ["app.sqlite"]);
}

#[test]
fn the_foreign_key_check_fails_on_an_orphan() {
    let folder = Folder::new();
    let target = folder.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)").unwrap();
    session.execute("CREATE TABLE c (p REFERENCES p (id))").unwrap();
    session.execute("INSERT INTO c VALUES (NULL)").unwrap();
    session.execute("PRAGMA foreign_key_check(\"c\")").unwrap();
    session.execute("INSERT INTO c VALUES (7)").unwrap();
    let error = session.execute("PRAGMA foreign_key_check(\"c\")").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("row of c") && error.to_string().contains("that p does"), "{error}");
}
