//! Looking at SQL text without being fooled by what stands in quotes and comments.
//!
//! Statements come in Postgres' SQL, as SeaORM writes it. DuckDB reads nearly all of it; what little must be known before a
//! statement is run is found here: where its placeholders are, whether it is one statement, whether it would end or
//! begin a transaction behind the pool's back.

use std::ops::Range;

use trimaran_core::{Error, ErrorKind, Result};

/// A piece of SQL text outside comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word or number.
    Word,
    /// `'…'`, `E'…'` or `$tag$…$tag$`.
    Text,
    /// `"…"`.
    Name,
    /// `$1`.
    Placeholder(usize),
    /// Anything else, one character.
    Symbol(char),
}

/// The tokens of a text, with their places.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = (Token, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = sql.get(at..)?;
            let first = rest.chars().next()?;
            let start = at;
            let (token, length) = match first {
                c if c.is_whitespace() => (None, c.len_utf8()),
                '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
                '/' if rest.starts_with("/*") => (None, comment(rest)),
                '\'' => (Some(Token::Text), quoted(rest, '\'', false)),
                '"' => (Some(Token::Name), quoted(rest, '"', false)),
                'e' | 'E' if rest[1..].starts_with('\'') => {
                    (Some(Token::Text), 1 + quoted(&rest[1..], '\'', true))
                }
                '$' => dollar(rest),
                c if is_word(c) => {
                    (Some(Token::Word), rest.find(|c| !is_word(c) && c != '$').unwrap_or(rest.len()))
                }
                c => (Some(Token::Symbol(c)), c.len_utf8()),
            };
            at += length;
            if let Some(token) = token {
                return Some((token, start..at));
            }
        }
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a comment, which may hold others.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a quoted piece; a doubled quote stands for one, and so does one after a backslash if these count.
fn quoted(text: &str, quote: char, backslashes: bool) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if backslashes && c == '\\' {
            characters.next();
        } else if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

/// `$1`, or the text between `$tag$` and `$tag$`.
fn dollar(text: &str) -> (Option<Token>, usize) {
    let digits = text[1..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| end + 1);
    if let Ok(number) = text[1..digits].parse() {
        return (Some(Token::Placeholder(number)), digits);
    }
    let tag = text[1..].find(|c| !is_word(c)).map_or(text.len(), |end| end + 1);
    if !text[tag..].starts_with('$') {
        return (Some(Token::Symbol('$')), 1);
    }
    let tag = &text[..=tag];
    let length = text[tag.len()..].find(tag).map_or(text.len(), |end| end + 2 * tag.len());
    (Some(Token::Text), length)
}

/// What is known of a text before it is run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Where each statement is, without its semicolon.
    pub(super) statements: Vec<Range<usize>>,
    /// Whether the last gives rows of what it changed.
    pub(super) returning: bool,
}

/// Words that begin a statement which would begin or end a transaction, or use a savepoint.
const CONTROL: [&str; 8] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];

/// Looks at a text of one or more statements.
///
/// # Errors
/// `Unsupported` if one of them begins or ends a transaction or uses a savepoint: sessions are shared.
pub(super) fn shape(sql: &str) -> Result<Shape> {
    let mut shape = Shape { statements: Vec::new(), returning: false };
    let mut open: Option<Range<usize>> = None;
    for (token, range) in tokens(sql) {
        if token == Token::Symbol(';') {
            shape.statements.extend(open.take());
            continue;
        }
        let word = if token == Token::Word { &sql[range.clone()] } else { "" };
        match &mut open {
            Some(statement) => {
                statement.end = range.end;
                shape.returning |= word.eq_ignore_ascii_case("RETURNING");
            }
            None => {
                if let Some(control) = CONTROL.iter().find(|control| word.eq_ignore_ascii_case(control)) {
                    return Err(controls(control));
                }
                shape.returning = false;
                open = Some(range);
            }
        }
    }
    shape.statements.extend(open);
    Ok(shape)
}

fn controls(word: &str) -> Error {
    let error = Error::new(ErrorKind::Unsupported, "run a DuckDB statement");
    if matches!(word, "SAVEPOINT" | "RELEASE") {
        return error
            .context("DuckDB has no savepoints")
            .hint("begin a transaction within the transaction: an inner rollback dooms the whole");
    }
    error
        .context(format!("{word} as a statement would change a session that others get next"))
        .hint("call begin() on the connection, and commit() or rollback() on what it returns")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(sql: &str) -> Vec<Token> {
        tokens(sql).map(|(token, _)| token).collect()
    }

    #[test]
    fn placeholders_count_only_outside_quotes_and_comments() {
        use Token::{Name, Placeholder, Symbol, Text, Word};
        assert_eq!(kinds("a=$12"), [Word, Symbol('='), Placeholder(12)]);
        assert_eq!(kinds("'$1''$2' \"$3\"\"\" $4"), [Text, Name, Placeholder(4)]);
        assert_eq!(kinds(r"E'\'$1' $2"), [Text, Placeholder(2)]);
        assert_eq!(kinds("-- $1\n$2 /* $3 /* $4 */ $5 */ $6"), [Placeholder(2), Placeholder(6)]);
        assert_eq!(kinds("$$ $1 $$ $2 $a$ $$ $3 $a$"), [Text, Placeholder(2), Text]);
        assert_eq!(kinds("'never closed $1"), [Text]);
        assert_eq!(kinds("é'$1'ü$2"), [Word, Text, Word]);
        assert_eq!(kinds("$ /* open"), [Symbol('$')]);
    }

    #[test]
    fn statements_are_parted_at_semicolons_of_their_own() {
        let sql = " SELECT ';' ; -- ;\n ; INSERT INTO t VALUES (1) RETURNING \"a;\";";
        let shape = shape(sql).unwrap();
        let texts: Vec<_> = shape.statements.iter().map(|range| &sql[range.clone()]).collect();
        assert_eq!(texts, ["SELECT ';'", "INSERT INTO t VALUES (1) RETURNING \"a;\""]);
        assert!(shape.returning);
        assert!(!super::shape("SELECT 'RETURNING', \"returning\"").unwrap().returning);
        assert!(super::shape(" ; /* nothing */").unwrap().statements.is_empty());
    }

    #[test]
    fn transactions_are_not_controlled_by_text() {
        for sql in ["BEGIN", "select 1; commit", "/* x */ Rollback", "SAVEPOINT a"] {
            assert_eq!(shape(sql).unwrap_err().kind(), ErrorKind::Unsupported, "{sql}");
        }
        shape("SELECT 'x' AS \"commit\"; SELECT begin FROM t").unwrap();
    }
}
