//! Indexes on expressions, by collations, or of some of the rows.

use super::parser::Parser;
use super::tokens::{Token, tokens};
use super::{Kind, Scope, Translated, parenthesised};

/// What an index is made of, in Postgres's SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Its name.
    pub(crate) name: String,
    /// The table, as written.
    pub(crate) table: String,
    pub(crate) unique: bool,
    /// What stands in its parentheses.
    pub(crate) items: Vec<String>,
    /// Which rows it has.
    pub(crate) condition: Option<String>,
}

/// What a `CREATE INDEX` statement is about: the name of the index and that of the table.
pub(crate) fn names(sql: &str) -> Option<(String, String)> {
    let tokens = tokens(sql).ok()?;
    let (name, table, ..) = head(&tokens)?;
    Some((name, table))
}

/// Name, table, whether it is unique, and the place of the parenthesis.
fn head(tokens: &[Token]) -> Option<(String, String, bool, usize)> {
    let index = tokens.iter().position(|token| token.is("INDEX"))?;
    let unique = tokens[..index].iter().any(|token| token.is("UNIQUE"));
    let on = index + tokens[index..].iter().position(|token| token.is("ON"))?;
    let open = on + tokens[on..].iter().position(|token| token.is("("))?;
    Some((tokens.get(on - 1)?.name()?, tokens.get(open - 1)?.name()?, unique, open))
}

/// Reads a `CREATE INDEX` statement.
///
/// # Errors
/// Why it is not carried over.
pub(crate) fn index(sql: &str, scope: &Scope) -> Result<Index, String> {
    let tokens = tokens(sql.trim_end_matches([';', ' ', '\n']))?;
    let (name, table, unique, open) = head(&tokens).ok_or("it is no statement for an index")?;
    let mut at = open + 1;
    let mut items = Vec::new();
    loop {
        let mut parser = Parser::new(&tokens[at..], scope);
        let found = parser.expression()?;
        at += parser.position();
        let mut collation = own_collation(&tokens[..at], scope);
        if tokens.get(at).is_some_and(|token| token.is("COLLATE")) {
            collation = tokens.get(at + 1).and_then(Token::name).map(|name| name.to_uppercase());
            at += 2;
        }
        let mut item = collated(&found, collation.as_deref())?;
        if tokens.get(at).is_some_and(|token| token.is("ASC") || token.is("DESC")) {
            item.push_str(if tokens[at].is("DESC") { " DESC" } else { "" });
            at += 1;
        }
        items.push(item);
        match tokens.get(at) {
            Some(token) if token.is(",") => at += 1,
            Some(token) if token.is(")") => break,
            Some(token) => return Err(format!("`{}` is not carried over", token.shown())),
            None => return Err("it ends too early".to_owned()),
        }
    }
    at += 1;
    let mut condition = None;
    if tokens.get(at).is_some_and(|token| token.is("WHERE")) {
        let mut parser = Parser::new(&tokens[at + 1..], scope);
        let found = parser.expression()?;
        parser.end()?;
        condition = Some(match found.kind {
            Kind::Bool => found.sql,
            Kind::Int => format!("({} <> 0)", found.sql),
            _ => return Err("its condition is no truth".to_owned()),
        });
    } else if let Some(token) = tokens.get(at) {
        return Err(format!("`{}` is not carried over", token.shown()));
    }
    Ok(Index { name, table, unique, items, condition })
}

/// The collation of the column that an item ends with, where it is one.
fn own_collation(tokens: &[Token], scope: &Scope) -> Option<String> {
    let name = tokens.last()?.name()?;
    scope.columns.get(&name.to_lowercase())?.collation.clone()
}

/// An item as it is compared: ASCII's capitals and small letters alike, or without the spaces at its end.
fn collated(found: &Translated, collation: Option<&str>) -> Result<String, String> {
    let plain = || if found.sql.starts_with('"') { found.sql.clone() } else { parenthesised(&found.sql) };
    match (collation, found.kind) {
        (None | Some("BINARY"), _) if !found.collated => Ok(plain()),
        (Some("NOCASE" | "RTRIM"), Kind::Int | Kind::Float | Kind::Bytes | Kind::Bool | Kind::Other) => {
            Ok(plain())
        }
        (Some("NOCASE"), Kind::Text) => Ok(format!("(lower({} COLLATE \"C\"))", found.sql)),
        (Some("RTRIM"), Kind::Text) => Ok(format!("(rtrim({}))", found.sql)),
        (Some("BINARY"), Kind::Text) => Ok(plain()),
        (other, _) => Err(format!("the collation {}", other.unwrap_or("of a column in an expression"))),
    }
}
