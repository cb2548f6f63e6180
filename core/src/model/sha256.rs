//! SHA-256 of a value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, ErrorKind, digest};

/// A SHA-256: 32 bytes, shown and serialised as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Of these bytes. Of a text take its UTF-8: `Sha256::of(text.as_bytes())`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(digest::sha256(bytes))
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of its 32 bytes; `None` if they are more or fewer.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&digest::hex(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = Error;

    /// From 64 hexadecimal digits, of either case.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let mut parsed = digits.len() == 64;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => *byte = high << 4 | low,
                _ => parsed = false,
            }
        }
        if parsed {
            return Ok(Self(bytes));
        }
        Err(Error::new(ErrorKind::Invalid, "read a SHA-256")
            .context(format!("it is {} bytes of text and not 64 hexadecimal digits", text.len()))
            .hint("write the 32 bytes as hexadecimal digits, as sha256sum does"))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("not a SHA-256 of 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of "abc": FIPS 180-2, appendix B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn it_is_read_from_what_it_is_shown_as() {
        let abc = Sha256::of(b"abc");
        assert_eq!(abc.to_string(), ABC);
        assert_eq!(ABC.parse::<Sha256>().unwrap(), abc);
        assert_eq!(ABC.to_uppercase().parse::<Sha256>().unwrap(), abc);
        assert_eq!(serde_json::to_string(&abc).unwrap(), format!("\"{ABC}\""));
        assert_eq!(serde_json::from_str::<Sha256>(&format!("\"{ABC}\"")).unwrap(), abc);
        assert_eq!(Sha256::from_slice(abc.as_bytes()), Some(abc));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "ba78", &ABC[1..], &format!("{ABC}0"), &ABC.replace('b', "g"), &"é".repeat(32)] {
            assert_eq!(text.parse::<Sha256>().unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        assert_eq!(Sha256::from_slice(&[0; 31]), None);
    }
}
