//! What goes wrong, and what is left standing.

use std::borrow::Cow;

use secrecy::SecretString;
use trimaran_core::{ErrorKind, LogicalType, Value};

use super::*;
use crate::Location;

#[test]
fn a_failed_copy_leaves_the_session_usable_and_names_no_value() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (c0 int PRIMARY KEY, c1 json NOT NULL CHECK (c1::text <> '\"no\"'))");
    let mut session = database.session().unwrap();
    let types = [LogicalType::Int32, LogicalType::Json];
    let row = |key, json: &'static str| vec![Value::Int(key), Value::Json(Cow::Borrowed(json.as_bytes()))];
    let cases = [
        (vec![row(1, "1"), row(1, "2")], ErrorKind::Conflict, "23505", "t_pkey"),
        (vec![row(1, "{\"secret")], ErrorKind::Invalid, "22P02", "\"c1\""),
        (vec![row(1, "\"no\"")], ErrorKind::Invalid, "23514", "t_c1_check"),
        (vec![vec![Value::Int(1), Value::Null]], ErrorKind::Invalid, "23502", "\"c1\""),
    ];
    for (rows, kind, code, named) in cases {
        let error = write_all(&database, session.as_mut(), "t", &types, &rows).unwrap_err();
        assert_eq!((error.kind(), error.engine_code()), (kind, Some(code)), "{error}");
        let report = error.report();
        assert!(report.contains(named) && report.contains("write to t"), "{report}");
        assert!(!report.contains("secret") && !report.contains("(1)"), "{report}");
    }
    let missing = session.write(&name("nowhere"), &columns(&types), &[]).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(write_all(&database, session.as_mut(), "t", &types, &[row(1, "1")]).unwrap(), 1);
    assert_eq!(server.value("SELECT count(*) FROM t").as_deref(), Some("1"));
}

#[test]
fn rows_written_are_gone_after_a_rollback() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (c0 int)");
    let mut session = database.session().unwrap();
    let mut bytes = Vec::new();
    database.encode_row(&[LogicalType::Int32], &[Value::Int(1)], &mut bytes).unwrap();
    session.begin().unwrap();
    assert_eq!(session.write(&name("t"), &columns(&[LogicalType::Int32]), &bytes).unwrap(), 1);
    session.rollback().unwrap();
    session.rollback().unwrap();
    assert_eq!(server.value("SELECT count(*) FROM t").as_deref(), Some("0"));
}

#[test]
fn a_commit_after_a_failed_statement_is_aborted() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a int)");
    let mut session = database.session().unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(session.execute("SELECT nonsense").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(session.execute("INSERT INTO t VALUES (2)").unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!(server.value("SELECT count(*) FROM t").as_deref(), Some("0"));
    session.begin().unwrap();
    assert_eq!(session.begin().unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(session.execute("INSERT INTO t VALUES (3), (4)").unwrap(), 2);
    session.commit().unwrap();
    assert_eq!(server.value("SELECT count(*) FROM t").as_deref(), Some("2"));
}

#[test]
fn a_constraint_that_fails_at_commit_fails_the_commit() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    let mut session = database.session().unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1), (1)").unwrap();
    let error = session.commit().unwrap_err();
    assert_eq!((error.kind(), error.engine_code()), (ErrorKind::Conflict, Some("23505")));
    session.begin().unwrap();
    session.rollback().unwrap();
}

