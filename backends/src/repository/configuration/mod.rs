//! What a user configures: components and datasets.

mod components;
mod datasets;
mod order;
mod prompts;
mod sealing;

pub use components::SqlComponents;
pub use datasets::SqlDatasets;

use std::fmt;

use trimaran_core::{Error, ErrorKind, Result};

use crate::repository::text::Place;

/// Says what a conflict of `error` is about: the name is the only thing that must be unique.
fn taken(what: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Conflict => error
            .context(format!("another {what} has the name"))
            .hint("choose another name, or find the one that has it"),
        _ => error,
    }
}

/// There is none of this id.
fn missing(what: &str, operation: &str, id: impl fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, operation).context(format!("there is no {what} {id}"))
}

/// It has been changed since it was read.
fn outdated(what: &str, operation: &str, read: i64, stored: i64) -> Error {
    Error::new(ErrorKind::Conflict, operation)
        .context(format!("the {what} was changed meanwhile: version {read} was read, {stored} is stored"))
        .hint("read it again, apply the change again")
}

/// The JSON that is kept at `place`.
fn json<K: fmt::Display>(place: Place<'_, K>, text: &str) -> Result<serde_json::Value> {
    // The error would quote the text.
    serde_json::from_str(text).map_err(|_| place.corrupt("there is no JSON"))
}
