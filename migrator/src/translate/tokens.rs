//! SQL in pieces: what SQLite and DuckDB spell alike.

/// A piece of SQL that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word without quotes: a keyword, a name.
    Word(String),
    /// A name in quotes, which are taken off.
    Quoted(String),
    /// A text literal, its quotes taken off.
    Text(String),
    /// A number as written.
    Number(String),
    /// An operator or a bracket.
    Symbol(&'static str),
}

const SYMBOLS: [&str; 20] = [
    "||", "<>", "!=", "<=", ">=", "==", "->", "::", "(", ")", ",", ".", "=", "<", ">", "+", "-", "*", "/",
    ";",
];

impl Token {
    /// Whether it is this keyword or symbol; something in quotes never is.
    pub(crate) fn is(&self, word: &str) -> bool {
        match self {
            Token::Word(text) => text.eq_ignore_ascii_case(word),
            Token::Symbol(symbol) => *symbol == word,
            _ => false,
        }
    }

    /// The name that it is.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// How it is shown to people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Number(text) => text.clone(),
            Token::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// Takes a text apart.
///
/// # Errors
/// If there is something in it that is none of these.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let length;
        if rest.starts_with("--") {
            length = rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            length = rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if matches!(first, '"' | '\'' | '`' | '[') {
            let close = if first == '[' { ']' } else { first };
            let (inner, taken) = quoted(rest, close).ok_or("a quote is not closed")?;
            length = taken;
            tokens.push(if first == '\'' { Token::Text(inner) } else { Token::Quoted(inner) });
        } else if first.is_ascii_digit()
            || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            length = number(rest);
            tokens.push(Token::Number(rest[..length].to_owned()));
        } else if first.is_alphabetic() || first == '_' {
            length =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            // x'00' is bytes, and its like.
            if rest[length..].starts_with('\'') {
                return Err("a literal of another form".to_owned());
            }
            tokens.push(Token::Word(rest[..length].to_owned()));
        } else {
            let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
            let symbol = symbol.ok_or_else(|| format!("`{first}` is not carried over"))?;
            length = symbol.len();
            tokens.push(Token::Symbol(symbol));
        }
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// What stands in quotes at the front of a text, a doubled quote for one, and how much of the text that is.
fn quoted(text: &str, close: char) -> Option<(String, usize)> {
    let mut inner = String::new();
    let mut at = 1;
    loop {
        let end = at + text[at..].find(close)?;
        inner.push_str(&text[at..end]);
        at = end + 1;
        if close != ']' && text[at..].starts_with(close) {
            inner.push(close);
            at += 1;
        } else {
            return Some((inner, at));
        }
    }
}

/// The length of the number at the front of a text.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let sign = matches!(bytes[at], b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E');
        if !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'.' || bytes[at] == b'_' || at > 0 && sign) {
            break;
        }
        at += 1;
    }
    at
}
