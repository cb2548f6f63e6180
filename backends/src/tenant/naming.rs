//! From a user's name to the name of the file with the user's data.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use trimaran_core::secret::strength;
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
    /// The key whose bytes are those of `secret`, which should be 256 random bits in text: 64 hexadecimal digits, say.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that holds fewer bits, or that everybody knows or guesses: see
    /// [`strength`].
    pub fn new(secret: &SecretString) -> Result<Self> {
        let operation = "use the key that tenants' files are named by";
        if let Some(weakness) = strength::weakness(secret.expose_secret()) {
            return Err(Error::new(ErrorKind::Configuration, operation).context(weakness).hint(
                "make one with `openssl rand -hex 32`; where tenants have files already, `trimaran tenant rekey` names \
                 them by it",
            ));
        }
        let bytes = secret.expose_secret().as_bytes();
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
pub(crate) fn is_place(place: &str) -> bool {
    place.len() == 64 && place.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<NamingKey> {
        NamingKey::new(&SecretString::from(secret))
    }

    /// 64 digits that nobody drew and nobody should use.
    fn digits_of(seed: &str) -> String {
        digest::hex(&digest::sha256(seed.as_bytes()))
    }

    #[test]
    fn a_name_is_the_hmac_of_the_exact_user_name() {
        let key = key(&digits_of("naming")).unwrap();
        // printf %s 'Zoë' | openssl dgst -sha256 -hmac "$(printf %s naming | sha256sum | cut -c-64)"
        assert_eq!(key.place_of("Zoë"), "ad4ec35612a6e6898bdf8ac70e740ac06267b4bfe29beb7790678a34aa9bc947");
        assert_ne!(key.place_of("Zoë"), key.place_of("zoë"));
        assert!(is_place(&key.place_of("../../etc/passwd")));
    }

    #[test]
    fn a_key_has_an_id_and_shows_nothing_else() {
        let (one, other) = (digits_of("one"), digits_of("other"));
        assert_ne!(key(&one).unwrap().id(), key(&other).unwrap().id());
        assert!(!format!("{:?}", key(&one).unwrap()).contains(&one[..16]));
    }

    #[test]
    fn a_weak_key_is_refused_and_not_shown() {
        for weak in ["a".repeat(64), digits_of("short")[..63].to_owned(), "changeme".repeat(8), String::new()]
        {
            let error = key(&weak).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(weak.is_empty() || !error.report().contains(&weak));
            assert!(error.next_step().unwrap().contains("openssl rand"));
        }
    }

    #[test]
    fn what_could_lead_out_of_a_folder_is_no_place() {
        for wrong in ["", "../x", &"g".repeat(64), &"A".repeat(64), &"0".repeat(63)] {
            assert!(!is_place(wrong), "{wrong}");
        }
    }
}
