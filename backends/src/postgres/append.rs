//! Many rows at once within a transaction of the pool.
//!
//! Few rows go as arrays, one parameter per column: `INSERT … SELECT FROM unnest($1, $2, …)` has one text, stays prepared,
//! and takes one round trip. Many go by binary COPY into a temporary table and from there into theirs: Postgres refuses
//! COPY FROM into a table with row-level security, and checks the policies as the rows move on. That costs four round
//! trips and some rows of the system's catalogue.

use sea_orm::sea_query::Value;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo};
use sqlx::{Arguments as _, Executor as _, PgConnection, Postgres, Row as _};
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result};

use super::copy_encode::{HEADER, TRAILER, encode_array, encode_row};
use super::dialect::DIALECT;
use super::pool::PooledSession;
use super::types;
use crate::Dialect as _;
use crate::append::{Rows, cell, size};

/// COPY from this many rows on. Below a thousand arrays are faster by far; docs/performance.md has the figures.
const COPY_ROWS: usize = 2_000;

/// A statement's arrays, or a piece of a COPY, have about as many bytes at most. The server holds one of them at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The temporary table, which lives within the call.
const PASSAGE: &str = "pg_temp.trimaran_append";

const APPEND: &str = "append rows";

/// Inserts `rows`, whose columns have these types.
pub(super) async fn append(session: &mut PooledSession, rows: &Rows, types: &[LogicalType]) -> Result<()> {
    if rows.len() >= COPY_ROWS && may_make_temporary_tables(session).await? {
        copy(session, rows, types).await
    } else {
        arrays(session, rows, types).await
    }
}

async fn may_make_temporary_tables(session: &mut PooledSession) -> Result<bool> {
    let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')";
    let outcome = session.enter()?.fetch_one(sqlx::raw_sql(sql)).await;
    let row = session.leave(outcome, APPEND)?;
    let may = row.try_get_unchecked::<String, _>(0);
    may.map(|may| may == "t").map_err(|e| Error::new(ErrorKind::Corrupt, APPEND).source(e))
}

/// The table and its columns as they stand in an INSERT.
fn target(rows: &Rows) -> String {
    let table = DIALECT.quote(rows.table());
    let columns: Vec<_> = rows.columns().iter().map(|column| DIALECT.quote(column)).collect();
    match rows.schema() {
        Some(schema) => format!("{}.{table} ({})", DIALECT.quote(schema), columns.join(", ")),
        None => format!("{table} ({})", columns.join(", ")),
    }
}

async fn copy(session: &mut PooledSession, rows: &Rows, types: &[LogicalType]) -> Result<()> {
    let columns: Vec<_> = rows
        .columns()
        .iter()
        .zip(types)
        .map(|(column, logical)| format!("{} {}", DIALECT.quote(column), logical.stored_as(Engine::Postgres)))
        .collect();
    let make = format!("CREATE TEMPORARY TABLE {PASSAGE} ({}) ON COMMIT DROP", columns.join(", "));
    session.execute_text(&make, APPEND).await?;
    let connection = session.enter()?;
    let (outcome, refused) = send(connection, rows, types).await;
    session.leave(outcome, APPEND)?;
    refused?;
    let target = target(rows);
    let move_on = format!("INSERT INTO {target} SELECT * FROM {PASSAGE}; DROP TABLE {PASSAGE}");
    session.execute_text(&move_on, APPEND).await.map(drop)
}

/// Sends the rows as one COPY; what went wrong on the way, and what was wrong with a row.
async fn send(
    connection: &mut PgConnection,
    rows: &Rows,
    types: &[LogicalType],
) -> (Result<(), sqlx::Error>, Result<()>) {
    let mut refused = Ok(());
    let outcome = async {
        let sql = format!("COPY {PASSAGE} FROM STDIN (FORMAT binary)");
        let mut copy = connection.copy_in_raw(&sql).await?;
        let mut piece = HEADER.to_vec();
        let mut cells = Vec::with_capacity(types.len());
        for row in rows.iter() {
            cells.extend(row.iter().map(cell));
            refused = encode_row(types, &cells, &mut piece);
            if refused.is_err() {
                return copy.abort("a row can't be encoded").await;
            }
            cells.clear();
            if piece.len() >= PIECE_BYTES {
                copy.send(piece.as_slice()).await?;
                piece.clear();
            }
        }
        piece.extend_from_slice(&TRAILER);
        copy.send(piece.as_slice()).await?;
        copy.finish().await.map(drop)
    }
    .await;
    (outcome, refused)
}

async fn arrays(session: &mut PooledSession, rows: &Rows, types: &[LogicalType]) -> Result<()> {
    let places: Vec<_> = types
        .iter()
        .zip(1..)
        .map(|(logical, at)| format!("${at}::{}[]", logical.stored_as(Engine::Postgres)))
        .collect();
    let sql = format!("INSERT INTO {} SELECT * FROM unnest({})", target(rows), places.join(", "));
    let all: Vec<_> = rows.iter().collect();
    let mut all = all.as_slice();
    while !all.is_empty() {
        let (piece, rest) = all.split_at(fitting(all));
        all = rest;
        let mut arguments = PgArguments::default();
        for (at, logical) in types.iter().enumerate() {
            let values: Vec<_> = piece.iter().map(|row| cell(&row[at])).collect();
            let mut array = Vec::new();
            encode_array(logical, &values, &mut array)
                .map_err(|e| e.context(format!("column {}", rows.columns()[at])))?;
            let array = Array { oid: types::array_oid(logical), bytes: array };
            arguments.add(array).map_err(|e| Error::new(ErrorKind::Invalid, APPEND).source(e))?;
        }
        session.execute_arguments(sql.clone(), arguments, APPEND).await?;
    }
    Ok(())
}

/// How many of the rows make one statement's arrays: one at least.
fn fitting(rows: &[&[Value]]) -> usize {
    let mut bytes = 0;
    let mut fits = |row: &&[Value]| {
        bytes += row.iter().map(size).sum::<usize>();
        bytes <= PIECE_BYTES
    };
    rows.iter().position(|row| !fits(row)).unwrap_or(rows.len()).max(1)
}

/// An array in its binary form.
struct Array {
    oid: u32,
    bytes: Vec<u8>,
}

impl sqlx::Type<Postgres> for Array {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl sqlx::Encode<'_, Postgres> for Array {
    fn encode_by_ref(
        &self,
        buffer: &mut PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        buffer.extend_from_slice(&self.bytes);
        Ok(sqlx::encode::IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.oid)))
    }

    fn size_hint(&self) -> usize {
        self.bytes.len()
    }
}
