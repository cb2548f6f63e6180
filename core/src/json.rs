//! What makes a text a JSON document, and the codec that carries texts which are none.
//!
//! Postgres' `json` keeps the exact text but refuses what RFC 8259 refuses (`NaN`, `Infinity`, raw control characters).
//! Under the `escape` policy such a text is kept as a JSON *string* that begins with U+001A (written `\u001a`) followed
//! by the text itself, so it stays readable and [`decode`] restores it. A document that already begins so is wrapped in
//! the same way, which keeps the codec reversible.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::{Error, ErrorKind, Result, escape};

/// Why a text is not a JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It would be one, but for `NaN`, `Infinity` or `-Infinity` where a number belongs.
    NotANumber,
    /// It is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// It is not JSON.
    Syntax,
}

/// The deepest nesting that is taken for portable. Postgres' parser is recursive and gives up at its
/// `max_stack_depth` (2 MB by default), which is several times deeper than this.
pub const MAX_DEPTH: usize = 1_000;

/// Whether `text` is one JSON document by RFC 8259, which is what Postgres' `json` accepts.
///
/// # Errors
/// The [`Fault`] that it has.
pub fn check(text: &[u8]) -> Result<(), Fault> {
    // IgnoredAny is skipped without recursion, so nesting is counted apart.
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let accepted = <IgnoredAny as serde::Deserialize>::deserialize(&mut deserializer).is_ok()
        && deserializer.end().is_ok()
        && escape::is_utf8(text);
    if accepted {
        return if too_deep(text) { Err(Fault::TooDeep) } else { Ok(()) };
    }
    match without_not_a_number(text, b"0") {
        Some(replaced) if check(&replaced) == Ok(()) => Err(Fault::NotANumber),
        _ => Err(Fault::Syntax),
    }
}

/// Whether a document says `\u0000` in a string: Postgres keeps it as `json` but can't take it out as text.
pub fn has_nul_escape(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, br"\u0000").any(|at| {
        let backslashes = text[..at].iter().rev().take_while(|b| **b == b'\\').count();
        backslashes % 2 == 0
    })
}

fn too_deep(text: &[u8]) -> bool {
    if text.len() <= MAX_DEPTH {
        return false;
    }
    let mut depth = 0usize;
    outside_strings(text, |byte, _| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= MAX_DEPTH
    })
}

/// Calls `visit` with each byte outside strings and its place, until it says `false`. Whether it did.
fn outside_strings(text: &[u8], mut visit: impl FnMut(u8, usize) -> bool) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if byte == b'"' {
            quoted = true;
        } else if !visit(byte, at) {
            return true;
        }
    }
    false
}

/// The document with `null` for each `NaN`, `Infinity` and `-Infinity`; `None` if it is none even then, or has none of them.
pub fn nan_to_null(text: &[u8]) -> Option<Vec<u8>> {
    without_not_a_number(text, b"null").filter(|replaced| check(replaced).is_ok())
}

/// The text with each `NaN`, `Infinity` and `-Infinity` outside strings replaced by `word`; `None` if it has none.
fn without_not_a_number(text: &[u8], word: &[u8]) -> Option<Vec<u8>> {
    let mut spans = Vec::new();
    let mut until = 0;
    outside_strings(text, |_, at| {
        if at >= until
            && let Some(found) =
                [&b"NaN"[..], b"-Infinity", b"Infinity"].iter().find(|w| text[at..].starts_with(w))
        {
            until = at + found.len();
            spans.push(at..until);
        }
        true
    });
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for span in &spans {
        out.extend_from_slice(&text[from..span.start]);
        out.extend_from_slice(word);
        from = span.end;
    }
    out.extend_from_slice(&text[from..]);
    (!spans.is_empty()).then_some(out)
}

const WRAPPED: &[u8] = br#""\u001a"#;

/// Whether [`encode`] would change `text`.
pub fn needs_encoding(text: &[u8]) -> bool {
    text.starts_with(WRAPPED) || check(text).is_err()
}

/// The document as `json` can hold it.
pub fn encode(text: &[u8]) -> Cow<'_, [u8]> {
    if !needs_encoding(text) {
        return Cow::Borrowed(text);
    }
    let inner = escape::encode(text);
    let inner = String::from_utf8_lossy(&inner);
    let quoted = serde_json::Value::from(inner.as_ref()).to_string();
    let mut out = WRAPPED.to_vec();
    out.extend_from_slice(&quoted.as_bytes()[1..]);
    Cow::Owned(out)
}

/// What [`encode`] was given.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if the text begins as a wrapped document but is none.
pub fn decode(text: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !text.starts_with(WRAPPED) {
        return Ok(Cow::Borrowed(text));
    }
    let string: String = serde_json::from_slice(text)
        .map_err(|e| Error::new(ErrorKind::Corrupt, "decode an escaped JSON document").source(e))?;
    Ok(Cow::Owned(escape::decode(&string.as_bytes()[1..])?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_texts() {
        for good in ["{}", " [1, -0.5e400, \"\\ud800\"] ", "null", "\"\u{7f}\"", "1e999"] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "{", "{'a':1}", "01", "\"\n\"", "1 2", "nul", "{\"a\":NaN,}", "NaNNaN"] {
            assert_eq!(check(bad.as_bytes()), Err(Fault::Syntax), "{bad}");
        }
        for nan in ["NaN", "[1,-Infinity]", "{\"NaN\": Infinity}"] {
            assert_eq!(check(nan.as_bytes()), Err(Fault::NotANumber), "{nan}");
        }
        assert_eq!(check(b"\"\xff\""), Err(Fault::Syntax));
        let deep = [vec![b'['; 1_001], vec![b']'; 1_001]].concat();
        assert_eq!(check(&deep), Err(Fault::TooDeep));
        assert_eq!(check(&deep[1..2_001]), Ok(()));
        let brackets_in_text = format!("\"{}\"", "[".repeat(5_000));
        assert_eq!(check(brackets_in_text.as_bytes()), Ok(()));
    }

    #[test]
    fn a_nul_escape_is_found_but_not_an_escaped_backslash() {
        assert!(has_nul_escape(br#""a\u0000""#));
        assert!(has_nul_escape(br#""\\\u0000""#));
        assert!(!has_nul_escape(br#""a\\u0000""#));
    }

    #[test]
    fn not_a_number_becomes_null_outside_strings_only() {
        assert_eq!(
            nan_to_null(br#"{"NaN": [NaN, -Infinity, "Infinity"]}"#).as_deref(),
            Some(&br#"{"NaN": [null, null, "Infinity"]}"#[..])
        );
        assert_eq!(nan_to_null(b"{}"), None);
        assert_eq!(nan_to_null(b"{NaN"), None);
    }

    #[test]
    fn texts_that_are_no_documents_come_back_from_json_strings() {
        let cases: [&[u8]; 6] =
            [b"{\"a\": NaN}", b"", b"\0 \"quoted\" \x1a", b"\xff", br#""\u001a1""#, br#"{"fine": "\u0000"}"#];
        for text in cases {
            let encoded = encode(text);
            assert_eq!(check(&encoded), Ok(()));
            assert_eq!(decode(&encoded).unwrap().as_ref(), text);
        }
        assert!(matches!(encode(br#"{"fine": 1}"#), Cow::Borrowed(_)));
    }
}
