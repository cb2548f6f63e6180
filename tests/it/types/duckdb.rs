//! What DuckDB's types become.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, execute, migrate};

/// Column, DuckDB type, value in DuckDB, type in Postgres, value in Postgres as text.
const DUCKDB: [(&str, &str, &str, &str, &str); 51] = [
    ("c_bool", "BOOLEAN", "true", "boolean", "true"),
    ("c_tinyint", "TINYINT", "-128", "smallint", "-128"),
    ("c_smallint", "SMALLINT", "-32768", "smallint", "-32768"),
    ("c_int", "INTEGER", "-2147483648", "integer", "-2147483648"),
    ("c_bigint", "BIGINT", "-9223372036854775808", "bigint", "-9223372036854775808"),
    ("c_utinyint", "UTINYINT", "255", "smallint", "255"),
    ("c_usmallint", "USMALLINT", "65535", "integer", "65535"),
    ("c_uint", "UINTEGER", "4294967295", "bigint", "4294967295"),
    ("c_ubigint", "UBIGINT", "18446744073709551615", "numeric(20,0)", "18446744073709551615"),
    (
        "c_hugeint",
        "HUGEINT",
        "-170141183460469231731687303715884105728",
        "numeric(39,0)",
        "-170141183460469231731687303715884105728",
    ),
    (
        "c_uhugeint",
        "UHUGEINT",
        "340282366920938463463374607431768211455",
        "numeric(39,0)",
        "340282366920938463463374607431768211455",
    ),
    ("c_float", "FLOAT", "0.1", "real", "0.1"),
    ("c_double", "DOUBLE", "0.1", "double precision", "0.1"),
    ("c_nan", "DOUBLE", "'nan'", "double precision", "NaN"),
    ("c_negzero", "DOUBLE", "-0.0::DOUBLE", "double precision", "-0"),
    ("c_inf", "DOUBLE", "'-infinity'", "double precision", "-Infinity"),
    ("c_decimal", "DECIMAL(18,4)", "-12345678901234.5678", "numeric(18,4)", "-12345678901234.5678"),
    ("c_text", "VARCHAR", "'naïve 日本 🦑'", "text", "naïve 日本 🦑"),
    ("c_empty", "VARCHAR", "''", "text", ""),
    ("c_blob", "BLOB", r"'\x00\xFF'::BLOB", "bytea", "\\x00ff"),
    ("c_bit", "BIT", "'0101101'::BIT", "bit varying", "0101101"),
    (
        "c_uuid",
        "UUID",
        "'ffffffff-0000-4000-8000-0123456789ab'",
        "uuid",
        "ffffffff-0000-4000-8000-0123456789ab",
    ),
    (
        "c_json",
        "JSON",
        r#"'{"b": 1, "a": [1, 2,  3], "b": 2}'"#,
        "json",
        r#"{"b": 1, "a": [1, 2,  3], "b": 2}"#,
    ),
    ("c_date", "DATE", "'0044-03-15 (BC)'", "date", "0044-03-15 BC"),
    ("c_dateinf", "DATE", "'infinity'", "date", "infinity"),
    ("c_time", "TIME", "'23:59:59.999999'", "time without time zone", "23:59:59.999999"),
    ("c_timetz", "TIMETZ", "'12:00:00+05:30'", "time with time zone", "12:00:00+05:30"),
    (
        "c_ts",
        "TIMESTAMP",
        "'2025-02-03 04:05:06.789012'",
        "timestamp without time zone",
        "2025-02-03 04:05:06.789012",
    ),
    ("c_tsinf", "TIMESTAMP", "'-infinity'", "timestamp without time zone", "-infinity"),
    ("c_ts_s", "TIMESTAMP_S", "'2025-02-03 04:05:06'", "timestamp without time zone", "2025-02-03 04:05:06"),
    (
        "c_ts_ms",
        "TIMESTAMP_MS",
        "'2025-02-03 04:05:06.789'",
        "timestamp without time zone",
        "2025-02-03 04:05:06.789",
    ),
    (
        "c_ts_ns",
        "TIMESTAMP_NS",
        "'2025-02-03 04:05:06.789012'",
        "timestamp without time zone",
        "2025-02-03 04:05:06.789012",
    ),
    (
        "c_tstz",
        "TIMESTAMPTZ",
        "'2025-02-03 04:05:06+00'",
        "timestamp with time zone",
        "2025-02-03 04:05:06+00",
    ),
    (
        "c_interval",
        "INTERVAL",
        "INTERVAL (-14) MONTH + INTERVAL 3 DAY + INTERVAL 5 SECOND",
        "interval",
        "-1 years -2 mons +3 days 00:00:05",
    ),
    ("c_enum", "ENUM('low', 'high')", "'high'", "text", "high"),
    ("c_list", "INTEGER[]", "[1, NULL, 3]", "integer[]", "{1,NULL,3}"),
    ("c_floats", "FLOAT[3]", "[0.5, -1.5, 2]", "real[]", "{0.5,-1.5,2}"),
    ("c_texts", "VARCHAR[]", "['a', '', NULL]", "text[]", "{a,\"\",NULL}"),
    ("c_nolist", "UUID[]", "[]", "uuid[]", "{}"),
    (
        "c_decimal38",
        "DECIMAL(38,10)",
        "-9999999999999999999999999999.9999999999",
        "numeric(38,10)",
        "-9999999999999999999999999999.9999999999",
    ),
    ("c_lastday", "DATE", "'5874897-12-31'", "date", "5874897-12-31"),
    ("c_firstday", "DATE", "'4714-11-24 (BC)'", "date", "4714-11-24 BC"),
    (
        "c_lastmoment",
        "TIMESTAMP",
        "'294247-01-10 04:00:54.775806'",
        "timestamp without time zone",
        "294247-01-10 04:00:54.775806",
    ),
    ("c_tstzinf", "TIMESTAMPTZ", "'infinity'", "timestamp with time zone", "infinity"),
    ("c_time24", "TIME", "'24:00:00'", "time without time zone", "24:00:00"),
    ("c_nested", "INTEGER[][]", "[[1, NULL], [], NULL]", "json", "[[1,null],[],null]"),
    ("c_array2", "DECIMAL(4,2)[2][]", "[[0.5, 1.25]]", "json", "[[\"0.50\",\"1.25\"]]"),
    (
        "c_struct",
        "STRUCT(a HUGEINT, \"b c\" DECIMAL(38,20), l TIMETZ[])",
        "{'a': 170141183460469231731687303715884105727, 'b c': '0.12345678901234567890', 'l': ['12:00:00+05:30']}",
        "json",
        "{\"a\":170141183460469231731687303715884105727,\"b c\":\"0.12345678901234567890\",\"l\":[\"12:00:00+05:30\"]}",
    ),
    ("c_map", "MAP(VARCHAR, INTEGER)", "MAP {'k': 1, 'l': NULL}", "json", "{\"k\":1,\"l\":null}"),
    ("c_union", "UNION(i INTEGER, s VARCHAR)", "union_value(s := 'x')", "json", "{\"s\":\"x\"}"),
    ("c_null", "VARCHAR", "NULL", "text", ""),
];

