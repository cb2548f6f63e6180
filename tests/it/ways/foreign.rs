//! Postgres schemas that others made.

use std::path::Path;

use trimaran_backends::testing::TestDatabase;
use trimaran_backends::testing::postgres::database;

use super::{duckdb_rows, not_moved, source_digests, sqlite_rows, target_digests};
use crate::cli::{duckdb_url, execute, migrate, sqlite_url};

const EVERYTHING: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
    CREATE DOMAIN padded AS char(4);
    CREATE TABLE every (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, old serial, ints int[], grid int[], zero_based int[], words text[],
        mood mood, moods mood[], doc jsonb, docs jsonb[], exact json, n numeric, n2 numeric(10,2), day date, made timestamp, seen timestamptz,
        at time, at_zone timetz, span interval, bits bit(5), vbits bit varying, age small_positive, padded padded, fixed char(4), pair pair,
        period tstzrange, numbers int4multirange, address inet, card macaddr, found tsvector, markup xml, paid money, place point,
        letter "char", raw bytea, real real, double double precision, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
    INSERT INTO every (ints, grid, zero_based, words, mood, moods, doc, docs, exact, n, n2, day, made, seen, at, at_zone, span, bits, vbits, age,
        padded, fixed, pair, period, numbers, address, card, found, markup, paid, place, letter, raw, real, double)
    VALUES ('{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={5,6}', ARRAY['a', '', NULL], 'glad', '{sad,NULL}', '{"b": 1, "a": [1, 2]}',
        ARRAY['{"x": 1}', '5']::jsonb[], '{"b":  1, "b": 2}', 'NaN', 12.50, '0044-03-15 BC', 'infinity', '-infinity', '24:00',
        '12:00+05:30', '-14 mons 3 days 00:00:05', B'01101', B'1', 42, 'ab', 'cd', ROW(1, NULL), '[2025-01-01 00:00+00,2025-02-01 00:00+00)',
        '{[1,3),[5,8)}', '10.1.2.3', '08:00:2b:01:02:03', 'a:1 fat:2', '<a>b</a>', '12.34', '(1.5,2)', 'x', '\x00ff', 0.1, 0.1),
      ('{}', NULL, '{}', '{}', NULL, '{}', 'null', '{}', '"x"', 'Infinity', NULL, 'infinity', '4713-01-01 00:00:00 BC', '0001-12-31 23:59:59.999999+00 BC', '00:00',
        '00:00-11', '00:00:00', B'00000', B'101', NULL, '', 'abcd', ROW(NULL, NULL), 'empty', '{}', '::1/64', NULL, '', NULL, '-1', NULL, NULL, '', 'Infinity', '-Infinity'),
      (DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT,
        DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT,
        DEFAULT, DEFAULT, DEFAULT, DEFAULT, DEFAULT);
    CREATE TABLE measured (at date NOT NULL, city int NOT NULL, peak int, PRIMARY KEY (city, at)) PARTITION BY RANGE (at);
    CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (city);
    CREATE TABLE measured_2025_1 PARTITION OF measured_2025 FOR VALUES IN (1);
    CREATE TABLE measured_rest PARTITION OF measured DEFAULT;
    INSERT INTO measured SELECT date '2023-12-01' + i, 1, i FROM generate_series(0, 749) i;
    CREATE TABLE city (name text, people int); CREATE TABLE capital (state text) INHERITS (city);
    INSERT INTO city VALUES ('Köln', 1); INSERT INTO capital VALUES ('Bonn', 2, 'NRW');
    CREATE VIEW seen AS SELECT 1 AS one; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE UPDATE ON city FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE SCHEMA other; CREATE TABLE other.line (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), of bigint REFERENCES every (id) ON DELETE CASCADE);
    INSERT INTO other.line (of) SELECT 1 + i % 3 FROM generate_series(1, 500) i;
    CREATE INDEX by_of ON other.line (of DESC);
"#;

/// The values as Postgres writes them, of the columns that are text in the file.
const TEXTS: [&str; 17] = [
    "grid",
    "zero_based",
    "mood",
    "age",
    "padded",
    "fixed",
    "pair",
    "period",
    "numbers",
    "address",
    "card",
    "found",
    "markup",
    "paid",
    "place",
    "letter",
    "n",
];

fn written(source: &TestDatabase, column: &str) -> Vec<String> {
    let sql = format!(
        "SELECT array_to_string(array_agg(coalesce(CASE WHEN {column} IS DISTINCT FROM NULL THEN concat({column}) END, 'NULL') ORDER BY id), '|') FROM every"
    );
    crate::cli::cell(source, &sql).split('|').map(str::to_owned).collect()
}

