//! What goes wrong with names and versions, said the same way for users, roles and groups.

use std::fmt;

use trimaran_core::{Error, ErrorKind};

/// Says what a conflict of `error` is about: the name is the only thing that must be unique.
pub(super) fn taken(what: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict => error
            .context(format!("another {what} has the name"))
            .hint("choose another name, or find the one that has it"),
        _ => error,
    }
}

/// There is none of this id.
pub(super) fn missing(what: &str, operation: &str, id: impl fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, operation).context(format!("there is no {what} {id}"))
}

/// It has been changed since it was read.
pub(super) fn outdated(what: &str, operation: &str, read: i64, stored: i64) -> Error {
    Error::new(ErrorKind::Conflict, operation)
        .context(format!("the {what} was changed meanwhile: version {read} was read, {stored} is stored"))
        .hint("read it again, apply the change again")
}
