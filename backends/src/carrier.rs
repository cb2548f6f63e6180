//! Results of a driver of one's own in SeaORM's types.
//!
//! SeaORM offers no way to make its results. Two of its features can carry one: `proxy`, which in every 2.0.x fails to
//! compile beside `sqlx-sqlite`, and `mock`, which works and is used here and nowhere else.

use sea_orm::{DbBackend, DbErr, ExecResult, MockDatabase, MockDatabaseTrait, MockExecResult, Statement};
use trimaran_core::{Error, ErrorKind, Result};

/// What a statement changed as SeaORM has it.
///
/// # Errors
/// If SeaORM's carrier doesn't give back what it was given.
pub(crate) fn exec_result(last_insert_id: u64, rows_affected: u64) -> Result<ExecResult> {
    let result = MockExecResult { last_insert_id, rows_affected };
    untraced(|| MockDatabase::new(DbBackend::Postgres).append_exec_results([result]).execute(0, nothing()))
}

/// The statement that the carrier believes to run.
pub(crate) fn nothing() -> Statement {
    Statement::from_string(DbBackend::Postgres, "")
}

/// The carrier's spans record the whole of it, rows and all: no log may have those.
pub(crate) fn untraced<T>(carry: impl FnOnce() -> Result<T, DbErr>) -> Result<T> {
    let carried = if tracing::enabled!(target: "sea_orm::database::mock", tracing::Level::TRACE) {
        tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), carry)
    } else {
        carry()
    };
    carried.map_err(|e| Error::new(ErrorKind::Unsupported, "hand a driver's results to SeaORM").source(e))
}
