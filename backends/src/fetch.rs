//! Rows on their way from the engine, in the form that costs it least.
//!
//! A driver of its own has to turn its values into SeaORM's rows only for SeaORM's sake: such a row is a map of names, made for
//! each row anew. What Trimaran's own repositories read goes by position instead.

use sea_orm::sea_query::{ColumnType, InsertStatement, Query, ValueType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait as _, EntityTrait, FromQueryResult as _, Iterable as _,
    ModelTrait, QueryResult, QueryTrait, Select, Statement, TryGetable, TryIntoModel, Value,
};
use trimaran_core::{Error, ErrorKind, Result};

use crate::Executor;
use crate::db_error::Doing as _;

/// What a column of a query holds, for engines whose cells don't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// `bool`
    Bool,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f64`
    F64,
    /// `String`
    Text,
    /// `Vec<u8>`
    Bytes,
    /// `Uuid`
    Uuid,
    /// `DateTime<FixedOffset>`
    DateTime,
    /// `serde_json::Value`
    Json,
}

impl CellType {
    /// That of an entity's column; `None` for a type that is not among these.
    pub fn of(column: &ColumnType) -> Option<Self> {
        Some(match column {
            ColumnType::Boolean => Self::Bool,
            ColumnType::Integer => Self::I32,
            ColumnType::BigInteger => Self::I64,
            ColumnType::Double => Self::F64,
            ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Self::Bytes,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::TimestampWithTimeZone => Self::DateTime,
            ColumnType::Json | ColumnType::JsonBinary => Self::Json,
            _ => return None,
        })
    }

    /// What NULL is in such a column.
    pub fn null(self) -> Value {
        match self {
            Self::Bool => Value::Bool(None),
            Self::I32 => Value::Int(None),
            Self::I64 => Value::BigInt(None),
            Self::F64 => Value::Double(None),
            Self::Text => Value::String(None),
            Self::Bytes => Value::Bytes(None),
            Self::Uuid => Value::Uuid(None),
            Self::DateTime => Value::ChronoDateTimeWithTimeZone(None),
            Self::Json => Value::Json(None),
        }
    }
}

/// The rows of a query.
#[derive(Debug)]
pub enum Fetched {
    /// As SeaORM has them.
    Rows(Vec<QueryResult>),
    /// The cells of each row in the order of the columns, each of the kind that its column's Rust type has.
    Cells(Vec<Vec<Value>>),
}

/// One of them.
#[derive(Debug)]
pub(crate) enum FetchedRow {
    Row(QueryResult),
    Cells(Vec<Value>),
}

impl Fetched {
    /// Row by row.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = FetchedRow> {
        let (rows, cells) = match self {
            Fetched::Rows(rows) => (rows, Vec::new()),
            Fetched::Cells(cells) => (Vec::new(), cells),
        };
        rows.into_iter().map(FetchedRow::Row).chain(cells.into_iter().map(FetchedRow::Cells))
    }
}

impl FetchedRow {
    /// The cell at `index`, once.
    ///
    /// # Errors
    /// `Corrupt` if there is none of this type.
    pub(crate) fn take<T: TryGetable + ValueType>(&mut self, index: usize, operation: &str) -> Result<T> {
        match self {
            FetchedRow::Row(row) => row.try_get_by_index(index).doing(operation),
            FetchedRow::Cells(cells) => {
                let cell = cells.get_mut(index).map(|cell| std::mem::replace(cell, Value::Bool(None)));
                cell.and_then(|cell| <T as ValueType>::try_from(cell).ok()).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, operation)
                        .context(format!("the column at {index} is of another type than was written"))
                })
            }
        }
    }
}

/// The models that a query of all their columns gives. `operation` is a verb phrase.
///
/// # Errors
/// `Corrupt` for a row that is none; else the engine's.
pub(crate) async fn models<E>(executor: &Executor, query: Select<E>, operation: &str) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
    <E as EntityTrait>::ActiveModel: TryIntoModel<E::Model>,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    models_of::<E>(columns_of(executor, query, &columns, operation).await?, &columns, operation)
}

/// Reading rows of an entity by position.
pub(crate) trait Fetch<M>: Sized {
    /// The only row; if there are more, one of them. `operation` is a verb phrase.
    ///
    /// # Errors
    /// As for [`models`].
    async fn fetch_one(self, executor: &Executor, operation: &str) -> Result<Option<M>>;

    /// Every row. `operation` is a verb phrase.
    ///
    /// # Errors
    /// As for [`models`].
    async fn fetch_all(self, executor: &Executor, operation: &str) -> Result<Vec<M>>;
}

impl<E> Fetch<E::Model> for Select<E>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
    <E as EntityTrait>::ActiveModel: TryIntoModel<E::Model>,
{
    async fn fetch_one(self, executor: &Executor, operation: &str) -> Result<Option<E::Model>> {
        Ok(models(executor, self, operation).await?.into_iter().next())
    }

    async fn fetch_all(self, executor: &Executor, operation: &str) -> Result<Vec<E::Model>> {
        models(executor, self, operation).await
    }
}

pub(crate) fn models_of<E>(fetched: Fetched, columns: &[E::Column], operation: &str) -> Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
    <E as EntityTrait>::ActiveModel: TryIntoModel<E::Model>,
{
    match fetched {
        Fetched::Rows(rows) => {
            rows.iter().map(|row| E::Model::from_query_result(row, "").doing(operation)).collect()
        }
        Fetched::Cells(rows) => {
            rows.into_iter().map(|cells| model::<E>(columns, cells).doing(operation)).collect()
        }
    }
}

/// The rows of a query for these columns, in this order. `operation` is a verb phrase.
///
/// # Errors
/// `Corrupt` for a cell of another type than its column; else the engine's.
pub(crate) async fn columns_of<C: ColumnTrait>(
    executor: &Executor,
    query: impl QueryTrait,
    columns: &[C],
    operation: &str,
) -> Result<Fetched> {
    let statement = query.build(executor.get_database_backend());
    let types = types(columns, operation)?;
    executor.fetch(statement, types).await.map_err(|error| error.within(operation))
}

/// An INSERT that returns these columns, and of what types they are.
///
/// # Errors
/// `Unsupported` for a column of a type that is not fetched.
pub(crate) fn returning<C: ColumnTrait>(
    executor: &Executor,
    mut insert: InsertStatement,
    columns: &[C],
    operation: &str,
) -> Result<(Statement, Vec<CellType>)> {
    insert.returning(Query::returning().columns(columns.iter().map(|column| column.as_column_ref().1)));
    Ok((executor.get_database_backend().build(&insert), types(columns, operation)?))
}

pub(crate) fn types<C: ColumnTrait>(columns: &[C], operation: &str) -> Result<Vec<CellType>> {
    let types = columns.iter().map(|column| {
        CellType::of(column.def().get_column_type()).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, operation)
                .context(format!("column {} is of a type that is not fetched", column.as_str()))
        })
    });
    types.collect()
}

fn model<E>(columns: &[E::Column], cells: Vec<Value>) -> Result<E::Model, sea_orm::DbErr>
where
    E: EntityTrait,
    <E as EntityTrait>::ActiveModel: TryIntoModel<E::Model>,
{
    let mut row = <E::ActiveModel as ActiveModelTrait>::default();
    for (column, cell) in columns.iter().zip(cells) {
        row.try_set(*column, cell)?;
    }
    row.try_into_model()
}
