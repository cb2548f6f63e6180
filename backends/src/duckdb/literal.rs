//! The text DuckDB casts values to where Arrow can't carry them, read exactly and written exactly.

use std::borrow::Cow;
use std::fmt::Write as _;

use trimaran_core::{Value, temporal};

/// The greatest offset of a TIMETZ, in seconds: 15:59:59.
pub(super) const MAX_OFFSET: i32 = 16 * 3600 - 1;

/// Reads an interval: `[-]Y year[s] [-]M month[s] [-]D day[s] [-]HH:MM:SS[.ffffff]`, each part left out where zero.
pub(super) fn parse_interval(text: &str) -> Option<Value<'static>> {
    let (mut months, mut days, mut micros) = (0i64, 0i64, 0i128);
    let mut words = text.split(' ');
    while let Some(word) = words.next() {
        if word.contains(':') {
            micros = parse_clock(word)?;
            continue;
        }
        let count: i64 = word.parse().ok()?;
        match words.next()? {
            "year" | "years" => months += count * 12,
            "month" | "months" => months += count,
            "day" | "days" => days += count,
            _ => return None,
        }
    }
    Some(Value::Interval(i32::try_from(months).ok()?, i32::try_from(days).ok()?, i64::try_from(micros).ok()?))
}

/// Reads `[-]H…H:MM:SS[.f…f]` as microseconds.
fn parse_clock(text: &str) -> Option<i128> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut total = 0i128;
    for (index, part) in clock.split(':').enumerate() {
        if index > 2 {
            return None;
        }
        total = total * 60 + i128::from(part.parse::<u64>().ok()?);
    }
    if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{fraction:0<6}");
    total = total * 1_000_000 + padded.parse::<i128>().ok()?;
    Some(if negative { -total } else { total })
}

/// An interval as DuckDB reads it. The time is written as hours, minutes and seconds: a count of microseconds could not
/// say the least one.
pub(super) fn format_interval(months: i32, days: i32, micros: i64) -> String {
    let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let (seconds, fraction) = (size / 1_000_000, size % 1_000_000);
    format!(
        "{months} months {days} days {sign}{:02}:{:02}:{:02}.{fraction:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Reads a time with its offset: `HH:MM:SS[.f](+|-)HH[:MM[:SS]]`.
pub(super) fn parse_time_tz(text: &str) -> Option<Value<'static>> {
    temporal::parse_time_tz(text).map(|(time, offset)| Value::TimeTz(time, offset))
}

/// A time with its offset as DuckDB reads it.
pub(super) fn format_time_tz(micros: i64, offset: i32) -> String {
    format!("{}{}", temporal::format_time(micros), temporal::format_offset(offset))
}

/// Reads a string of `0` and `1`.
pub(super) fn parse_bits(text: &str) -> Option<Value<'static>> {
    let mut bytes = vec![0u8; text.len().div_ceil(8)];
    for (at, digit) in text.bytes().enumerate() {
        match digit {
            b'0' => {}
            b'1' => bytes[at / 8] |= 0x80 >> (at % 8),
            _ => return None,
        }
    }
    Some(Value::Bits(u32::try_from(text.len()).ok()?, Cow::Owned(bytes)))
}

/// Bits as a string of `0` and `1`; `None` if there are fewer bytes than bits.
pub(super) fn format_bits(count: u32, bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(count as usize);
    for at in 0..count as usize {
        out.push(if bytes.get(at / 8)? & (0x80 >> (at % 8)) == 0 { '0' } else { '1' });
    }
    Some(out)
}

/// The canonical text of a decimal number of `scale` digits after the point, given as one integer.
pub(super) fn format_decimal(unscaled: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let mut out = String::with_capacity(42);
    if unscaled < 0 {
        out.push('-');
    }
    let digits = unscaled.unsigned_abs();
    let power = 10u128.checked_pow(scale as u32).unwrap_or(u128::MAX);
    let (whole, mut fraction) = (digits / power, digits % power);
    // Writing to a String does not fail.
    let _ = write!(out, "{whole}");
    if fraction != 0 {
        let mut width = scale;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            width -= 1;
        }
        let _ = write!(out, ".{fraction:0width$}");
    }
    out
}

/// A canonical decimal as one integer of `scale` digits after the point; `None` if it has more digits than fit.
pub(super) fn parse_decimal(canonical: &str, precision: u16, scale: u16) -> Option<i128> {
    let (negative, unsigned) = canonical.strip_prefix('-').map_or((false, canonical), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let scale = usize::from(scale);
    if fraction.len() > scale {
        return None;
    }
    let digits = format!("{whole}{fraction:0<scale$}");
    if digits.trim_start_matches('0').len() > usize::from(precision) {
        return None;
    }
    let unscaled: i128 = digits.parse().ok()?;
    Some(if negative { -unscaled } else { unscaled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_keep_each_parts_sign_and_the_extremes() {
        let cases = [
            ("00:00:00", Value::Interval(0, 0, 0)),
            ("-1 year -2 months 1 day -25:00:00", Value::Interval(-14, 1, -90_000_000_000)),
            ("-00:00:00.5", Value::Interval(0, 0, -500_000)),
            ("178956970 years 7 months", Value::Interval(i32::MAX, 0, 0)),
            ("-178956970 years -8 months -2147483648 days", Value::Interval(i32::MIN, i32::MIN, 0)),
            ("2562047788:00:54.775807", Value::Interval(0, 0, i64::MAX)),
            ("-2562047788:00:54.775808", Value::Interval(0, 0, i64::MIN)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_interval(text), Some(expected), "{text}");
        }
        for text in ["", "1", "1 week", "x days", "1:2:3:4", "00:00:00.1234567"] {
            assert_eq!(parse_interval(text), None, "{text}");
        }
        assert_eq!(format_interval(0, 0, i64::MIN), "0 months 0 days -2562047788:00:54.775808");
    }

    #[test]
    fn bits_and_decimals_are_inverse() {
        for text in ["1", "0", "0000000011", "101010101"] {
            let Some(Value::Bits(count, bytes)) = parse_bits(text) else { panic!("{text}") };
            assert_eq!(format_bits(count, &bytes).as_deref(), Some(text));
        }
        assert_eq!(parse_bits("2"), None);
        for (unscaled, scale, text) in [
            (0, 3, "0"),
            (-5, 1, "-0.5"),
            (1500, 2, "15"),
            (1050, 3, "1.05"),
            (i128::from(i64::MAX), 0, "9223372036854775807"),
            (
                -99_999_999_999_999_999_999_999_999_999_999_999_999,
                38,
                "-0.99999999999999999999999999999999999999",
            ),
        ] {
            assert_eq!(format_decimal(unscaled, scale), text);
            assert_eq!(parse_decimal(text, 38, scale as u16), Some(unscaled), "{text}");
        }
        assert_eq!(parse_decimal("1.05", 38, 1), None);
        assert_eq!(parse_decimal("100", 3, 1), None);
        assert_eq!(parse_decimal("NaN", 3, 1), None);
    }
}
