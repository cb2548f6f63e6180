//! Hazards: found before anything is written, and handled by each policy as it says.

mod notes;
mod policies;
mod quarantine;
mod unique;
mod values;
mod wide_rows;

use std::path::{Path, PathBuf};

use trimaran_backends::testing::TestDatabase;

use crate::cli::migrate;

/// Writes an SQLite file in which nobody enforces foreign keys.
pub(crate) fn write_sqlite(path: &Path, sql: &str) {
    let source = rusqlite::Connection::open(path).unwrap();
    source.pragma_update(None, "foreign_keys", false).unwrap();
    source.execute_batch(sql).unwrap();
}

/// Writes a DuckDB file.
pub(crate) fn write_duckdb(path: &Path, sql: &str) {
    let source = duckdb::Connection::open(path).unwrap();
    source.execute_batch(sql).unwrap();
    source.close().unwrap();
}

/// A plan in which some columns have these lines in place of their policy, as an operator would edit it.
pub(crate) fn edited_plan(dir: &Path, from: &str, target: &TestDatabase, edits: &[(&str, &str)]) -> PathBuf {
    let file = dir.join(format!("{}.toml", target.name()));
    migrate("plan", from, target.url(), &["-o", file.to_str().unwrap()]).expect(0);
    let mut plan = std::fs::read_to_string(&file).unwrap();
    for (column, lines) in edits {
        let at =
            plan.find(&format!("[[table.column]]\nname = \"{column}\"")).expect("the column is in the plan");
        let (head, tail) = plan.split_at(at);
        plan = format!("{head}{}", tail.replacen("on_hazard = \"reject\"", lines, 1));
    }
    std::fs::write(&file, plan).unwrap();
    file
}
