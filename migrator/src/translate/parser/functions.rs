//! Casts, and the functions that have one meaning on both engines.

use trimaran_core::Engine;

use super::super::tokens::Token;
use super::super::{Kind, Translated};
use super::{Found, Parser, equal, made};

impl Parser<'_> {
    /// A cast that changes nothing: to another width of the same kind at most, which the source has made sure of.
    pub(super) fn cast(&mut self) -> Found {
        const KINDS: [(&str, Kind); 10] = [
            ("SMALLINT", Kind::Int),
            ("INTEGER", Kind::Int),
            ("INT", Kind::Int),
            ("BIGINT", Kind::Int),
            ("VARCHAR", Kind::Text),
            ("TEXT", Kind::Text),
            ("DOUBLE", Kind::Float),
            ("REAL", Kind::Float),
            ("BLOB", Kind::Bytes),
            ("BOOLEAN", Kind::Bool),
        ];
        let of = self.expression()?;
        self.wants("AS")?;
        let named = self.tokens.get(self.at).and_then(Token::name).unwrap_or_default();
        self.at += 1;
        self.wants(")")?;
        let kind =
            KINDS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&named)).map(|(_, kind)| kind);
        // REAL has 32 bits in DuckDB.
        let narrow = self.scope.source == Engine::Duckdb && named.eq_ignore_ascii_case("REAL");
        if kind == Some(of.kind) && !narrow { Ok(of) } else { Err(format!("a cast to {named}")) }
    }

    pub(super) fn function(&mut self, name: &str) -> Found {
        let mut arguments = Vec::new();
        if !self.takes(")") {
            loop {
                arguments.push(self.expression()?);
                if !self.takes(",") {
                    break;
                }
            }
            self.wants(")")?;
        }
        let unknown = || Err(format!("{name}(…) is not carried over"));
        let text = |sql: String| Ok(made(sql, Kind::Text));
        let sqlite = self.scope.source == Engine::Sqlite;
        match (name, arguments.as_slice()) {
            ("length", [of]) if of.kind == Kind::Text => {
                Ok(made(format!("char_length({})", of.sql), Kind::Int))
            }
            ("length", [of]) if of.kind == Kind::Bytes && sqlite => {
                Ok(made(format!("octet_length({})", of.sql), Kind::Int))
            }
            ("lower" | "upper", [of]) if of.kind == Kind::Text && sqlite => {
                text(format!("{name}({} COLLATE \"C\")", of.sql))
            }
            ("trim", [of]) if of.kind == Kind::Text && sqlite => text(format!("btrim({})", of.sql)),
            ("ltrim" | "rtrim", [of]) if of.kind == Kind::Text && sqlite => {
                text(format!("{name}({})", of.sql))
            }
            ("substr" | "substring", [of, from, rest @ ..]) if of.kind == Kind::Text && rest.len() < 2 => {
                let counts = |n: &Translated, least: i64| {
                    n.literal
                        && n.kind == Kind::Int
                        && n.sql.parse::<i64>().is_ok_and(|n| n >= least && n < 1 << 30)
                };
                if !counts(from, 1) || !rest.iter().all(|n| counts(n, 0)) {
                    return Err("substr from other than a place in the text".to_owned());
                }
                let length = rest.first().map_or_else(String::new, |n| format!(", {}", n.sql));
                text(format!("substr({}, {}{length})", of.sql, from.sql))
            }
            ("replace", [of, what, with])
                if [of, what, with].iter().all(|a| a.kind == Kind::Text)
                    && what.literal
                    && what.sql != "''" =>
            {
                text(format!("replace({}, {}, {})", of.sql, what.sql, with.sql))
            }
            ("instr", [of, what]) if of.kind == Kind::Text && what.kind == Kind::Text => {
                Ok(made(format!("strpos({}, {})", of.sql, what.sql), Kind::Int))
            }
            ("abs", [of]) if of.kind == Kind::Int => Ok(made(format!("abs({})", of.sql), Kind::Int)),
            ("coalesce" | "ifnull", [first, rest @ ..])
                if !rest.is_empty()
                    && first.kind != Kind::Other
                    && rest.iter().all(|a| a.kind == first.kind) =>
            {
                let all: Vec<_> = arguments.iter().map(|a| a.sql.as_str()).collect();
                let collated = arguments.iter().any(|a| a.collated);
                Ok(Translated { collated, ..made(format!("coalesce({})", all.join(", ")), first.kind) })
            }
            ("nullif", [a, b]) => {
                let (left, right) = equal(a, b)?;
                Ok(made(format!("nullif({left}, {right})"), a.kind))
            }
            _ => unknown(),
        }
    }
}
