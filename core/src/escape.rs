//! The reversible text codec for engines that can't hold every text.
//!
//! Postgres refuses U+0000 in text and any byte sequence that is not UTF-8. The codec maps
//!
//! | in | out |
//! | --- | --- |
//! | U+0000 | U+001A `0` |
//! | U+001A | U+001A `1` |
//! | a byte that is no UTF-8 | U+001A `x` and its two hexadecimal digits |
//!
//! and leaves all else unchanged, so ordinary text stays readable and searchable, and [`decode`] restores every byte.

use std::borrow::Cow;

use crate::{Error, ErrorKind, Result};

/// U+001A SUBSTITUTE, the codec's mark.
pub const MARK: u8 = 0x1a;

/// Whether `text` is valid UTF-8. Every text that moves is asked this several times.
pub fn is_utf8(text: &[u8]) -> bool {
    simdutf8::basic::from_utf8(text).is_ok()
}

/// Whether [`encode`] would change `text`.
pub fn needs_encoding(text: &[u8]) -> bool {
    memchr::memchr2(0, MARK, text).is_some() || !is_utf8(text)
}

/// The text as an engine can hold it: valid UTF-8 without U+0000.
pub fn encode(text: &[u8]) -> Cow<'_, [u8]> {
    if !needs_encoding(text) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                0 => out.extend([MARK, b'0']),
                MARK => out.extend([MARK, b'1']),
                other => out.push(other),
            }
        }
        for &byte in chunk.invalid() {
            out.extend([MARK, b'x']);
            out.extend(crate::digest::hex(&[byte]).into_bytes());
        }
    }
    Cow::Owned(out)
}

/// What [`encode`] was given.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if there is U+001A in it and [`encode`] never writes it: so no two of those texts mean the same.
pub fn decode(text: &[u8]) -> Result<Cow<'_, [u8]>> {
    if memchr::memchr(MARK, text).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(MARK, rest) {
        out.extend_from_slice(&rest[..at]);
        let (byte, length) = match &rest[at + 1..] {
            [b'0', ..] => (0, 2),
            [b'1', ..] => (MARK, 2),
            [b'x', high, low, ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => return Err(unexpected()),
            },
            _ => return Err(unexpected()),
        };
        out.push(byte);
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
    // Bytes of UTF-8 may be written as if they were none, by themselves or several together.
    if *encode(&out) != *text {
        return Err(unexpected());
    }
    Ok(Cow::Owned(out))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn unexpected() -> Error {
    Error::new(ErrorKind::Corrupt, "decode escaped text").context(
        "U+001A is not followed by 0, 1 or x and the two hexadecimal digits of a byte that is no UTF-8",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_comes_back_byte_for_byte() {
        let cases: [&[u8]; 8] = [
            b"",
            b"plain \xe6\x97\xa5",
            b"\0",
            b"a\0b\x1a0c",
            b"\x1a\x1a\x1a",
            b"\xff\xfe half \xe6\x97",
            b"\xed\xa0\x80 lone surrogate",
            b"\xc0\x80 overlong",
        ];
        for text in cases {
            let encoded = encode(text);
            assert!(std::str::from_utf8(&encoded).is_ok());
            assert!(!encoded.contains(&0));
            assert_eq!(decode(&encoded).unwrap().as_ref(), text);
        }
    }

    #[test]
    fn every_pair_of_bytes_comes_back_and_no_two_texts_collide() {
        let mut seen = std::collections::HashSet::new();
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let text = [first, second];
                let encoded = encode(&text).into_owned();
                assert_eq!(decode(&encoded).unwrap().as_ref(), text);
                assert!(seen.insert(encoded));
            }
        }
    }

    #[test]
    fn the_mark_before_anything_else_is_an_error() {
        let unknown = [&b"\x1a"[..], b"\x1a2", b"\x1ax", b"\x1axf", b"\x1axFF", b"a\x1a"];
        let of_what_is_utf8 = [&b"\x1ax33"[..], b"\x1ax00", b"\x1ax1a", b"\x1axc3\x1axa9", b"\x1axff\x1ax41"];
        for text in unknown.into_iter().chain(of_what_is_utf8) {
            assert_eq!(decode(text).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}
