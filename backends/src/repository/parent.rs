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
/// has none, a write that changes nothing in the end makes this transaction and the deletion conflict: one of the two fails with
/// [`Aborted`](trimaran_core::ErrorKind::Aborted). `touched` is a column of
/// whole numbers without an index.
///
/// # Errors
/// The engine's, classified.
pub async fn hold<E: EntityTrait>(
    transaction: &Transaction,
    id_column: E::Column,
    touched: E::Column,
    id: Uuid,
) -> Result<bool> {
    if !transaction.handle().capabilities().foreign_keys {
        return touch::<E>(transaction, id_column, touched, id).await;
    }
    let query = Query::select()
        .expr(Expr::val(1))
        .from(E::default())
        .and_where(id_column.eq(id))
        .lock(LockType::KeyShare)
        .take();
    let found = transaction.query_one(&query).await.doing("hold a row that others belong to")?;
    Ok(found.is_some())
}

/// The other side of [`hold`], to be called before anything that belongs to the parent `id` is deleted, and it itself.
/// Where the engine has foreign keys these do it. Where it has none, both sides write the same column of the same row, for DuckDB
/// finds no conflict between a row's update and its deletion.
///
/// # Errors
/// The engine's, classified.
pub async fn claim<E: EntityTrait>(
    transaction: &Transaction,
    id_column: E::Column,
    touched: E::Column,
    id: Uuid,
) -> Result<()> {
    if !transaction.handle().capabilities().foreign_keys {
        touch::<E>(transaction, id_column, touched, id).await?;
    }
    Ok(())
}

/// Writes another value and then the one of before; says whether there is a row. Writing the same value is no write
/// to DuckDB: it would meet no conflict.
async fn touch<E: EntityTrait>(
    transaction: &Transaction,
    id_column: E::Column,
    touched: E::Column,
    id: Uuid,
) -> Result<bool> {
    let mut rows = 0;
    for step in [1, -1] {
        let write = Query::update()
            .table(E::default())
            .value(touched, Expr::col(touched).add(step))
            .and_where(Expr::col(id_column).eq(id))
            .take();
        rows = transaction.execute(&write).await.doing("touch a row that others belong to")?.rows_affected();
    }
    Ok(rows > 0)
}
