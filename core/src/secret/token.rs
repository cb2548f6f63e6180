//! Tokens: texts of the form `prefix_id_secret`.
//!
//! The prefix tells a scanner for leaked secrets what it has found, the id finds the row, and the secret is 256 random bits in
//! base64url (RFC 4648, section 5). At rest there is only the SHA-256 of the secret: it has all the entropy there can be,
//! so that neither salt nor slowness would add anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::{Error, ErrorKind, Result};

/// The length of a secret, in bytes.
pub const SECRET_BYTES: usize = 32;
/// The length of its text in base64url.
const SECRET_CHARS: usize = 43;
const MAX_PREFIX: usize = 16;

/// The SHA-256 of a secret: what is kept of it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl TokenHash {
    fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The bytes to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// Whether `kept` is this hash. Takes the same time wherever they differ.
    pub fn matches(&self, kept: &[u8]) -> bool {
        self.0.ct_eq(kept).into()
    }
}

/// A token that has just been made.
#[derive(Debug)]
pub struct NewToken {
    /// Its text.
    pub text: SecretString,
    /// What is kept of its secret.
    pub hash: TokenHash,
}

/// Makes a token of `id` with a fresh secret.
///
/// # Errors
/// [`ErrorKind::Invalid`] if the prefix is none; [`ErrorKind::Unavailable`] if the system gives no random bytes.
pub fn issue(prefix: &str, id: Uuid) -> Result<NewToken> {
    check_prefix(prefix)?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(secret.as_mut_slice())
        .map_err(|error| Error::new(ErrorKind::Unavailable, "make a secret").source(error))?;
    let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
    let text = format!("{prefix}_{}_{}", id.simple(), encoded.as_str());
    Ok(NewToken { text: text.into(), hash: TokenHash::of(secret.as_slice()) })
}

/// What a token's text says.
#[derive(Debug)]
pub struct ParsedToken {
    /// What it begins with.
    pub prefix: String,
    /// What finds its row.
    pub id: Uuid,
    /// The hash of its secret, to compare with the one kept.
    pub hash: TokenHash,
}

/// Reads a token's text; `None` if it is no token.
pub fn parse(text: &SecretString) -> Option<ParsedToken> {
    let (prefix, rest) = text.expose_secret().split_once('_')?;
    let (id, encoded) = rest.split_once('_')?;
    if check_prefix(prefix).is_err() || id.len() != 32 || encoded.len() != SECRET_CHARS {
        return None;
    }
    // `try_parse` knows four spellings of an id; a token has one.
    let parsed = Uuid::try_parse(id).ok().filter(|parsed| parsed.simple().to_string() == id)?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
    Some(ParsedToken { prefix: prefix.to_owned(), id: parsed, hash: TokenHash::of(&secret) })
}

/// Makes sure that `prefix` is one: 1 to 16 lower-case ASCII letters and digits.
///
/// # Errors
/// [`ErrorKind::Invalid`].
pub fn check_prefix(prefix: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if (1..=MAX_PREFIX).contains(&prefix.len()) && prefix.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, "accept a token's prefix")
        .context("it is not one")
        .hint(format!("give 1 to {MAX_PREFIX} lower-case ASCII letters and digits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_id_and_hash() {
        let id = Uuid::now_v7();
        let token = issue("key", id).unwrap();
        let parsed = parse(&token.text).unwrap();
        assert_eq!((parsed.prefix.as_str(), parsed.id), ("key", id));
        assert!(parsed.hash.matches(&token.hash.to_bytes()));
        assert!(!parsed.hash.matches(&issue("key", id).unwrap().hash.to_bytes()));
        assert!(!parsed.hash.matches(&[]));
    }

    #[test]
    fn what_is_no_token_is_read_as_none() {
        let good = issue("key", Uuid::now_v7()).unwrap().text;
        let good = good.expose_secret();
        let cut = &good[..good.len() - 1];
        let upper = format!("key_{}", good["key_".len()..].to_uppercase());
        let wrong =
            ["", "_", "__", "key", "key_x_y", cut, &upper, &format!("{good}="), &format!("K{good}"), "\0"];
        for text in wrong {
            assert!(parse(&text.into()).is_none(), "{text}");
        }
    }

    #[test]
    fn neither_text_nor_hash_is_shown() {
        let token = issue("key", Uuid::now_v7()).unwrap();
        let shown = format!("{token:?}");
        assert!(!shown.contains(token.text.expose_secret()));
        assert!(shown.contains("TokenHash(…)"), "{shown}");
    }

    #[test]
    fn a_prefix_has_no_underscore() {
        for wrong in ["", "a_b", "A", "seventeencharact0"] {
            assert_eq!(issue(wrong, Uuid::nil()).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
