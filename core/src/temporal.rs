//! Dates, times and UUIDs as text, and the numbers that SQLite keeps instants as.
//!
//! Parsing is exact or fails: what can't be kept to the microsecond is `None`, never rounded.

use jiff::civil;

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

/// The Julian day number of 1970-01-01T00:00 (SQLite's REAL dates count days from noon, 24 November 4714 BC).
const JULIAN_EPOCH: f64 = 2_440_587.5;

/// A date and time read from ISO 8601 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01T00:00 of the text's own clock.
    pub local: i64,
    /// Seconds east of UTC, where the text says an offset or `Z`.
    pub offset: Option<i32>,
}

impl Moment {
    /// Microseconds since 1970-01-01T00:00Z; text without an offset is taken for UTC.
    pub fn utc(self) -> i64 {
        self.local - i64::from(self.offset.unwrap_or(0)) * 1_000_000
    }
}

/// Reads `YYYY-MM-DD[( |T)HH:MM[:SS[.f]][Z|±HH[:MM]]]`. `None` if it is anything else or finer than a microsecond.
pub fn parse_timestamp(text: &str) -> Option<Moment> {
    let date = text.get(..10)?;
    let days = parse_date(date)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(Moment { local: i64::from(days) * DAY, offset: None });
    }
    let (time, offset) = split_offset(rest.strip_prefix([' ', 'T', 't'])?)?;
    Some(Moment { local: i64::from(days) * DAY + parse_time(time)?, offset })
}

/// Reads `YYYY-MM-DD`: days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        bytes[range].iter().try_fold(0i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // jiff checks the calendar; its arithmetic is exact for the years that four digits can say.
    let date = civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(days_from_civil(i64::from(date.year()), i64::from(date.month()), i64::from(date.day())) as i32)
}

/// Reads `HH:MM[:SS[.f]]`, 24:00:00 included: microseconds since midnight.
pub fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if !fraction.is_empty() && clock.len() == 8 => (clock, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let mut fields = [0i64; 3];
    let mut count = 0;
    for part in clock.split(':') {
        if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit()) || count == 3 {
            return None;
        }
        fields[count] = part.parse().ok()?;
        count += 1;
    }
    if count < 2 || fields[0] > 24 || fields[1] > 59 || fields[2] > 59 {
        return None;
    }
    let micros = fraction_to_micros(fraction)?;
    let total = ((fields[0] * 60 + fields[1]) * 60 + fields[2]) * 1_000_000 + micros;
    (total <= DAY).then_some(total)
}

/// Reads a time followed by an offset, as in [`parse_timestamp`]: microseconds since midnight and seconds east.
pub fn parse_time_tz(text: &str) -> Option<(i64, i32)> {
    let (time, offset) = split_offset(text)?;
    Some((parse_time(time)?, offset?))
}

fn fraction_to_micros(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (kept, finer) = fraction.split_at(fraction.len().min(6));
    if finer.bytes().any(|b| b != b'0') {
        return None;
    }
    let digits: i64 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    Some(digits * 10i64.pow(6 - kept.len() as u32))
}

/// Splits `Z`, `+HH`, `+HHMM`, `+HH:MM` or `+HH:MM:SS` off the end.
fn split_offset(text: &str) -> Option<(&str, Option<i32>)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time, Some(0)));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, None)) };
    let digits: String = text[at + 1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let field = |from: usize| digits.get(from..from + 2).map_or(Some(0), |d| d.parse::<i32>().ok());
    let (hours, minutes, seconds) = (field(0)?, field(2)?, field(4)?);
    if hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    let total = (hours * 60 + minutes) * 60 + seconds;
    Some((text[..at].trim_end(), Some(if text.as_bytes()[at] == b'-' { -total } else { total })))
}

/// Microseconds since 1970 of a Julian day number, if that number is the nearest to those microseconds.
pub fn from_julian_day(days: f64) -> Option<i64> {
    nearest_to_julian_day(days).filter(|micros| to_julian_day(*micros) == days)
}

/// The microseconds since 1970 that are nearest to a Julian day number; `None` beyond 64 bits of them.
pub fn nearest_to_julian_day(days: f64) -> Option<i64> {
    // Two exact steps: whole days fit an integer, the remainder of a day has bits to spare.
    let whole = (days - JULIAN_EPOCH).floor();
    let part = days - JULIAN_EPOCH - whole;
    if !days.is_finite() || whole.abs() > 1e8 {
        return None;
    }
    Some(whole as i64 * DAY + (part * DAY as f64).round() as i64)
}

/// The Julian day number nearest to `micros` since 1970.
pub fn to_julian_day(micros: i64) -> f64 {
    let whole = micros.div_euclid(DAY) as f64;
    let part = micros.rem_euclid(DAY) as f64 / DAY as f64;
    (whole + JULIAN_EPOCH) + part
}

/// Microseconds since 1970 of seconds as a float, if that float is the nearest to those microseconds.
pub fn from_unix_seconds(seconds: f64) -> Option<i64> {
    let micros = (seconds * 1e6).round();
    (seconds.is_finite() && micros.abs() < 9.0e18 && micros / 1e6 == seconds).then_some(micros as i64)
}

