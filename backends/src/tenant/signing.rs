//! Tenant settings that are signed: who may run SQL of any kind on a session still can't say that it is another tenant's.
//!
//! The setting `trimaran.tenant` is then `<tenant>.<expiry>.<signature>`: the tenant's id; the second, since 1970, at which it ceases to
//! be taken; and HMAC-SHA-256 (RFC 2104), in hexadecimal digits, of what is before it. The server checks it in the function that
//! `schema::signed` makes. What that protects from, and what not, is in `docs/decisions/0013-signed-tenant-setting.md`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
#[cfg(feature = "postgres")]
use trimaran_core::id::TenantId;
use trimaran_core::secret::strength;
use trimaran_core::{Clock, Error, ErrorKind, Result, digest};

/// The size of a block of SHA-256, in bytes (FIPS 180-4), which a key is filled up to.
const BLOCK: usize = 64;

/// What every message begins with, so that the key's signatures of anything else are none of a tenant. The server's function has it, too.
#[cfg(any(feature = "postgres", test))]
pub(crate) const PURPOSE: &str = "trimaran.tenant:";

/// For how long a setting may begin transactions: more than clocks of one installation differ by, and too short for what was seen in a log to be
/// of use for long.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The key that tenant settings are signed with. Programs and the server share it.
#[derive(Clone)]
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres checks settings"))]
pub struct SigningKey {
    inner: [u8; BLOCK],
    outer: [u8; BLOCK],
    id: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key whose bytes are those of `secret`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one that can't hold 256 random bits, or that is no secret.
    pub fn new(secret: &SecretString) -> Result<Self> {
        if let Some(weakness) = strength::weakness(secret.expose_secret()) {
            return Err(Error::new(
                ErrorKind::Configuration,
                "use the key that tenant settings are signed with",
            )
            .context(format!("it can't be the key: {weakness}"))
            .hint("make one with `openssl rand -hex 32`, and name its file in tenants.signing_key_file"));
        }
        let secret = secret.expose_secret().as_bytes();
        let mut key = [0; BLOCK];
        if secret.len() > BLOCK {
            let digest = digest::sha256(secret);
            key[..digest.len()].copy_from_slice(&digest);
        } else {
            key[..secret.len()].copy_from_slice(secret);
        }
        // The constants of RFC 2104, section 2.
        let (inner, outer) = (key.map(|byte| byte ^ 0x36), key.map(|byte| byte ^ 0x5c));
        let mut key = Self { inner, outer, id: String::new() };
        key.id = key.sign("trimaran: the id of a signing key")[..16].to_owned();
        Ok(key)
    }

    /// What tells this key from another without giving it away: 16 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as the server needs it, in hexadecimal digits: what goes before the message, and what goes before its digest.
    #[cfg(feature = "postgres")]
    pub(crate) fn blocks(&self) -> (String, String) {
        (digest::hex(&self.inner), digest::hex(&self.outer))
    }

    fn sign(&self, message: &str) -> String {
        let inner = digest::sha256(&[&self.inner, message.as_bytes()].concat());
        digest::hex(&digest::sha256(&[self.outer.as_slice(), inner.as_slice()].concat()))
    }
}

/// How a store is told whose transaction it is.
#[derive(Debug, Clone, Copy, Default)]
pub enum TenantSetting<'a> {
    /// As it is; plain in a new store.
    #[default]
    AsItIs,
    /// The setting is the tenant's id. Who may run SQL of any kind on a tenant's session may say that it is another's.
    Plain,
    /// The setting is signed with this key, and that of before, or it is refused. The application's role must not be the owner.
    Signed(&'a SigningKey),
}

/// Signs tenant settings for a program.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres checks settings"))]
pub struct TenantSigner {
    key: SigningKey,
    clock: Arc<dyn Clock>,
}

impl TenantSigner {
    /// With this key, by this clock. The server's clock must not differ from it by as much as [`LIFETIME`].
    pub fn new(key: SigningKey, clock: Arc<dyn Clock>) -> Self {
        Self { key, clock }
    }

    /// The setting for a transaction of `tenant` that begins now.
    #[cfg(any(feature = "postgres", test))]
    pub(crate) fn setting(&self, tenant: TenantId) -> String {
        let expiry = (self.clock.now() + LIFETIME).timestamp();
        let signed = format!("{tenant}.{expiry}");
        let signature = self.key.sign(&format!("{PURPOSE}{signed}"));
        format!("{signed}.{signature}")
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use trimaran_core::clock::ManualClock;

    use super::*;

    const KEY: &str = "3f7c1e90a5b2d84466ef01927bd3c85a1c4e7f0839a6b5d2e17f40c98b6a3d25";

    #[test]
    fn a_signature_is_the_hmac_of_the_message() {
        for secret in [KEY.to_owned(), format!("{KEY}{}", &KEY[3..]), KEY[..64].to_owned()] {
            let mut expected = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            expected.update(b"message");
            let key = SigningKey::new(&SecretString::from(secret)).unwrap();
            assert_eq!(key.sign("message"), digest::hex(&expected.finalize().into_bytes()));
        }
    }

    #[test]
    fn a_setting_says_who_and_until_when() {
        let key = SigningKey::new(&SecretString::from(KEY)).unwrap();
        let signer = TenantSigner::new(key, Arc::new(ManualClock::default()));
        let setting = signer.setting(TenantId(uuid::Uuid::from_u128(7)));
        let parts: Vec<_> = setting.split('.').collect();
        assert_eq!(parts[..2], ["00000000-0000-0000-0000-000000000007", "1767225900"]);
        assert_eq!(parts[2].len(), 64);
    }

    #[test]
    fn a_weak_key_is_refused_and_none_is_shown() {
        let error = SigningKey::new(&SecretString::from("a".repeat(64))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.next_step().is_some());
        let shown = format!("{:?}", SigningKey::new(&SecretString::from(KEY)).unwrap());
        assert!(!shown.contains("3f7c"), "{shown}");
    }
}
