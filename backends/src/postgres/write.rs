//! Binary COPY in.

use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;
use trimaran_core::{Error, LogicalType, Result};

use super::copy_encode::{HEADER, TRAILER};
use super::dialect::DIALECT;
use super::error;
use super::session::PostgresSession;
use crate::Dialect as _;
use crate::catalog::TableName;

/// How much is handed to the driver at a time: it copies each piece into its own buffer, which stays this small.
const PIECE: usize = 256 * 1024;

/// A COPY under way.
type CopyIn<'c> = PgCopyIn<&'c mut PgConnection>;

/// Sends encoded rows into `table`: how many there were. See [`crate::Session::write`].
pub(super) fn write(
    session: &mut PostgresSession,
    table: &TableName,
    columns: &[(String, LogicalType)],
    rows: &[u8],
) -> Result<u64> {
    copy_in(session, table, columns, async |copy| send(copy, rows).await.map(|()| None))
}

/// Sends encoded rows into `table` as `next` gives them, in one COPY: how many there were. See [`crate::Session::load`].
pub(super) fn load(
    session: &mut PostgresSession,
    table: &TableName,
    columns: &[(String, LogicalType)],
    next: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool>,
) -> Result<u64> {
    let mut buffer = Vec::new();
    copy_in(session, table, columns, async |copy| {
        loop {
            match next(&mut buffer) {
                Ok(true) => send(copy, &buffer).await?,
                Ok(false) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            }
        }
    })
}

async fn send(copy: &mut CopyIn<'_>, rows: &[u8]) -> Result<(), sqlx::Error> {
    for piece in rows.chunks(PIECE) {
        copy.send(piece).await?;
    }
    Ok(())
}

/// Runs a COPY whose rows `fill` sends, or says why it can't send them all.
fn copy_in(
    session: &mut PostgresSession,
    table: &TableName,
    columns: &[(String, LogicalType)],
    fill: impl AsyncFnOnce(&mut CopyIn<'_>) -> Result<Option<Error>, sqlx::Error>,
) -> Result<u64> {
    let operation = format!("write to {table}");
    let names: Vec<_> = columns.iter().map(|(name, _)| DIALECT.quote(name)).collect();
    // Without columns there must be no parentheses either.
    let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let sql = format!("COPY {}{list} FROM STDIN (FORMAT binary)", DIALECT.qualify(table));
    let mut stopped = None;
    let result = session.run_raw(&operation, async |connection| {
        let mut copy = connection.copy_in_raw(&sql).await?;
        copy.send(HEADER.as_slice()).await?;
        if let Some(error) = fill(&mut copy).await? {
            stopped = Some(error);
            return copy.abort("there are no more rows").await.map(|()| 0);
        }
        copy.send(TRAILER.as_slice()).await?;
        // A server that has found a fault meanwhile has passed over the rest, and says so here.
        copy.finish().await
    })?;
    if let Some(error) = stopped {
        session.fail();
        return Err(error);
    }
    result.map_err(|failure| {
        let column = error::copied_column(&failure, columns.iter().map(|(name, _)| name.as_str()));
        let context = column.map(|name| format!("column \"{name}\""));
        let classified = error::classify(failure, operation);
        match context {
            Some(context) if !classified.to_string().contains(&context) => classified.context(context),
            _ => classified,
        }
    })
}
