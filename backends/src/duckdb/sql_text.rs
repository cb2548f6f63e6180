//! Reading the pieces of SQL that DuckDB's catalogue gives as text: names, lists, definitions.

/// The name at the front of `text` (bare, or in quotes with `""` for a quote) and what follows it.
pub(super) fn identifier(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let mut name = String::new();
        let mut rest = quoted;
        loop {
            let at = rest.find('"')?;
            name.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    name.push('"');
                    rest = after;
                }
                None => return Some((name, rest)),
            }
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// The parts of the dotted name at the front of `text` and what follows it.
pub(super) fn qualified(text: &str) -> Option<(Vec<String>, &str)> {
    let (first, mut rest) = identifier(text)?;
    let mut parts = vec![first];
    while let Some(after) = rest.trim_start().strip_prefix('.') {
        let (part, after) = identifier(after)?;
        parts.push(part);
        rest = after;
    }
    Some((parts, rest))
}

/// What stands between the first parenthesis of `text` and the one that closes it.
pub(super) fn parenthesised(text: &str) -> Option<&str> {
    let mut depth = 0usize;
    let mut open = None;
    for (at, c) in outside_quotes(text) {
        match c {
            '(' => {
                depth += 1;
                open.get_or_insert(at);
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(open? + 1..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts of `text` between commas that stand in no quotes, parentheses or brackets, trimmed.
pub(super) fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in outside_quotes(text) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// Whether `word` (upper case) stands in `text` as a word of its own, outside quotes.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let plain: String = outside_quotes(text).map(|(_, c)| c.to_ascii_uppercase()).collect();
    plain.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|w| w == word)
}

/// The characters of `text` that stand in no `'…'` and no `"…"`, with their places; a quoted piece leaves a space.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote = None;
    text.char_indices().filter_map(move |(at, c)| match (quote, c) {
        (None, '\'' | '"') => {
            quote = Some(c);
            Some((at, ' '))
        }
        (None, _) => Some((at, c)),
        (Some(open), _) => {
            if c == open {
                quote = None;
            }
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_bare_and_quoted() {
        assert_eq!(identifier("abc(x)"), Some(("abc".into(), "(x)")));
        assert_eq!(identifier(r#""we""ird", y"#), Some((r#"we"ird"#.into(), ", y")));
        assert_eq!(qualified(r#""s x"."q 1"#), None);
        assert_eq!(qualified(r#""s x"."q 1" rest"#), Some((vec!["s x".into(), "q 1".into()], " rest")));
        assert_eq!(qualified("main.q2").map(|(parts, _)| parts), Some(vec!["main".into(), "q2".into()]));
        assert_eq!(identifier("(x)"), None);
    }

    #[test]
    fn lists_are_split_outside_quotes_and_parentheses() {
        assert_eq!(
            split_list(r#"a, "b,c", (lower(d, e)), 'f,g'"#),
            ["a", r#""b,c""#, "(lower(d, e))", "'f,g'"]
        );
        assert_eq!(
            parenthesised(r#"CREATE TABLE ")("(a INT, CHECK((a > 0)))"#),
            Some("a INT, CHECK((a > 0))")
        );
        assert_eq!(parenthesised("none"), None);
        assert!(has_word("a VARCHAR COLLATE nocase", "COLLATE"));
        assert!(!has_word(r#""COLLATE" VARCHAR DEFAULT 'COLLATE'"#, "COLLATE"));
    }
}
