//! JSON documents, kept as text: engines reorder them, or refuse what is hostile in them. The text says U+0000 only escaped, so
//! that it needs no codec.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use trimaran_core::{Error, ErrorKind, Result};

use crate::repository::text::Place;

/// The text of a document.
///
/// # Errors
/// `Invalid` for what JSON can't say.
pub(super) fn text_of(operation: &str, document: &impl Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|_| {
        // The error would quote the value.
        Error::new(ErrorKind::Invalid, operation)
            .context("a document of it can't be written as JSON")
            .hint("give text for keys, and finite numbers")
    })
}

/// The same for a document that may be missing.
///
/// # Errors
/// As for [`text_of`].
pub(super) fn text_of_option(operation: &str, document: Option<&impl Serialize>) -> Result<Option<String>> {
    document.map(|document| text_of(operation, document)).transpose()
}

/// What a text says.
///
/// # Errors
/// `Corrupt`, naming `place`, if it doesn't say such a document.
pub(super) fn read<T: DeserializeOwned, K: fmt::Display>(place: Place<'_, K>, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        place.corrupt(match error.classify() {
            serde_json::error::Category::Data => "there is JSON of another shape",
            _ => "there is no JSON",
        })
    })
}

/// The same for a document that may be missing.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_option<T: DeserializeOwned, K: fmt::Display>(
    place: Place<'_, K>,
    text: Option<&str>,
) -> Result<Option<T>> {
    text.map(|text| read(place, text)).transpose()
}
