//! Expressions of a source's SQL in Postgres's: generated columns, CHECK constraints, indexes on expressions, indexes of some rows.
//!
//! Only what has one meaning on both is carried over; everything else is an error that says why, and whoever asked moves the
//! values, or reports the object, instead. What is here was chosen by these differences:
//!
//! - `/` and `%` by zero are NULL in SQLite and an error in Postgres; so they are not carried. Nor is `*` of reals, whose −0.0
//!   SQLite does not keep, nor anything with NUMERIC columns, which SQLite computes in binary;
//! - `lower` and `upper` change ASCII alone in SQLite; in Postgres they do under the collation `C`, which is named;
//! - text is compared byte by byte in SQLite and by a collation in Postgres: it is equal or not, but not less or greater;
//! - a column with a collation of its own is compared by that: its text is not compared;
//! - a truth is the number 0 or 1 in SQLite: where a number is wanted it is cast to one.

mod check;
mod index;
mod parser;
mod tokens;

use std::collections::HashMap;

use trimaran_core::{Engine, LogicalType};

pub(crate) use check::{check, names as check_names};
pub(crate) use index::{index, names as index_names};
use tokens::{Token, tokens};

/// What an expression's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole numbers.
    Int,
    /// Binary64 numbers.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Truths.
    Bool,
    /// NULL alone.
    Null,
    /// Anything else: it can be NULL or not, and no more is done with it.
    Other,
}

impl Kind {
    fn of(logical: &LogicalType) -> Self {
        match logical {
            LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64 => Kind::Int,
            LogicalType::Float64 => Kind::Float,
            LogicalType::Text => Kind::Text,
            LogicalType::Bytes => Kind::Bytes,
            LogicalType::Bool => Kind::Bool,
            _ => Kind::Other,
        }
    }
}

/// A column that an expression may name.
#[derive(Debug, Clone)]
pub(crate) struct Operand {
    /// Its name on the target, in quotes.
    pub(crate) sql: String,
    pub(crate) kind: Kind,
    /// Its collation on the source, upper case, where that is not `BINARY`.
    pub(crate) collation: Option<String>,
    /// Whether it is computed itself.
    pub(crate) generated: bool,
    /// Whether its values on the target are written in another way than the source has them.
    pub(crate) rewritten: bool,
}

impl Operand {
    /// A column of this type.
    pub(crate) fn new(sql: String, logical: &LogicalType) -> Self {
        Self { sql, kind: Kind::of(logical), collation: None, generated: false, rewritten: false }
    }
}

/// The columns of a table, by their names in lower case.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) source: Engine,
    pub(crate) columns: HashMap<String, Operand>,
    /// Whether a computed column may be named: in an index, but not in another computed column.
    pub(crate) generated: bool,
}

/// An expression in Postgres's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Translated {
    /// It, in parentheses where it has operators.
    pub(crate) sql: String,
    pub(crate) kind: Kind,
    literal: bool,
    /// Whether its text is compared by a collation of its own.
    collated: bool,
}

/// The expression of a computed column of type `logical`.
///
/// # Errors
/// Why it is not carried over.
pub(crate) fn generated(expression: &str, scope: &Scope, logical: &LogicalType) -> Result<String, String> {
    let found = whole(expression, scope)?;
    match (found.kind, Kind::of(logical)) {
        (a, b) if a == b && a != Kind::Other => Ok(found.sql),
        (Kind::Bool, Kind::Int) => Ok(format!("{}::integer", parenthesised(&found.sql))),
        (found, _) => Err(format!("it gives {found:?}, and the column is {logical}").to_lowercase()),
    }
}

/// The whole of a text as an expression.
fn whole(text: &str, scope: &Scope) -> Result<Translated, String> {
    let tokens = tokens(text)?;
    let mut parser = parser::Parser::new(&tokens, scope);
    let found = parser.expression()?;
    parser.end()?;
    Ok(found)
}

/// What the parser makes begins with a parenthesis only where that one's partner ends it.
fn parenthesised(sql: &str) -> String {
    if sql.starts_with('(') { sql.to_owned() } else { format!("({sql})") }
}

/// The collations that the columns of a `CREATE TABLE` statement declare, by their names in lower case; upper case themselves.
pub(crate) fn collations(create_table: &str) -> HashMap<String, String> {
    let Ok(tokens) = tokens(create_table) else { return HashMap::new() };
    let mut found = HashMap::new();
    let Some(open) = tokens.iter().position(|token| token.is("(")) else { return found };
    let mut depth = 0i32;
    let mut column: Option<String> = None;
    let mut begins = true;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
            continue;
        }
        if token.is(")") {
            depth -= 1;
        } else if depth == 1 && token.is(",") {
            begins = true;
        } else if depth == 1 && begins {
            column = token.name();
            begins = false;
        } else if depth == 1
            && token.is("COLLATE")
            && let (Some(column), Some(collation)) = (&column, tokens.get(at + 1).and_then(Token::name))
        {
            found.insert(column.to_lowercase(), collation.to_uppercase());
        }
    }
    found.retain(|_, collation| collation != "BINARY");
    found
}

#[cfg(test)]
mod tests;
