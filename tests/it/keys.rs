//! Keys on Postgres: made while others read, under the names that Postgres would give, whatever else has those.

use trimaran_backends::testing::postgres::{TestDatabase, database};

use crate::cli::{cell, execute, migrate, sqlite_url};

fn sqlite_source(path: &std::path::Path, sql: &str) -> String {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    sqlite_url(path)
}

/// The names and columns of a schema's primary keys and unique constraints, in order.
fn keys(target: &TestDatabase, schema: &str) -> String {
    let sql = format!(
        "SELECT string_agg(format('%s %s %s', relname, conname, contype), ', ' ORDER BY relname, conname)
         FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
         WHERE contype IN ('p', 'u') AND connamespace = '{schema}'::regnamespace AND NOT starts_with(relname, '_trimaran')"
    );
    cell(target, &sql)
}

#[test]
fn a_primary_key_has_the_name_that_postgres_would_give_it() {
    let dir = tempfile::tempdir().unwrap();
    let long = "ä".repeat(31);
    let from = sqlite_source(
        &dir.path().join("source.sqlite"),
        &format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
             CREATE TABLE t_pkey (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b));
             CREATE TABLE \"{long}\" (id INTEGER PRIMARY KEY);
             INSERT INTO t VALUES (1, 'x'), (2, 'y'); INSERT INTO t_pkey VALUES (1, 'x');"
        ),
    );
    let target = database();
    // What Postgres itself does with the same tables.
    execute(
        &target,
        &format!(
            "CREATE SCHEMA model; SET search_path = model; CREATE TABLE \"{long}\" (id bigint); ALTER TABLE \"{long}\" ADD PRIMARY KEY (id);
             CREATE TABLE t (id bigint); CREATE TABLE t_pkey (a bigint, b text);
             ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE t_pkey ADD PRIMARY KEY (a, b); RESET search_path"
        ),
    );
    migrate("run", &from, target.url(), &[]).expect(0);
    let model = keys(&target, "model");
    assert_eq!(keys(&target, "public"), model);
    assert!(model.contains("t t_pkey1 p") && model.contains("t_pkey t_pkey_pkey p"), "{model}");
}

#[test]
fn a_table_that_is_there_in_parts_gets_its_key_too() {
    let dir = tempfile::tempdir().unwrap();
    let from = sqlite_source(
        &dir.path().join("source.sqlite"),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x'), (2000, 'y');",
    );
    let target = database();
    execute(
        &target,
        "CREATE TABLE t (id bigint NOT NULL, v text) PARTITION BY RANGE (id);
         CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (1000);
         CREATE TABLE high PARTITION OF t DEFAULT",
    );
    let ended = migrate("run", &from, target.url(), &[]).expect(0);
    assert_eq!(ended.totals(), (2, 2, 0));
    assert_eq!(cell(&target, "SELECT count(*) FROM high"), "1");
    assert_eq!(
        cell(&target, "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'p'"),
        "t_pkey"
    );
}

#[test]
fn a_key_that_can_not_be_made_ends_the_run_and_the_next_run_makes_it() {
    let dir = tempfile::tempdir().unwrap();
    // The first table's key is due while the second is copied.
    let table = |name: &str, rows: u32| {
        format!(
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY, v TEXT);
             INSERT INTO {name} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             SELECT i, 'row ' || i FROM n;"
        )
    };
    let sql = table("first", 200_000) + &table("second", 199_000);
    let from = sqlite_source(&dir.path().join("source.sqlite"), &sql);
    let target = database();
    execute(
        &target,
        "CREATE SCHEMA guard;
         CREATE FUNCTION guard.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no index is made here' USING ERRCODE = 'insufficient_privilege'; END $$;
         CREATE EVENT TRIGGER guard ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION guard.refuse()",
    );
    let ended = migrate("run", &from, target.url(), &["--jobs", "2"]).expect(7);
    assert!(ended.stderr.contains("no index is made here"), "{}", ended.stderr);
    execute(&target, "DROP EVENT TRIGGER guard");
    let ended = migrate("run", &from, target.url(), &["--jobs", "2"]).expect(0);
    assert_eq!(ended.totals(), (399_000, 399_000, 0));
    assert_eq!(keys(&target, "public"), "first first_pkey p, second second_pkey p");
}
