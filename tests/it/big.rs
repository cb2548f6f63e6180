//! Large tables, many tables, wide tables, large values. What takes minutes is ignored here, and run by `make big`.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use trimaran_backends::testing::TestServer;
use trimaran_backends::testing::postgres::database;

use crate::cli::{cell, duckdb_url, migrate, spawn_heard, sqlite_url};

const MIB: u64 = 1 << 20;
/// `--memory` unless it is said otherwise.
const BUDGET: u64 = 256 * MIB;

fn duckdb_source(path: &Path, sql: &str) -> String {
    let source = duckdb::Connection::open(path).unwrap();
    source.execute_batch(sql).unwrap();
    source.close().unwrap();
    duckdb_url(path)
}

/// The most memory that a program has had, when it has ended with success: VmHWM, as long as there was one to read.
fn peak(mut child: Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1_024);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(peak > 0);
    peak
}

#[test]
fn a_table_of_1500_columns_one_without_rows_and_one_without_a_key_move() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("source.sqlite");
    let names: Vec<String> = (0..1_500).map(|n| format!("c{n}")).collect();
    let columns = names.iter().map(|name| format!("{name} INTEGER")).collect::<Vec<_>>().join(", ");
    // Some of them NULL: 1,500 of Postgres' bigint would make a row larger than a page.
    let values = (0..1_500).map(|n| if n % 2 == 0 { "i" } else { "NULL" }).collect::<Vec<_>>().join(", ");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(&format!(
            "CREATE TABLE wide ({columns});
             WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r LIMIT 50) INSERT INTO wide SELECT {values} FROM r;
             CREATE TABLE empty (id INTEGER PRIMARY KEY, note TEXT);
             CREATE TABLE keyless (note TEXT);
             INSERT INTO keyless VALUES ('same'), ('same'), (NULL), (NULL);"
        ))
        .unwrap();
    let target = database();
    let ended = migrate("run", &sqlite_url(&path), target.url(), &[]).expect(0);
    assert_eq!(ended.totals(), (54, 54, 0));
    assert_eq!(cell(&target, "SELECT sum(c1498)::text FROM wide"), "1225");
    assert_eq!(cell(&target, "SELECT count(*) FROM empty"), "0");
}

fn many_tables(count: usize) {
    let dir = tempfile::tempdir().unwrap();
    let sql: String = (0..count)
        .map(|n| {
            format!("CREATE TABLE t{n} (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t{n} VALUES ({n}, 'v');")
        })
        .collect();
    let path = dir.path().join("source.sqlite");
    let source = rusqlite::Connection::open(&path).unwrap();
    source.execute_batch(&format!("BEGIN; {sql} COMMIT")).unwrap();
    let target = database();
    let ended = migrate("run", &sqlite_url(&path), target.url(), &["--quiet"]).expect(0);
    let rows = count as u64;
    assert_eq!(ended.totals(), (rows, rows, 0));
}

#[test]
fn two_hundred_tables_move() {
    many_tables(200);
}

#[test]
#[ignore = "takes minutes: make big"]
fn five_thousand_tables_move() {
    many_tables(5_000);
}

fn one_large_value(bytes: u64) {
    let dir = tempfile::tempdir().unwrap();
    let sql = format!("CREATE TABLE t AS SELECT 1 AS id, repeat('x', {bytes}) AS v");
    let from = duckdb_source(&dir.path().join("source.db"), &sql);
    // On disk: the run's own server keeps its data in memory.
    let server = TestServer::dedicated(&[("fsync", "off")]);
    let target = server.database();
    let peak = peak(spawn_heard(&from, target.url(), &["--jobs", "1"]));
    assert_eq!(cell(&target, "SELECT octet_length(v)::text FROM t"), bytes.to_string());
    let allowed = BUDGET + 3 * bytes;
    eprintln!("a value of {} MiB: {} MiB of {} MiB", bytes / MIB, peak / MIB, allowed / MIB);
    assert!(peak <= allowed, "{} MiB were taken, {} MiB are allowed", peak / MIB, allowed / MIB);
}

#[test]
fn a_value_of_64_mib_takes_no_more_than_the_budget_and_three_times_itself() {
    one_large_value(64 * MIB);
}

#[test]
#[ignore = "takes minutes and gigabytes: make big"]
fn a_value_of_900_mb_takes_no_more_than_the_budget_and_three_times_itself() {
    one_large_value(900_000_000);
}

fn peak_of_rows(rows: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let sql = format!(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, hash VARCHAR, v VARCHAR);
         INSERT INTO t SELECT i, sha256(i::VARCHAR), 'value ' || i FROM range({rows}) r(i);"
    );
    let from = duckdb_source(&dir.path().join("source.db"), &sql);
    // On disk: the run's own server keeps its data in memory.
    let server = TestServer::dedicated(&[("fsync", "off")]);
    let target = server.database();
    let peak = peak(spawn_heard(&from, target.url(), &["--jobs", "2"]));
    assert_eq!(cell(&target, "SELECT count(*) FROM t"), rows.to_string());
    eprintln!("{rows} rows: {} MiB", peak / MIB);
    peak
}

#[test]
fn a_hundred_thousand_rows_stay_within_the_budget() {
    assert!(peak_of_rows(100_000) <= BUDGET);
}

#[test]
#[ignore = "takes minutes: make big"]
fn ten_times_the_rows_take_no_tenth_more_memory() {
    let (few, many) = (peak_of_rows(1_000_000), peak_of_rows(10_000_000));
    assert!(many * 10 <= few * 11, "{} MiB, then {} MiB", few / MIB, many / MIB);
}
