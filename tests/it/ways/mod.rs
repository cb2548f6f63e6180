//! Every pair of engines, both ways: what moved comes back.

mod files;
mod foreign;
mod resumed;
mod stores;
mod undo_duckdb;
mod undo_sqlite;
mod unmoved;

use std::collections::BTreeMap;

use crate::cli::Outcome;

/// The digest of each table's rows, as the target holds them together with what was put aside.
fn target_digests(outcome: &Outcome) -> BTreeMap<String, String> {
    digests(outcome, "target_digest")
}

/// The digest of each table's rows, as the source holds them.
fn source_digests(outcome: &Outcome) -> BTreeMap<String, String> {
    digests(outcome, "source_digest")
}

fn digests(outcome: &Outcome, field: &str) -> BTreeMap<String, String> {
    let text = |v: &serde_json::Value, f: &str| v[f].as_str().unwrap().to_owned();
    let verified = outcome.json["verified"].as_array().unwrap();
    assert!(!verified.is_empty(), "{:#}", outcome.json);
    verified.iter().map(|v| (text(v, "table"), text(v, field))).collect()
}

/// The rows of a query on a DuckDB file, as text.
fn duckdb_rows(path: &std::path::Path, sql: &str) -> Vec<String> {
    let connection = duckdb::Connection::open(path).unwrap();
    let rows = {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    connection.close().unwrap();
    rows
}

/// The rows of a query on a SQLite file, as text.
fn sqlite_rows(path: &std::path::Path, sql: &str) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.collect::<Result<Vec<_>, _>>().unwrap()
}

/// What is reported as not moved: `kind name`, and the reasons.
fn not_moved(outcome: &Outcome) -> Vec<(String, String)> {
    let text = |v: &serde_json::Value, f: &str| v[f].as_str().unwrap().to_owned();
    let all = outcome.json["not_moved"].as_array().unwrap();
    all.iter().map(|u| (format!("{} {}", text(u, "kind"), text(u, "name")), text(u, "reason"))).collect()
}
