//! What is told: tables, as Markdown for readers and as JSON for programs.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Result;

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// By what programs find it.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// Key and heading of each column.
    pub(crate) columns: &'static [(&'static str, &'static str)],
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Table {
    pub(crate) fn new(
        key: &'static str,
        title: &'static str,
        columns: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { key, title, columns, rows: Vec::new() }
    }

    /// Adds a row, and says it, for whoever waits.
    pub(crate) fn add(&mut self, row: Vec<Value>) {
        crate::say(&row.iter().map(shown).collect::<Vec<_>>().join(" | "));
        self.rows.push(row);
    }
}

/// Prints all as Markdown.
pub(crate) fn print(out: &mut impl Write, tables: &[Table]) -> Result<()> {
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        writeln!(out, "{}:\n", table.title)?;
        let headings: Vec<_> = table.columns.iter().map(|(_, heading)| *heading).collect();
        writeln!(out, "| {} |", headings.join(" | "))?;
        writeln!(out, "|{}", " --- |".repeat(headings.len()))?;
        for row in &table.rows {
            writeln!(out, "| {} |", row.iter().map(shown).collect::<Vec<_>>().join(" | "))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes all as JSON.
pub(crate) fn keep(path: &Path, scale: f64, tables: &[Table]) -> Result<()> {
    let mut all = Map::new();
    for table in tables {
        let rows = table.rows.iter().map(|row| {
            let cells = table.columns.iter().zip(row);
            Value::Object(cells.map(|((key, _), cell)| ((*key).to_owned(), cell.clone())).collect())
        });
        all.insert(table.key.to_owned(), rows.collect());
    }
    let cores = std::thread::available_parallelism()?.get();
    let whole = json!({ "scale": scale, "cores": cores, "tables": all });
    Ok(std::fs::write(path, serde_json::to_vec_pretty(&whole)?)?)
}

/// Three digits that count; thousands apart.
fn shown(cell: &Value) -> String {
    let Some(number) = cell.as_f64() else {
        return cell.as_str().unwrap_or("").to_owned();
    };
    if number.abs() >= 1000.0 {
        let scale = 10f64.powf(number.abs().log10().floor() - 2.0);
        let digits =
            if cell.is_f64() { (number / scale).round() * scale } else { number }.round().to_string();
        let apart: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
        return apart.join(",");
    }
    let places = match number.abs() {
        _ if !cell.is_f64() => 0,
        n if n >= 100.0 => 0,
        n if n >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.places$}")
}
