//! CHECK constraints.

use super::parser::{Parser, truth};
use super::tokens::{Token, tokens};
use super::{Scope, parenthesised};

/// What an `ALTER TABLE … ADD CHECK (…)` statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckNames {
    /// The table; its schema before it where that is said.
    pub(crate) table: Vec<String>,
    /// The name of the constraint, where it was given one.
    pub(crate) name: Option<String>,
}

/// The table and the name of a statement that adds a CHECK constraint.
pub(crate) fn names(sql: &str) -> Option<CheckNames> {
    let tokens = tokens(sql).ok()?;
    head(&tokens).map(|(names, _)| names)
}

/// What a statement is about, and the place of its condition's parenthesis.
fn head(tokens: &[Token]) -> Option<(CheckNames, usize)> {
    let ([alter, table], mut rest) = tokens.split_first_chunk()?;
    if !alter.is("ALTER") || !table.is("TABLE") {
        return None;
    }
    let mut path = Vec::new();
    loop {
        let (name, after) = rest.split_first()?;
        path.push(name.name()?);
        rest = after;
        match rest.split_first()? {
            (dot, after) if dot.is(".") => rest = after,
            (add, after) if add.is("ADD") => {
                rest = after;
                break;
            }
            _ => return None,
        }
    }
    let mut name = None;
    if let [constraint, named, after @ ..] = rest
        && constraint.is("CONSTRAINT")
    {
        name = named.name();
        rest = after;
    }
    let (check, rest) = rest.split_first()?;
    check.is("CHECK").then(|| (CheckNames { table: path, name }, tokens.len() - rest.len()))
}

/// The condition of a statement that adds a CHECK constraint, in parentheses.
///
/// A NULL passes on all engines, and so does a number other than 0 where that is a condition.
///
/// # Errors
/// Why it is not carried over.
pub(crate) fn check(sql: &str, scope: &Scope) -> Result<String, String> {
    let tokens = tokens(sql)?;
    let (_, open) = head(&tokens).ok_or("it is no statement for a check")?;
    let mut parser = Parser::new(&tokens[open..], scope);
    let found = parser.expression()?;
    parser.end()?;
    Ok(parenthesised(&truth(&found)?))
}
