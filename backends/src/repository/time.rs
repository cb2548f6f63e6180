//! Points in time between the model (UTC) and the entities (with an offset, which is that of UTC).

use sea_orm::prelude::DateTimeWithTimeZone;
use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{ColumnTrait, IntoSimpleExpr as _};
use trimaran_core::{Engine, Timestamp};

/// For an entity.
pub(super) fn stored(time: Timestamp) -> DateTimeWithTimeZone {
    time.fixed_offset()
}

/// For the model: the same moment, whatever the offset.
pub(super) fn loaded(time: DateTimeWithTimeZone) -> Timestamp {
    time.to_utc()
}

/// Holds for rows of then or later.
pub(super) fn from(engine: Engine, column: impl ColumnTrait, time: Timestamp) -> SimpleExpr {
    match engine {
        Engine::Sqlite => micros(column).gte(time.timestamp_micros()),
        _ => column.gte(stored(time)),
    }
}

/// Holds for rows of before then.
pub(super) fn before(engine: Engine, column: impl ColumnTrait, time: Timestamp) -> SimpleExpr {
    match engine {
        Engine::Sqlite => micros(column).lt(time.timestamp_micros()),
        _ => column.lt(stored(time)),
    }
}

/// SQLite keeps a moment as text, which a store that moved there may spell in another way (with a space for the T, with more
/// digits): not the text is compared but the microseconds since 1970. All spellings are in UTC and have 19 characters before
/// the fraction; SQLite's own date functions know milliseconds only.
fn micros(column: impl ColumnTrait) -> SimpleExpr {
    Expr::cust_with_exprs(
        "unixepoch(substr(?, 1, 19)) * 1000000 + CAST(round(CAST('0' || substr(?, 20) AS REAL) * 1000000) AS INTEGER)",
        [column.into_simple_expr(), column.into_simple_expr()],
    )
}

/// To the microsecond, rounded down, as every engine keeps it.
pub(super) fn truncated(time: Timestamp) -> Timestamp {
    use chrono::SubsecRound as _;
    time.trunc_subsecs(6)
}
