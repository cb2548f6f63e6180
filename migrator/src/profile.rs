//! What a column of a source without strict types really holds: the base for choosing its type.
//!
//! SQLite keeps any value in any column. Before a plan is made, every value of the columns whose type is in doubt is
//! looked at once, and counted by storage class and by what its text says.

use trimaran_backends::catalog::{Column, Table};
use trimaran_backends::{Chunk, Database, Read, Session};
use trimaran_core::{LogicalType, Result, Value, temporal};

use crate::interrupt;
use crate::mapping::Form;
use crate::spelling::Spellings;
use crate::work;

/// Counts over one column's values.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    integers: u64,
    reals: u64,
    texts: u64,
    blobs: u64,
    /// Integers that are 0 or 1.
    flags: u64,
    /// Integers that a binary64 holds exactly.
    exact: u64,
    /// Integers that would be seconds, milliseconds and microseconds since 1970, by their size; none of them zero.
    units: [u64; 3],
    /// Reals that lie where Julian day numbers of four-digit years lie.
    julian: u64,
    uuids: u64,
    /// Of those, texts without hyphens.
    digits: u64,
    dates: u64,
    times: u64,
    local_moments: u64,
    zoned_moments: u64,
    numbers: u64,
    spellings: Spellings,
}

/// The rows that a thread looks at before it takes more.
const CHUNK_ROWS: u64 = 100_000;

/// Julian day numbers of the years 0000 to 9999, SQLite's range.
const JULIAN_DAYS: std::ops::RangeInclusive<f64> = 1_721_059.5..=5_373_484.5;

