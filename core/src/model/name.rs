//! What something is looked up by: the names of users, roles, groups, API keys, the keys of settings,
//! and the names of objects.

use crate::{Error, ErrorKind, Result};

/// The greatest length of a name, in bytes of UTF-8.
///
/// Unique names are kept in an index, and Postgres refuses an index entry of more than 2,704 bytes (a third of a page:
/// `BTMaxItemSize` in `nbtree.h`). The text codec at most doubles a name.
pub const MAX_BYTES: usize = 1_000;

/// Makes sure that `name` is one: not empty, and of at most [`MAX_BYTES`]. `what` says whose it is: "the user's name".
///
/// # Errors
/// [`ErrorKind::Invalid`]. The name itself isn't shown.
pub fn check(what: &str, name: &str) -> Result<()> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Invalid, format!("accept {what}"))
            .context(why)
            .hint(format!("give 1 to {MAX_BYTES} bytes of UTF-8; every character is allowed"))
    };
    match name.len() {
        0 => Err(wrong("it is empty".to_owned())),
        1..=MAX_BYTES => Ok(()),
        length => Err(wrong(format!("it has {length} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_length_and_nothing_else_is_asked_of_it() {
        assert!(check("a name", "\0\u{1a}'; DROP TABLE users; --").is_ok());
        assert!(check("a name", &"x".repeat(MAX_BYTES)).is_ok());
        for wrong in [String::new(), "x".repeat(MAX_BYTES + 1)] {
            assert_eq!(check("a name", &wrong).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
