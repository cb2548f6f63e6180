//! Stores that Trimaran wrote, moved to another engine and back, or born on Postgres: the application goes on with them.

use std::path::Path;

use trimaran::core::conformance::moved::{self, Filled};
use trimaran::{Area, Config};
use trimaran_backends::testing::postgres::database;

use super::{source_digests, target_digests};
use crate::cli::{duckdb_url, migrate, sqlite_url};
use crate::stores::{configured, opened};

fn at(dir: &Path, url: &str) -> Config {
    configured(dir, &[("stores.identity.url", url), ("stores.application.url", url)])
}

async fn filled(dir: &Path, url: &str) -> Filled {
    let stores = opened(&at(dir, url)).await;
    let filled = moved::fill(stores.store(Area::Identity).unwrap()).await;
    stores.close().await.unwrap();
    filled
}

async fn is_served(filled: &Filled, dir: &Path, url: &str) {
    let stores = opened(&at(dir, url)).await;
    filled.check(stores.store(Area::Identity).unwrap()).await;
    stores.close().await.unwrap();
}

/// There and back; the file is served as the one that went was.
async fn comes_back(origin: &str, middle: &str, back: &str, dir: &Path) {
    let filled = filled(dir, origin).await;
    let to = migrate("run", origin, middle, &[]).expect(0);
    let from = migrate("run", middle, back, &[]).expect(0);
    assert_eq!(target_digests(&from), source_digests(&to));
    is_served(&filled, dir, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_store_comes_back_from_postgres_and_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let middle = database();
    let file = |name: &str| sqlite_url(&dir.path().join(name));
    comes_back(&file("origin.db"), middle.url(), &file("back.db"), dir.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duckdb_store_comes_back_from_postgres_and_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let middle = database();
    let file = |name: &str| duckdb_url(&dir.path().join(name));
    comes_back(&file("origin.db"), middle.url(), &file("back.db"), dir.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_store_comes_back_from_duckdb_and_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| sqlite_url(&dir.path().join(name));
    let middle = duckdb_url(&dir.path().join("middle.duckdb"));
    comes_back(&file("origin.db"), &middle, &file("back.db"), dir.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_born_on_postgres_is_served_from_duckdb() {
    let dir = tempfile::tempdir().unwrap();
    let origin = database();
    let filled = filled(dir.path(), origin.url()).await;
    let to = duckdb_url(&dir.path().join("to.duckdb"));
    migrate("run", origin.url(), &to, &[]).expect(0);
    is_served(&filled, dir.path(), &to).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_born_on_postgres_is_served_from_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let origin = database();
    let filled = filled(dir.path(), origin.url()).await;
    let to = sqlite_url(&dir.path().join("to.sqlite"));
    migrate("run", origin.url(), &to, &[]).expect(0);
    is_served(&filled, dir.path(), &to).await;
}