#[test]
fn each_duckdb_type_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("types.db");
    let source = duckdb::Connection::open(&path).unwrap();
    let columns: Vec<_> = DUCKDB.iter().map(|(name, sql, ..)| format!("{name} {sql}")).collect();
    let values: Vec<_> = DUCKDB.iter().map(|(_, _, value, ..)| *value).collect();
    source.execute_batch(&format!("CREATE TABLE t ({}, v VARIANT)", columns.join(", "))).unwrap();
    source.execute_batch(&format!("INSERT INTO t VALUES ({}, 1)", values.join(", "))).unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    let unmoved = run.json["not_moved"].to_string();
    assert!(unmoved.contains("t.v"), "{unmoved}");
    for (name, sql, _, expected_type, expected) in DUCKDB {
        let found = cell(
            &target,
            &format!(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = '{name}'"
            ),
        );
        assert_eq!(found, expected_type, "type of {name} ({sql})");
        assert_eq!(
            cell(&target, &format!("SELECT coalesce({name}::text, '') FROM t")),
            expected,
            "{name} ({sql})"
        );
    }
    assert_eq!(cell(&target, "SELECT (c_null IS NULL)::text FROM t"), "true");
    assert_eq!(cell(&target, "SELECT (c_empty IS NULL)::text FROM t"), "false");
}

/// A source of ENUM columns and of lists of lists.
fn choices(path: &std::path::Path) -> String {
    let source = duckdb::Connection::open(path).unwrap();
    source
        .execute_batch(
            "CREATE TYPE mood AS ENUM ('it''s', 'sad');
             CREATE TABLE t (id INTEGER PRIMARY KEY, m mood DEFAULT 'sad', again mood NOT NULL, grid INTEGER[][]);
             INSERT INTO t VALUES (1, 'it''s', 'sad', [[1, 2], [3, NULL]]), (2, NULL, 'it''s', []);
             CREATE TABLE u (id INTEGER, m mood);
             INSERT INTO u VALUES (1, 'sad')",
        )
        .unwrap();
    source.close().unwrap();
    duckdb_url(path)
}

