//! Errors on their way through SeaORM and back.
//!
//! SeaORM's `DbErr` has no place for ours, so it travels inside: a driver's own error as SeaORM would carry it (that
//! `DbErr::sql_err` keeps working for consumers), everything else as an `EngineError`. [`Doing`] turns either back.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use sqlx::error::{DatabaseError, ErrorKind as SqlxKind};
use trimaran_core::{Error, ErrorKind, Result};

/// One of our errors as sqlx and SeaORM carry it.
#[derive(Debug)]
struct EngineError(Error);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for EngineError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        StdError::source(&self.0)
    }
}

impl DatabaseError for EngineError {
    fn message(&self) -> &str {
        self.0.operation()
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.engine_code().map(Cow::Borrowed)
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> SqlxKind {
        match self.0.kind() {
            ErrorKind::Conflict => SqlxKind::UniqueViolation,
            _ => SqlxKind::Other,
        }
    }
}

/// A driver's error, kept as a cause. It shows its code alone, for drivers quote values of rows in their messages.
#[derive(Clone)]
pub(crate) struct DriverError(pub(crate) Arc<sqlx::Error>);

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_database_error().map(|e| e.code()) {
            Some(Some(code)) => write!(f, "the engine's code {code}"),
            Some(None) => f.write_str("an error of the engine"),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DriverError({self})")
    }
}

impl StdError for DriverError {}

/// Ours, as SeaORM's traits give it.
pub fn to_db_err(error: Error) -> DbErr {
    if let Some(DriverError(cause)) = StdError::source(&error).and_then(|s| s.downcast_ref())
        && matches!(cause.as_ref(), sqlx::Error::Database(_))
    {
        return DbErr::Exec(RuntimeErr::SqlxError(Arc::clone(cause)));
    }
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx::Error::Database(Box::new(EngineError(error))))))
}

/// What SeaORM gave, as ours: the error that went in, or SeaORM's own, classified.
pub fn from_db_err(operation: impl Into<String>, error: DbErr) -> Error {
    let operation = operation.into();
    // Both quote values of rows: what is kept names the place alone.
    match &error {
        DbErr::Json(_) => {
            return Error::new(ErrorKind::Corrupt, operation)
                .context("a JSON value has not the shape that the entity says");
        }
        DbErr::Type(text) if text.starts_with("unexpected value for") => {
            let place = text.split_once(':').map_or(text.as_str(), |(place, _)| place);
            return Error::new(ErrorKind::Corrupt, operation).context(place.to_owned());
        }
        _ => {}
    }
    let kind = match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => return from_driver(operation, cause),
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => ErrorKind::Timeout,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) | DbErr::Conn(_) => ErrorKind::Unavailable,
        DbErr::RecordNotFound(_) | DbErr::RecordNotUpdated => ErrorKind::NotFound,
        DbErr::RecordNotInserted => ErrorKind::Conflict,
        // What came from the database is not what the entity says.
        DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::ConvertFromU64(_) => ErrorKind::Corrupt,
        DbErr::BackendNotSupported { .. } => ErrorKind::Unsupported,
        DbErr::AccessDenied { .. } | DbErr::RbacError(_) => ErrorKind::Forbidden,
        _ => ErrorKind::Invalid,
    };
    Error::new(kind, operation).source(error)
}

fn from_driver(operation: String, cause: Arc<sqlx::Error>) -> Error {
    // Alone with it, the error that went in comes out as it was; else (SeaORM cloned it) a summary of it does.
    match Arc::try_unwrap(cause) {
        Ok(sqlx::Error::Database(database)) => match database.try_downcast::<EngineError>() {
            Ok(ours) => ours.0.within(operation),
            Err(database) => classify(operation, Arc::new(sqlx::Error::Database(database))),
        },
        Ok(other) => classify(operation, Arc::new(other)),
        Err(shared) => match shared.as_database_error().and_then(|e| e.try_downcast_ref::<EngineError>()) {
            Some(ours) => ours.0.summary().within(operation),
            None => classify(operation, shared),
        },
    }
}

/// Classifies a driver's error by the driver it is of.
pub(crate) fn classify(operation: String, cause: Arc<sqlx::Error>) -> Error {
    #[cfg(feature = "postgres")]
    if cause
        .as_database_error()
        .is_some_and(|e| e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some())
    {
        return crate::postgres::error::shared(operation, cause);
    }
    #[cfg(feature = "sqlite")]
    if cause.as_database_error().is_some_and(|e| e.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some())
    {
        return crate::sqlite::error::shared(operation, cause);
    }
    let kind = match cause.as_ref() {
        sqlx::Error::PoolTimedOut => ErrorKind::Timeout,
        sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => ErrorKind::Unavailable,
        sqlx::Error::RowNotFound => ErrorKind::NotFound,
        sqlx::Error::Configuration(_) => ErrorKind::Configuration,
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => ErrorKind::Invalid,
        sqlx::Error::Decode(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_) => ErrorKind::Corrupt,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, operation).source(DriverError(cause))
}

/// Says what was being done when SeaORM gave an error, and makes it ours: `query.all(&db).await.doing("list users")?`.
pub trait Doing<T> {
    /// Names the operation, a verb phrase.
    ///
    /// # Errors
    /// The error, as ours.
    fn doing(self, operation: &str) -> Result<T>;
}

impl<T> Doing<T> for Result<T, DbErr> {
    fn doing(self, operation: &str) -> Result<T> {
        self.map_err(|error| from_db_err(operation, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_with_the_operation_of_the_caller() {
        let error = Error::new(ErrorKind::Locked, "run a statement").context("busy").hint("wait").code("5");
        let out = Err::<(), _>(to_db_err(error)).doing("list users").unwrap_err();
        assert_eq!(
            (out.kind(), out.operation(), out.engine_code()),
            (ErrorKind::Locked, "list users", Some("5"))
        );
        assert_eq!((out.to_string(), out.next_step()), ("can't list users: busy".to_owned(), Some("wait")));
        // SeaORM may clone an error on its way.
        let error = to_db_err(Error::new(ErrorKind::Timeout, "wait").source(std::io::Error::other("cause")));
        let clone = error.clone();
        let out = Err::<(), _>(clone).doing("list users").unwrap_err();
        assert_eq!((out.kind(), out.to_string()), (ErrorKind::Timeout, "can't list users: cause".to_owned()));
        drop(error);
    }

    #[test]
    fn sea_orm_s_own_errors_have_a_kind_and_show_no_value() {
        for (error, kind) in [
            (DbErr::RecordNotUpdated, ErrorKind::NotFound),
            (DbErr::RecordNotInserted, ErrorKind::Conflict),
            (DbErr::ConnectionAcquire(ConnAcquireErr::Timeout), ErrorKind::Timeout),
            (DbErr::Json("invalid type: string \"s3cret\"".to_owned()), ErrorKind::Corrupt),
            (DbErr::Type("unexpected value for Colour enum: s3cret".to_owned()), ErrorKind::Corrupt),
        ] {
            let error = from_db_err("read the user", error);
            assert_eq!(error.kind(), kind, "{error:?}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