#[test]
fn parameters_and_results_keep_their_types() {
    let (server, database) = open(Access::Target);
    server.execute("CREATE TABLE t (a bigint, b text, c bytea, d json, e uuid)");
    let mut session = database.session().unwrap();
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    session
        .query(
            "INSERT INTO t VALUES ($1, $2, $3, $4::json, $5::uuid)",
            &[
                Value::Int(-5),
                Value::text("é"),
                Value::Bytes(Cow::Borrowed(&[0, 1])),
                Value::text("[1]"),
                Value::text(uuid),
            ],
        )
        .unwrap();
    session.query("INSERT INTO t VALUES ($1, $2, $3, $4, $5)", &[const { Value::Null }; 5]).unwrap();
    let rows = session
        .query("SELECT * FROM t WHERE a IS NOT DISTINCT FROM $1 OR a IS NULL", &[Value::Int(-5)])
        .unwrap();
    assert_eq!(
        rows[0][..4],
        [
            Value::Int(-5),
            Value::text("é"),
            Value::Bytes(Cow::Borrowed(&[0, 1])),
            Value::Json(Cow::Borrowed(b"[1]")),
        ]
    );
    assert!(matches!(rows[0][4], Value::Uuid(_)));
    assert!(rows[1].iter().all(Value::is_null));
    let rows = session
        .query("SELECT true, 1::int2, 2::int4, 1.5::float4, 2.5::float8, 'n'::name, 'c'::\"char\", 1.50::numeric, pg_sleep(0)", &[])
        .unwrap();
    assert_eq!(
        rows,
        [[
            Value::Bool(true),
            Value::Int(1),
            Value::Int(2),
            Value::Float32(1.5),
            Value::Float64(2.5),
            Value::text("n"),
            Value::text("c"),
            Value::Decimal("1.5".into()),
            Value::Null,
        ]]
    );
    let error = session.query("SELECT '(1,2)'::point", &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.next_step().unwrap().contains("cast"));
    assert_eq!(session.query("SELECT $1", &[Value::Bool(true)]).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_lock_is_held_until_its_session_ends() {
    let (_server, database) = open(Access::Target);
    let (mut first, mut second) = (database.session().unwrap(), database.session().unwrap());
    assert!(first.try_lock("migration").unwrap());
    assert!(!second.try_lock("migration").unwrap());
    assert!(second.try_lock("another").unwrap());
    drop(first);
    // The server process ends a moment after its client; waiting for the lock itself waits for that.
    let key = i64::from_be_bytes(*trimaran_core::digest::sha256(b"migration").first_chunk().unwrap());
    second.query("SELECT pg_advisory_lock($1)", &[Value::Int(key)]).unwrap();
    assert!(second.try_lock("migration").unwrap());
}

#[test]
fn a_connection_that_is_cut_is_unavailable_from_then_on() {
    let (server, database) = open(Access::Target);
    let mut session = database.session().unwrap();
    session.begin().unwrap();
    let id = session.query("SELECT pg_backend_pid()", &[]).unwrap();
    let Value::Int(id) = id[0][0] else { panic!("a process id") };
    server.execute(&format!("SELECT pg_terminate_backend({id}, 5000)"));
    let error = session.execute("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let error = session.execute("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.next_step().is_some());
    assert_eq!(session.commit().unwrap_err().kind(), ErrorKind::Aborted);
    session.rollback().unwrap();
    assert!(database.session().unwrap().query("SELECT 1", &[]).is_ok());
}

#[test]
fn what_keeps_a_database_from_being_opened_names_the_next_step() {
    let server = database();
    let open = |location: &Location| {
        let options = OpenOptions { access: Access::Target, memory: 1, sessions: 1 };
        PostgresDatabase::open(location, options).err().unwrap()
    };
    let mut url = url::Url::parse(server.url()).unwrap();
    url.set_path("no_such_database");
    let missing = open(&Location::parse(url.as_str()).unwrap());
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.next_step().unwrap().contains("createdb"));

    server.execute(&format!(
        "CREATE DATABASE {0}_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
        server.name()
    ));
    url.set_path(&format!("{}_latin", server.name()));
    let latin = open(&Location::parse(url.as_str()).unwrap());
    server.execute(&format!("DROP DATABASE {}_latin WITH (FORCE)", server.name()));
    assert_eq!(latin.kind(), ErrorKind::Unsupported);
    assert!(latin.to_string().contains("LATIN1"));

    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = open(&Location::parse(&format!("postgres://me@127.0.0.1:{unused}/db")).unwrap());
    assert_eq!(nobody.kind(), ErrorKind::Unavailable);
    assert!(nobody.next_step().is_some());

    let role = format!("{}_role", server.name());
    server.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'"));
    let mut url = url::Url::parse(server.url()).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(None).unwrap();
    let location = Location::parse(url.as_str()).unwrap();
    let wrong = PostgresDatabase::open(
        &location.clone().with_password(SecretString::from("wrong")),
        OpenOptions { access: Access::Target, memory: 1, sessions: 1 },
    );
    // A server that trusts local users asks for no password.
    if let Err(wrong) = wrong {
        assert_eq!(wrong.kind(), ErrorKind::Forbidden, "{wrong:?}");
        assert!(wrong.next_step().unwrap().contains("--to-password-file"));
        assert!(!wrong.report().contains("wrong\""));
    }
    let limited = PostgresDatabase::open(
        &location.with_password(SecretString::from("right")),
        OpenOptions { access: Access::Target, memory: 1, sessions: 1 },
    )
    .unwrap();
    server.execute("CREATE TABLE t (c0 int)");
    let denied =
        limited.session().unwrap().write(&name("t"), &columns(&[LogicalType::Int32]), &[]).unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::Forbidden);
    assert!(denied.next_step().unwrap().contains("GRANT"));
    drop(limited);
    server.execute(&format!("DROP ROLE {role}"));
}

#[test]
fn rows_hidden_by_row_level_security_are_an_error_not_a_gap() {
    let (server, database) = open(Access::Target);
    let role = format!("{}_reader", server.name());
    server.execute(&format!(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE ROLE {role}; GRANT SELECT ON t TO {role}"
    ));
    let table = table(&database, "t");
    let mut session = database.session().unwrap();
    session.execute(&format!("SET ROLE {role}")).unwrap();
    let chunk = crate::bulk::Chunk { ordinal: 0, from: 0, to: i64::MAX };
    let read = Read { table: &table, columns: &table.columns, chunk };
    let error = session.read(&read, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error:?}");
    assert!(error.next_step().unwrap().contains("BYPASSRLS"), "{error:?}");
    assert_eq!(session.query("SELECT 1", &[]).unwrap(), [[Value::Int(1)]]);
    drop(session);
    server.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
