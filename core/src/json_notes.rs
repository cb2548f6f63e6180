//! What is worth knowing of a JSON document that is one: what a reader stricter or looser than its writer makes of it.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::decimal;

/// What a document holds that not every reader takes in the same way. All of it moves exactly as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// `\u0000` in a string.
    pub nul: bool,
    /// Half a surrogate pair in a string, as an escape.
    pub surrogate: bool,
    /// An object that has a key twice, spelt alike or not.
    pub duplicate_key: bool,
    /// A number beyond the range of a binary64, or an integer that a binary64 rounds.
    pub number: bool,
    /// The whole document is `null`.
    pub null: bool,
}

/// Looks through a document, which must be one ([`crate::json::check`]).
pub fn notes(text: &[u8]) -> Notes {
    let mut notes = Notes { null: text.trim_ascii() == b"null", ..Notes::default() };
    // The keys of each object that is open; of an array, none.
    let mut open: Vec<Option<HashSet<Cow<'_, [u8]>>>> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'{' => open.push(Some(HashSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let end = at + string_length(&text[at..]);
                let raw = &text[at..end];
                let escaped = memchr::memchr(b'\\', raw).is_some();
                if escaped {
                    notes.nul |= crate::json::has_nul_escape(raw);
                    notes.surrogate |= has_lone_surrogate(raw);
                }
                let is_key = text[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if is_key && let Some(Some(keys)) = open.last_mut() {
                    notes.duplicate_key |=
                        !keys.insert(if escaped { unescaped(raw) } else { Cow::Borrowed(raw) });
                }
                at = end;
                continue;
            }
            b'-' | b'0'..=b'9' => {
                let length = text[at..]
                    .iter()
                    .take_while(|byte| {
                        byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
                    })
                    .count();
                notes.number |= is_beyond_binary64(&text[at..at + length]);
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    notes
}

/// The length of the string that begins `text`, its quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// The key that a string with escapes says, in quotes again so that it is told from none.
fn unescaped(raw: &[u8]) -> Cow<'_, [u8]> {
    match serde_json::from_slice::<String>(raw) {
        Ok(key) => Cow::Owned(format!("\"{key}\"").into_bytes()),
        // With half a surrogate pair it says no text; then it is taken as it is spelt.
        Err(_) => Cow::Borrowed(raw),
    }
}

fn has_lone_surrogate(raw: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
        at += found;
        match unit(&raw[at..]) {
            Some(0xd800..=0xdbff) => match raw.get(at + 6..).and_then(unit) {
                Some(0xdc00..=0xdfff) => at += 12,
                _ => return true,
            },
            Some(0xdc00..=0xdfff) => return true,
            Some(_) => at += 6,
            None => at += 2,
        }
        if at >= raw.len() {
            break;
        }
    }
    false
}

/// The code unit of a `\uXXXX` at the beginning of `text`.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn is_beyond_binary64(token: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(token) else { return false };
    let Ok(number) = token.parse::<f64>() else { return false };
    if number.is_infinite() {
        return true;
    }
    let mantissa = token.split(['e', 'E']).next().unwrap_or(token);
    if number == 0.0 {
        return mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    }
    // Fifteen digits always fit; a fraction is rounded by every reader, and is not meant to be more than that.
    let integer = mantissa.len() == token.len() && !token.contains('.');
    integer
        && token.len() > 15
        && decimal::canonical(token).is_some_and(|exact| exact != format!("{number:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_taken_and_no_other() {
        let none = Notes::default();
        let cases = [
            (r#"{"a": 1, "b": {"a": [1, 2.5, 1e308]}, "c\\u0000": "\ud83d\ude00"}"#, none),
            ("9007199254740992", none),
            (r#"["null"]"#, none),
            (r#"{"a": {"x": 1, "y": "x"}, "x": 1}"#, none),
            (" null ", Notes { null: true, ..none }),
            (r#"["\u0000"]"#, Notes { nul: true, ..none }),
            (r#"["\ud83d"]"#, Notes { surrogate: true, ..none }),
            (r#"["\ude00\ud83d"]"#, Notes { surrogate: true, ..none }),
            (r#"["\\\ud83d\n"]"#, Notes { surrogate: true, ..none }),
            (r#"{"a": 1, "b": 2, "a" : 1}"#, Notes { duplicate_key: true, ..none }),
            (r#"[{"é": 1, "\u00e9": 2}]"#, Notes { duplicate_key: true, ..none }),
            ("1e999", Notes { number: true, ..none }),
            ("[-1e-999]", Notes { number: true, ..none }),
            ("[9007199254740993]", Notes { number: true, ..none }),
        ];
        for (document, expected) in cases {
            assert_eq!(crate::json::check(document.as_bytes()), Ok(()), "{document}");
            assert_eq!(notes(document.as_bytes()), expected, "{document}");
        }
    }
}
