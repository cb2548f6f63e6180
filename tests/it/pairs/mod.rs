//! Databases that are drawn from a seed, moved between every pair of engines, and moved back.
//!
//! `TRIMARAN_PAIRS_SEED` is the seed of the first database, `TRIMARAN_PAIRS_CASES` says how many there are, each with the next seed.
//! A database of which something does not hold is printed with its seed, as SQL.

mod duckdb;
mod names;
mod place;
mod postgres;
mod property;
mod schema;
mod seed;
mod sqlite;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};

use trimaran_core::Engine;

use seed::Seed;

/// What `make test` begins with.
const FIRST: u64 = 20_261_128;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|e| panic!("{name}={value}: {e}")))
}

/// Draws databases of an engine and holds the property against each, on the way to another and back.
fn pair(from: Engine, to: Engine, cases: u64) {
    let first = setting("TRIMARAN_PAIRS_SEED").unwrap_or(FIRST);
    let cases = setting("TRIMARAN_PAIRS_CASES").unwrap_or(cases);
    let mut failed = Vec::new();
    for number in first..first + cases {
        let mut seed = Seed::new(number);
        let policy = seed.pick(&["escape", "quarantine"]);
        let origin = schema::origin(from, &mut seed);
        let held = catch_unwind(AssertUnwindSafe(|| property::holds(&origin, from, to, policy)));
        if held.is_err() {
            eprintln!(
                "from {from} to {to} under {policy}, TRIMARAN_PAIRS_SEED={number} TRIMARAN_PAIRS_CASES=1:\n{};",
                origin.script.join(";\n")
            );
            failed.push(number);
        }
    }
    assert!(failed.is_empty(), "from {from} to {to} it does not hold for the seeds {failed:?}");
}

/// Few of each pair, for they are whole migrations.
const FEW: u64 = 4;
/// What `make big` tries.
const MANY: u64 = 150;

#[test]
fn what_moves_from_duckdb_to_postgres_comes_back() {
    pair(Engine::Duckdb, Engine::Postgres, FEW);
}

#[test]
fn what_moves_from_duckdb_to_sqlite_comes_back() {
    pair(Engine::Duckdb, Engine::Sqlite, FEW);
}

#[test]
fn what_moves_from_sqlite_to_postgres_comes_back() {
    pair(Engine::Sqlite, Engine::Postgres, FEW);
}

#[test]
fn what_moves_from_sqlite_to_duckdb_comes_back() {
    pair(Engine::Sqlite, Engine::Duckdb, FEW);
}

#[test]
fn what_moves_from_postgres_to_sqlite_comes_back() {
    pair(Engine::Postgres, Engine::Sqlite, FEW);
}

#[test]
fn what_moves_from_postgres_to_duckdb_comes_back() {
    pair(Engine::Postgres, Engine::Duckdb, FEW);
}

#[test]
#[ignore = "takes minutes: make big"]
fn what_moves_between_every_two_engines_comes_back() {
    for from in Engine::ALL {
        for to in Engine::ALL.into_iter().filter(|to| *to != from) {
            pair(from, to, MANY);
        }
    }
}
