//! Binary COPY in.

use trimaran_core::{LogicalType, Result};

use super::copy_encode::{HEADER, TRAILER};
use super::dialect::DIALECT;
use super::error;
use super::session::PostgresSession;
use crate::Dialect as _;
use crate::catalog::TableName;

/// How much is handed to the driver at a time: it copies each piece into its own buffer, which stays this small.
const PIECE: usize = 256 * 1024;

/// Sends encoded rows into `table`: how many there were. See [`crate::Session::write`].
pub(super) fn write(
    session: &mut PostgresSession,
    table: &TableName,
    columns: &[(String, LogicalType)],
    rows: &[u8],
) -> Result<u64> {
    let operation = format!("write to {table}");
    let names: Vec<_> = columns.iter().map(|(name, _)| DIALECT.quote(name)).collect();
    // Without columns there must be no parentheses either.
    let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let sql = format!("COPY {}{list} FROM STDIN (FORMAT binary)", DIALECT.qualify(table));
    let result = session.run_raw(&operation, async |connection| {
        let mut copy = connection.copy_in_raw(&sql).await?;
        copy.send(HEADER.as_slice()).await?;
        for piece in rows.chunks(PIECE) {
            copy.send(piece).await?;
        }
        copy.send(TRAILER.as_slice()).await?;
        // A server that has found a fault meanwhile has passed over the rest, and says so here.
        copy.finish().await
    })?;
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
