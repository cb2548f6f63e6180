//! Rows that Postgres can't put on one of its pages: found before the copy, and exactly those that it would refuse.

use std::collections::BTreeSet;

use trimaran_backends::testing::{TestDatabase, postgres::database};

use super::{write_duckdb, write_sqlite};
use crate::cli::{cell, duckdb_url, migrate, session, sqlite_url};

fn keys(target: &TestDatabase, sql: &str) -> BTreeSet<String> {
    let rows = session(target).query(sql, &[]).unwrap();
    rows.iter().map(|row| row[0].shown(60)).collect()
}

/// Whether Postgres refuses a row of these values for being too large for a page.
fn is_refused(target: &TestDatabase, table: &str, values: &str) -> bool {
    let Err(error) = session(target).execute(&format!("INSERT INTO {table} VALUES ({values})")) else {
        return false;
    };
    assert!(error.report().contains("row is too big"), "{}", error.report());
    true
}

#[test]
fn a_row_of_1500_numbers_is_rejected_before_anything_is_written_or_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.sqlite");
    let columns = (1..1_500).map(|n| format!("c{n} INTEGER")).collect::<Vec<_>>().join(", ");
    // With 1,500 columns, 216 bytes go before the values: 993 numbers of 8 bytes fit beside them, the key included.
    let row = |id: usize, numbers: usize| {
        let values =
            (1..1_500).map(|n| if n < numbers { "7" } else { "NULL" }).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO wide VALUES ({id}, {values});")
    };
    let rows = [(1, 1_500), (2, 993), (3, 994), (4, 1)].map(|(id, numbers)| row(id, numbers)).concat();
    write_sqlite(&path, &format!("CREATE TABLE wide (id INTEGER PRIMARY KEY, {columns}); {rows}"));
    let (from, target) = (sqlite_url(&path), database());

    let refused = migrate("run", &from, target.url(), &[]).expect(4);
    assert_eq!(refused.hazards(), ["wide.c1499 row-too-wide 2 rejects"]);
    assert_eq!(refused.json["hazards"][0]["first_keys"], serde_json::json!(["1", "3"]));
    assert_eq!(
        cell(&target, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
        "0"
    );

    let moved = migrate("run", &from, target.url(), &["--on-hazard", "quarantine"]).expect(5);
    assert_eq!(moved.totals(), (4, 2, 2));
    assert_eq!(keys(&target, "SELECT id FROM wide"), BTreeSet::from(["2".to_owned(), "4".to_owned()]));
    migrate("verify", &from, target.url(), &[]).expect(5);
}

/// A type, as both engines name it, and a value, as both read it.
const TYPES: [(&str, &str); 16] = [
    ("BIGINT", "9"),
    ("BOOLEAN", "true"),
    ("VARCHAR", "short"),
    ("DECIMAL(38,10)", "12345678.9"),
    ("SMALLINT", "-1"),
    ("VARCHAR", "exactly 23 bytes long.."),
    ("VARCHAR", "one that is moved out of the row, for it is long"),
    ("UUID", "0197a1b2-0000-7000-8000-000000000001"),
    ("REAL", "1.5"),
    ("TIMETZ", "12:00:00+01"),
    ("BLOB", "four and twenty bytes..."),
    ("DECIMAL(38,10)", "1234567890123456789012345678.0123456789"),
    ("DATE", "2025-01-01"),
    ("INTERVAL", "1 month"),
    ("BIT", "10110"),
    ("TIMESTAMP", "2025-01-01 12:00:00"),
];
/// How many columns the tables of all types have.
const COLUMNS: usize = 800;
/// How many of them have a value, in each of the rows: a page is full at about 697.
const PRESENT: std::ops::Range<usize> = 685..715;

/// The type and the value of a column in the table that begins with the type `first`.
fn column(first: usize, at: usize) -> (&'static str, &'static str) {
    TYPES[(first + at) % TYPES.len()]
}

/// The values of a row whose first `present` columns have one, which is its key, too.
fn values(first: usize, present: usize) -> String {
    let value = |at: usize| match at < present {
        true => format!("'{}'", column(first, at).1),
        false => "NULL".to_owned(),
    };
    format!("{present}, {}", (0..COLUMNS).map(value).collect::<Vec<_>>().join(", "))
}

#[test]
fn of_rows_that_grow_by_a_value_exactly_those_are_put_aside_that_postgres_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("types.db");
    let firsts = [0, 5, 10];
    let mut sql = String::new();
    for first in firsts {
        let columns = (0..COLUMNS).map(|at| format!("c{at} {}", column(first, at).0)).collect::<Vec<_>>();
        sql += &format!("CREATE TABLE t{first} (id BIGINT PRIMARY KEY, {});", columns.join(", "));
        PRESENT
            .for_each(|present| sql += &format!("INSERT INTO t{first} VALUES ({});", values(first, present)));
    }
    write_duckdb(&path, &format!("BEGIN; {sql} COMMIT"));
    let (from, target) = (duckdb_url(&path), database());
    // DuckDB reads so many columns at once only with more memory than it is given by default.
    migrate("run", &from, target.url(), &["--on-hazard", "quarantine", "--memory", "1GiB"]).expect(5);
    for first in firsts {
        let moved = keys(&target, &format!("SELECT id FROM t{first}"));
        let aside = keys(
            &target,
            &format!(
                "SELECT row_key FROM _trimaran_quarantine WHERE source_table = 't{first}' AND reason = 'row-too-wide'"
            ),
        );
        assert!(!moved.is_empty() && !aside.is_empty(), "{moved:?} moved, {aside:?} were put aside");
        assert_eq!(moved.len() + aside.len(), PRESENT.len());
        for key in aside {
            let values = values(first, key.parse().unwrap());
            assert!(is_refused(&target, &format!("t{first}"), &values), "{key} of t{first}");
        }
    }
}

#[test]
fn values_that_compress_to_less_than_a_pointer_are_no_hazard() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("regular.sqlite");
    // 500 pointers of 18 bytes would be too many; 500 runs of one letter are not.
    let columns = (0..500).map(|n| format!("c{n} TEXT")).collect::<Vec<_>>().join(", ");
    let row = vec![format!("'{}'", "a".repeat(100)); 500].join(", ");
    write_sqlite(&path, &format!("CREATE TABLE t ({columns}); INSERT INTO t VALUES ({row});"));
    let target = database();
    let moved = migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    assert_eq!(moved.totals(), (1, 1, 0));
}
