//! Many rows at once, the engine's fast way: [`append_rows`].
//!
//! | engine | a few rows | many rows |
//! |---|---|---|
//! | Postgres | INSERT … SELECT FROM unnest, one array per column | binary COPY into a temporary table, INSERT … SELECT from it |
//! | SQLite | a prepared INSERT of one row | a prepared INSERT of many rows |
//! | DuckDB | a prepared INSERT of one row | an Appender, fed with Arrow batches |
//!
//! Each engine's file `append` says where the one begins to pay and why. An engine of somebody else's takes prepared
//! INSERTs until it has its own [`EngineTransaction::append`](crate::EngineTransaction::append).
//!
//! On Postgres the role needs the right TEMPORARY on the database for COPY, which PUBLIC has unless somebody took it away.
//! Without it, arrays do for any number of rows. COPY goes to a temporary table because Postgres refuses COPY FROM into a
//! table with row-level security; the policies are checked as the rows move on from there.

#[cfg(any(feature = "postgres", feature = "duckdb"))]
mod cell;
mod rows;
use sea_orm::sea_query::ColumnType;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait as _, DbBackend, EntityName as _,
    EntityTrait, IdenStatic as _, IntoActiveModel, Iterable as _,
};
use trimaran_core::{Error, ErrorKind, Result};

use crate::Transaction;
use crate::db_error::Doing as _;

#[cfg(any(feature = "postgres", feature = "duckdb"))]
pub(crate) use cell::{cell, size};
pub use rows::Rows;

/// The most parameters of one statement: SQLite's default limit (SQLITE_MAX_VARIABLE_NUMBER) is 32,766, the least of the three.
pub(crate) const MOST_PARAMETERS: usize = 32_766;

/// Rows are handed to the engine in portions of at most as many, so that their cells are not held twice.
const PORTION: usize = 16_384;

/// Inserts rows within a transaction, all of them or, after an error, none: the transaction is doomed then, as after any
/// failed statement.
///
/// Rows that leave a column out, and entities with columns of the engine's own types (enums, arrays), go by INSERT.
///
/// # Errors
/// `Conflict` if a key is taken, on DuckDB perhaps at the commit; else the engine's. `operation` says what was to be done.
pub async fn append_rows<A>(transaction: &Transaction, rows: Vec<A>, operation: &str) -> Result<()>
where
    A: ActiveModelTrait + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().collect();
    if !are_plain(&columns) || !rows.iter().all(|row| is_whole(row, &columns)) {
        return insert(transaction, rows, operation).await;
    }
    let backend = transaction.get_database_backend();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let portion = portion(backend, &columns, rows.by_ref().take(PORTION));
        transaction.handle().append(portion).await.map_err(|error| error.within(operation))?;
    }
    Ok(())
}

/// Rows as a transaction takes them [with its commit](Transaction::commit_with): for a few, as all are held at once.
///
/// # Errors
/// `Unsupported` for rows that leave a column out, and for entities with columns of the engine's own types.
pub fn rows_of<A>(backend: DbBackend, rows: Vec<A>, operation: &str) -> Result<Rows>
where
    A: ActiveModelTrait,
{
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter().collect();
    if !are_plain(&columns) || !rows.iter().all(|row| is_whole(row, &columns)) {
        return Err(Error::new(ErrorKind::Unsupported, operation)
            .context("a row leaves a column out, or a column is of a type that not every engine has")
            .hint("insert the rows with append_rows before the commit"));
    }
    Ok(portion(backend, &columns, rows.into_iter()))
}

fn are_plain(columns: &[impl ColumnTrait]) -> bool {
    columns.iter().all(|column| is_plain(column.def().get_column_type()))
}

fn is_whole<A: ActiveModelTrait>(row: &A, columns: &[<A::Entity as EntityTrait>::Column]) -> bool {
    columns.iter().all(|column| !row.is_not_set(*column))
}

fn portion<A: ActiveModelTrait>(
    backend: DbBackend,
    columns: &[<A::Entity as EntityTrait>::Column],
    rows: impl Iterator<Item = A>,
) -> Rows {
    let entity = A::Entity::default();
    let mut cells = Vec::with_capacity(rows.size_hint().0 * columns.len());
    for mut row in rows {
        for column in columns {
            if let ActiveValue::Set(value) | ActiveValue::Unchanged(value) = row.take(*column) {
                cells.push(value);
            }
        }
    }
    Rows {
        backend,
        schema: entity.schema_name().map(str::to_owned),
        table: entity.table_name().to_owned(),
        columns: columns.iter().map(|column| column.as_str()).collect(),
        cells,
    }
}

/// Whether every engine takes values of this type for what they are.
fn is_plain(column: &ColumnType) -> bool {
    matches!(
        column,
        ColumnType::Char(_)
            | ColumnType::String(_)
            | ColumnType::Text
            | ColumnType::Blob
            | ColumnType::Binary(_)
            | ColumnType::VarBinary(_)
            | ColumnType::TinyInteger
            | ColumnType::SmallInteger
            | ColumnType::Integer
            | ColumnType::BigInteger
            | ColumnType::Float
            | ColumnType::Double
            | ColumnType::Decimal(_)
            | ColumnType::Boolean
            | ColumnType::Date
            | ColumnType::Time
            | ColumnType::DateTime
            | ColumnType::Timestamp
            | ColumnType::TimestampWithTimeZone
            | ColumnType::Json
            | ColumnType::JsonBinary
            | ColumnType::Uuid
    )
}

/// SeaORM's own way.
async fn insert<A>(transaction: &Transaction, rows: Vec<A>, operation: &str) -> Result<()>
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
