//! The engine on real files, made here and thrown away.

mod application;
mod at_once;
mod catalog;
mod connection;
mod open;
mod read;
mod session;
mod write;
mod writing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use trimaran_core::{Engine, Result, Value, digest};

use super::SqliteDatabase;
use crate::bulk::{Access, Database, OpenOptions, Read, Session};
use crate::{Catalog, Location};

/// A folder with room for a database called `app.sqlite`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("app.sqlite")
    }

    /// A connection as an application would have it.
    fn application(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// A new folder with copies of some of the files: what a killed application leaves behind.
    fn copy(&self, suffixes: &[&str]) -> Self {
        let copy = Self::new();
        for suffix in suffixes {
            let name = format!("app.sqlite{suffix}");
            std::fs::copy(self.0.path().join(&name), copy.0.path().join(&name)).unwrap();
        }
        copy
    }

    /// Every file with the hash of its contents and its time.
    fn state(&self) -> BTreeMap<String, (String, std::time::SystemTime)> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let bytes = std::fs::read(entry.path()).unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, (digest::hex(&digest::sha256(&bytes)), entry.metadata().unwrap().modified().unwrap()))
            })
            .collect()
    }

    fn source(&self) -> SqliteDatabase {
        open(&self.database(), Access::Source).unwrap()
    }

    fn target(&self) -> SqliteDatabase {
        open(&self.database(), Access::Target).unwrap()
    }
}

fn open(path: &Path, access: Access) -> Result<SqliteDatabase> {
    let options = OpenOptions { access, memory: 4 << 20, sessions: 2 };
    SqliteDatabase::open(&Location::file(Engine::Sqlite, path), options)
}

/// A source with this schema and data.
fn source_of(sql: &str) -> (Folder, SqliteDatabase, Catalog) {
    let folder = Folder::new();
    folder.application().execute_batch(sql).unwrap();
    let source = folder.source();
    let catalog = source.catalog(None).unwrap();
    (folder, source, catalog)
}

/// All rows of a table, read in chunks of about `rows`, and the number of rows in each chunk.
fn read_chunks(
    database: &SqliteDatabase,
    session: &mut dyn Session,
    table: &str,
    rows: u64,
) -> (Vec<Vec<Value<'static>>>, Vec<usize>) {
    let catalog = database.catalog(None).unwrap();
    let table = catalog.tables.iter().find(|t| t.name.name == table).unwrap();
    let chunks = session.chunks(table, rows).unwrap();
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let before = all.len();
        session
            .read(&Read { table, columns: &table.columns, chunk }, &mut |row| {
                all.push(row.iter().map(|value| value.borrowed().into_owned()).collect());
                Ok(())
            })
            .unwrap();
        sizes.push(all.len() - before);
    }
    (all, sizes)
}

/// All rows of a table.
fn rows_of(database: &SqliteDatabase, table: &str) -> Vec<Vec<Value<'static>>> {
    read_chunks(database, database.session().unwrap().as_mut(), table, 1_000).0
}
