//! What changed between two versions of a file.

use std::time::Duration;

use similar::TextDiff;

use crate::model::ObjectInfo;
use crate::{Error, ErrorKind, Result};

/// The greatest file that is compared, in bytes.
pub const MAX_DIFF_BYTES: u64 = 4 << 20;

/// How long the shortest list of changes is looked for; then one that is as right, and longer, is made.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lines around a change, as `diff -u` shows them.
const CONTEXT_LINES: usize = 3;

/// What changed between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diff {
    /// Nothing: the bytes are the same.
    Same,
    /// Lines: a unified diff, as `diff -u` writes it and `patch` reads it.
    Text(String),
    /// One of the two is no UTF-8 text, or has U+0000 in it; their lengths in bytes.
    Binary {
        /// Of the old.
        old: u64,
        /// Of the new.
        new: u64,
    },
}

pub(super) fn check_size(info: &ObjectInfo) -> Result<()> {
    if info.size <= MAX_DIFF_BYTES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "compare two versions")
        .context(format!("version {} of {:?} has {} bytes", info.version, info.name, info.size))
        .hint(format!("read both with get_version and compare them elsewhere: up to {MAX_DIFF_BYTES} bytes are compared here")))
}

pub(super) fn between(old: &[u8], new: &[u8], old_label: &str, new_label: &str) -> Diff {
    if old == new {
        return Diff::Same;
    }
    let (Some(old_text), Some(new_text)) = (text(old), text(new)) else {
        return Diff::Binary { old: old.len() as u64, new: new.len() as u64 };
    };
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old_text, new_text);
    Diff::Text(diff.unified_diff().context_radius(CONTEXT_LINES).header(old_label, new_label).to_string())
}

/// The text that these bytes are. U+0000 is in binary files and in no text that anybody reads, as for `diff` and `git`.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_with_what_stands_around_them() {
        let Diff::Text(text) = between(b"a\nb\nc\n", b"a\nB\nc", "version 1", "version 2") else { panic!() };
        assert_eq!(
            text,
            "--- version 1\n+++ version 2\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn binary_is_said_so_and_the_same_is_the_same() {
        assert_eq!(between(b"a\0", b"b", "1", "2"), Diff::Binary { old: 2, new: 1 });
        assert_eq!(between(b"a", b"\xff", "1", "2"), Diff::Binary { old: 1, new: 1 });
        assert_eq!(between(b"\xff", b"\xff", "1", "2"), Diff::Same);
    }
}
