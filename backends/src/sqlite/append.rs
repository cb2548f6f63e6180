//! Many rows at once within a transaction.
//!
//! SQLite has nothing faster than a prepared INSERT. SeaORM's driver runs each statement on a thread of the connection's own,
//! so that a row to a statement pays the way there and back each time: there a statement has many rows. Where the whole
//! append is one turn of rusqlite's, it has one.

use rusqlite::Connection;
use trimaran_core::{Error, ErrorKind, Result};

use super::cells::Bound;
use super::dialect::DIALECT;
use super::error::failed;
use super::pooled::PooledSession;
use crate::Dialect as _;
use crate::append::Rows;

/// How many rows a statement has: fewer pay for the way, more gain nothing (measured; docs/performance.md).
const ROWS: usize = 64;

/// Inserts `rows`.
pub(super) async fn append(session: &mut PooledSession, rows: Rows) -> Result<()> {
    for statement in rows.into_inserts(ROWS) {
        session.execute(statement?).await?;
    }
    Ok(())
}

/// Inserts `rows` past the driver of SeaORM.
pub(super) fn insert(connection: &Connection, rows: &Rows) -> Result<()> {
    const OPERATION: &str = "insert rows";
    if rows.columns().is_empty() {
        return Err(Error::new(ErrorKind::Invalid, OPERATION).context("the table has no columns"));
    }
    let names: Vec<String> = rows.columns().iter().map(|name| DIALECT.quote(name)).collect();
    let places = vec!["?"; names.len()].join(", ");
    let schema = rows.schema().map(|schema| format!("{}.", DIALECT.quote(schema))).unwrap_or_default();
    let table = DIALECT.quote(rows.table());
    let sql = format!("INSERT INTO {schema}{table} ({}) VALUES ({places})", names.join(", "));
    let mut statement = connection.prepare_cached(&sql).map_err(failed(OPERATION))?;
    for row in rows.iter() {
        for (index, value) in (1..).zip(row) {
            statement.raw_bind_parameter(index, Bound::of(value)?).map_err(failed(OPERATION))?;
        }
        statement.raw_execute().map_err(failed(OPERATION))?;
    }
    Ok(())
}
