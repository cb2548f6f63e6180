//! Secrets: how they are made, kept and compared.
//!
//! People choose passwords, and badly, so that [`password`] makes each guess slow. Tokens are 256 random bits; nobody
//! guesses them, so that [`token`] keeps a plain SHA-256 of each and checking one costs next to nothing. Secrets that are
//! needed again as they are, such as the API keys of others, are found by [`places`] and encrypted under a [`keyring`]. What a key
//! that somebody configures must at least be is said by [`strength`].

pub mod keyring;
pub mod password;
pub mod places;
pub mod strength;
pub mod token;

pub use keyring::{KeyId, Keyring, SecretKey};
pub use password::{PasswordHasher, PasswordParameters};
