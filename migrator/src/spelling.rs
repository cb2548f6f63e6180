//! How a source without date types spells the moments of a column, where it does so throughout: for a way back that leaves
//! an application the letters that it compares.

use serde::{Deserialize, Serialize};
use trimaran_core::temporal;

/// A spelling of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spelling {
    /// Whether a `T` stands between date and time, and not a blank.
    pub t: bool,
    /// How fractions of seconds are written.
    pub fraction: Fraction,
    /// What stands behind the time.
    pub zone: Zone,
}

/// How fractions of seconds are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fraction {
    /// None, or six digits.
    Plain,
    /// None, three or six digits, as few as say it.
    Short,
    /// Three digits always, as JavaScript's `toISOString` has them; six where three don't say it.
    Three,
    /// Six digits always.
    Six,
}

/// What stands behind the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Nothing.
    None,
    /// `Z`.
    Z,
    /// `+00:00`.
    Offset,
}

impl Spelling {
    /// The text of a moment; `None` for the infinities and what lies before the year 1, which have another.
    pub fn write(self, micros: i64) -> Option<String> {
        let plain = temporal::format_timestamp(micros);
        if plain.ends_with(" BC") || matches!(micros, i64::MAX | i64::MIN) {
            return None;
        }
        let (date, time) = plain.split_once(' ')?;
        let clock = time.get(..8)?;
        let fraction = micros.rem_euclid(1_000_000);
        let fraction = match self.fraction {
            Fraction::Plain | Fraction::Short if fraction == 0 => String::new(),
            Fraction::Short | Fraction::Three if fraction % 1_000 == 0 => format!(".{:03}", fraction / 1_000),
            _ => format!(".{fraction:06}"),
        };
        let zone = match self.zone {
            Zone::None => "",
            Zone::Z => "Z",
            Zone::Offset => "+00:00",
        };
        Some(format!("{date}{}{clock}{fraction}{zone}", if self.t { 'T' } else { ' ' }))
    }
}

/// The spellings that all texts seen so far may have.
#[derive(Debug, Clone, Default)]
pub struct Spellings {
    seen: Option<Seen>,
    mixed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    t: bool,
    zone: Zone,
    plain: bool,
    short: bool,
    three: bool,
    six: bool,
}

impl Spellings {
    /// Looks at a text that says a moment.
    pub fn add(&mut self, text: &str) {
        if self.mixed {
            return;
        }
        let Some(found) = seen(text) else {
            self.mixed = true;
            return;
        };
        self.see(found);
    }

    /// Takes in what was seen of other texts.
    pub fn merge(&mut self, other: &Self) {
        self.mixed |= other.mixed;
        if let Some(found) = other.seen {
            self.see(found);
        }
    }

    fn see(&mut self, found: Seen) {
        match &mut self.seen {
            None => self.seen = Some(found),
            Some(all) if (all.t, all.zone) == (found.t, found.zone) => {
                all.plain &= found.plain;
                all.short &= found.short;
                all.three &= found.three;
                all.six &= found.six;
            }
            Some(_) => self.mixed = true,
        }
    }

    /// The one spelling, if there is one and it is not the one that this program writes anyway.
    pub fn unusual(&self) -> Option<Spelling> {
        let seen = self.seen.filter(|_| !self.mixed)?;
        let fraction = match seen {
            Seen { plain: true, .. } => Fraction::Plain,
            Seen { three: true, .. } => Fraction::Three,
            Seen { short: true, .. } => Fraction::Short,
            Seen { six: true, .. } => Fraction::Six,
            _ => return None,
        };
        let usual = !seen.t && fraction == Fraction::Plain && seen.zone != Zone::Offset;
        (!usual).then_some(Spelling { t: seen.t, fraction, zone: seen.zone })
    }
}

fn seen(text: &str) -> Option<Seen> {
    let t = match text.as_bytes().get(10)? {
        b'T' => true,
        b' ' => false,
        _ => return None,
    };
    let (rest, zone) = match text.get(19..)? {
        rest if rest.ends_with('Z') => (&rest[..rest.len() - 1], Zone::Z),
        rest if rest.ends_with("+00:00") => (&rest[..rest.len() - 6], Zone::Offset),
        rest => (rest, Zone::None),
    };
    let found = |plain, short, three, six| Some(Seen { t, zone, plain, short, three, six });
    match rest.strip_prefix('.') {
        None if rest.is_empty() => found(true, true, false, false),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.len() {
            6 => found(digits != "000000", !digits.ends_with("000"), false, true),
            3 => found(false, digits != "000", true, false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<Spelling> {
        let mut spellings = Spellings::default();
        texts.iter().for_each(|text| spellings.add(text));
        spellings.unusual()
    }

    #[test]
    fn the_one_spelling_of_a_column_is_told_and_written_again() {
        let columns: [&[&str]; 7] = [
            &["2025-02-03 04:05:06.000000", "2025-02-03 04:05:06.789012"],
            &["2025-02-03 04:05:06.789", "2025-02-03 04:05:06"],
            &["2025-02-03T04:05:06", "2025-02-03T04:05:06.000001"],
            &["2025-02-03T04:05:06Z", "2025-02-03T04:05:06.789Z"],
            &["2025-02-03T04:05:06.000Z", "2025-02-03T04:05:06.789Z"],
            &["2025-02-03T04:05:06+00:00"],
            &["0001-01-01 00:00:00.000000"],
        ];
        for texts in columns {
            let spelling = of(texts).unwrap_or_else(|| panic!("{texts:?}"));
            for text in texts {
                let moment = temporal::parse_timestamp(text).unwrap();
                assert_eq!(spelling.write(moment.utc()).as_deref(), Some(*text));
            }
        }
        assert_eq!(of(&["2025-02-03 04:05:06", "2025-02-03 04:05:06.789012"]), None, "the usual one");
        assert_eq!(of(&["2025-02-03 04:05:06", "2025-02-03T04:05:06"]), None);
        assert_eq!(of(&["2025-02-03 04:05:06+02:00"]), None);
        assert_eq!(of(&["2025-02-03 04:05:06.7"]), None);
    }
}
