//! How each logical type is kept in SQLite, and back.
//!
//! | logical type | storage class | form |
//! |---|---|---|
//! | boolean | INTEGER | 0 or 1 |
//! | smallint, integer, bigint | INTEGER | the number |
//! | real, double precision | REAL | the number; a real is widened, which is exact |
//! | numeric, with digits or without | TEXT | canonical decimal ([`trimaran_core::decimal`]) |
//! | text, json | TEXT | as it is, U+0000 and bytes that are no UTF-8 included |
//! | bytea | BLOB | as it is |
//! | uuid | TEXT | 36 characters, lower case |
//! | date | TEXT | `YYYY-MM-DD`, ` BC` behind it before year 1, `infinity`, `-infinity` |
//! | time | TEXT | `HH:MM:SS[.ffffff]` |
//! | time with time zone | TEXT | `HH:MM:SS[.ffffff]±HH:MM[:SS]` |
//! | timestamp | TEXT | `YYYY-MM-DD HH:MM:SS[.ffffff]`, ` BC` behind it, the infinities by name |
//! | timestamp with time zone | TEXT | the same in UTC, with `Z` behind the time |
//! | interval | TEXT | ISO 8601 with a sign in each part: `P14M-3DT-0.5S` |
//! | bit varying | TEXT | digits 0 and 1 |
//! | list | TEXT | JSON array, see [`super::list`] |
//!
//! Every row is exactly invertible: [`from_stored`] undoes [`to_stored`]. What a form can't hold is refused, not bent:
//! NaN, which SQLite turns into NULL; the negative zero, which a column of REAL affinity turns into zero. The columns' declared types ([`LogicalType::stored_as`]) have affinities that leave these forms alone:
//! TEXT, or for the names that contain `INT` (`INTERVAL TEXT`, `LIST OF BIGINT`) INTEGER, which converts only text that
//! looks like a number, as no interval and no array does.

use std::borrow::Cow;

use trimaran_core::{LogicalType, Value, decimal, temporal};

use super::list;

/// Offsets from UTC stay below sixteen hours, in seconds: others are no time of day when they are read.
const OFFSET_LIMIT: i32 = 16 * 3600;

/// The value that SQLite keeps for `value`, which is NULL or of the kind that `logical` has; `Err` says why there is none.
pub fn to_stored<'v>(logical: &LogicalType, value: &'v Value<'_>) -> Result<Value<'v>, String> {
    use LogicalType as L;
    let text = |text: String| Ok(Value::Text(Cow::Owned(text.into_bytes())));
    match (logical, value) {
        (_, Value::Null) => Ok(Value::Null),
        (L::Bool, Value::Bool(v)) => Ok(Value::Int(i64::from(*v))),
        (L::Int16 | L::Int32 | L::Int64, Value::Int(v)) => Ok(Value::Int(*v)),
        (L::Float32, Value::Float32(v)) => real(f64::from(*v)),
        (L::Float64, Value::Float64(v)) => real(*v),
        (L::Decimal { .. } | L::Numeric, Value::Decimal(v)) => Ok(Value::Text(Cow::Borrowed(v.as_bytes()))),
        (L::Text, Value::Text(v)) | (L::Json, Value::Json(v)) => Ok(Value::Text(Cow::Borrowed(v))),
        (L::Bytes, Value::Bytes(v)) => Ok(Value::Bytes(Cow::Borrowed(v))),
        (L::Uuid, Value::Uuid(v)) => text(temporal::format_uuid(v)),
        (L::Date, Value::Date(v)) => text(temporal::format_date(*v)),
        (L::Time, Value::Time(v)) => text(clock(*v)?),
        (L::TimeTz, Value::TimeTz(_, offset)) if offset.abs() >= OFFSET_LIMIT => {
            Err("its offset is 16 hours or more".to_owned())
        }
        (L::TimeTz, Value::TimeTz(v, offset)) => text(clock(*v)? + &temporal::format_offset(*offset)),
        (L::Timestamp, Value::Timestamp(v)) => text(temporal::format_timestamp(*v)),
        (L::TimestampTz, Value::TimestampTz(v)) => text(zoned(*v)),
        (L::Interval, Value::Interval(months, days, micros)) => text(interval(*months, *days, *micros)),
        (L::Bits, Value::Bits(count, bytes)) => bits(*count, bytes).map(|b| Value::Text(Cow::Owned(b))),
        (L::List(element), Value::List(values)) => text(list::encode(element, values)?),
        (logical, value) => Err(format!("a {} is not what {logical} keeps", value.kind())),
    }
}

fn real(value: f64) -> Result<Value<'static>, String> {
    if value.is_nan() {
        return Err("SQLite turns NaN into NULL".to_owned());
    }
    if value == 0.0 && value.is_sign_negative() {
        return Err("SQLite turns the negative zero into zero".to_owned());
    }
    Ok(Value::Float64(value))
}

fn clock(micros: i64) -> Result<String, String> {
    if (0..=temporal::DAY).contains(&micros) {
        Ok(temporal::format_time(micros))
    } else {
        Err(format!("{micros} µs is no time of day"))
    }
}

fn zoned(micros: i64) -> String {
    let text = temporal::format_timestamp(micros);
    match text.strip_suffix(" BC") {
        _ if matches!(micros, i64::MAX | i64::MIN) => text,
        Some(moment) => format!("{moment}Z BC"),
        None => text + "Z",
    }
}