impl Profile {
    fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Int(v) => {
                self.integers += 1;
                // In seconds 10¹¹ is the year 5138, in milliseconds it is 1973.
                match v.unsigned_abs() {
                    0 => {}
                    1..100_000_000_000 => self.units[0] += 1,
                    100_000_000_000..100_000_000_000_000 => self.units[1] += 1,
                    _ => self.units[2] += 1,
                }
                self.flags += u64::from(matches!(v, 0 | 1));
                self.exact += u64::from(*v as f64 as i128 == i128::from(*v));
            }
            Value::Float64(v) => {
                self.reals += 1;
                self.julian += u64::from(JULIAN_DAYS.contains(v));
            }
            Value::Text(v) => {
                self.texts += 1;
                let uuid = temporal::parse_uuid(v).is_some();
                self.uuids += u64::from(uuid);
                self.digits += u64::from(uuid && v.len() == 32);
                // Nothing that says a moment or a number is longer; megabyte texts need no look.
                if v.len() <= 64
                    && let Ok(text) = std::str::from_utf8(v)
                {
                    self.dates += u64::from(temporal::parse_date(text).is_some());
                    self.times += u64::from(temporal::parse_time(text).is_some());
                    let moment = temporal::parse_timestamp(text);
                    match &moment {
                        Some(moment) if moment.offset.is_some() => self.zoned_moments += 1,
                        Some(_) => self.local_moments += 1,
                        None => {}
                    }
                    if moment.is_some() {
                        self.spellings.add(text);
                    }
                    self.numbers += u64::from(trimaran_core::decimal::canonical(text).is_some());
                }
            }
            Value::Bytes(v) => {
                self.blobs += 1;
                self.uuids += u64::from(v.len() == 16);
            }
            _ => {}
        }
    }

    fn merge(&mut self, other: &Self) {
        let Profile {
            integers,
            reals,
            texts,
            blobs,
            flags,
            exact,
            units,
            julian,
            uuids,
            digits,
            dates,
            times,
            local_moments,
            zoned_moments,
            numbers,
            spellings,
        } = other;
        self.integers += integers;
        self.reals += reals;
        self.texts += texts;
        self.blobs += blobs;
        self.flags += flags;
        self.exact += exact;
        self.units.iter_mut().zip(units).for_each(|(unit, more)| *unit += more);
        self.julian += julian;
        self.uuids += uuids;
        self.digits += digits;
        self.dates += dates;
        self.times += times;
        self.local_moments += local_moments;
        self.zoned_moments += zoned_moments;
        self.numbers += numbers;
        self.spellings.merge(spellings);
    }

    fn total(&self) -> u64 {
        self.integers + self.reals + self.texts + self.blobs
    }

    /// Whether every value is a UUID in one of its forms; true of a column without values.
    pub fn is_uuid(&self) -> bool {
        self.uuids == self.total()
    }

    /// The form of UUIDs that all values have; `None` where there are no values.
    pub fn uuid_form(&self) -> Option<Form> {
        match self.total() {
            0 => None,
            all if self.blobs == all => Some(Form::UuidBytes),
            all if self.digits == all => Some(Form::UuidDigits),
            _ => Some(Form::Native),
        }
    }

    /// The type and form that fit the values best, given what the declaration suggests. Values that do not fit it are
    /// hazards later; the choice is for the majority.
    pub fn choose(&self, declared: Option<&LogicalType>) -> (LogicalType, Form) {
        let native = |logical: LogicalType| (logical, Form::Native);
        if self.total() == 0 {
            return native(declared.cloned().unwrap_or(LogicalType::Text));
        }
        match declared {
            Some(LogicalType::Uuid) if self.is_uuid() => {
                (LogicalType::Uuid, self.uuid_form().unwrap_or_default())
            }
            Some(LogicalType::Uuid) => self.by_class(),
            Some(LogicalType::Bool) if self.flags * 2 > self.total() => native(LogicalType::Bool),
            Some(LogicalType::Bool) => self.by_class(),
            Some(LogicalType::Date) if self.dates * 2 > self.total() => native(LogicalType::Date),
            Some(LogicalType::Time) if self.times * 2 > self.total() => native(LogicalType::Time),
            Some(LogicalType::Time) => self.by_class(),
            Some(LogicalType::Date | LogicalType::Timestamp | LogicalType::TimestampTz) => self.moment(),
            Some(LogicalType::Numeric | LogicalType::Decimal { .. })
                if (self.integers + self.reals + self.numbers) * 2 <= self.total() =>
            {
                self.by_class()
            }
            Some(other) => native(other.clone()),
            None => self.by_class(),
        }
    }

    fn moment(&self) -> (LogicalType, Form) {
        let texts = self.local_moments + self.zoned_moments;
        if texts * 2 > self.total() {
            let zoned = self.zoned_moments > self.local_moments;
            let logical = if zoned { LogicalType::TimestampTz } else { LogicalType::Timestamp };
            let spelling = self.spellings.unusual().filter(|_| texts == self.total());
            return (logical, spelling.map_or(Form::Native, Form::Written));
        }
        if self.integers * 2 > self.total() {
            // The unit of the most values; what is counted in another is a hazard.
            let [seconds, milliseconds, microseconds] = self.units;
            let form = if microseconds > seconds.max(milliseconds) {
                Form::UnixMicroseconds
            } else if milliseconds > seconds {
                Form::UnixMilliseconds
            } else {
                Form::UnixSeconds
            };
            return (LogicalType::Timestamp, form);
        }
        if self.reals * 2 > self.total() {
            let julian = self.julian * 2 > self.reals;
            return (LogicalType::Timestamp, if julian { Form::JulianDay } else { Form::UnixSeconds });
        }
        self.by_class()
    }

    fn by_class(&self) -> (LogicalType, Form) {
        let numbers = self.integers + self.reals;
        let logical = if self.texts >= numbers.max(self.blobs) {
            LogicalType::Text
        } else if self.blobs >= numbers {
            LogicalType::Bytes
        } else if self.reals == 0 {
            LogicalType::Int64
        } else if self.exact == self.integers {
            LogicalType::Float64
        } else {
            LogicalType::Numeric
        };
        (logical, Form::Native)
    }
}

/// Whether the type of a column can only be told from its values.
pub fn is_in_doubt(column: &Column) -> bool {
    !matches!(
        column.logical,
        Some(
            LogicalType::Int64
                | LogicalType::Float64
                | LogicalType::Text
                | LogicalType::Bytes
                | LogicalType::Json
        )
    )
}

