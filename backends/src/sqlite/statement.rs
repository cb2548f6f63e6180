//! Whether a statement may write: then it waits in the line of writers. And whether it keeps to its own file.
//!
//! Not knowing is no danger: a reader in the line only waits longer than it must, and a writer that went past it would be
//! held up by SQLite's own lock.

use trimaran_core::{Error, ErrorKind, Result};

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

/// Makes sure that SQL text keeps to the database that the pool is on: a tenant's own SQL must not lead to another tenant's file.
/// What reaches others in SQLite are ATTACH, VACUUM INTO, and the pragmas that say where temporary files go.
///
/// # Errors
/// [`ErrorKind::Forbidden`].
pub(super) fn keep_inside(sql: &str) -> Result<()> {
    if !(has(sql, b"attach") || has(sql, b"vacuum") || has(sql, b"store_directory")) {
        return Ok(());
    }
    let mut vacuums = false;
    for word in Words(sql) {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let reaches_out = is("ATTACH")
            || is("TEMP_STORE_DIRECTORY")
            || is("DATA_STORE_DIRECTORY")
            || (vacuums && is("INTO"));
        if reaches_out {
            return Err(Error::new(ErrorKind::Forbidden, "run SQL")
                .context("it leads out of the SQLite file (ATTACH, VACUUM INTO, a pragma for temporary files)")
                .hint("open the other file by itself; copy this one with `trimaran migrate` or SQLite's own backup"));
        }
        vacuums |= is("VACUUM");
    }
    Ok(())
}

/// Whether a text has this one in it, in letters of either case. It is asked of every statement: most have not.
fn has(sql: &str, small: &[u8]) -> bool {
    let (Some(last), bytes) = (small.last(), sql.as_bytes()) else { return false };
    memchr::memchr2_iter(*last, last.to_ascii_uppercase(), bytes).any(|at| {
        let word = (at + 1).checked_sub(small.len()).and_then(|from| bytes.get(from..=at));
        word.is_some_and(|word| word.eq_ignore_ascii_case(small))
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
                // A parameter may have a suffix in parentheses, with quotes in it that begin no string (`$a(')`).
                '$' | '@' | ':' | '#' => after_parameter(text),
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

/// What comes behind the parameter that `text` begins with, as SQLite's `sqlite3GetToken` reads it.
fn after_parameter(text: &str) -> &str {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == ':' || !c.is_ascii();
    let rest = text[1..].trim_start_matches(is_of_name);
    let named = rest.len() + 1 < text.len();
    match rest.strip_prefix('(').filter(|_| named) {
        Some(suffix) => {
            let end = suffix.find(|c: char| c == ')' || c.is_ascii_whitespace());
            end.and_then(|at| suffix.get(at + 1..)).unwrap_or_default()
        }
        None => rest,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn what_leads_out_of_the_file_is_told_from_what_only_says_so() {
        for sql in [
            "ATTACH 'x' AS y",
            "attach database ? as y",
            "  /* a */ ;; AtTaCh\n'x' AS y",
            "SELECT 1; ATTACH 'x' AS y",
            "SELECT 'it''s'; -- it's\nATTACH 'x' AS y",
            "SELECT $a('); ATTACH 'x' AS y; SELECT '",
            "SELECT @a::b('); ATTACH 'x' AS y; SELECT '",
            "EXPLAIN ATTACH 'x' AS y",
            "VACUUM INTO 'x'",
            "vacuum main into ?",
            "PRAGMA temp_store_directory = '/tmp'",
            "PRAGMA main.data_store_directory('x')",
        ] {
            assert_eq!(keep_inside(sql).unwrap_err().kind(), ErrorKind::Forbidden, "{sql}");
        }
        for sql in [
            "SELECT \"attach\", [attach], `attach` FROM attachment WHERE a = 'ATTACH ''x'' AS y'",
            "INSERT INTO vacuum_log VALUES ('VACUUM INTO')",
            "VACUUM",
            "INSERT INTO a SELECT $attach, :attach, @attach",
            "-- ATTACH 'x' AS y\nSELECT 1",
        ] {
            keep_inside(sql).unwrap();
        }
    }

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
