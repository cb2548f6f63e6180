//! Whether a statement may write: then it waits in the line of writers.
//!
//! Not knowing is no danger: a reader in the line only waits longer than it must, and a writer that went past it would be
//! held up by SQLite's own lock.

/// Whether SQL text may do anything but read.
pub(super) fn may_write(sql: &str) -> bool {
    let mut words = Words(sql);
    let Some(first) = words.next() else { return false };
    if !["SELECT", "VALUES", "WITH", "EXPLAIN"].iter().any(|reads| first.eq_ignore_ascii_case(reads)) {
        return true;
    }
    // WITH may introduce either kind; after a semicolon may come another statement.
    let scan = first.eq_ignore_ascii_case("WITH");
    words.any(|word| {
        word == ";"
            || (scan
                && ["INSERT", "UPDATE", "DELETE", "REPLACE"]
                    .iter()
                    .any(|writes| word.eq_ignore_ascii_case(writes)))
    })
}

/// The words and semicolons of SQL text, without strings, quoted names, comments and other signs. A semicolon at the end
/// is none.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let text = self.0;
            let first = text.chars().next()?;
            let after = |end: Option<usize>, length: usize| {
                end.and_then(|at| text.get(at + length..)).unwrap_or_default()
            };
            self.0 = match first {
                '\'' | '"' | '`' => after(text[1..].find(first), 2),
                '[' => after(text.find(']'), 1),
                '-' if text.starts_with("--") => after(text.find('\n'), 1),
                '/' if text.starts_with("/*") => after(text[2..].find("*/"), 4),
                ';' => {
                    self.0 = &text[1..];
                    if self.0.trim().is_empty() {
                        return None;
                    }
                    return Some(&text[..1]);
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
                    self.0 = &text[end..];
                    return Some(&text[..end]);
                }
                other => &text[other.len_utf8()..],
            };
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn what_only_reads_is_told_from_what_may_write() {
        for sql in [
            "SELECT 1",
            "  -- a comment; DELETE\n select replace(a, 'x;y', 'z') FROM t;  ",
            "/* ; */ VALUES (1)",
            "WITH a AS (SELECT \"update\", [delete], `insert` FROM t WHERE b = 'it''s; DELETE') SELECT * FROM a",
            "EXPLAIN QUERY PLAN DELETE FROM t",
            "",
        ] {
            assert!(!may_write(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES (1) RETURNING a",
            "WITH a AS (SELECT 1) DELETE FROM t",
            "SELECT 1; DELETE FROM t",
            "PRAGMA user_version = 1",
            "(SELECT 1);DROP TABLE t",
            "CREATE TABLE t (a)",
            "SELECT 'é' /* unfinished */; VACUUM",
        ] {
            assert!(may_write(sql), "{sql}");
        }
    }
}
