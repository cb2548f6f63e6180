//! Whether a text can be a key: it has the room for 256 random bits, and does not look as if nobody had drawn it at random.
//!
//! No test can tell that a text *was* drawn at random. What can be told is the most that it may hold, which is counted from
//! the signs that it is written in; and that it is one of those which people put in place of a key: a repeated byte, a row of
//! keys, a word, the digest of a word, or a key that stands in somebody's documentation.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::hex;

/// What a key has to hold, in bits: as many as HMAC-SHA-256 gives out (RFC 2104, section 3).
pub const LEAST_BITS: u32 = 256;

/// How many signs it takes for 256 bits, by what the signs are: ⌈256 / log₂ (how many there are)⌉.
const ALPHABETS: [(Alphabet, usize, &str); 5] = [
    (|byte| byte.is_ascii_digit(), 78, "decimal digits"),
    (|byte| byte.is_ascii_hexdigit(), 64, "hexadecimal digits"),
    (|byte| byte.is_ascii_lowercase(), 55, "small letters"),
    (|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte), 43, "the signs of base64"),
    (|byte| matches!(byte, b' '..=b'~'), 39, "printable signs"),
];
type Alphabet = fn(u8) -> bool;

/// The least length of anything else, in bytes.
const LEAST_BYTES: usize = 32;

/// Fewer different signs than these are not drawn at random: of 64 random hexadecimal digits fewer than eight differ once in
/// 10¹⁹ keys.
const LEAST_DISTINCT: usize = 8;

/// What stands in examples where a key belongs. In a key that is drawn at random none of them stands, but once in many
/// millions.
const WORDS: [&str; 14] = [
    "changeme",
    "change-me",
    "change_me",
    "change me",
    "secret",
    "password",
    "passwort",
    "example",
    "placeholder",
    "yourkey",
    "your-key",
    "your_key",
    "your key",
    "insecure",
];

/// Texts whose digests people take for keys: that of nothing is what a script makes of an unset variable.
const DIGESTED: [&str; 16] = [
    "", "\n", "0", "1", "a", "abc", "admin", "changeme", "default", "hello", "key", "password", "root",
    "secret", "test", "trimaran",
];

/// Keys that stand in documentation, and in programs that were published with them.
const PUBLISHED: [&str; 6] = [
    // FastAPI's tutorial on OAuth2 with JWT.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    // Flask's page on configuration.
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    // The first account of Hardhat and Foundry.
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    // Many tutorials on JWT with Spring.
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    // NIST SP 800-38A, appendix F: the key of AES-256.
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    // NIST's AESAVS, appendix C: the first key of 256 bits.
    "c47b0294dbbbee0fec4757f22ffeee3587ca4730c3d33b691df38bab076bc558",
];

/// Why this text can't be a key of 256 bits; `None` if nothing speaks against it. What is returned shows nothing of it.
pub fn weakness(text: &str) -> Option<String> {
    too_short(text).or_else(|| well_known(text)).or_else(|| {
        let plain = text.trim_end_matches('=');
        let forms = [Some(plain.as_bytes().to_vec()), from_hex(plain), from_base64(plain)];
        forms.into_iter().flatten().find_map(|bytes| pattern(&bytes)).map(str::to_owned)
    })
}

fn too_short(text: &str) -> Option<String> {
    let signs = text.trim_end_matches('=').as_bytes();
    let alphabet = ALPHABETS.iter().find(|(contains, ..)| signs.iter().all(|byte| contains(*byte)));
    match alphabet {
        Some((_, least, name)) if signs.len() < *least => Some(format!(
            "it has {} {name}, which hold fewer than {LEAST_BITS} bits: it takes {least}",
            signs.len()
        )),
        None if signs.len() < LEAST_BYTES => {
            Some(format!("it has {} bytes, and {LEAST_BITS} bits take {LEAST_BYTES}", signs.len()))
        }
        _ => None,
    }
}

fn well_known(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if PUBLISHED.contains(&lower.as_str()) {
        return Some("it is a key that was published".to_owned());
    }
    let digest = |text: &str, form: &dyn Fn(&[u8]) -> String| {
        [form(&Sha256::digest(text)), form(&Sha512::digest(text))]
    };
    let is_digest = DIGESTED.iter().any(|word| {
        digest(word, &|bytes| hex(bytes)).contains(&lower)
            || digest(word, &|bytes| STANDARD_NO_PAD.encode(bytes))
                .contains(&text.trim_end_matches('=').to_owned())
    });
    is_digest.then(|| "it is the digest of a word that everybody knows, or of nothing".to_owned())
}

/// What shows that bytes were not drawn at random.
fn pattern(bytes: &[u8]) -> Option<&'static str> {
    if bytes.len() < 2 {
        return None;
    }
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    if seen.iter().filter(|seen| **seen).count() < LEAST_DISTINCT {
        return Some("it is made of too few different signs");
    }
    if (1..=bytes.len() / 2).any(|period| bytes.iter().zip(&bytes[period..]).all(|(one, next)| one == next)) {
        return Some("it repeats itself");
    }
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    // Of random hexadecimal digits a fifth are neighbours; three quarters never.
    if 4 * steps >= 3 * (bytes.len() - 1) {
        return Some("it is a sequence");
    }
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    if WORDS.iter().any(|word| text.contains(word)) {
        return Some("there is a word in it that stands in examples");
    }
    (rows_of_keys(&text) * 4 >= text.len() * 3).then_some("it is typed along the keyboard")
}

