//! What only the text of a `CREATE TABLE` statement tells: the pragmas say nothing of CHECK constraints, of the names of
//! constraints, of the expressions of generated columns, of AUTOINCREMENT, conflict clauses and deferred foreign keys.
//!
//! This is a tokenizer that knows SQLite's quotes and comments (<https://sqlite.org/lang_keywords.html>,
//! <https://sqlite.org/lang_comment.html>) and a reader of the statement's outline, not a parser: SQLite has parsed the
//! text already, so it can only be well-formed.

/// A key or foreign key as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    /// What it is.
    pub(crate) kind: ConstraintKind,
    /// The name it was given.
    pub(crate) name: Option<String>,
    /// Its columns.
    pub(crate) columns: Vec<String>,
    /// Whether it is a foreign key that is checked only at commit.
    pub(crate) deferred: bool,
}

/// What a [`Constraint`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    /// PRIMARY KEY.
    Primary,
    /// UNIQUE.
    Unique,
    /// FOREIGN KEY or REFERENCES.
    Foreign,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// The name it was given.
    pub(crate) name: Option<String>,
    /// Its expression.
    pub(crate) expression: String,
}

/// What a `CREATE TABLE` statement says beyond the pragmas.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Keys and foreign keys in order.
    pub(crate) constraints: Vec<Constraint>,
    /// CHECK constraints.
    pub(crate) checks: Vec<Check>,
    /// Generated columns and their expressions.
    pub(crate) generated: Vec<(String, String)>,
    /// What constraints do on conflict, other than to abort: `REPLACE`, `IGNORE`, …
    pub(crate) conflict_clauses: Vec<String>,
    /// Whether the primary key never gives out a number twice.
    pub(crate) autoincrement: bool,
}

impl Outline {
    /// Reads the statement.
    pub(crate) fn read(sql: &str) -> Self {
        let tokens = tokens(sql);
        let mut outline = Self::default();
        let Some(body) = tokens.iter().position(|token| token.is("(")).and_then(|at| group(&tokens, at))
        else {
            return outline;
        };
        for item in split(body) {
            outline.read_item(sql, item);
        }
        outline
    }

    /// The name that was given to a constraint on just these columns.
    pub(crate) fn name_of(&self, kind: ConstraintKind, columns: &[String]) -> Option<String> {
        let same = |declared: &[String]| {
            declared.len() == columns.len()
                && declared.iter().zip(columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        let found = self.constraints.iter().find(|c| c.kind == kind && c.name.is_some() && same(&c.columns));
        found.and_then(|constraint| constraint.name.clone())
    }

    /// Whether the foreign key at `place`, in the order of the declarations, is checked only at commit.
    pub(crate) fn is_deferred(&self, place: usize) -> bool {
        let mut foreign = self.constraints.iter().filter(|c| c.kind == ConstraintKind::Foreign);
        foreign.nth(place).is_some_and(|key| key.deferred)
    }

    /// The expression of a generated column.
    pub(crate) fn expression_of(&self, column: &str) -> Option<&str> {
        let found = self.generated.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, expression)| expression.as_str())
    }

    /// Reads a column with its constraints, or table constraints.
    fn read_item(&mut self, sql: &str, item: &[Token<'_>]) {
        const TABLE_CONSTRAINTS: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        let Some(first) = item.first() else { return };
        let column = (!TABLE_CONSTRAINTS.iter().any(|word| first.is(word))).then(|| first.unquoted());
        let mut name = None;
        let mut at = usize::from(column.is_some());
        while let Some(token) = item.get(at) {
            let listed = |after: usize| match &column {
                Some(column) => vec![column.clone()],
                None => item[after..].iter().position(|t| t.is("(")).map_or_else(Vec::new, |open| {
                    group(item, after + open).map_or_else(Vec::new, |list| {
                        split(list).filter_map(|part| part.first().map(Token::unquoted)).collect()
                    })
                }),
            };
            let next = item.get(at + 1);
            let kind = match () {
                () if token.is("PRIMARY") => Some(ConstraintKind::Primary),
                () if token.is("UNIQUE") => Some(ConstraintKind::Unique),
                () if token.is("FOREIGN") => Some(ConstraintKind::Foreign),
                // In a table constraint it is the second half of FOREIGN KEY.
                () if token.is("REFERENCES") && column.is_some() => Some(ConstraintKind::Foreign),
                () => None,
            };
            if let Some(kind) = kind {
                self.constraints.push(Constraint {
                    kind,
                    name: name.take(),
                    columns: listed(at),
                    deferred: false,
                });
            } else if token.is("CONSTRAINT") {
                name = next.map(Token::unquoted);
                at += 1;
            } else if token.is("CHECK") {
                let name = name.take();
                self.checks
                    .extend(group_text(sql, item, at + 1).map(|expression| Check { name, expression }));
            } else if token.is("AS") {
                self.generated.extend(column.clone().zip(group_text(sql, item, at + 1)));
            } else if token.is("CONFLICT") {
                let action = next.map(Token::unquoted).unwrap_or_default().to_ascii_uppercase();
                self.conflict_clauses.extend((action != "ABORT").then_some(action));
            } else if token.is("DEFERRED") {
                // It follows the foreign key that it is about.
                let foreign = self.constraints.last_mut().filter(|c| c.kind == ConstraintKind::Foreign);
                foreign.into_iter().for_each(|key| key.deferred = true);
            } else if token.is("AUTOINCREMENT") {
                self.autoincrement = true;
            }
            at += group(item, at).map_or(1, |inner| inner.len() + 2);
        }
    }
}

/// A piece of SQL that means something.
#[derive(Debug, Clone, Copy)]
struct Token<'s> {
    text: &'s str,
    start: usize,
}

