//! Each type of each source arrives as what it means.

use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, migrate, sqlite_url};

/// Column, DuckDB type, value in DuckDB, type in Postgres, value in Postgres as text.
const DUCKDB: [(&str, &str, &str, &str, &str); 40] = [
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
    ("c_null", "VARCHAR", "NULL", "text", ""),
];

#[test]
fn each_duckdb_type_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("types.db");
    let source = duckdb::Connection::open(&path).unwrap();
    let columns: Vec<_> = DUCKDB.iter().map(|(name, sql, ..)| format!("{name} {sql}")).collect();
    let values: Vec<_> = DUCKDB.iter().map(|(_, _, value, ..)| *value).collect();
    source
        .execute_batch(&format!(
            "CREATE TABLE t ({}, nested STRUCT(a INTEGER), m MAP(VARCHAR, INTEGER))",
            columns.join(", ")
        ))
        .unwrap();
    source
        .execute_batch(&format!("INSERT INTO t VALUES ({}, {{'a': 1}}, MAP {{'k': 1}})", values.join(", ")))
        .unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    let unmoved = run.json["not_moved"].to_string();
    assert!(unmoved.contains("t.nested") && unmoved.contains("t.m"), "{unmoved}");
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

/// Declared type, value in SQLite, type in Postgres, value in Postgres as text.
const SQLITE: [(&str, &str, &str, &str); 24] = [
    ("INTEGER", "9223372036854775807", "bigint", "9223372036854775807"),
    ("SMALLINT", "-5", "bigint", "-5"),
    ("REAL", "0.1", "double precision", "0.1"),
    ("DOUBLE PRECISION", "-1e300", "double precision", "-1e+300"),
    ("DECIMAL(10,2)", "12.5", "numeric", "12.5"),
    ("TEXT", "'naïve'", "text", "naïve"),
    ("VARCHAR(3)", "'longer than three'", "text", "longer than three"),
    ("BLOB", "x'00ff'", "bytea", "\\x00ff"),
    ("BOOLEAN", "1", "boolean", "true"),
    ("DATETIME", "'2025-01-02 03:04:05'", "timestamp without time zone", "2025-01-02 03:04:05"),
    (
        "TIMESTAMP",
        "'2025-01-02T03:04:05.000006'",
        "timestamp without time zone",
        "2025-01-02 03:04:05.000006",
    ),
    ("DATETIME", "'2025-01-02 03:04:05+02:00'", "timestamp with time zone", "2025-01-02 01:04:05+00"),
    ("DATETIME", "1735787045", "timestamp without time zone", "2025-01-02 03:04:05"),
    ("DATETIME", "1735787045006", "timestamp without time zone", "2025-01-02 03:04:05.006"),
    ("DATETIME", "2460677.5", "timestamp without time zone", "2025-01-02 00:00:00"),
    ("DATE", "'2025-01-02'", "date", "2025-01-02"),
    ("TIME", "'03:04:05.25'", "time without time zone", "03:04:05.25"),
    ("UUID", "'0123456789abcdef0123456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("CHAR(36)", "'01234567-89AB-cdef-0123-456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("BINARY(16)", "x'0123456789abcdef0123456789abcdef'", "uuid", "01234567-89ab-cdef-0123-456789abcdef"),
    ("JSON", r#"'{"a":  1, "a": 2}'"#, "json", r#"{"a":  1, "a": 2}"#),
    ("JSON", "5", "json", "5"),
    ("", "'no type declared'", "text", "no type declared"),
    ("", "7", "bigint", "7"),
];

#[test]
fn each_sqlite_type_and_form_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("types.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    let columns: Vec<_> = SQLITE.iter().enumerate().map(|(n, (sql, ..))| format!("c{n} {sql}")).collect();
    let values: Vec<_> = SQLITE.iter().map(|(_, value, ..)| *value).collect();
    source
        .execute_batch(&format!(
            "CREATE TABLE t ({}); INSERT INTO t VALUES ({});",
            columns.join(", "),
            values.join(", ")
        ))
        .unwrap();
    drop(source);
    let target = database();
    migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    for (n, (declared, value, expected_type, expected)) in SQLITE.iter().enumerate() {
        let found = cell(
            &target,
            &format!(
                "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c{n}'"
            ),
        );
        assert_eq!(&found, expected_type, "type of {declared} {value}");
        assert_eq!(&cell(&target, &format!("SELECT c{n}::text FROM t")), expected, "{declared} {value}");
    }
}

#[test]
fn names_of_every_kind_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.db");
    let source = duckdb::Connection::open(&path).unwrap();
    source
        .execute_batch(
            r#"CREATE SEQUENCE "Ticket No" START 10 INCREMENT 5;
               CREATE TABLE "Order" ("select" INTEGER PRIMARY KEY, "Mixed Case" TEXT DEFAULT 'it''s', "a""b" INTEGER DEFAULT nextval('"Ticket No"'));
               INSERT INTO "Order" ("select") VALUES (1), (2);
               CREATE UNIQUE INDEX "Index one" ON "Order" ("Mixed Case", "select");
               CREATE SCHEMA extra; CREATE TABLE extra.notes (id INTEGER); INSERT INTO extra.notes VALUES (42);
               CREATE VIEW v AS SELECT 1;"#,
        )
        .unwrap();
    source.close().unwrap();
    let target = database();
    let run = migrate("run", &duckdb_url(&path), target.url(), &[]).expect(0);
    assert_eq!(cell(&target, r#"SELECT "Mixed Case" || "a""b" FROM "Order" WHERE "select" = 2"#), "it's15");
    assert_eq!(
        cell(&target, r#"INSERT INTO "Order" ("select") VALUES (3) RETURNING "a""b"::text || "Mixed Case""#),
        "20it's"
    );
    assert_eq!(cell(&target, r#"SELECT count(*) FROM pg_indexes WHERE indexname = 'Index one'"#), "1");
    assert_eq!(cell(&target, "SELECT id FROM extra.notes"), "42");
    assert!(run.json["not_moved"].to_string().contains("\"view\""));
}
