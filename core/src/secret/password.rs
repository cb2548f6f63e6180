//! Passwords, kept as Argon2id (RFC 9106) in PHC strings.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, ErrorKind, Result};

/// How much a guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordParameters {
    /// Memory, in KiB, at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl PasswordParameters {
    /// The least that Argon2 allows: for tests, where a password protects nothing.
    pub const LEAST: Self = Self { memory_kib: 8, iterations: 1, parallelism: 1 };
}

impl Default for PasswordParameters {
    /// 19 MiB, 2 passes, 1 lane: what OWASP's Password Storage Cheat Sheet recommends for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19 * 1_024, iterations: 2, parallelism: 1 }
    }
}

/// Hashes passwords, and compares them with hashes. Both take as long as the parameters say: call them where blocking
/// is allowed. Clones share all there is.
#[derive(Debug, Clone)]
pub struct PasswordHasher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    argon2: Argon2<'static>,
    /// A hash of nobody's password, to compare with where there is none.
    decoy: PasswordHash,
}

impl PasswordHasher {
    /// The greatest length of a password, in bytes: hashing reads every byte, and nobody types more.
    pub const MAX_BYTES: usize = 4_096;

    /// A hasher of these parameters.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if Argon2 refuses the parameters; [`ErrorKind::Unavailable`] if the system gives no
    /// random bytes.
    pub fn new(parameters: PasswordParameters) -> Result<Self> {
        let PasswordParameters { memory_kib, iterations, parallelism } = parameters;
        let params = Params::new(memory_kib, iterations, parallelism, None).map_err(|error| {
            Error::new(ErrorKind::Configuration, "accept the parameters of password hashing")
                .context(error.to_string())
                .hint("leave them out for the recommended ones")
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon2.hash_password(b"").map_err(|error| failed("prepare password hashing", error))?;
        Ok(Self(Arc::new(Inner { argon2, decoy })))
    }

    /// The password as a PHC string, with a salt of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is empty or longer than [`Self::MAX_BYTES`]; [`ErrorKind::Unavailable`] if the system
    /// gives no random bytes.
    pub fn hash(&self, password: &SecretString) -> Result<String> {
        let bytes = password.expose_secret().as_bytes();
        if !(1..=Self::MAX_BYTES).contains(&bytes.len()) {
            return Err(Error::new(ErrorKind::Invalid, "accept a password")
                .context("it is empty or too long")
                .hint(format!("give 1 to {} bytes", Self::MAX_BYTES)));
        }
        let hash = self.0.argon2.hash_password(bytes).map_err(|error| failed("hash a password", error))?;
        Ok(hash.to_string())
    }

    /// Whether `password` is the one that `hash` was made of. With no hash the answer is `false`, after as long a time as
    /// with one: nobody learns from the clock whether a user exists.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if `hash` is no PHC string of Argon2.
    pub fn verify(&self, password: &SecretString, hash: Option<&str>) -> Result<bool> {
        let bytes = password.expose_secret().as_bytes();
        // No password is as long; shortened it matches none, and costs no more than others.
        let (bytes, fits) =
            if bytes.len() > Self::MAX_BYTES { (&bytes[..Self::MAX_BYTES], false) } else { (bytes, true) };
        let parsed;
        let (expected, known) = match hash {
            Some(text) => {
                parsed = PasswordHash::new(text).map_err(|error| {
                    Error::new(ErrorKind::Corrupt, "read a password hash")
                        .context("it is no PHC string")
                        .source(error)
                })?;
                (&parsed, true)
            }
            None => (&self.0.decoy, false),
        };
        match self.0.argon2.verify_password(bytes, expected) {
            Ok(()) => Ok(known && fits),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(Error::new(ErrorKind::Corrupt, "check a password")
                .context("its hash is not one of Argon2")
                .source(error)),
        }
    }
}

fn failed(operation: &str, error: HashError) -> Error {
    Error::new(ErrorKind::Unavailable, operation).source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> PasswordHasher {
        PasswordHasher::new(PasswordParameters::LEAST).unwrap()
    }

    #[test]
    fn the_right_password_is_known_by_its_hash_and_no_other() {
        let hasher = hasher();
        let hash = hasher.hash(&"correct horse\0".into()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(hasher.verify(&"correct horse\0".into(), Some(&hash)).unwrap());
        for wrong in ["correct horse", "", "Correct horse\0"] {
            assert!(!hasher.verify(&wrong.into(), Some(&hash)).unwrap());
        }
        assert_ne!(hasher.hash(&"correct horse\0".into()).unwrap(), hash);
    }

    #[test]
    fn no_password_is_right_where_there_is_none() {
        assert!(!hasher().verify(&"".into(), None).unwrap());
    }

    #[test]
    fn a_password_has_a_length() {
        for wrong in [String::new(), "x".repeat(PasswordHasher::MAX_BYTES + 1)] {
            assert_eq!(hasher().hash(&wrong.clone().into()).unwrap_err().kind(), ErrorKind::Invalid);
            assert!(!hasher().verify(&wrong.into(), None).unwrap());
        }
    }

    #[test]
    fn a_damaged_hash_is_an_error_and_not_a_wrong_password() {
        for hash in ["", "plain", "$argon2id$v=19$m=8,t=1,p=1"] {
            let outcome = hasher().verify(&"x".into(), Some(hash));
            assert!(!matches!(outcome, Ok(true)), "{hash}");
        }
        assert_eq!(hasher().verify(&"x".into(), Some("plain")).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn the_recommended_parameters_are_the_default() {
        let hash = PasswordHasher::new(PasswordParameters::default()).unwrap().hash(&"x".into()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn parameters_that_argon2_refuses_are_a_matter_of_configuration() {
        let wrong = PasswordParameters { memory_kib: 1, ..PasswordParameters::LEAST };
        assert_eq!(PasswordHasher::new(wrong).unwrap_err().kind(), ErrorKind::Configuration);
    }
}
