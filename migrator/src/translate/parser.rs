//! The expressions that are carried over, by SQLite's precedence. What comes out has parentheses around every operation, so
//! that Postgres's does not matter.

use trimaran_core::Engine;

use super::tokens::Token;
use super::{Kind, Scope, Translated};

mod functions;

type Found = Result<Translated, String>;

/// Reads tokens from front to back.
pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    scope: &'t Scope,
}

fn made(sql: String, kind: Kind) -> Translated {
    Translated { sql, kind, literal: false, collated: false }
}

/// A text as a literal of Postgres.
fn literal(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("a text with U+0000".to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token], scope: &'t Scope) -> Self {
        Self { tokens, at: 0, scope }
    }

    /// How many tokens were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Fails unless everything was read.
    pub(super) fn end(&self) -> Result<(), String> {
        match self.tokens.get(self.at) {
            None => Ok(()),
            Some(token) => Err(format!("`{}` is not carried over", token.shown())),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is(word));
        self.at += usize::from(found);
        found
    }

    fn wants(&mut self, word: &str) -> Result<(), String> {
        if self.takes(word) {
            return Ok(());
        }
        let found = self.tokens.get(self.at).map_or("its end".to_owned(), Token::shown);
        Err(format!("`{found}` is not carried over"))
    }

    pub(super) fn expression(&mut self) -> Found {
        self.logic("OR", |parser| parser.logic("AND", Self::negation))
    }

    fn logic(&mut self, word: &str, mut part: impl FnMut(&mut Self) -> Found) -> Found {
        let mut left = part(self)?;
        while self.takes(word) {
            let right = part(self)?;
            left = made(format!("({} {word} {})", truth(&left)?, truth(&right)?), Kind::Bool);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Found {
        if self.takes("NOT") {
            let of = self.negation()?;
            return Ok(made(format!("(NOT {})", truth(&of)?), Kind::Bool));
        }
        self.equality()
    }

    fn equality(&mut self) -> Found {
        let left = self.order()?;
        if self.takes("IS") {
            let not = if self.takes("NOT") { "NOT " } else { "" };
            self.wants("NULL")?;
            return Ok(made(format!("({} IS {not}NULL)", left.sql), Kind::Bool));
        }
        let not = self.tokens.get(self.at).is_some_and(|token| token.is("NOT"))
            && self.tokens.get(self.at + 1).is_some_and(|token| token.is("IN"));
        self.at += usize::from(not);
        if self.takes("IN") {
            self.wants("(")?;
            let mut list = Vec::new();
            loop {
                let item = self.sum()?;
                let (_, item) = equal(&left, &item)?;
                list.push(item);
                if !self.takes(",") {
                    break;
                }
            }
            self.wants(")")?;
            let not = if not { "NOT " } else { "" };
            return Ok(made(format!("({} {not}IN ({}))", left.sql, list.join(", ")), Kind::Bool));
        }
        if self.takes("BETWEEN") {
            let low = self.sum()?;
            self.wants("AND")?;
            let high = self.sum()?;
            let (low, high) = (ordered(&left, ">=", &low)?, ordered(&left, "<=", &high)?);
            return Ok(made(format!("({low} AND {high})"), Kind::Bool));
        }
        for (spelled, operator) in [("=", "="), ("==", "="), ("<>", "<>"), ("!=", "<>")] {
            if self.takes(spelled) {
                let right = self.order()?;
                let (left, right) = equal(&left, &right)?;
                return Ok(made(format!("({left} {operator} {right})"), Kind::Bool));
            }
        }
        Ok(left)
    }

    fn order(&mut self) -> Found {
        let left = self.sum()?;
        for operator in ["<=", ">=", "<", ">"] {
            if self.takes(operator) {
                let right = self.sum()?;
                return Ok(made(ordered(&left, operator, &right)?, Kind::Bool));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Found {
        let mut left = self.product()?;
        loop {
            let Some(operator) = ["+", "-"].into_iter().find(|operator| self.takes(operator)) else {
                return Ok(left);
            };
            let right = self.product()?;
            let kind = match (left.kind, right.kind) {
                (Kind::Int, Kind::Int) => Kind::Int,
                (Kind::Float, Kind::Float) => Kind::Float,
                _ => return Err(format!("`{operator}` of other than two whole numbers or two reals")),
            };
            left = arithmetic(&left, operator, &right, kind)?;
        }
    }

    fn product(&mut self) -> Found {
        let mut left = self.joined()?;
        while self.takes("*") {
            let right = self.joined()?;
            if (left.kind, right.kind) != (Kind::Int, Kind::Int) {
                return Err("`*` of other than whole numbers".to_owned());
            }
            left = arithmetic(&left, "*", &right, Kind::Int)?;
        }
        Ok(left)
    }

    fn joined(&mut self) -> Found {
        let mut left = self.primary()?;
        while self.takes("||") {
            let right = self.primary()?;
            if (left.kind, right.kind) != (Kind::Text, Kind::Text) {
                return Err("`||` of other than texts".to_owned());
            }
            let collated = left.collated || right.collated;
            left = Translated { collated, ..made(format!("({} || {})", left.sql, right.sql), Kind::Text) };
        }
        Ok(left)
    }

    fn primary(&mut self) -> Found {
        let Some(token) = self.tokens.get(self.at) else { return Err("it ends too early".to_owned()) };
        self.at += 1;
        match token {
            Token::Symbol("(") => {
                let inner = self.expression()?;
                self.wants(")")?;
                Ok(inner)
            }
            Token::Symbol("-") => match self.tokens.get(self.at) {
                Some(Token::Number(digits)) => {
                    self.at += 1;
                    let positive = self.number(digits)?;
                    Ok(Translated { sql: format!("(-{})", positive.sql), ..positive })
                }
                _ => Err("a sign before other than a number".to_owned()),
            },
            Token::Number(digits) => self.number(digits),
            Token::Text(text) => Ok(Translated { literal: true, ..made(literal(text)?, Kind::Text) }),
            Token::Word(word) if word.eq_ignore_ascii_case("NULL") => {
                Ok(Translated { literal: true, ..made("NULL".to_owned(), Kind::Null) })
            }
            Token::Word(word)
                if ["true", "false"].contains(&word.to_ascii_lowercase().as_str())
                    && !self.scope.columns.contains_key(&word.to_lowercase()) =>
            {
                Ok(Translated { literal: true, ..made(word.to_ascii_lowercase(), Kind::Bool) })
            }
            Token::Word(word) if word.eq_ignore_ascii_case("CAST") && self.takes("(") => self.cast(),
            Token::Word(word) if self.takes("(") => self.function(&word.to_ascii_lowercase()),
            Token::Word(name) | Token::Quoted(name) => self.column(name),
            Token::Symbol(symbol) => Err(format!("`{symbol}` is not carried over")),
        }
    }

    fn number(&self, digits: &str) -> Found {
        if digits.parse::<i64>().is_ok() {
            return Ok(Translated { literal: true, ..made(digits.to_owned(), Kind::Int) });
        }
        // With a point it is DECIMAL in DuckDB.
        match digits.parse::<f64>() {
            Ok(real) if real.is_finite() && self.scope.source == Engine::Sqlite => {
                Ok(Translated { literal: true, ..made(format!("double precision '{digits}'"), Kind::Float) })
            }
            _ => Err(format!("the number {digits}")),
        }
    }

    fn column(&mut self, name: &str) -> Found {
        let Some(column) = self.scope.columns.get(&name.to_lowercase()) else {
            return Err(format!("`{name}` is no column that moves"));
        };
        if column.generated && !self.scope.generated {
            return Err(format!("{name} is computed itself"));
        }
        if column.rewritten {
            return Err(format!("the values of {name} are written in another way"));
        }
        Ok(Translated { collated: column.collation.is_some(), ..made(column.sql.clone(), column.kind) })
    }
}

/// A condition.
pub(super) fn truth(of: &Translated) -> Result<String, String> {
    match of.kind {
        Kind::Bool => Ok(of.sql.clone()),
        Kind::Int => Ok(format!("({} <> 0)", of.sql)),
        _ => Err("a condition that is neither a truth nor a whole number".to_owned()),
    }
}

/// Two sides that are equal on both engines if they are on one.
fn equal(left: &Translated, right: &Translated) -> Result<(String, String), String> {
    let flag = |side: &Translated| match side.sql.as_str() {
        "0" => Some("false".to_owned()),
        "1" => Some("true".to_owned()),
        _ => None,
    };
    match (left.kind, right.kind) {
        (Kind::Text, Kind::Text) if left.collated || right.collated => {
            Err("text compared by a collation".to_owned())
        }
        (a, b) if a == b && !matches!(a, Kind::Other | Kind::Null) => {
            Ok((left.sql.clone(), right.sql.clone()))
        }
        (Kind::Bool, Kind::Int) if flag(right).is_some() => {
            Ok((left.sql.clone(), flag(right).unwrap_or_default()))
        }
        (Kind::Int, Kind::Bool) if flag(left).is_some() => {
            Ok((flag(left).unwrap_or_default(), right.sql.clone()))
        }
        (a, b) => Err(format!("a comparison of {a:?} and {b:?}").to_lowercase()),
    }
}

/// Two sides of which one is less or greater on both engines.
fn ordered(left: &Translated, operator: &str, right: &Translated) -> Result<String, String> {
    // A whole number beyond 53 bits is rounded when it meets a real.
    let is_exact = |side: &Translated| {
        let digits = side.sql.trim_matches(['(', ')']).parse::<i64>();
        side.literal && digits.is_ok_and(|number| number.unsigned_abs() <= 1 << 53)
    };
    let alike = match (left.kind, right.kind) {
        (Kind::Int, Kind::Int) | (Kind::Float, Kind::Float) => true,
        (Kind::Float, Kind::Int) => is_exact(right),
        (Kind::Int, Kind::Float) => is_exact(left),
        _ => false,
    };
    if !alike {
        return Err(format!("`{operator}` of other than whole numbers or reals"));
    }
    Ok(format!("({} {operator} {})", left.sql, right.sql))
}

fn arithmetic(left: &Translated, operator: &str, right: &Translated, kind: Kind) -> Found {
    // Two literals are of 32 bits in Postgres, and of 64 in SQLite.
    if left.literal && right.literal {
        return Err(format!("`{operator}` of two literals"));
    }
    Ok(made(format!("({} {operator} {})", left.sql, right.sql), kind))
}
