//! From a user's name to the name of the file with the user's data.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use trimaran_core::{Error, ErrorKind, Result, digest};

/// How names are made, as the catalogue says it: HMAC-SHA-256 (RFC 2104) of the user's name in UTF-8, in 64 hexadecimal digits.
pub const NAMING: &str = "hmac-sha256";

/// What the key's own digest is taken of. No user is called so: it ends with U+0000 and would have to be the very text.
const KEY_ID_OF: &[u8] = b"trimaran: the id of a naming key\0";

/// The key that file names are made with. Whoever has it can tell which file is whose; without it no user's file is found
/// that the catalogue does not name.
#[derive(Clone)]
pub struct NamingKey {
    keyed: Hmac<Sha256>,
    id: String,
}

impl fmt::Debug for NamingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamingKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl NamingKey {
    /// The least length in bytes: that of the digest, which RFC 2104 (section 3) recommends as the least.
    pub const MIN_BYTES: usize = 32;

    /// The key whose bytes are those of `secret`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if it is shorter than [`Self::MIN_BYTES`].
    pub fn new(secret: &SecretString) -> Result<Self> {
        let operation = "use the key that tenants' files are named by";
        let bytes = secret.expose_secret().as_bytes();
        if bytes.len() < Self::MIN_BYTES {
            return Err(Error::new(ErrorKind::Configuration, operation)
                .context(format!("it has {} bytes, and needs {} at least", bytes.len(), Self::MIN_BYTES))
                .hint("make one: openssl rand -hex 32"));
        }
        let keyed = Hmac::<Sha256>::new_from_slice(bytes)
            .map_err(|error| Error::new(ErrorKind::Configuration, operation).source(error))?;
        let id = digits(&keyed, KEY_ID_OF)[..16].to_owned();
        Ok(Self { keyed, id })
    }

    /// What tells this key from another without giving it away: 16 hexadecimal digits of a digest.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The stem of the names of this user's files.
    pub fn place_of(&self, user_name: &str) -> String {
        digits(&self.keyed, user_name.as_bytes())
    }
}

fn digits(keyed: &Hmac<Sha256>, text: &[u8]) -> String {
    let mut keyed = keyed.clone();
    keyed.update(text);
    digest::hex(&keyed.finalize().into_bytes())
}

/// Whether `place` is what [`NamingKey::place_of`] gives: nothing else is ever made part of a path.
pub(super) fn is_place(place: &str) -> bool {
    place.len() == 64 && place.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<NamingKey> {
        NamingKey::new(&SecretString::from(secret))
    }

    #[test]
    fn a_name_is_the_hmac_of_the_exact_user_name() {
        let key = key("0123456789abcdef0123456789abcdef").unwrap();
        // printf %s 'Zoë' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(key.place_of("Zoë"), "64bd0b89f9500306e666f1a29148521b83cdc43874181e432eb134a708c2b67a");
        assert_ne!(key.place_of("Zoë"), key.place_of("zoë"));
        assert!(is_place(&key.place_of("../../etc/passwd")));
    }

    #[test]
    fn a_key_has_an_id_and_shows_nothing_else() {
        let (one, other) = (key(&"a".repeat(32)).unwrap(), key(&"b".repeat(32)).unwrap());
        assert_ne!(one.id(), other.id());
        assert!(!format!("{one:?}").contains("aaaa"));
    }

    #[test]
    fn a_short_key_is_refused() {
        let error = key(&"a".repeat(31)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!error.report().contains("aaaa") && error.next_step().is_some());
    }

    #[test]
    fn what_could_lead_out_of_a_folder_is_no_place() {
        for wrong in ["", "../x", &"g".repeat(64), &"A".repeat(64), &"0".repeat(63)] {
            assert!(!is_place(wrong), "{wrong}");
        }
    }
}
