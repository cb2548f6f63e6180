//! From `object_store`'s errors to ours.

use object_store::Error as StoreError;
use trimaran_core::{Error, ErrorKind};

/// What went wrong while doing `operation`.
pub(super) fn failed(operation: &str, error: StoreError) -> Error {
    let kind = match &error {
        StoreError::NotFound { .. } => ErrorKind::NotFound,
        StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => ErrorKind::Conflict,
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => ErrorKind::Forbidden,
        StoreError::NotSupported { .. } | StoreError::NotImplemented { .. } => ErrorKind::Unsupported,
        StoreError::InvalidPath { .. } => ErrorKind::Corrupt,
        StoreError::Generic { source, .. } => of_cause(source.as_ref()),
        _ => ErrorKind::Unavailable,
    };
    let failure = Error::new(kind, operation);
    let failure = match kind {
        ErrorKind::Forbidden => failure.hint("give the program the right to read and write there"),
        ErrorKind::Corrupt => failure.hint("something else changed the store: bring it back from a backup"),
        ErrorKind::Unsupported => {
            failure.hint("the store must know conditional writes (If-Match, If-None-Match)")
        }
        _ => failure,
    };
    failure.source(error)
}

/// The kind that a cause of our own folder says.
fn of_cause(cause: &(dyn std::error::Error + 'static)) -> ErrorKind {
    #[cfg(unix)]
    if cause.is::<super::folder::Intruder>() {
        return ErrorKind::Corrupt;
    }
    let _ = cause;
    ErrorKind::Unavailable
}
