//! Passwords as a test server keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// No secret, and none needed: the same for all.
const SALT: &[u8; 16] = b"trimaran's tests";

/// What `CREATE ROLE … PASSWORD` takes for `password` so that a log-in is quick: a SCRAM-SHA-256 verifier after RFC 5803 of one
/// iteration, where Postgres makes 4,096. A client must go through as many, which takes an unoptimised build 50 ms and
/// took an eighth of a run's time; a setting for it (`scram_iterations`) came with Postgres 16.
pub(super) fn verifier(password: &str) -> String {
    let salted = keyed(password.as_bytes(), &[SALT.as_slice(), &1_u32.to_be_bytes()].concat());
    let stored = Sha256::digest(keyed(&salted, b"Client Key"));
    let server = keyed(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256$1:{}${}:{}",
        STANDARD.encode(SALT),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut keyed =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    keyed.update(message);
    keyed.finalize().into_bytes().into()
}
