//! Statements, transactions and locks.

use super::*;

#[test]
fn statements_touch_rows_and_take_parameters() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let mut session = target.session().unwrap();
    session.execute("CREATE TABLE t (i BIGINT, v VARCHAR, b BLOB)").unwrap();
    assert_eq!(session.execute("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', NULL)").unwrap(), 2);
    let parameters = [Value::Int(3), Value::text("it's\0"), Value::Bytes(vec![0, 255].into())];
    session.query("INSERT INTO t VALUES ($1, $2, $3)", &parameters).unwrap();
    session.query("INSERT INTO t VALUES ($1, $2, $3)", &[Value::Null, Value::Null, Value::Null]).unwrap();
    let rows = session.query("SELECT v, b, sum(i) OVER () FROM t WHERE i = $1 OR i = $2", &parameters[..1]);
    assert_eq!(kind_of(rows), ErrorKind::Invalid);
    let rows = session.query("SELECT v, b, count(*) OVER () FROM t WHERE i = $1", &parameters[..1]).unwrap();
    assert_eq!(rows, vec![vec![parameters[1].clone(), parameters[2].clone(), Value::Int(1)]]);
    let sum = session.query("SELECT sum(i), max(i) > 2, NULL, [1, 2] FROM t", &[]).unwrap();
    let list = Value::List(vec![Value::Int(1), Value::Int(2)]);
    assert_eq!(sum, vec![vec![Value::Int(6), Value::Bool(true), Value::Null, list]]);
    assert_eq!(kind_of(session.query("SELECT $1", &[Value::Bool(true)])), ErrorKind::Invalid);
    assert_eq!(kind_of(session.execute("SELECT * FROM nowhere")), ErrorKind::NotFound);
    assert_eq!(kind_of(session.execute("SELEC 1")), ErrorKind::Invalid);
}

#[test]
fn a_failed_statement_turns_commit_into_a_rollback_that_says_so() {
    let fixture = Fixture::new("CREATE TABLE t (i INTEGER PRIMARY KEY)");
    let target = fixture.target();
    let mut session = target.session().unwrap();
    session.rollback().unwrap();

    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    session.rollback().unwrap();

    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (2)").unwrap();
    assert_eq!(kind_of(session.execute("INSERT INTO t VALUES (2)")), ErrorKind::Conflict);
    assert_eq!(kind_of(session.execute("INSERT INTO t VALUES (3)")), ErrorKind::Aborted);
    assert_eq!(kind_of(session.commit()), ErrorKind::Aborted);

    // Outside a transaction a failed statement poisons nothing.
    assert_eq!(kind_of(session.query("SELECT * FROM nowhere", &[])), ErrorKind::NotFound);
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (4)").unwrap();
    session.commit().unwrap();
    assert_eq!(session.query("SELECT i FROM t", &[]).unwrap(), vec![vec![Value::Int(4)]]);
}

#[test]
fn of_two_transactions_with_one_key_the_second_fails() {
    let fixture =
        Fixture::new("CREATE TABLE t (i INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 0)");
    let target = fixture.target();
    let (mut one, mut two) = (target.session().unwrap(), target.session().unwrap());
    one.begin().unwrap();
    two.begin().unwrap();
    one.execute("INSERT INTO t VALUES (2, 1)").unwrap();
    let late = two.execute("INSERT INTO t VALUES (2, 2)").and_then(|_| {
        one.commit()?;
        two.commit()
    });
    let kind = kind_of(late);
    assert!(matches!(kind, ErrorKind::Conflict | ErrorKind::Aborted), "{kind:?}");
    one.rollback().unwrap();
    two.rollback().unwrap();

    one.begin().unwrap();
    two.begin().unwrap();
    one.execute("UPDATE t SET v = 3 WHERE i = 1").unwrap();
    let error = two.execute("UPDATE t SET v = 4 WHERE i = 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert!(error.is_retryable());
    assert_eq!(kind_of(two.commit()), ErrorKind::Aborted);
    one.commit().unwrap();
}

#[test]
fn a_lock_lives_as_long_as_its_session() {
    let fixture = Fixture::empty();
    let target = fixture.target();
    let (mut one, mut two) = (target.session().unwrap(), target.session().unwrap());
    assert!(one.try_lock("migration").unwrap());
    assert!(!two.try_lock("migration").unwrap());
    assert!(two.try_lock("another").unwrap());
    drop(one);
    assert!(two.try_lock("migration").unwrap());
}

#[test]
fn an_error_of_the_callers_passes_unchanged_and_poisons_nothing() {
    let fixture = Fixture::new("CREATE TABLE t AS SELECT range AS i FROM range(10)");
    let target = fixture.target();
    let t = table(&target, "t");
    let mut session = target.session().unwrap();
    session.begin().unwrap();
    let chunk = session.chunks(&t, 100).unwrap()[0];
    let read = Read { table: &t, columns: &t.columns, chunk };
    let mut seen = 0;
    let stopped = session.read(&read, &mut |_| {
        seen += 1;
        Err(trimaran_core::Error::new(ErrorKind::Interrupted, "go on"))
    });
    assert_eq!((kind_of(stopped), seen), (ErrorKind::Interrupted, 1));
    session.commit().unwrap();
}
