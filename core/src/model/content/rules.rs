//! What is asked of an object's metadata. Names have a length and nothing else: see [`name`](crate::model::name).

use std::collections::BTreeMap;

use crate::{Error, ErrorKind, Result};

/// The greatest length of a MIME type, in bytes: 127 for the type, 127 for the subtype, and the slash between (RFC 6838,
/// section 4.2).
pub const MAX_CONTENT_TYPE_BYTES: usize = 255;

/// The most bytes of an object's metadata, keys and values together. It is kept in every entry of an object's history,
/// which is written as one.
pub const MAX_METADATA_BYTES: usize = 4_096;

/// The MIME type of bytes of which nothing is known.
pub const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// Makes sure that `content_type` is visible ASCII with a slash within.
///
/// # Errors
/// [`ErrorKind::Invalid`].
pub fn check_content_type(content_type: &str) -> Result<()> {
    let is_visible = content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let has_both =
        content_type.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if is_visible && has_both && content_type.len() <= MAX_CONTENT_TYPE_BYTES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "accept the object's MIME type")
        .context(format!("{} bytes of text that is none", content_type.len()))
        .hint(format!(
            "write one such as text/plain; charset=utf-8, of at most {MAX_CONTENT_TYPE_BYTES} bytes"
        )))
}

/// Makes sure that `metadata` is not too much.
///
/// # Errors
/// [`ErrorKind::Invalid`].
pub fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<()> {
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes <= MAX_METADATA_BYTES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "accept the object's metadata")
        .context(format!("it has {bytes} bytes"))
        .hint(format!("give at most {MAX_METADATA_BYTES} bytes, keys and values together; longer texts belong in an object")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mime_type_is_visible_text_around_a_slash() {
        for right in ["text/plain", "text/plain; charset=utf-8", "application/vnd.x+json"] {
            assert!(check_content_type(right).is_ok(), "{right}");
        }
        let long = format!("a/{}", "b".repeat(MAX_CONTENT_TYPE_BYTES));
        for wrong in ["", "text", "/", "text/", "/plain", "text/pl\nain", "text/plaín", &long] {
            assert_eq!(check_content_type(wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong}");
        }
    }

    #[test]
    fn metadata_has_a_length_and_nothing_else_is_asked_of_it() {
        let of = |length: usize| BTreeMap::from([("\0".to_owned(), "x".repeat(length))]);
        assert!(check_metadata(&of(MAX_METADATA_BYTES - 1)).is_ok());
        assert_eq!(check_metadata(&of(MAX_METADATA_BYTES)).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
