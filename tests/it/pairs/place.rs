//! A database of one engine, and what it holds in its engine's own words.

use std::path::{Path, PathBuf};

use trimaran_backends::catalog::{Catalog, TableName};
use trimaran_backends::testing::TestDatabase;
use trimaran_backends::testing::postgres::database;
use trimaran_backends::{Access, Database, Location, OpenOptions, open};
use trimaran_core::digest::Digest;
use trimaran_core::{Engine, Value};

use super::names::quoted;
use super::schema::Table;
use crate::cli::{duckdb_url, execute, sqlite_url};

pub(super) struct Place {
    pub(super) engine: Engine,
    pub(super) url: String,
    path: PathBuf,
    postgres: Option<TestDatabase>,
}

impl Place {
    /// An empty database; a file lies in `dir`.
    pub(super) fn new(engine: Engine, dir: &Path, name: &str) -> Self {
        let path = dir.join(name);
        let postgres = (engine == Engine::Postgres).then(database);
        let url = match engine {
            Engine::Duckdb => duckdb_url(&path),
            Engine::Sqlite => sqlite_url(&path),
            Engine::Postgres => postgres.as_ref().map(|database| database.url().to_owned()).unwrap(),
        };
        Self { engine, url, path, postgres }
    }

    /// Runs a script, a statement at a time, so that what fails is named.
    pub(super) fn fill(&self, script: &[String]) {
        match (self.engine, &self.postgres) {
            (Engine::Sqlite, _) => {
                let connection = rusqlite::Connection::open(&self.path).unwrap();
                // As most applications have it: what refers to nothing is among the rows.
                connection.execute_batch("PRAGMA foreign_keys = OFF; BEGIN").unwrap();
                for sql in script {
                    connection.execute_batch(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
                }
                connection.execute_batch("COMMIT").unwrap();
            }
            (Engine::Duckdb, _) => {
                let connection = duckdb::Connection::open(&self.path).unwrap();
                for sql in script {
                    connection.execute_batch(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
                }
                connection.close().unwrap();
            }
            (_, Some(database)) => execute(database, &script.join(";\n")),
            (_, None) => unreachable!("a database of Postgres is one of the tests'"),
        }
    }

    fn open(&self) -> Box<dyn Database> {
        let options = OpenOptions { access: Access::Source, memory: 64 << 20, sessions: 1 };
        open(&Location::parse(&self.url).unwrap(), options).unwrap()
    }

    pub(super) fn catalog(&self) -> Catalog {
        self.open().catalog(None).unwrap()
    }

    /// The rows of some columns of a table, each a text of the engine's own, sorted.
    pub(super) fn rows(&self, table: &Table, columns: &[&str]) -> Vec<Vec<String>> {
        let cells: Vec<String> = columns
            .iter()
            .map(|name| match self.engine {
                Engine::Sqlite => quoted(name),
                Engine::Duckdb => format!("CAST({} AS VARCHAR)", quoted(name)),
                // As it is written: a cast says an address with its mask.
                Engine::Postgres => {
                    let name = quoted(name);
                    format!("CASE WHEN {name} IS DISTINCT FROM NULL THEN concat({name}) END")
                }
            })
            .collect();
        let cells = if cells.is_empty() { "1".to_owned() } else { cells.join(", ") };
        let sql = format!("SELECT {cells} FROM {}", table.qualified());
        let rows = self.open().session().unwrap().query(&sql, &[]).unwrap();
        let shown = |value: &Value<'_>| match value {
            Value::Text(text) => format!("text {}", text.escape_ascii()),
            other => format!("{other:?}"),
        };
        let mut rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
        rows.sort();
        rows
    }

    /// The sum of the digests of a table's rows that a run put aside here.
    pub(super) fn aside(&self, table: &Table) -> Digest {
        let database = self.open();
        let schema = database.dialect().default_schema();
        let quarantine = database.dialect().qualify(&TableName::new(schema, "_trimaran_quarantine"));
        let sql = format!("SELECT row_bytes FROM {quarantine} WHERE source_table = $1");
        let rows = database.session().unwrap().query(&sql, &[Value::text(&table.name)]).unwrap();
        let mut sum = Digest::default();
        for row in rows {
            match &row[0] {
                Value::Bytes(bytes) => sum.add(Digest::of_row(bytes)),
                other => panic!("a row put aside is bytes, not {other:?}"),
            }
        }
        sum
    }
}
