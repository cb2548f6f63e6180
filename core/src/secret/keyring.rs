//! The keys that secrets are encrypted under at rest, and how.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): its nonces of 192 bits may be drawn at random for as many secrets as
//! anybody will ever keep. What is sealed says which key it is under, and belongs to one place: put elsewhere it doesn't open.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice, SecretString, zeroize::Zeroizing};
use sha2::Sha256;

use crate::{Error, ErrorKind, Result, digest};

/// The length of a key, in bytes.
pub const KEY_BYTES: usize = 32;
/// The least length of a text that a key is derived from: 256 bits, if every byte is random.
pub const LEAST_TEXT: usize = 32;
const NONCE_BYTES: usize = 24;
const ID_BYTES: usize = 8;

/// Which key: 16 hexadecimal digits that the key itself determines, so that nobody can mislabel one. They say nothing
/// about the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// The id that was read beside a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key that secrets are encrypted under.
pub struct SecretKey {
    id: KeyId,
    sealing: SecretBox<[u8; KEY_BYTES]>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

impl SecretKey {
    /// The key of these bytes, which should be random.
    ///
    /// # Errors
    /// None is known.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self> {
        Self::from_material(bytes)
    }

    /// The key that a text says: 64 hexadecimal digits or base64 of 32 bytes are these bytes; from any other text of at
    /// least [`LEAST_TEXT`] bytes one is derived. White space around it doesn't count.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the text is too short.
    pub fn parse(text: &SecretString) -> Result<Self> {
        let text = text.expose_secret().trim();
        if let Some(bytes) = raw_bytes(text) {
            return Self::from_material(bytes.as_slice());
        }
        if text.len() < LEAST_TEXT {
            return Err(Error::new(ErrorKind::Configuration, "use the key of the secrets")
                .context(format!("it has fewer than {LEAST_TEXT} characters"))
                .hint("make one with `openssl rand -hex 32`"));
        }
        Self::from_material(text.as_bytes())
    }

    /// What seals and what names the key come from it one way, each under a label of its own.
    fn from_material(material: &[u8]) -> Result<Self> {
        let name = derive(material, b"trimaran secrets 1: key id")?;
        Ok(Self {
            id: KeyId(digest::hex(&name[..ID_BYTES])),
            sealing: SecretBox::new(Box::new(derive(material, b"trimaran secrets 1: sealing")?)),
        })
    }

    /// Which one it is.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.sealing.expose_secret().into())
    }
}

/// HMAC-SHA-256 of the label under the material.
fn derive(material: &[u8], label: &[u8]) -> Result<[u8; KEY_BYTES]> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(material)
        .map_err(|error| Error::new(ErrorKind::Configuration, "use the key of the secrets").source(error))?;
    mac.update(label);
    Ok(mac.finalize().into_bytes().into())
}

fn raw_bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let decoded = if text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
    } else {
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|base| base.decode(text).ok())
    };
    decoded.map(Zeroizing::new).filter(|bytes| bytes.len() == KEY_BYTES)
}

/// The key that secrets are sealed under, and those that they may have been sealed under before.
#[derive(Debug)]
pub struct Keyring {
    active: SecretKey,
    previous: Vec<SecretKey>,
}

impl Keyring {
    /// A keyring that seals under `active`, and opens what is under any of its keys.
    pub fn new(active: SecretKey, previous: impl IntoIterator<Item = SecretKey>) -> Self {
        Self { active, previous: previous.into_iter().collect() }
    }

    /// The key that secrets are sealed under.
    pub fn active(&self) -> &KeyId {
        &self.active.id
    }