impl Token<'_> {
    /// Whether it is this keyword or symbol; something in quotes never is.
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// The name that it is, without its quotes.
    fn unquoted(&self) -> String {
        let quote = self.text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`' | '['));
        let Some(open) = quote else { return self.text.to_owned() };
        let close = if open == '[' { ']' } else { open };
        let inner = self.text[1..].strip_suffix(close).unwrap_or(&self.text[1..]);
        if open == '[' {
            inner.to_owned()
        } else {
            inner.replace(&format!("{open}{open}"), &open.to_string())
        }
    }
}

/// Whether a byte is part of a word: letters, digits, `_`, `$`, and everything beyond ASCII.
fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn tokens(sql: &str) -> Vec<Token<'_>> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &sql[at..];
        let length = match byte {
            b'-' if rest.starts_with("--") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            b'"' | b'\'' | b'`' => quoted(rest.as_bytes(), byte),
            _ if in_word(byte) => rest.bytes().take_while(|b| in_word(*b)).count(),
            _ => 1,
        };
        tokens.push(Token { text: &rest[..length], start: at });
        at += length;
    }
    tokens
}

/// The length of a quoted text that begins `rest`; a doubled quote stands for itself.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        if rest[at] == quote {
            if rest.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    rest.len()
}

/// The tokens between the parenthesis at `open` and its partner; `None` if none opens there.
fn group<'t, 's>(tokens: &'t [Token<'s>], open: usize) -> Option<&'t [Token<'s>]> {
    tokens.get(open).filter(|token| token.is("("))?;
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                return Some(&tokens[open + 1..at]);
            }
        }
    }
    Some(&tokens[open + 1..])
}

/// The text between the parenthesis at `open` and its partner.
fn group_text(sql: &str, tokens: &[Token<'_>], open: usize) -> Option<String> {
    let inner = group(tokens, open)?;
    let (first, last) = (inner.first()?, inner.last()?);
    Some(sql[first.start..last.start + last.text.len()].to_owned())
}

/// Splits at the commas that stand in no parentheses.
fn split<'t, 's>(tokens: &'t [Token<'s>]) -> impl Iterator<Item = &'t [Token<'s>]> {
    let mut depth = 0i32;
    tokens.split(move |token| {
        depth += i32::from(token.is("(")) - i32::from(token.is(")"));
        depth == 0 && token.is(",")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_sees_through_quotes_and_comments() {
        let outline = Outline::read(
            "CREATE TABLE \"a (b\" ( -- CHECK (no)\n\
             id INTEGER CONSTRAINT pk PRIMARY KEY AUTOINCREMENT, /* , CHECK(no) */\n\
             [check (] TEXT DEFAULT ', CHECK (''no'')' CHECK (length(\"check (\") > 0) UNIQUE ON CONFLICT REPLACE,\n\
             `p``q` INT CONSTRAINT \"to it\" REFERENCES t (x) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,\n\
             g TEXT GENERATED ALWAYS AS (upper(id || ',')) VIRTUAL,\n\
             CONSTRAINT \"U \"\"1\"\"\" UNIQUE (id, \"check (\" COLLATE NOCASE) CONSTRAINT one CHECK ((1) = (1)),\n\
             FOREIGN KEY (id, `p``q`) REFERENCES u)",
        );
        let constraint = |kind, name: Option<&str>, columns: &[&str]| Constraint {
            kind,
            name: name.map(str::to_owned),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            deferred: name == Some("to it"),
        };
        let check = |name: Option<&str>, expression: &str| Check {
            name: name.map(str::to_owned),
            expression: expression.to_owned(),
        };
        assert_eq!(
            outline,
            Outline {
                constraints: vec![
                    constraint(ConstraintKind::Primary, Some("pk"), &["id"]),
                    constraint(ConstraintKind::Unique, None, &["check ("]),
                    constraint(ConstraintKind::Foreign, Some("to it"), &["p`q"]),
                    constraint(ConstraintKind::Unique, Some("U \"1\""), &["id", "check ("]),
                    constraint(ConstraintKind::Foreign, None, &["id", "p`q"]),
                ],
                checks: vec![check(None, "length(\"check (\") > 0"), check(Some("one"), "(1) = (1)")],
                generated: vec![("g".into(), "upper(id || ',')".into())],
                conflict_clauses: vec!["REPLACE".into()],
                autoincrement: true,
            }
        );
    }
}
