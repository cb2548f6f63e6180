//! Postgres's binary form of `numeric`.
//!
//! Four 16-bit words — the number of digits, the weight of the first, the sign, the digits shown after the point — and
//! then the digits themselves to base 10,000, most significant first (`numeric_send` in
//! `src/backend/utils/adt/numeric.c`).

use trimaran_core::decimal;

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// The most digits Postgres keeps before the point.
pub(super) const MAX_WHOLE: usize = 131_072;

/// The most digits Postgres keeps after the point.
pub(super) const MAX_FRACTION: usize = 16_383;

/// Appends the payload of the canonical decimal `text`. `limit` is what a `numeric(precision, scale)` column holds.
///
/// # Errors
/// Why it can't be held. Postgres itself would round what has too many digits after the point.
pub(super) fn encode(text: &str, limit: Option<(u16, u16)>, out: &mut Vec<u8>) -> Result<(), String> {
    let special = match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(INFINITY),
        "-Infinity" => Some(NEGATIVE_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        if let Some((precision, scale)) = limit
            && sign != NAN
        {
            return Err(format!("numeric({precision},{scale}) holds no infinity"));
        }
        header(out, 0, 0, sign, 0);
        return Ok(());
    }
    let (whole_digits, fraction_digits) = decimal::digits(text).ok_or("it is no decimal number")?;
    within(whole_digits, fraction_digits, limit)?;

    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |u| (true, u));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = if whole_digits == 0 { "" } else { whole };
    let (mut whole, mut fraction) = (whole.as_bytes(), fraction.as_bytes());
    // At most 131,072 digits: 32,768 groups, the first of which has the weight 32,767.
    let mut weight = (whole.len().div_ceil(4) as i32 - 1) as i16;
    if whole.is_empty() {
        // Groups of zeros right after the point only lower the weight.
        while let Some((b"0000", rest)) = fraction.split_at_checked(4) {
            fraction = rest;
            weight -= 1;
        }
    } else if fraction.is_empty() {
        // Likewise groups of zeros at the end.
        while whole.len() > 4 && whole.ends_with(b"0000") {
            whole = &whole[..whole.len() - 4];
        }
    }
    let count = whole.len().div_ceil(4) + fraction.len().div_ceil(4);
    let zero = count == 0;
    let sign = if negative { NEGATIVE } else { POSITIVE };
    header(out, count as u16, if zero { 0 } else { weight }, sign, fraction_digits as u16);
    let (head, rest) = whole.split_at(whole.len() % 4);
    if !head.is_empty() {
        out.extend(group(head)?.to_be_bytes());
    }
    for digits in rest.chunks(4) {
        out.extend(group(digits)?.to_be_bytes());
    }
    for digits in fraction.chunks(4) {
        // The last group is filled up with zeros on the right.
        let scale = [1, 1000, 100, 10, 1][digits.len()];
        out.extend((group(digits)? * scale).to_be_bytes());
    }
    Ok(())
}

/// Appends the payload of an integer; as [`encode`].
///
/// # Errors
/// As [`encode`].
pub(super) fn encode_int(number: i64, limit: Option<(u16, u16)>, out: &mut Vec<u8>) -> Result<(), String> {
    let mut groups = [0u16; 5];
    let mut rest = number.unsigned_abs();
    let mut first = groups.len();
    while rest > 0 {
        first -= 1;
        groups[first] = (rest % 10_000) as u16;
        rest /= 10_000;
    }
    if limit.is_some() {
        let digits = number.unsigned_abs().checked_ilog10().map_or(0, |log| log as usize + 1);
        within(digits, 0, limit)?;
    }
    let groups = &groups[first..];
    let weight = groups.len().saturating_sub(1) as i16;
    let kept = groups.iter().rposition(|g| *g != 0).map_or(0, |last| last + 1);
    let groups = &groups[..kept];
    header(out, groups.len() as u16, weight, if number < 0 { NEGATIVE } else { POSITIVE }, 0);
    groups.iter().for_each(|g| out.extend(g.to_be_bytes()));
    Ok(())
}

fn within(whole: usize, fraction: usize, limit: Option<(u16, u16)>) -> Result<(), String> {
    match limit {
        Some((precision, scale))
            if fraction > usize::from(scale) || whole > usize::from(precision.saturating_sub(scale)) =>
        {
            Err(format!(
                "{whole} digits before and {fraction} after the point don't fit numeric({precision},{scale})"
            ))
        }
        _ if whole > MAX_WHOLE || fraction > MAX_FRACTION => Err(format!(
            "{whole} digits before and {fraction} after the point; Postgres keeps {MAX_WHOLE} and {MAX_FRACTION}"
        )),
        _ => Ok(()),
    }
}

