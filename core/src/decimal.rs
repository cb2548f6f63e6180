//! Decimal numbers as canonical text.
//!
//! Canonical: an optional `-`, digits without leading zeros, and, if the fraction is not zero, a point and digits
//! without trailing zeros; zero is `0`. `NaN`, `Infinity` and `-Infinity` stand for themselves. Two decimals are equal
//! exactly if their canonical texts are.

use std::borrow::Cow;

/// The canonical text of a number written in decimal, with or without an exponent. `None` if it is no number.
pub fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if is_canonical(text) {
        return Some(Cow::Borrowed(text));
    }
    match text.to_ascii_lowercase().as_str() {
        "nan" => return Some(Cow::Borrowed("NaN")),
        "inf" | "+inf" | "infinity" | "+infinity" => return Some(Cow::Borrowed("Infinity")),
        "-inf" | "-infinity" => return Some(Cow::Borrowed("-Infinity")),
        _ => {}
    }
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    // Postgres holds 131,072 digits before the point and 16,383 after it; further out nothing could be kept.
    if exponent.unsigned_abs() > 200_000 {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let point = whole.len() as i64 + i64::from(exponent);
    let (whole, fraction) = if point <= 0 {
        (String::new(), format!("{}{digits}", "0".repeat(point.unsigned_abs() as usize)))
    } else if point as usize >= digits.len() {
        (format!("{digits}{}", "0".repeat(point as usize - digits.len())), String::new())
    } else {
        (digits[..point as usize].to_owned(), digits[point as usize..].to_owned())
    };
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let zero = whole.is_empty() && fraction.is_empty();
    let mut out = String::with_capacity(whole.len() + fraction.len() + 3);
    if negative && !zero {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    Some(Cow::Owned(out))
}

fn is_canonical(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|f| digits(f) && !f.ends_with('0'))
        && text != "-0"
}

/// Digits before and after the point of a canonical decimal; `None` for NaN and the infinities.
pub fn digits(canonical: &str) -> Option<(usize, usize)> {
    let unsigned = canonical.strip_prefix('-').unwrap_or(canonical);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    Some((if whole == "0" { 0 } else { whole.len() }, fraction.len()))
}

/// A canonical decimal rounded to `scale` digits after the point, to the even one of two that are as near, canonical.
/// `None` for NaN and the infinities.
pub fn rounded(canonical: &str, scale: usize) -> Option<String> {
    let (_, fraction) = digits(canonical)?;
    if fraction <= scale {
        return Some(canonical.to_owned());
    }
    let (negative, unsigned) = match canonical.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, canonical),
    };
    let (whole, fraction) = unsigned.split_once('.')?;
    let (kept, cut) = fraction.split_at(scale);
    let mut digits: Vec<u8> = format!("0{whole}{kept}").into_bytes();
    let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
    let half = cut.starts_with('5');
    if cut.as_bytes()[0] > b'5' || half && (odd || cut.bytes().skip(1).any(|digit| digit != b'0')) {
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                break;
            }
        }
    }
    let point = digits.len() - scale;
    let text = String::from_utf8(digits).ok()?;
    let sign = if negative { "-" } else { "" };
    self::canonical(&format!("{sign}{}.{}", &text[..point], &text[point..])).map(Cow::into_owned)
}

/// The shortest decimal that reads back as the same `number`, canonical.
pub fn from_f64(number: f64) -> Cow<'static, str> {
    if number.is_nan() {
        return Cow::Borrowed("NaN");
    }
    if number.is_infinite() {
        return Cow::Borrowed(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if number == 0.0 {
        return Cow::Borrowed("0");
    }
    Cow::Owned(number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_text() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-12.0", "-12"),
            ("1e3", "1000"),
            ("12.5E-3", "0.0125"),
            ("+4", "4"),
            ("nan", "NaN"),
            ("-inf", "-Infinity"),
            ("1E+2", "100"),
            ("0e5", "0"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
            assert_eq!(canonical(expected).as_deref(), Some(expected));
        }
        for text in ["", "-", ".", "1e", "1.2.3", "0x10", "1 ", "1e999999999"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn digits_are_counted_without_padding() {
        assert_eq!(digits("0"), Some((0, 0)));
        assert_eq!(digits("-123.45"), Some((3, 2)));
        assert_eq!(digits("0.001"), Some((0, 3)));
        assert_eq!(digits("NaN"), None);
    }

    #[test]
    fn a_decimal_is_rounded_to_the_nearest_and_then_to_the_even_one() {
        let cases = [
            ("1.234", 2, "1.23"),
            ("1.235", 2, "1.24"),
            ("1.245", 2, "1.24"),
            ("1.2451", 2, "1.25"),
            ("-0.5", 0, "0"),
            ("-1.5", 0, "-2"),
            ("9.995", 2, "10"),
            ("99.96", 1, "100"),
            ("7", 3, "7"),
        ];
        for (number, scale, expected) in cases {
            assert_eq!(rounded(number, scale).as_deref(), Some(expected), "{number} to {scale}");
        }
        assert_eq!(rounded("NaN", 2), None);
    }

    #[test]
    fn a_float_reads_back_from_its_decimal() {
        for number in [0.1, 1e21, 5e-324, f64::MAX, -2.5, 1.0 / 3.0] {
            let text = from_f64(number);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
            assert_eq!(canonical(&text), Some(text.clone()));
        }
    }
}
