//! Cases against a real Postgres.

mod appends;
mod catalogs;
mod connection;
mod definitions;
mod failures;
mod idle;
mod pooler;
mod rows;
mod snapshots;
mod tenants;

use trimaran_core::{LogicalType, Value};

use super::connect::PostgresDatabase;
use crate::bulk::{Access, Database as _, OpenOptions, Read, Session};
use crate::catalog::{Table, TableName};
use crate::testing::postgres::{TestDatabase, database};

/// An empty database, opened.
fn open(access: Access) -> (TestDatabase, PostgresDatabase) {
    let server = database();
    let opened = reopen(&server, access);
    (server, opened)
}

fn reopen(server: &TestDatabase, access: Access) -> PostgresDatabase {
    PostgresDatabase::open(&server.location(), OpenOptions { access, memory: 64 << 20, sessions: 2 }).unwrap()
}

fn name(table: &str) -> TableName {
    TableName::new("public", table)
}

/// The table as the catalogue has it.
fn table(database: &PostgresDatabase, name: &str) -> Table {
    let catalog = database.catalog(Some("public")).unwrap();
    catalog.tables.into_iter().find(|table| table.name.name == name).unwrap()
}

/// All rows of a table, in storage order, read in chunks of about `rows`.
fn read_all(session: &mut dyn Session, table: &Table, rows: u64) -> Vec<Vec<Value<'static>>> {
    let mut out = Vec::new();
    for chunk in session.chunks(table, rows).unwrap() {
        let read = Read { table, columns: &table.columns, chunk };
        session
            .read(&read, &mut |row| {
                out.push(row.iter().map(|v| v.borrowed().into_owned()).collect());
                Ok(())
            })
            .unwrap();
    }
    out
}

/// Columns called `c0`, `c1`, … of these types.
fn columns(types: &[LogicalType]) -> Vec<(String, LogicalType)> {
    types.iter().enumerate().map(|(n, logical)| (format!("c{n}"), logical.clone())).collect()
}

/// Encodes and writes rows in a transaction of their own.
fn write_all(
    database: &PostgresDatabase,
    session: &mut dyn Session,
    table: &str,
    types: &[LogicalType],
    rows: &[Vec<Value<'_>>],
) -> trimaran_core::Result<u64> {
    let mut bytes = Vec::new();
    for row in rows {
        database.encode_row(types, row, &mut bytes)?;
    }
    session.begin()?;
    let written = session.write(&name(table), &columns(types), &bytes);
    match written {
        Ok(count) => session.commit().map(|()| count),
        Err(error) => {
            session.rollback()?;
            Err(error)
        }
    }
}