/// How many signs go along a row of the keyboard.
fn rows_of_keys(text: &str) -> usize {
    const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let neighbours =
        |pair: &&[u8]| ROWS.iter().any(|row| row.as_bytes().windows(2).any(|keys| keys == *pair));
    text.as_bytes().windows(2).filter(neighbours).count()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    [STANDARD_NO_PAD, URL_SAFE_NO_PAD].iter().find_map(|base| base.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As random as a test may be, and of no use to anybody who copies it from here.
    fn random(seed: &str) -> [u8; 32] {
        Sha256::digest(format!("a key for a test: {seed}")).into()
    }

    #[test]
    fn random_keys_are_taken_in_every_form() {
        for seed in 0..2_000 {
            let bytes = random(&seed.to_string());
            for key in [
                hex(&bytes),
                hex(&bytes).to_uppercase(),
                STANDARD_NO_PAD.encode(bytes),
                base64::engine::general_purpose::STANDARD.encode(bytes),
                URL_SAFE_NO_PAD.encode(bytes),
            ] {
                assert_eq!(weakness(&key), None, "{key}");
            }
        }
        assert_eq!(weakness("Kx7!pQ~z 9@Lm#2$Rw%5^Tb&8*Yd(1)Gf_4+Hj|6"), None);
        assert_eq!(weakness("ключ из тридцати двух байтов и больше"), None);
    }

    #[test]
    fn what_has_no_room_for_256_bits_is_refused() {
        let bytes = random("short");
        for (short, says) in [
            (String::new(), "78"),
            (hex(&bytes)[..63].to_owned(), "64"),
            (STANDARD_NO_PAD.encode(bytes)[..42].to_owned(), "43"),
            (format!("{}==", &STANDARD_NO_PAD.encode(bytes)[..42]), "43"),
            (
                "93028475610293847561029384756102938475610293847561029384756102938475610293847".to_owned(),
                "78",
            ),
            ("hwqzkvbxjpmfytnrlgdcsauoeiwhkzqvbxjpmfytnrlgdcsauoeiwh".to_owned(), "55"),
            ("Kx7!pQ~z 9@Lm#2$Rw%5^Tb&8*Yd(1)Gf_4+H".to_owned(), "39"),
            ("é!ü?ö#ä+".to_owned(), "32"),
            ("d41d8cd98f00b204e9800998ecf8427e".to_owned(), "64"),
        ] {
            let why = weakness(&short).unwrap();
            assert!(why.contains(says), "{short}: {why}");
            assert!(short.is_empty() || !why.contains(&short));
        }
    }

    #[test]
    fn what_nobody_drew_at_random_is_refused() {
        let zeros = base64::engine::general_purpose::STANDARD.encode([0; 32]);
        let counted: Vec<u8> = (0..32).collect();
        let word = "changeme".repeat(4);
        for weak in [
            "a".repeat(64),
            "k".repeat(200),
            zeros,
            "0123456789abcdef".repeat(4),
            "0123456789abcdef0123456789abcdeF0123456789abcdef0123456789abcdef".to_owned(),
            "deadbeef".repeat(8),
            hex(&counted),
            STANDARD_NO_PAD.encode(&counted),
            (b' '..=b'~').map(char::from).collect(),
            (b'A'..=b'z').rev().map(char::from).collect(),
            "01234567890123456789012345678901234567890123456789012345678901234567890123456789".to_owned(),
            hex(word.as_bytes()),
            STANDARD_NO_PAD.encode("this is my secret, please do not tell it"),
            "a-string-secret-at-least-256-bits-long, they say".to_owned(),
            "Change-Me! This is Only a Place for the Key of Tenants".to_owned(),
            "qwertyuiopasdfghjklzxcvbnmqwertyuiop1234567890qwertyuiopasdfghjkl".to_owned(),
            "abababababababababababababababababababababababababababababababababab".to_owned(),
        ] {
            assert!(weakness(&weak).is_some(), "{weak}");
        }
    }

    #[test]
    fn what_everybody_knows_is_refused() {
        for known in PUBLISHED {
            assert!(weakness(known).is_some() && weakness(&known.to_uppercase()).is_some(), "{known}");
        }
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&Sha256::digest("")), of_nothing);
        for known in [
            of_nothing.to_owned(),
            of_nothing.to_uppercase(),
            hex(&Sha256::digest("changeme")),
            hex(&Sha512::digest("secret")),
            base64::engine::general_purpose::STANDARD.encode(Sha256::digest("password")),
        ] {
            assert!(weakness(&known).unwrap().contains("digest"), "{known}");
        }
    }
}