fn interval(months: i32, days: i32, micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (seconds, fraction) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("P{months}M{days}DT{sign}{seconds}{fraction}S")
}

fn bits(count: u32, bytes: &[u8]) -> Result<Vec<u8>, String> {
    if bytes.len() as u64 != u64::from(count).div_ceil(8) {
        return Err(format!("{count} bits are not held by {} bytes", bytes.len()));
    }
    let bit = |at: u32| bytes.get(at as usize / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    Ok((0..count).map(|at| b'0' + bit(at)).collect())
}

/// The value of type `logical` that was kept as `stored`; `None` if it was not kept in the form of the table above.
pub fn from_stored<'v>(logical: &LogicalType, stored: &'v Value<'_>) -> Option<Value<'v>> {
    use LogicalType as L;
    match (logical, stored) {
        (_, Value::Null) => Some(Value::Null),
        (L::Bool, Value::Int(v @ 0..=1)) => Some(Value::Bool(*v == 1)),
        (L::Int16 | L::Int32 | L::Int64, Value::Int(v)) => Some(Value::Int(*v)),
        (L::Float32, Value::Float64(v)) => {
            let narrow = *v as f32;
            (f64::from(narrow).to_bits() == v.to_bits()).then_some(Value::Float32(narrow))
        }
        (L::Float64, Value::Float64(v)) => Some(Value::Float64(*v)),
        (L::Bytes, Value::Bytes(v)) => Some(Value::Bytes(Cow::Borrowed(v))),
        (L::Text, Value::Text(v)) => Some(Value::Text(Cow::Borrowed(v))),
        (L::Json, Value::Text(v)) => Some(Value::Json(Cow::Borrowed(v))),
        (L::Uuid, Value::Text(v)) => temporal::parse_uuid(v).map(Value::Uuid),
        (logical, Value::Text(v)) => from_text(logical, std::str::from_utf8(v).ok()?),
        _ => None,
    }
}

fn from_text<'v>(logical: &LogicalType, text: &'v str) -> Option<Value<'v>> {
    use LogicalType as L;
    Some(match logical {
        L::Decimal { .. } | L::Numeric => Value::Decimal(decimal::canonical(text)?),
        L::Date => Value::Date(day(text)?),
        L::Time => Value::Time(temporal::parse_time(text)?),
        L::TimeTz => {
            let (micros, offset) = temporal::parse_time_tz(text)?;
            Value::TimeTz(micros, offset)
        }
        L::Timestamp => Value::Timestamp(moment(text)?),
        L::TimestampTz => Value::TimestampTz(match text {
            "infinity" | "-infinity" => moment(text)?,
            _ => match text.strip_suffix("Z BC") {
                Some(moment_bc) => moment(&format!("{moment_bc} BC"))?,
                None => moment(text.strip_suffix('Z')?)?,
            },
        }),
        L::Interval => {
            let (months, rest) = text.strip_prefix('P')?.split_once('M')?;
            let (days, time) = rest.split_once("DT")?;
            Value::Interval(months.parse().ok()?, days.parse().ok()?, seconds(time.strip_suffix('S')?)?)
        }
        L::Bits => {
            let mut bytes = vec![0u8; text.len().div_ceil(8)];
            for (at, digit) in text.bytes().enumerate() {
                match digit {
                    b'0' => {}
                    b'1' => bytes[at / 8] |= 0x80 >> (at % 8),
                    _ => return None,
                }
            }
            Value::Bits(u32::try_from(text.len()).ok()?, Cow::Owned(bytes))
        }
        L::List(element) => Value::List(list::decode(element, text)?),
        _ => return None,
    })
}

/// Undoes [`temporal::format_date`], whose years have four digits or more.
fn day(text: &str) -> Option<i32> {
    match text {
        "infinity" => return Some(i32::MAX),
        "-infinity" => return Some(i32::MIN),
        _ => {}
    }
    let (date, before) = text.strip_suffix(" BC").map_or((text, false), |date| (date, true));
    // The longest that was ever written has a year of seven digits; numbers beyond need not be computed with.
    if date.len() > 13 {
        return None;
    }
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let days = temporal::days_from_civil(if before { 1 - year } else { year }, month, day);
    let days = i32::try_from(days).ok()?;
    // A day that the calendar does not have would have been written as another.
    (temporal::format_date(days) == text).then_some(days)
}

/// Undoes [`temporal::format_timestamp`].
fn moment(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (moment, era) = text.strip_suffix(" BC").map_or((text, ""), |moment| (moment, " BC"));
    let (date, time) = moment.split_once(' ')?;
    let days = day(&format!("{date}{era}"))?;
    let micros = i128::from(days) * i128::from(temporal::DAY) + i128::from(temporal::parse_time(time)?);
    i64::try_from(micros).ok()
}

/// Microseconds of seconds with a sign and at most six digits behind the point.
fn seconds(text: &str) -> Option<i64> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if fraction.len() > 6 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let micros = whole.parse::<i128>().ok()? * 1_000_000 + format!("{fraction:0<6}").parse::<i128>().ok()?;
    i64::try_from(if negative { -micros } else { micros }).ok()
}
