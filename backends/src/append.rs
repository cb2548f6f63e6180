//! Many rows at once, the engine's fast way.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Iterable as _};
use trimaran_core::Result;

use crate::Transaction;
use crate::db_error::Doing as _;

/// The most parameters of one statement: SQLite's default limit (SQLITE_MAX_VARIABLE_NUMBER) is 32,766, the least of the three.
const MOST_PARAMETERS: usize = 32_766;

/// Inserts rows within a transaction. Every column must be set.
///
/// # Errors
/// `Conflict` if a key is taken, on DuckDB perhaps at the commit; else the engine's. `operation` says what was to be done.
pub async fn append_rows<A>(transaction: &Transaction, rows: Vec<A>, operation: &str) -> Result<()>
where
    A: ActiveModelTrait + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let columns = <A::Entity as EntityTrait>::Column::iter().count();
    let most = (MOST_PARAMETERS / columns.max(1)).max(1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<A> = rows.by_ref().take(most).collect();
        A::Entity::insert_many(chunk).exec_without_returning(transaction).await.doing(operation)?;
    }
    Ok(())
}