/// Looks at every value of `columns`, one profile each; parts of a large table by up to `jobs` threads with sessions of their own.
///
/// # Errors
/// The engine's, classified; [`trimaran_core::ErrorKind::Interrupted`] if the operator asked to stop.
pub fn profile(
    source: &dyn Database,
    session: &mut dyn Session,
    table: &Table,
    columns: &[Column],
    jobs: usize,
) -> Result<Vec<Profile>> {
    let mut profiles = vec![Profile::default(); columns.len()];
    if columns.is_empty() {
        return Ok(profiles);
    }
    let chunks = session.chunks(table, CHUNK_ROWS)?;
    let look = |session: &mut dyn Session, chunk: Chunk| {
        let mut part = vec![Profile::default(); columns.len()];
        session.read(&Read { table, columns, chunk }, &mut |row| {
            part.iter_mut().zip(row).for_each(|(profile, value)| profile.add(value));
            Ok(())
        })?;
        Ok(part)
    };
    // A session for each of many small tables would cost more than it brings.
    let parts = if let [chunk] = chunks[..] {
        interrupt::check()?;
        vec![look(session, chunk)?]
    } else {
        work::share(
            "plan",
            &chunks,
            jobs,
            || source.session(),
            |session, chunk| look(session.as_mut(), *chunk),
        )?
    };
    for part in parts {
        profiles.iter_mut().zip(&part).for_each(|(profile, more)| profile.merge(more));
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(declared: &str, values: &[Value<'_>]) -> (String, Form) {
        let mut profile = Profile::default();
        values.iter().for_each(|v| profile.add(v));
        let (logical, form) = profile.choose(LogicalType::parse(declared).as_ref());
        (logical.to_string(), form)
    }

    #[test]
    fn the_majority_decides_and_the_rest_are_hazards_later() {
        let uuid = Value::text("0123456789abcdef0123456789abcdef");
        assert_eq!(chosen("uuid", std::slice::from_ref(&uuid)).0, "uuid");
        assert_eq!(chosen("uuid", &[uuid, Value::text("blk_ai")]).0, "text");
        assert_eq!(chosen("uuid", &[]).0, "uuid");
        assert_eq!(chosen("boolean", &[Value::Int(0), Value::Int(1), Value::Int(7)]).0, "boolean");
        assert_eq!(chosen("boolean", &[Value::Int(9)]).0, "bigint");
        assert_eq!(chosen("", &[Value::Int(1), Value::Float64(0.5)]).0, "double precision");
        assert_eq!(chosen("", &[Value::Int(i64::MAX), Value::Float64(0.5)]).0, "numeric");
        assert_eq!(chosen("", &[Value::Null]).0, "text");
        assert_eq!(chosen("date", &[Value::text("2025-01-01 10:00")]).0, "timestamp");
        assert_eq!(chosen("timestamp", &[Value::text("soon")]).0, "text");
    }

    #[test]
    fn the_unit_of_a_counted_moment_is_told_by_its_size() {
        let form = |value| chosen("timestamp", &[value]).1;
        assert_eq!(form(Value::Int(1_700_000_000)), Form::UnixSeconds);
        assert_eq!(form(Value::Int(1_700_000_000_000)), Form::UnixMilliseconds);
        assert_eq!(form(Value::Int(1_700_000_000_000_000)), Form::UnixMicroseconds);
        let mixed = [1_700_000_000, 1_700_000_001, 1_700_000_000_000, 0, 0, 0].map(Value::Int);
        assert_eq!(chosen("timestamp", &mixed).1, Form::UnixSeconds);
        assert_eq!(form(Value::Float64(2_460_000.5)), Form::JulianDay);
        assert_eq!(form(Value::Float64(1_700_000_000.25)), Form::UnixSeconds);
        assert_eq!(chosen("timestamp", &[Value::text("2025-01-01T00:00:00Z")]).0, "timestamp with time zone");
    }

    #[test]
    fn parts_that_are_merged_say_what_the_whole_says() {
        let values = [
            Value::Int(1),
            Value::Int(i64::MAX),
            Value::Int(1_700_000_000_000),
            Value::Float64(2_460_000.5),
            Value::text("0123456789abcdef0123456789abcdef"),
            Value::text("2025-02-03T04:05:06.789Z"),
            Value::text("2025-02-03T04:05:06Z"),
            Value::text("2025-02-03"),
            Value::text("04:05:06"),
            Value::text("1.5"),
            Value::Bytes([0; 16].as_slice().into()),
            Value::Null,
        ];
        let of = |values: &[Value<'_>]| {
            let mut profile = Profile::default();
            values.iter().for_each(|value| profile.add(value));
            profile
        };
        for cut in 0..=values.len() {
            let mut merged = of(&values[..cut]);
            merged.merge(&of(&values[cut..]));
            assert_eq!(format!("{merged:?}"), format!("{:?}", of(&values)), "cut at {cut}");
        }
    }
}
