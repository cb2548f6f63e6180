//! JSON that users bring: it is kept as text and must be read back from it.

use serde_json::Value;

use crate::{Error, ErrorKind, Result};

/// How deep a document may be nested. `serde_json` reads no document of more than 127 levels (its recursion limit), so that a deeper one
/// could be written and never read again.
pub const MAX_DEPTH: usize = 100;

/// Makes sure that a document can be read back: nested at most [`MAX_DEPTH`] deep. `what` says which it is: "the dataset's
/// metadata".
///
/// # Errors
/// [`ErrorKind::Invalid`]. The document isn't shown.
pub fn check(what: &str, document: &Value) -> Result<()> {
    let mut level = vec![document];
    for _ in 0..=MAX_DEPTH {
        level = level
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(items) => items.iter().collect::<Vec<_>>(),
                Value::Object(members) => members.values().collect(),
                _ => Vec::new(),
            })
            .collect();
        if level.is_empty() {
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Invalid, format!("accept {what}"))
        .context(format!("it is nested more than {MAX_DEPTH} deep"))
        .hint("keep what is nested so deep as text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }

    #[test]
    fn what_is_accepted_is_read_back() {
        let deepest = nested(MAX_DEPTH);
        check("a document", &deepest).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&deepest.to_string()).unwrap(), deepest);
        assert_eq!(check("a document", &nested(MAX_DEPTH + 1)).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