    /// Encrypts a secret for one place: `place` must be given again to open it. The result is nonce and ciphertext.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the system gives no random bytes; [`ErrorKind::Invalid`] for a secret of more than
    /// 256 GB.
    pub fn seal(&self, place: &[u8], secret: &[u8]) -> Result<Vec<u8>> {
        const OPERATION: &str = "encrypt a secret";
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)
            .map_err(|error| Error::new(ErrorKind::Unavailable, OPERATION).source(error))?;
        let payload = Payload { msg: secret, aad: place };
        let sealed = self
            .active
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new(ErrorKind::Invalid, OPERATION).context("it is too long"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what was sealed for this place under the key of this id; `None` if it wasn't, or was changed since.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the key's id, if the keyring doesn't have it.
    pub fn open(&self, key: &KeyId, place: &[u8], sealed: &[u8]) -> Result<Option<SecretSlice<u8>>> {
        let key = self.key(key)?;
        let Some((nonce, ciphertext)) = sealed.split_at_checked(NONCE_BYTES) else { return Ok(None) };
        let Ok(nonce) = <[u8; NONCE_BYTES]>::try_from(nonce) else { return Ok(None) };
        let payload = Payload { msg: ciphertext, aad: place };
        Ok(key.cipher().decrypt(&XNonce::from(nonce), payload).ok().map(SecretSlice::from))
    }

    fn key(&self, id: &KeyId) -> Result<&SecretKey> {
        std::iter::once(&self.active).chain(&self.previous).find(|key| key.id == *id).ok_or_else(|| {
            // What is no key id is not repeated.
            let name = match id.0.len() == 2 * ID_BYTES && id.0.bytes().all(|b| b.is_ascii_hexdigit()) {
                true => id.as_str(),
                false => "of another form",
            };
            Error::new(ErrorKind::Configuration, "decrypt a secret")
                .context(format!("it is under the key {name}, which is not configured"))
                .hint("put that key into secrets.previous_keys_file, one key per line")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_bytes(&[n; KEY_BYTES]).unwrap()
    }

    fn opened(ring: &Keyring, id: &KeyId, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        ring.open(id, place, sealed).unwrap().map(|secret| secret.expose_secret().to_vec())
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
        let ring = Keyring::new(key(1), []);
        for secret in [b"".as_slice(), b"hunter2", &[0; 10_000]] {
            let sealed = ring.seal(b"here", secret).unwrap();
            assert!(secret.is_empty() || !sealed.windows(secret.len()).any(|part| part == secret));
            assert_eq!(opened(&ring, ring.active(), b"here", &sealed).as_deref(), Some(secret));
            assert_eq!(opened(&ring, ring.active(), b"there", &sealed), None);
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way() {
        let ring = Keyring::new(key(1), []);
        assert_ne!(ring.seal(b"", b"x").unwrap(), ring.seal(b"", b"x").unwrap());
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let ring = Keyring::new(key(1), []);
        let sealed = ring.seal(b"", b"hunter2").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&ring, ring.active(), b"", &changed), None);
            assert_eq!(opened(&ring, ring.active(), b"", &sealed[..at]), None);
        }
    }

    #[test]
    fn a_previous_key_opens_and_a_missing_one_is_named() {
        let old = Keyring::new(key(1), []);
        let sealed = old.seal(b"", b"x").unwrap();
        let ring = Keyring::new(key(2), [key(1)]);
        assert_eq!(opened(&ring, old.active(), b"", &sealed).as_deref(), Some(b"x".as_slice()));
        let error = Keyring::new(key(2), []).open(old.active(), b"", &sealed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(old.active().as_str()), "{error}");
    }

    #[test]
    fn one_key_has_many_spellings_and_one_id() {
        let id = |text: &str| SecretKey::parse(&text.into()).unwrap().id().clone();
        let hex = "00".repeat(31) + "fF";
        let bytes = [vec![0; 31], vec![255]].concat();
        assert_eq!(id(&hex), id(&format!(" {}\n", hex.to_lowercase())));
        assert_eq!(id(&hex), id(&STANDARD.encode(&bytes)));
        assert_eq!(id(&hex), id(&URL_SAFE_NO_PAD.encode(&bytes)));
        assert_ne!(id(&hex), id(&"x".repeat(LEAST_TEXT)));
        let error = SecretKey::parse(&"short".into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }

    #[test]
    fn no_key_is_shown() {
        let text = "correct horse battery staple, and more of it";
        let ring = Keyring::new(SecretKey::parse(&text.into()).unwrap(), [key(7)]);
        let shown = format!("{ring:?}");
        assert!(shown.contains(ring.active().as_str()) && !shown.contains("horse"), "{shown}");
        assert!(!shown.contains("7, 7"), "{shown}");
    }
}