#[test]
fn an_enum_is_text_under_a_check_or_an_enum_type_or_just_text() {
    let dir = tempfile::tempdir().unwrap();
    let from = choices(&dir.path().join("enums.db"));
    let types = "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute \
                 WHERE attrelid = 't'::regclass AND attname IN ('m', 'again')";
    let add = "INSERT INTO t (id, m, again) VALUES (3, 'new', 'sad')";
    let refuses =
        |target: &trimaran_backends::testing::TestDatabase| crate::cli::session(target).execute(add).is_err();

    let check = database();
    migrate("run", &from, check.url(), &[]).expect(0);
    assert_eq!(cell(&check, types), "text text");
    assert!(refuses(&check));
    execute(&check, "INSERT INTO t (id, again) VALUES (3, 'it''s')");
    assert_eq!(cell(&check, "SELECT m FROM t WHERE id = 3"), "sad");

    let typed = database();
    migrate("run", &from, typed.url(), &["--enums", "type"]).expect(0);
    assert_eq!(cell(&typed, types), "t_m_enum t_m_enum");
    assert_eq!(
        cell(&typed, "SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum"),
        "it's,sad"
    );
    assert!(refuses(&typed));
    execute(&typed, "INSERT INTO t (id, again) VALUES (3, 'it''s')");
    assert_eq!(cell(&typed, "SELECT count(*) FROM t JOIN u USING (m)"), "1");
    migrate("run", &from, typed.url(), &["--enums", "type", "--restart"]).expect(0);
    assert_eq!(cell(&typed, "SELECT count(*) FROM t"), "2");

    let text = database();
    migrate("run", &from, text.url(), &["--enums", "text"]).expect(0);
    assert!(!refuses(&text));
}

#[test]
fn lists_of_lists_are_json_or_arrays_where_they_are_regular() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nested.db");
    let from = choices(&path);
    let json = database();
    migrate("run", &from, json.url(), &[]).expect(0);
    assert_eq!(cell(&json, "SELECT grid::text FROM t WHERE id = 1"), "[[1,2],[3,null]]");

    let arrays = database();
    migrate("run", &from, arrays.url(), &["--nested", "arrays"]).expect(0);
    assert_eq!(cell(&arrays, "SELECT pg_typeof(grid)::text FROM t WHERE id = 1"), "integer[]");
    assert_eq!(cell(&arrays, "SELECT grid::text FROM t WHERE id = 1"), "{{1,2},{3,NULL}}");
    assert_eq!(cell(&arrays, "SELECT grid::text FROM t WHERE id = 2"), "{}");

    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch("INSERT INTO t VALUES (3, NULL, 'sad', [[1], [2, 3]]), (4, NULL, 'sad', [[]]), (5, NULL, 'sad', [NULL])")
        .unwrap();
    source.close().unwrap();
    let ragged = database();
    let check = migrate("check", &from, ragged.url(), &["--nested", "arrays"]).expect(4);
    assert_eq!(check.hazards(), ["t.grid out-of-range 3 rejects"]);
    migrate("run", &from, ragged.url(), &["--nested", "arrays", "--on-hazard", "quarantine"]).expect(5);
    assert_eq!(cell(&ragged, "SELECT count(*) FROM t"), "2");
}

#[test]
fn a_nested_value_that_json_can_not_say_is_a_hazard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nan.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (s STRUCT(d DOUBLE)); INSERT INTO t VALUES ({'d': 'nan'}), ({'d': -0.0})",
        )
        .unwrap();
    source.close().unwrap();
    let check = migrate("check", &duckdb_url(&path), database().url(), &[]).expect(4);
    assert_eq!(check.hazards(), ["t.s json-nan 1 rejects"]);
}

#[test]
fn computed_columns_and_indexes_on_expressions_move() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("computed.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE t (a INTEGER, name VARCHAR, next BIGINT AS (a + 1), call VARCHAR AS (name || '!'), low VARCHAR AS (lower(name)));
             INSERT INTO t (a, name) VALUES (1, 'É'), (2, NULL);
             CREATE UNIQUE INDEX by_next ON t ((a + 1));",
        )
        .unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    assert_eq!(cell(&target, "SELECT next || call || low FROM t WHERE a = 1"), "2É!é");
    // DuckDB's `lower` is not SQLite's, and not surely Postgres's: the values have moved.
    let unmoved = run.json["not_moved"].to_string();
    assert!(unmoved.contains("t.low") && !unmoved.contains("t.call"), "{unmoved}");
    execute(&target, "UPDATE t SET a = 5 WHERE a = 1");
    assert_eq!(cell(&target, "SELECT next FROM t WHERE a = 5"), "6");
    assert!(crate::cli::session(&target).execute("INSERT INTO t (a) VALUES (5)").is_err());
}

#[test]
fn a_column_called_rowid_is_a_column_like_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.duckdb");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            "CREATE TABLE counted (RowId BIGINT, note VARCHAR);
             INSERT INTO counted SELECT CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN -i ELSE 7 END, 'n' || i FROM range(5000) t(i);
             CREATE TABLE named (rowid VARCHAR);
             INSERT INTO named VALUES ('a'), (NULL)",
        )
        .unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    assert_eq!(run.totals(), (5_002, 5_002, 0));
    assert_eq!(cell(&target, "SELECT count(DISTINCT note)::text FROM counted"), "5000");
}
