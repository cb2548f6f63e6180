//! DuckDB files made at test time.

mod catalog;
mod opening;
mod reading;
mod transactions;
mod types;
mod writing;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trimaran_core::{Engine, ErrorKind, LogicalType, Result, Value};

use super::DuckdbDatabase;
use crate::catalog::{Table, TableName};
use crate::{Access, Database, Location, OpenOptions, Read};

/// A folder with a file in it, which the test's own connection has made and closed.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// A file made by `sql`.
    fn new(sql: &str) -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        let connection = duckdb::Connection::open(fixture.path()).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().map_err(|(_, e)| e).unwrap();
        fixture
    }

    /// A folder without a file.
    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file.duckdb")
    }

    fn source(&self) -> DuckdbDatabase {
        open(&self.path(), Access::Source).unwrap()
    }

    fn target(&self) -> DuckdbDatabase {
        open(&self.path(), Access::Target).unwrap()
    }

    /// Names and contents of all files in the folder. Only while nobody has the file open: to close it would drop
    /// DuckDB's lock.
    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

fn options(access: Access) -> OpenOptions {
    OpenOptions { access, memory: 64 << 20, sessions: 2 }
}

fn open(path: &Path, access: Access) -> Result<DuckdbDatabase> {
    DuckdbDatabase::open(&Location::file(Engine::Duckdb, path), options(access))
}

fn kind_of<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it worked"),
        Err(error) => error.kind(),
    }
}

fn table(database: &DuckdbDatabase, name: &str) -> Table {
    let catalog = database.catalog(None).unwrap();
    catalog.tables.into_iter().find(|t| t.name.name == name).unwrap()
}

/// Every row of a table, in chunks of `rows`.
fn read_all(database: &DuckdbDatabase, name: &str, rows: u64) -> Vec<Vec<Value<'static>>> {
    let table = table(database, name);
    let mut session = database.session().unwrap();
    let mut all = Vec::new();
    for chunk in session.chunks(&table, rows).unwrap() {
        let read = Read { table: &table, columns: &table.columns, chunk };
        session
            .read(&read, &mut |row| {
                all.push(row.iter().cloned().map(Value::into_owned).collect());
                Ok(())
            })
            .unwrap();
    }
    all
}

/// Writes rows into `main.name` in a transaction of its own.
fn write_rows(
    database: &DuckdbDatabase,
    name: &str,
    columns: &[(String, LogicalType)],
    rows: &[Vec<Value<'_>>],
) -> Result<u64> {
    let types: Vec<_> = columns.iter().map(|(_, logical)| logical.clone()).collect();
    let mut bytes = Vec::new();
    for row in rows {
        database.encode_row(&types, row, &mut bytes)?;
    }
    let mut session = database.session()?;
    session.begin()?;
    let written = session.write(&TableName::new("main", name), columns, &bytes)?;
    session.commit()?;
    Ok(written)
}

fn owned(text: &str) -> String {
    text.to_owned()
}
