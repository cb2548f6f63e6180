//! Rows that must exist for others to belong to them.

use sea_orm::sea_query::{Expr, ExprTrait as _, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait};
use trimaran_core::Result;
use uuid::Uuid;

use crate::Transaction;
use crate::db_error::Doing as _;

/// Whether the parent `id` exists; if so it stays until the transaction ends, whoever wants to delete it meanwhile.
///
/// Where the engine has foreign keys the row is locked as they would lock it (SQLite's writer is alone anyhow). Where it
/// has none, a write that changes nothing makes this transaction and the deletion conflict: one of the two fails with
/// [`Aborted`](trimaran_core::ErrorKind::Aborted). `touched` is a column without an index.
///
/// # Errors
/// The engine's, classified.
pub async fn hold<E: EntityTrait>(
    transaction: &Transaction,
    id_column: E::Column,
    touched: E::Column,
    id: Uuid,
) -> Result<bool> {
    const DOING: &str = "hold a row that others belong to";
    let table = E::default();
    if transaction.handle().capabilities().foreign_keys {
        let query = Query::select()
            .expr(Expr::val(1))
            .from(table)
            .and_where(id_column.eq(id))
            .lock(LockType::KeyShare)
            .take();
        return Ok(transaction.query_one(&query).await.doing(DOING)?.is_some());
    }
    let touch = Query::update()
        .table(table)
        .value(touched, Expr::col(touched))
        .and_where(Expr::col(id_column).eq(id))
        .take();
    Ok(transaction.execute(&touch).await.doing(DOING)?.rows_affected() > 0)
}