fn check(source: &TestDatabase, to: &str, rows: impl Fn(&str) -> Vec<String>, hazards: &[&str]) {
    let found = migrate("check", source.url(), to, &[]);
    assert_eq!(found.code, if hazards.is_empty() { 0 } else { 4 }, "{}\n{:?}", found.stderr, found.hazards());
    let rejected: Vec<String> = found.hazards().into_iter().filter(|h| h.ends_with("rejects")).collect();
    assert_eq!(rejected, hazards);
    let run = migrate("run", source.url(), to, &["--on-hazard", "quarantine"]).expect(0);
    assert_eq!(source_digests(&run), target_digests(&run));
    for column in TEXTS {
        let sql = format!("SELECT coalesce(CAST({column} AS VARCHAR), 'NULL') FROM every ORDER BY id");
        assert_eq!(rows(&sql), written(source, column), "{column}");
    }
    // Partitions arrive with their table, once; what inherits arrives by itself.
    assert_eq!(rows("SELECT CAST(count(*) AS VARCHAR) FROM measured"), ["750"]);
    assert_eq!(rows("SELECT name FROM city"), ["Köln"]);
    assert_eq!(rows("SELECT name || state FROM capital"), ["BonnNRW"]);
    let unmoved: Vec<String> = not_moved(&run).into_iter().map(|(what, _)| what).collect();
    for expected in [
        "array type every.grid",
        "array type every.zero_based",
        "enum type every.mood",
        "enum type every.moods",
        "domain every.age",
        "domain every.padded",
        "type every.pair",
        "type every.period",
        "type every.address",
        "type every.found",
        "type every.paid",
        "generated column every.twice",
        "partition measured_2024",
        "partition measured_2025",
        "partition measured_2025_1",
        "inheritance capital",
        "view seen",
        "materialized view kept",
        "function touch()",
        "trigger city.touched",
    ] {
        assert!(unmoved.iter().any(|u| u == expected), "{expected}: {unmoved:#?}");
    }
    assert!(!unmoved.iter().any(|u| u.contains("_trimaran")), "{unmoved:?}");
    migrate("verify", source.url(), to, &[]).expect(0);
}

#[test]
fn a_foreign_schema_moves_to_duckdb_and_what_does_not_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("to.db");
    let source = database();
    execute(&source, EVERYTHING);
    check(&source, &duckdb_url(&path), |sql| duckdb_rows(&path, sql), &[]);
    assert_eq!(duckdb_rows(&path, "SELECT count(*)::VARCHAR FROM other.line"), ["500"]);
    assert_eq!(
        duckdb_rows(&path, "SELECT data_type FROM duckdb_columns() WHERE column_name = 'ints'"),
        ["INTEGER[]"]
    );
}

#[test]
fn a_foreign_schema_moves_to_sqlite_and_what_does_not_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("to.sqlite");
    let source = database();
    execute(&source, EVERYTHING);
    check(&source, &sqlite_url(&path), |sql| sqlite_rows(&path, sql), &[]);
    assert_eq!(sqlite_rows(&path, "SELECT CAST(count(*) AS TEXT) FROM line"), ["500"]);
    let keys = "SELECT \"table\" || ' ' || on_delete FROM pragma_foreign_key_list('line')";
    assert_eq!(sqlite_rows(&path, keys), ["every CASCADE"]);
    assert_eq!(
        sqlite_rows(&path, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOTNULL"),
        ["by_of"]
    );
}

#[test]
fn what_a_file_can_not_hold_is_a_hazard_and_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let source = database();
    execute(
        &source,
        "CREATE TABLE t (id int PRIMARY KEY, late timestamp, bits bit varying, n numeric(5,1), x float8);
         INSERT INTO t VALUES (1, '294270-01-01', '', 'NaN', 'NaN'), (2, '2025-01-01', B'1', 1.5, 1)",
    );
    let file = |name: &str| -> std::path::PathBuf { Path::new(dir.path()).join(name) };
    let check = migrate("check", source.url(), &duckdb_url(&file("to.db")), &[]).expect(4);
    assert_eq!(
        check.hazards(),
        ["t.bits out-of-range 1 rejects", "t.late out-of-range 1 rejects", "t.n out-of-range 1 rejects"]
    );
    for to in [duckdb_url(&file("to.db")), sqlite_url(&file("to.sqlite"))] {
        let run = migrate("run", source.url(), &to, &["--on-hazard", "quarantine"]).expect(5);
        assert_eq!(run.totals(), (2, 1, 1), "{to}");
    }
}
