//! Durations and sizes as people write them: `10s`, `5m`, `never`; `256MiB`, `2GiB`.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a duration such as `500ms`, `10s`, `5m` or `1h 30m` (jiff's friendly format).
///
/// # Errors
/// What a right one looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a duration with its unit, such as 500ms, 10s or 5m".to_owned();
    let parsed: SignedDuration = text.trim().parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| "a duration can't be negative".to_owned())
}

/// Reads a duration, or `never`.
///
/// # Errors
/// What a right one looks like.
pub fn duration_or_never(text: &str) -> Result<Option<Duration>, String> {
    if text.trim() == "never" {
        return Ok(None);
    }
    duration(text).map(Some).map_err(|wrong| format!("{wrong}, or never"))
}

/// Reads a size in bytes such as `256MiB` or `2GiB`.
///
/// # Errors
/// What a right one looks like.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        other => return Err(format!("{other:?} is no unit; write 256MiB or 2GiB")),
    };
    let count: u64 =
        digits.trim().parse().map_err(|_| "write a number and a unit, such as 256MiB".to_owned())?;
    count.checked_mul(unit).ok_or_else(|| "that is more than there is".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration_or_never("never"), Ok(None));
        for wrong in ["10", "-1s", "soon", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("256MiB"), Ok(256 << 20));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        assert_eq!(bytes("12"), Ok(12));
        for wrong in ["lots", "3 parsecs", "99999999999GiB", ""] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
