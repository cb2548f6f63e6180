//! What values are drawn from, whichever engine says them: the edges, and what lies between.

use super::seed::Seed;

/// What one engine or the other has ever stumbled over in a text.
const PIECES: [&str; 34] = [
    "",
    "a",
    "B",
    " ",
    "'",
    "\"",
    "\\",
    "\\N",
    "\n",
    "\r\n",
    "\t",
    "naïve",
    "日本",
    "🦑",
    "e\u{301}",
    "\u{feff}",
    "\u{200b}",
    "\u{7f}",
    "\u{85}",
    "\u{10ffff}",
    "\u{1a}",
    "\u{1a}0",
    "\u{1a}1",
    "\u{1a}xff",
    "NULL",
    "007",
    "1e5",
    "-0",
    "infinity",
    "NaN",
    "true",
    "{}",
    "2025-02-03 04:05:06",
    "00000000-0000-4000-8000-000000000001",
];

/// What is no UTF-8: a byte by itself, half a pair of surrogates, a character cut short, one beyond the last, a zero in two bytes.
const BROKEN: [&[u8]; 5] = [b"\xff", b"\xed\xa0\x80", b"\xe2\x82", b"\xf4\x90\x80\x80", b"\xc0\x80"];

/// What texts an engine holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// UTF-8 without U+0000.
    NoNul,
    /// UTF-8.
    Utf8,
    /// Any bytes.
    Bytes,
}

pub(super) fn text(seed: &mut Seed, texts: Texts) -> Vec<u8> {
    if texts != Texts::NoNul && seed.one_in(40) {
        // Longer than an index of Postgres takes, in letters that don't compress away.
        return (0..800).flat_map(|_| format!("{:04x}", seed.below(65_536)).into_bytes()).collect();
    }
    let mut text = Vec::new();
    for _ in 0..seed.below(4) {
        text.extend_from_slice(seed.pick(&PIECES).as_bytes());
        if texts != Texts::NoNul && seed.one_in(10) {
            text.push(0);
        }
        if texts == Texts::Bytes && seed.one_in(12) {
            text.extend_from_slice(seed.pick(&BROKEN));
        }
    }
    text
}

pub(super) fn bytes(seed: &mut Seed) -> Vec<u8> {
    let length = if seed.one_in(30) { 3_000 } else { seed.below(20) };
    (0..length).map(|_| seed.next().to_le_bytes()[0]).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    trimaran_core::digest::hex(bytes)
}

/// A whole number in a range, its ends more often than others.
pub(super) fn whole(seed: &mut Seed, least: i128, greatest: i128) -> i128 {
    match seed.below(8) {
        0 => least,
        1 => greatest,
        2 => least + 1,
        3 => greatest - 1,
        4 => 0.max(least),
        5 => 1,
        _ => {
            let drawn = (i128::from(seed.next()) << 63) ^ i128::from(seed.next());
            let small = drawn >> seed.below(126);
            small.clamp(least, greatest)
        }
    }
}

