//! What holds of every pair: what has moved is verified, and what has moved back is what it was.

use std::collections::BTreeMap;

use trimaran_backends::catalog::{self, TableName};
use trimaran_core::Engine;
use trimaran_core::digest::Digest;

use super::place::Place;
use super::schema::{Origin, Table};
use crate::cli::{Outcome, migrate};

/// One table of a report.
struct Verified {
    source_rows: u64,
    target_rows: u64,
    aside: u64,
    source: Digest,
    target: Digest,
}

/// Moves a drawn database to another engine and back again.
pub(super) fn holds(origin: &Origin, from: Engine, to: Engine, policy: &str) {
    let dir = tempfile::tempdir().unwrap();
    let source = Place::new(from, dir.path(), "origin");
    source.fill(&origin.script);
    let middle = Place::new(to, dir.path(), "middle");
    let back = Place::new(from, dir.path(), "back");

    let there = migrate("run", &source.url, &middle.url, &["--on-hazard", policy]);
    let moved = complete(&there);
    let again = migrate("verify", &source.url, &middle.url, &[]).expect(there.code);
    assert_eq!(again.totals(), there.totals());

    // No policy is needed: whatever has come from an engine can go to it.
    let here = migrate("run", &middle.url, &back.url, &[]).expect(0);
    let returned = complete(&here);
    migrate("verify", &middle.url, &back.url, &[]).expect(0);

    for table in &origin.tables {
        let (name, middle_name) = (display(table, from), display(table, to));
        let (moved, returned) = (&moved[&name], &returned[&middle_name]);
        assert_eq!(returned.target_rows, moved.target_rows, "rows of {name}");
        let mut whole = returned.target;
        whole.add(middle.aside(table));
        assert_eq!(whole, moved.source, "the digest of {name}, back again, with the rows put aside");
        cells(table, &source, &back, moved.aside);
    }
    declarations(origin, &source, &back, &there, &here);
}

/// The name that reports have for a table.
fn display(table: &Table, engine: Engine) -> String {
    let schema = table.schema.as_deref().filter(|_| engine != Engine::Sqlite).unwrap_or("main");
    TableName::new(schema, &table.name).to_string()
}

/// Everything that must hold of a run that ended, and its tables.
fn complete(run: &Outcome) -> BTreeMap<String, Verified> {
    let tables = run.json["verified"].as_array();
    let tables = tables.unwrap_or_else(|| panic!("code {}\n{}\n{:#}", run.code, run.stderr, run.json));
    let mut all = BTreeMap::new();
    for table in tables {
        let number = |field: &str| table[field].as_u64().unwrap();
        let digest = |field: &str| Digest::parse(table[field].as_str().unwrap()).unwrap();
        let verified = Verified {
            source_rows: number("source_rows"),
            target_rows: number("target_rows"),
            aside: number("quarantined_rows"),
            source: digest("source_digest"),
            target: digest("target_digest"),
        };
        assert_eq!(table["equal"], true, "{}\n{table:#}", run.stderr);
        assert_eq!(verified.source, verified.target, "{table:#}");
        assert_eq!(verified.source_rows, verified.target_rows + verified.aside, "{table:#}");
        all.insert(table["table"].as_str().unwrap().to_owned(), verified);
    }
    for copied in run.json["copied"].as_array().into_iter().flatten() {
        let number = |field: &str| copied[field].as_u64().unwrap();
        assert_eq!(number("rows_read"), number("rows_written") + number("rows_quarantined"), "{copied:#}");
    }
    let expected = if all.values().any(|table| table.aside > 0) { 5 } else { 0 };
    assert_eq!(run.code, expected, "{}\n{:#}", run.stderr, run.json);
    all
}

/// The rows that came back are, letter for letter, among those of the origin; all of them, if none was put aside.
fn cells(table: &Table, source: &Place, back: &Place, aside: u64) {
    let exact: Vec<&str> =
        table.columns.iter().filter(|column| column.kind.exact).map(|column| column.name.as_str()).collect();
    let (mut before, after) = (source.rows(table, &exact), back.rows(table, &exact));
    for row in &after {
        let at = before.iter().position(|was| was == row);
        match at {
            Some(at) => drop(before.remove(at)),
            None => panic!(
                "{:?} of {} has come back as {row:?}; of the origin are left {before:#?}",
                exact, table.name
            ),
        }
    }
    assert_eq!(before.len() as u64, aside, "rows of {} that did not come back: {before:#?}", table.name);
}

/// Types, keys, foreign keys and indexes are what they were, or are named among what did not move.
fn declarations(origin: &Origin, source: &Place, back: &Place, there: &Outcome, here: &Outcome) {
    let (before, after) = (source.catalog(), back.catalog());
    let named: Vec<String> = [there, here]
        .iter()
        .flat_map(|run| run.json["not_moved"].as_array().into_iter().flatten())
        .map(|thing| format!("{} {}", thing["kind"].as_str().unwrap(), thing["name"].as_str().unwrap()))
        .collect();
    for table in &origin.tables {
        let of = |all: &catalog::Catalog| {
            let schema = table.schema.as_deref().unwrap_or(match source.engine {
                Engine::Postgres => "public",
                Engine::Sqlite | Engine::Duckdb => "main",
            });
            all.tables.iter().find(|t| t.name == TableName::new(schema, &table.name)).cloned().unwrap()
        };
        let (was, is) = (of(&before), of(&after));
        let keys = |table: &catalog::Table| {
            let mut unique: Vec<_> = table.unique.iter().map(|key| key.columns.clone()).collect();
            unique.sort();
            (table.primary_key.as_ref().map(|key| key.columns.clone()), unique)
        };
        let unsaid = named
            .iter()
            .any(|thing| thing.starts_with("primary key") || thing.starts_with("unique constraint"));
        assert!(keys(&is) == keys(&was) || unsaid, "keys of {}: {named:#?}", table.name);
        for (was, is) in was.columns.iter().zip(&is.columns) {
            assert_eq!(is.name, was.name);
            let is_named = named.iter().any(|thing| thing.ends_with(&format!("{}.{}", table.name, was.name)));
            assert!(is.declared == was.declared || is_named, "{was:?} has come back as {is:?}: {named:#?}");
            let keyed = keys(&of(&before)).0.is_some_and(|key| key.contains(&was.name));
            assert!(is.nullable == was.nullable || keyed, "{was:?} has come back as {is:?}");
        }
        let references = |table: &catalog::Table| {
            let mut keys: Vec<_> = table
                .foreign_keys
                .iter()
                .map(|key| {
                    let place = (key.columns.clone(), key.referenced.clone(), key.referenced_columns.clone());
                    format!("{place:?} {:?} {:?}", key.on_delete, key.on_update)
                })
                .collect();
            keys.sort();
            keys
        };
        let unsaid = named.iter().any(|thing| thing.starts_with("foreign key"));
        assert!(references(&is) == references(&was) || unsaid, "{was:#?}\n{is:#?}\n{named:#?}");
        let indexes = |table: &catalog::Table| {
            let mut indexes: Vec<_> = table.indexes.iter().map(|index| format!("{index:?}")).collect();
            indexes.sort();
            indexes
        };
        let unsaid = named.iter().any(|thing| thing.starts_with("index"));
        assert!(indexes(&is) == indexes(&was) || unsaid, "{was:#?}\n{is:#?}\n{named:#?}");
    }
}