/// Reads a UUID of 36 characters with hyphens in their places, or of 32 hexadecimal digits, in either case.
pub fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let hyphenated = match text.len() {
        32 => false,
        36 if [8, 13, 18, 23].iter().all(|at| text[*at] == b'-') => true,
        _ => return None,
    };
    let mut out = [0u8; 16];
    let mut at = 0;
    for (index, byte) in out.iter_mut().enumerate() {
        if hyphenated && matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        *byte = nibble(text[at])? << 4 | nibble(text[at + 1])?;
        at += 2;
    }
    Some(out)
}

fn nibble(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|d| d as u8)
}

/// The usual 36 characters of a UUID, lower case.
pub fn format_uuid(uuid: &[u8; 16]) -> String {
    let hex = crate::digest::hex(uuid);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// `YYYY-MM-DD`, with ` BC` before year 1; the infinities by name.
pub fn format_date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        days => {
            let (year, month, day) = civil_from_days(i64::from(days));
            if year > 0 {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{:04}-{month:02}-{day:02} BC", 1 - year)
            }
        }
    }
}

/// `HH:MM:SS` with microseconds where there are any.
pub fn format_time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}") }
}

/// `±HH:MM`, with seconds where there are any.
pub fn format_offset(seconds_east: i32) -> String {
    let (sign, seconds) = (if seconds_east < 0 { '-' } else { '+' }, seconds_east.abs());
    let offset = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 == 0 { offset } else { format!("{offset}:{:02}", seconds % 60) }
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff]`; the infinities by name.
pub fn format_timestamp(micros: i64) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        micros => {
            let days = micros.div_euclid(DAY);
            let time = format_time(micros.rem_euclid(DAY));
            let date = format_date(days as i32);
            match date.strip_suffix(" BC") {
                Some(date) => format!("{date} {time} BC"),
                None => format!("{date} {time}"),
            }
        }
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date.
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The proleptic Gregorian date of days since 1970-01-01: year (0 is 1 BC), month, day. Same source, `civil_from_days`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_index + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_19_and_26_characters_is_one_moment() {
        let plain = parse_timestamp("2025-01-02 03:04:05").unwrap();
        assert_eq!(plain, parse_timestamp("2025-01-02 03:04:05.000000").unwrap());
        assert_eq!(plain, parse_timestamp("2025-01-02T03:04:05").unwrap());
        assert_eq!(format_timestamp(plain.local), "2025-01-02 03:04:05");
        assert_eq!(
            parse_timestamp("2025-01-02 03:04:05.5+01:00").unwrap().utc(),
            plain.local - 3_599_500_000
        );
        assert_eq!(parse_timestamp("2025-01-02 03:04:05Z").unwrap().offset, Some(0));
        assert_eq!(parse_timestamp("1969-12-31").unwrap().local, -DAY);
    }

    #[test]
    fn what_is_no_moment_or_too_fine_is_refused() {
        for text in [
            "",
            "now",
            "2025-1-2",
            "2025-02-30",
            "2025-01-02 25:00:00",
            "2025-01-02 24:00:01",
            "2025-01-02 ",
            "2025-01-02 03:04:05.1234567",
            "2025-01-02 03:04:60",
            "20250102",
            "2025-01-02 03:04:05 ",
            "2025-01-02 03:04.5",
            "2025-01-02 03:04:05+1",
            "日本語日本語",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
        assert!(parse_timestamp("2025-01-02 03:04:05.123456000").is_some());
    }

    #[test]
    fn days_and_dates_are_inverse_over_both_calendars_ends() {
        for days in (-2_500_000..2_500_000).step_by(997) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(format_date(0), "1970-01-01");
        assert_eq!(format_date(-719_528), "0001-01-01 BC");
        assert_eq!(parse_date("2000-02-29"), Some(11_016));
    }

    #[test]
    fn numbers_that_mean_instants_are_exact_or_refused() {
        let micros = parse_timestamp("2025-06-01 12:34:56").unwrap().local;
        assert_eq!(from_julian_day(to_julian_day(micros)).map(to_julian_day), Some(to_julian_day(micros)));
        assert_eq!(from_julian_day(2_440_587.5), Some(0));
        assert_eq!(from_unix_seconds(1.5), Some(1_500_000));
        assert_eq!(from_unix_seconds(1e-9), None);
        assert_eq!(from_unix_seconds(f64::NAN), None);
    }

    #[test]
    fn uuids_of_each_form_are_one_value() {
        let uuid = parse_uuid(b"01234567-89ab-cdef-0123-456789abcdef").unwrap();
        assert_eq!(parse_uuid(b"0123456789ABCDEF0123456789abcdef"), Some(uuid));
        assert_eq!(format_uuid(&uuid), "01234567-89ab-cdef-0123-456789abcdef");
        for text in [
            "",
            "blk_ai_analysis",
            "0123456789abcdef0123456789abcdeg",
            "01234567+89ab-cdef-0123-456789abcdef",
        ] {
            assert_eq!(parse_uuid(text.as_bytes()), None);
        }
    }
}
