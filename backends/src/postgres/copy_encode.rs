//! Rows into Postgres's binary COPY format. No I/O.
//!
//! The format is that of <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.55.9.4>: a header, one tuple per
//! row (a 16-bit count of fields, then each field as a 32-bit length, −1 for NULL, and its payload), a trailer. All
//! numbers are big-endian. Payloads are those of each type's `*_recv` function in `src/backend/utils/adt`.

use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value, escape};

use super::{numeric, types};

/// What a COPY stream begins with: the signature, no flags, no header extension.
pub(crate) const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What a COPY stream ends with: a tuple of −1 fields.
pub(crate) const TRAILER: [u8; 2] = [0xff, 0xff];

/// The most bytes of one encoded row. A value may have `MaxAllocSize`, 1 GiB − 1; and what COPY or a query sends back
/// is built as one such value per row, so a row of more than that could be written but never read again.
pub(super) const MAX_ROW: usize = 0x3fff_ffff - 4096;

/// Days from 1970-01-01 to 2000-01-01, where Postgres's dates begin.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// The same in microseconds, for its timestamps.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * trimaran_core::temporal::DAY;

/// The first day that Postgres keeps, 4714-11-24 BC (`DATETIME_MIN_JULIAN`), in days since 2000.
pub(super) const MIN_DATE: i32 = -2_451_545;

/// The first day past what Postgres keeps, 5874898-01-01 (`DATE_END_JULIAN`), in days since 2000.
pub(super) const END_DATE: i32 = 2_145_031_949;

/// The first microsecond that Postgres keeps (`MIN_TIMESTAMP`), since 2000.
pub(super) const MIN_TIMESTAMP: i64 = -211_813_488_000_000_000;

/// The first microsecond past what Postgres keeps, 294277-01-01 (`END_TIMESTAMP`), since 2000.
pub(super) const END_TIMESTAMP: i64 = 9_223_371_331_200_000_000;

/// Offsets from UTC stay below sixteen hours (`TZDISP_LIMIT`), in seconds.
pub(super) const OFFSET_LIMIT: i32 = 16 * 3600;

/// The most dimensions of an array (`MAXDIM`).
const MAX_DIMENSIONS: usize = 6;

/// Why a value can't be held.
type Refusal = std::borrow::Cow<'static, str>;

/// Appends one tuple. On failure `out` is as it was.
///
/// # Errors
/// [`ErrorKind::Invalid`] if a value is of another kind than its type keeps or can't be held by Postgres, naming its
/// ordinal, counted from 1. The value itself is not shown.
pub(crate) fn encode_row(types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    if types.len() != row.len() {
        return Err(refused().context(format!("{} values for {} columns", row.len(), types.len())));
    }
    let Ok(count) = i16::try_from(row.len()) else {
        return Err(refused().context(format!("{} columns; Postgres has at most 1600", row.len())));
    };
    out.extend_from_slice(&count.to_be_bytes());
    for (ordinal, (logical, value)) in types.iter().zip(row).enumerate() {
        if let Err(reason) = encode_field(logical, value, out) {
            out.truncate(start);
            return Err(refused().context(format!("value {} ({logical}): {reason}", ordinal + 1)));
        }
        if out.len() - start > MAX_ROW {
            let size = out.len() - start;
            out.truncate(start);
            return Err(refused().context(format!(
                "value {} ({logical}) makes a row of {size} bytes; Postgres gives back at most {MAX_ROW}",
                ordinal + 1
            )));
        }
    }
    Ok(())
}

fn refused() -> Error {
    Error::new(ErrorKind::Invalid, "encode a row for Postgres")
}

