//! Many rows at once within a transaction of the pool.
//!
//! SQLite has nothing faster than a prepared INSERT. The driver runs each statement on a thread of the connection's own, so
//! that a row to a statement pays the way there and back each time: here a statement has many rows.

use trimaran_core::Result;

use super::pool::PooledSession;
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
