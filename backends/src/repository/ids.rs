//! Conditions on many ids at once.

use sea_orm::ColumnTrait;
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait as _, SimpleExpr, Value};
use trimaran_core::Engine;
use uuid::Uuid;

/// Whether the column is one of `ids`, in a text that stays the same for many numbers of them, so that the engine need not prepare
/// each anew: they are one parameter, on SQLite as many as the next power of two, the last id repeated. (DuckDB takes several times as
/// long to prepare a hundred parameters as to run the query.)
pub(crate) fn among(engine: Engine, column: impl ColumnTrait, ids: &[Uuid]) -> SimpleExpr {
    match engine {
        Engine::Sqlite if ids.is_empty() => Expr::val(false),
        Engine::Sqlite => column.is_in(values(engine, ids)),
        _ => Expr::col(column.as_column_ref()).eq(PgFunc::any(Expr::val(list(ids)))),
    }
}

/// The parameters of [`among`].
pub(crate) fn values(engine: Engine, ids: &[Uuid]) -> Vec<Value> {
    if engine != Engine::Sqlite {
        return vec![list(ids)];
    }
    let missing = ids.len().next_power_of_two() - ids.len();
    let last = ids.last().into_iter().cycle().take(missing);
    ids.iter().chain(last).map(|id| Value::from(*id)).collect()
}

fn list(ids: &[Uuid]) -> Value {
    let ids = ids.iter().map(|id| Value::from(*id)).collect();
    Value::Array(ArrayType::Uuid, Some(Box::new(ids)))
}