fn encode_field(logical: &LogicalType, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match (logical, value) {
        (_, Value::Null) => out.extend_from_slice(&(-1i32).to_be_bytes()),
        (LogicalType::Bool, Value::Bool(v)) => fixed(out, [u8::from(*v)]),
        (LogicalType::Int16, Value::Int(v)) => {
            fixed(out, i16::try_from(*v).map_err(|_| "beyond 16 bits")?.to_be_bytes());
        }
        (LogicalType::Int32, Value::Int(v)) => {
            fixed(out, i32::try_from(*v).map_err(|_| "beyond 32 bits")?.to_be_bytes());
        }
        (LogicalType::Int64, Value::Int(v)) => fixed(out, v.to_be_bytes()),
        (LogicalType::Float32, Value::Float32(v)) => fixed(out, v.to_bits().to_be_bytes()),
        (LogicalType::Float64, Value::Float64(v)) => fixed(out, v.to_bits().to_be_bytes()),
        (LogicalType::Numeric, v) => number(v, None, out)?,
        (LogicalType::Decimal { precision, scale }, v) => number(v, Some((*precision, *scale)), out)?,
        (LogicalType::Text, Value::Text(v)) | (LogicalType::Json, Value::Json(v)) => {
            text(v)?;
            variable(out, v)?;
        }
        (LogicalType::Bytes, Value::Bytes(v)) => variable(out, v)?,
        (LogicalType::Uuid, Value::Uuid(v)) => fixed(out, *v),
        (LogicalType::Date, Value::Date(v)) => fixed(out, date(*v)?.to_be_bytes()),
        (LogicalType::Time, Value::Time(v)) => fixed(out, time(*v)?.to_be_bytes()),
        (LogicalType::TimeTz, Value::TimeTz(v, east)) => {
            if east.abs() >= OFFSET_LIMIT {
                return Err("an offset of 16 hours or more".into());
            }
            out.extend_from_slice(&12i32.to_be_bytes());
            out.extend_from_slice(&time(*v)?.to_be_bytes());
            // Postgres counts seconds west of UTC here.
            out.extend_from_slice(&(-east).to_be_bytes());
        }
        (LogicalType::Timestamp, Value::Timestamp(v)) | (LogicalType::TimestampTz, Value::TimestampTz(v)) => {
            fixed(out, timestamp(*v)?.to_be_bytes())
        }
        (LogicalType::Interval, Value::Interval(months, days, micros)) => {
            out.extend_from_slice(&16i32.to_be_bytes());
            out.extend_from_slice(&micros.to_be_bytes());
            out.extend_from_slice(&days.to_be_bytes());
            out.extend_from_slice(&months.to_be_bytes());
        }
        (LogicalType::Bits, Value::Bits(count, v)) => bits(*count, v, out)?,
        (LogicalType::List(element), Value::List(values)) => list(element, values, out)?,
        (_, other) => return Err(format!("it is {}", other.kind()).into()),
    }
    Ok(())
}

fn fixed<const N: usize>(out: &mut Vec<u8>, payload: [u8; N]) {
    out.extend_from_slice(&(N as i32).to_be_bytes());
    out.extend_from_slice(&payload);
}

fn variable(out: &mut Vec<u8>, payload: &[u8]) -> Result<(), Refusal> {
    if payload.len() > MAX_ROW {
        return Err(too_long(payload.len()));
    }
    out.extend_from_slice(&(payload.len() as i32).to_be_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// Appends a payload whose length is known only afterwards.
fn measured(
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    payload(out)?;
    let length = out.len() - start - 4;
    if length > MAX_ROW {
        return Err(too_long(length));
    }
    out[start..start + 4].copy_from_slice(&(length as i32).to_be_bytes());
    Ok(())
}

fn too_long(length: usize) -> Refusal {
    format!("{length} bytes; Postgres holds at most {MAX_ROW}").into()
}

fn number(value: &Value<'_>, limit: Option<(u16, u16)>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    measured(out, |out| match value {
        Value::Decimal(v) => Ok(numeric::encode(v, limit, out)?),
        Value::Int(v) => Ok(numeric::encode_int(*v, limit, out)?),
        other => Err(format!("it is {}", other.kind()).into()),
    })
}

fn text(text: &[u8]) -> Result<(), Refusal> {
    if memchr::memchr(0, text).is_some() {
        return Err("it has a NUL character (U+0000)".into());
    }
    if escape::is_utf8(text) {
        return Ok(());
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it is no UTF-8 from byte {}", error.valid_up_to()).into()),
    }
}

fn date(days: i32) -> Result<i32, Refusal> {
    match days {
        i32::MAX | i32::MIN => Ok(days),
        days => days
            .checked_sub(EPOCH_DAYS)
            .filter(|d| (MIN_DATE..END_DATE).contains(d))
            .ok_or_else(|| "before 4713 BC or after 5874897".into()),
    }
}

