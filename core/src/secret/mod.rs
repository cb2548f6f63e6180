//! Secrets: how they are made, kept and compared.
//!
//! People choose passwords, and badly, so that [`password`] makes each guess slow. Tokens are 256 random bits; nobody
//! guesses them, so that [`token`] keeps a plain SHA-256 of each and checking one costs next to nothing.

pub mod password;
pub mod token;

pub use password::{PasswordHasher, PasswordParameters};