fn header(out: &mut Vec<u8>, count: u16, weight: i16, sign: u16, scale: u16) {
    out.extend(count.to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(scale.to_be_bytes());
}

fn group(digits: &[u8]) -> Result<u16, String> {
    digits.iter().try_fold(0u16, |n, b| match b {
        b'0'..=b'9' => Ok(n * 10 + u16::from(b - b'0')),
        _ => Err("it is no decimal number".to_owned()),
    })
}

/// The canonical decimal of a payload.
///
/// # Errors
/// What is wrong with the payload.
pub(super) fn decode(payload: &[u8]) -> Result<String, &'static str> {
    let (words, []) = payload.as_chunks::<2>() else { return Err("numeric of an odd length") };
    let [count, weight, sign, scale, digits @ ..] = words else { return Err("numeric without a header") };
    let weight = i32::from(i16::from_be_bytes(*weight));
    if usize::from(u16::from_be_bytes(*count)) != digits.len() {
        return Err("numeric with a wrong number of digits");
    }
    let negative = match u16::from_be_bytes(*sign) {
        POSITIVE => false,
        NEGATIVE => true,
        NAN => return Ok("NaN".to_owned()),
        INFINITY => return Ok("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Ok("-Infinity".to_owned()),
        _ => return Err("numeric with an unknown sign"),
    };
    let mut out = String::with_capacity(digits.len() * 4 + usize::from(u16::from_be_bytes(*scale)) + 3);
    if negative {
        out.push('-');
    }
    let start = out.len();
    let digit = |place: i32| -> Result<u16, &'static str> {
        let index = usize::try_from(weight - place).ok();
        let value = index.and_then(|i| digits.get(i)).map_or(0, |d| u16::from_be_bytes(*d));
        if value < 10_000 { Ok(value) } else { Err("numeric with a digit above 9999") }
    };
    for place in (0..=weight).rev() {
        push_group(&mut out, digit(place)?);
    }
    let kept = out[start..].trim_start_matches('0').len();
    out.drain(start..out.len() - kept);
    if kept == 0 {
        out.push('0');
    }
    let last = weight - digits.len() as i32 + 1;
    if last < 0 {
        let point = out.len();
        out.push('.');
        for place in (last..0).rev() {
            push_group(&mut out, digit(place)?);
        }
        let trimmed = out.trim_end_matches('0').len();
        out.truncate(if trimmed == point + 1 { point } else { trimmed });
    }
    if &out[start..] == "0" {
        out.drain(..start);
    }
    Ok(out)
}

fn push_group(out: &mut String, group: u16) {
    for divisor in [1000, 100, 10, 1] {
        out.push(char::from(b'0' + (group / divisor % 10) as u8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, None, &mut out).unwrap();
        out
    }

    #[test]
    fn payloads_are_what_postgres_sends() {
        // From `SELECT numeric_send(x)` on Postgres 15.
        let cases: [(&str, &[u16]); 11] = [
            ("0", &[0, 0, 0, 0]),
            ("1", &[1, 0, 0, 0, 1]),
            ("-1.5", &[2, 0, 0x4000, 1, 1, 5000]),
            ("10000", &[1, 1, 0, 0, 1]),
            ("12345.678", &[3, 1, 0, 3, 1, 2345, 6780]),
            ("0.0001", &[1, 0xffff, 0, 4, 1]),
            ("0.00001", &[1, 0xfffe, 0, 5, 1000]),
            ("100000000.01", &[4, 2, 0, 2, 1, 0, 0, 100]),
            ("NaN", &[0, 0, 0xC000, 0]),
            ("Infinity", &[0, 0, 0xD000, 0]),
            ("-Infinity", &[0, 0, 0xF000, 0]),
        ];
        for (text, words) in cases {
            let expected: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            assert_eq!(bytes(text), expected, "{text}");
            assert_eq!(decode(&expected).unwrap(), text);
        }
    }

    #[test]
    fn integers_have_the_payload_of_their_text() {
        for number in [0, 1, -1, 9_999, 10_000, 10_001, -100_000_000, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            encode_int(number, None, &mut out).unwrap();
            assert_eq!(decode(&out).unwrap(), number.to_string());
            assert_eq!(out, bytes(&number.to_string()));
        }
    }

    #[test]
    fn decimals_of_every_length_survive() {
        let digits = "9030200010000400005";
        for whole in 0..digits.len() {
            for fraction in 0..digits.len() {
                let text = format!("-{}.{}", &digits[..whole], &digits[fraction..]);
                let canonical = decimal::canonical(&text).unwrap().into_owned();
                assert_eq!(decode(&bytes(&canonical)).unwrap(), canonical);
            }
        }
    }

    #[test]
    fn what_postgres_would_round_or_refuse_is_refused() {
        let fits = |text: &str, limit| encode(text, limit, &mut Vec::new()).is_ok();
        assert!(fits("123.45", Some((5, 2))));
        assert!(!fits("123.456", Some((5, 2))));
        assert!(!fits("1234.5", Some((5, 2))));
        assert!(fits("NaN", Some((5, 2))));
        assert!(!fits("Infinity", Some((5, 2))));
        assert!(fits(&"9".repeat(MAX_WHOLE), None));
        assert!(!fits(&"9".repeat(MAX_WHOLE + 1), None));
        assert!(!fits(&format!("0.{}", "1".repeat(MAX_FRACTION + 1)), None));
        assert!(!fits("1x", None));
        assert!(encode_int(1000, Some((3, 0)), &mut Vec::new()).is_err());
        assert!(encode_int(-999, Some((3, 0)), &mut Vec::new()).is_ok());
    }

    #[test]
    fn a_damaged_payload_is_an_error() {
        for payload in [&[][..], &[0, 1], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0x12, 0x34, 0, 0], &[0; 9]]
        {
            assert!(decode(payload).is_err(), "{payload:?}");
        }
        let mut excess = bytes("1");
        excess[8..].copy_from_slice(&10_000u16.to_be_bytes());
        assert!(decode(&excess).is_err());
    }
}