fn time(micros: i64) -> Result<i64, Refusal> {
    if (0..=trimaran_core::temporal::DAY).contains(&micros) {
        Ok(micros)
    } else {
        Err("outside 00:00 to 24:00".into())
    }
}

fn timestamp(micros: i64) -> Result<i64, Refusal> {
    match micros {
        i64::MAX | i64::MIN => Ok(micros),
        micros => micros
            .checked_sub(EPOCH_MICROS)
            .filter(|t| (MIN_TIMESTAMP..END_TIMESTAMP).contains(t))
            .ok_or_else(|| "before 4713 BC or after 294276".into()),
    }
}

fn bits(count: u32, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let Ok(signed) = i32::try_from(count) else {
        return Err(format!("{count} bits; Postgres holds at most {}", i32::MAX).into());
    };
    let padding = bytes.last().is_some_and(|last| !count.is_multiple_of(8) && last << (count % 8) != 0);
    if bytes.len() != count.div_ceil(8) as usize || padding {
        return Err(format!("{count} bits in {} bytes, or padded with ones", bytes.len()).into());
    }
    measured(out, |out| {
        out.extend_from_slice(&signed.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    })
}

/// Appends an array's payload, without its length.
///
/// # Errors
/// [`ErrorKind::Invalid`] as for [`encode_row`].
pub(super) fn encode_array(element: &LogicalType, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
    // Such an array is taken apart again, and with it would be the lists.
    if matches!(element, LogicalType::List(_)) {
        return Err(refused().context("an array whose elements are lists"));
    }
    elements(element, values, out).map_err(|reason| refused().context(reason))
}

/// An array counted from 1; the empty array has no dimension.
fn list(element: &LogicalType, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), Refusal> {
    measured(out, |out| elements(element, values, out))
}

/// A list of lists is an array of several dimensions, and Postgres has only regular ones: in each dimension all lists have
/// one length, none is NULL, and none is empty.
fn elements(element: &LogicalType, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let oid = types::element_oid(element.scalar()).ok_or("a list of what has no arrays")?;
    let mut lengths = Vec::new();
    if !values.is_empty() {
        shape(element, values, &mut lengths)?;
    }
    let mut leaves = Vec::new();
    gather(element, values, &mut leaves);
    let nulls = leaves.iter().any(|value| value.is_null());
    out.extend_from_slice(&(lengths.len() as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(nulls).to_be_bytes());
    out.extend_from_slice(&oid.to_be_bytes());
    for length in &lengths {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&1i32.to_be_bytes());
    }
    for (index, value) in leaves.into_iter().enumerate() {
        encode_field(element.scalar(), value, out)
            .map_err(|reason| Refusal::from(format!("element {}: {reason}", index + 1)))?;
    }
    Ok(())
}

/// The lengths of an array's dimensions, the outermost first.
fn shape(element: &LogicalType, values: &[Value<'_>], lengths: &mut Vec<i32>) -> Result<(), Refusal> {
    lengths.push(i32::try_from(values.len()).map_err(|_| "a list of over 2,147,483,647 elements")?);
    if lengths.len() > MAX_DIMENSIONS {
        return Err("lists nested deeper than the six dimensions of an array".into());
    }
    let LogicalType::List(inner) = element else { return Ok(()) };
    let depth = lengths.len();
    for (at, value) in values.iter().enumerate() {
        let Value::List(values) = value else { return Err("a list of lists with NULL for a list".into()) };
        let mut these = lengths[..depth].to_vec();
        if values.is_empty() {
            return Err("a list of lists with an empty list".into());
        }
        shape(inner, values, &mut these)?;
        if at == 0 {
            *lengths = these;
        } else if *lengths != these {
            return Err("a list of lists of different lengths".into());
        }
    }
    Ok(())
}

/// The values that are no lists, in order.
fn gather<'v, 'a>(element: &LogicalType, values: &'v [Value<'a>], leaves: &mut Vec<&'v Value<'a>>) {
    match element {
        LogicalType::List(inner) => values.iter().for_each(|value| {
            if let Value::List(values) = value {
                gather(inner, values, leaves);
            }
        }),
        _ => leaves.extend(values),
    }
}

#[cfg(test)]
mod tests;