/// The digits of a number of at most `precision` digits, `scale` of them behind the point.
pub(super) fn decimal(seed: &mut Seed, precision: usize, scale: usize) -> String {
    let digits: String = match seed.below(5) {
        0 => "9".repeat(precision),
        1 => "0".repeat(precision),
        2 => "0".repeat(precision - 1) + "1",
        _ => {
            let given = 1 + seed.below(precision);
            let drawn: String = (0..given).map(|_| char::from(b'0' + seed.below(10) as u8)).collect();
            "0".repeat(precision - given) + &drawn
        }
    };
    let (whole, fraction) = digits.split_at(precision - scale);
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if seed.one_in(3) { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A finite real, in digits.
pub(super) fn real(seed: &mut Seed) -> String {
    match seed.below(12) {
        0 => "0.1".to_owned(),
        1 => "5e-324".to_owned(),
        2 => "1.7976931348623157e308".to_owned(),
        3 => "2.2250738585072014e-308".to_owned(),
        4 => "9007199254740993".to_owned(),
        5 => "1e15".to_owned(),
        6 => "3.0".to_owned(),
        7 => "-1e300".to_owned(),
        8 => "1e-7".to_owned(),
        9 => "0.0".to_owned(),
        _ => format!("{:?}", f64::from_bits(seed.next() & !(1 << 62) | (1 << 61)) * 1e150),
    }
}

/// A finite real of 32 bits, in digits.
pub(super) fn small_real(seed: &mut Seed) -> String {
    match seed.below(8) {
        0 => "0.1".to_owned(),
        1 => "1e-45".to_owned(),
        2 => "3.4028235e38".to_owned(),
        3 => "16777217".to_owned(),
        4 => "0.0".to_owned(),
        _ => format!("{:?}", f32::from_bits((seed.next() as u32 & !(1 << 30)) | (1 << 29))),
    }
}

const DOCUMENTS: [&str; 22] = [
    r#"{"b": 1, "a": [1, 2,  3], "b": 2}"#,
    r#""\ud800""#,
    r#""\u0000""#,
    r#"{"\u0000": 1}"#,
    "null",
    "true",
    "1e400",
    "-0",
    "-0.0",
    "0.10",
    "123456789012345678901234567890",
    " [1 , 2] ",
    "[]",
    "{}",
    r#""""#,
    r#"{"": {"": []}}"#,
    r#""naïve \"🦑\" \\ \/""#,
    "5",
    "1.50",
    r#""\ud83e\udd91""#,
    "[[[[[[]]]]]]",
    r#"{"k": "\u001a0"}"#,
];

/// A document of JSON, as somebody wrote it.
pub(super) fn document(seed: &mut Seed) -> String {
    match seed.below(4) {
        0 => {
            let items: Vec<String> = (0..seed.below(4)).map(|_| document(seed)).collect();
            format!("[{}]", items.join(if seed.one_in(2) { "," } else { " ,\n" }))
        }
        1 => {
            let items: Vec<String> =
                (0..seed.below(4)).map(|n| format!("\"k{n}\": {}", document(seed))).collect();
            format!("{{{}}}", items.join(", "))
        }
        _ => seed.pick(&DOCUMENTS).to_owned(),
    }
}

pub(super) fn uuid(seed: &mut Seed) -> String {
    let bits = match seed.below(6) {
        0 => 0,
        1 => u128::MAX,
        2 => 1 << 127,
        _ => (u128::from(seed.next()) << 64) | u128::from(seed.next()),
    };
    uuid::Uuid::from_u128(bits).to_string()
}

/// A day of four digits and more of a year, none before the year 1.
pub(super) fn day(seed: &mut Seed) -> String {
    match seed.below(8) {
        0 => "0001-01-01".to_owned(),
        1 => "9999-12-31".to_owned(),
        2 => "2024-02-29".to_owned(),
        3 => "1970-01-01".to_owned(),
        4 => "1969-12-31".to_owned(),
        5 => "1582-10-10".to_owned(),
        _ => format!("{:04}-{:02}-{:02}", 1900 + seed.below(200), 1 + seed.below(12), 1 + seed.below(28)),
    }
}

/// A time of day with `digits` behind the point.
pub(super) fn clock(seed: &mut Seed, digits: usize) -> String {
    let time = match seed.below(5) {
        0 => "00:00:00".to_owned(),
        1 => "23:59:59".to_owned(),
        _ => format!("{:02}:{:02}:{:02}", seed.below(24), seed.below(60), seed.below(60)),
    };
    let fraction = match seed.below(4) {
        0 => 0,
        1 => 10_usize.pow(digits as u32) - 1,
        _ => seed.below(10_usize.pow(digits as u32)),
    };
    if digits == 0 { time } else { format!("{time}.{fraction:0digits$}") }
}

pub(super) fn offset(seed: &mut Seed) -> String {
    seed.pick(&["+00", "+05:30", "-11", "+15:59:59", "-15:59:59", "-00:00:01"]).to_owned()
}
