//! Sources: one state for all sessions, and what proves it.

use trimaran_core::{ErrorKind, Value};

use super::*;

#[test]
fn all_sessions_of_a_source_see_the_moment_of_its_opening() {
    let server = database();
    server.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    let source = reopen(&server, Access::Source);
    let mut before = source.session().unwrap();
    server.execute("INSERT INTO t VALUES (2)");
    let mut after = source.session().unwrap();
    for session in [&mut before, &mut after] {
        assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(1)]]);
        assert_eq!(read_all(session.as_mut(), &table(&source, "t"), 10).len(), 1);
    }
    let later = reopen(&server, Access::Source);
    assert_eq!(later.session().unwrap().query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(2)]]);
}

#[test]
fn a_source_is_not_written_and_survives_failed_statements() {
    let server = database();
    server.execute("CREATE TABLE t (a int)");
    let source = reopen(&server, Access::Source);
    let mut session = source.session().unwrap();
    server.execute("INSERT INTO t VALUES (1)");
    let error = session.execute("INSERT INTO t VALUES (2)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(0)]], "the same snapshot");
    session.begin().unwrap();
    assert!(session.execute("SELECT nonsense").is_err());
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Aborted);
    session.rollback().unwrap();
    session.begin().unwrap();
    session.commit().unwrap();
    assert_eq!(session.query("SELECT count(*) FROM t", &[]).unwrap(), [[Value::Int(0)]]);
}

#[test]
fn the_identity_changes_exactly_when_something_was_written() {
    // A server of its own: any transaction in the cluster counts.
    let server = crate::testing::postgres::TestServer::dedicated(&[("autovacuum", "off")]);
    let database = server.database();
    database.execute("CREATE TABLE t (a int)");
    let identity = || {
        let options = OpenOptions { access: Access::Source, memory: 1, sessions: 1 };
        PostgresDatabase::open(&database.location(), options).unwrap().identity().unwrap()
    };
    let first = identity();
    assert_eq!(first.0.keys().collect::<Vec<_>>(), ["database", "snapshot", "system", "timeline"]);
    assert_eq!(database.value("SELECT count(*) FROM t").as_deref(), Some("0"));
    assert_eq!(identity(), first);
    server.stop();
    server.restart();
    assert_eq!(identity(), first, "a restart changes nothing");
    database.execute("INSERT INTO t VALUES (1)");
    let second = identity();
    assert_eq!(first.differences(&second).len(), 1);
}
