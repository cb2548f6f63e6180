//! Postgres's binary COPY format back into rows. No I/O: the stream may be cut anywhere.

use std::borrow::Cow;

use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::copy_encode::{EPOCH_DAYS, EPOCH_MICROS, HEADER};
use super::{numeric, types};

/// What is done with each row.
pub(crate) type OnRow<'f> = dyn FnMut(&[Value<'_>]) -> Result<()> + 'f;

/// Why decoding has ended.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The stream is not what Postgres sends.
    Stream(Error),
    /// A value is damaged, or one that Trimaran can't hold.
    Value {
        /// Its column, counted from 0.
        ordinal: usize,
        /// Why.
        why: Undecodable,
    },
    /// What `on_row` returned.
    Consumer(Error),
}

/// Decodes a stream of binary COPY. Holds no more than one incomplete row.
#[derive(Debug)]
pub(crate) struct Decoder {
    types: Vec<LogicalType>,
    carry: Vec<u8>,
    row: Vec<Value<'static>>,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Rows,
    End,
}

impl Decoder {
    /// A decoder of rows with these columns.
    pub(crate) fn new(types: Vec<LogicalType>) -> Self {
        Self { types, carry: Vec::new(), row: Vec::new(), place: Place::Header }
    }

    /// Takes the next piece of the stream and calls `on_row` with every row that is complete.
    ///
    /// # Errors
    /// The [`Fault`] that ended it; nothing more may be pushed then.
    pub(crate) fn push(&mut self, piece: &[u8], on_row: &mut OnRow<'_>) -> Result<(), Fault> {
        if self.carry.is_empty() {
            // The usual case: messages end where rows end, and nothing is copied.
            let used = self.rows(piece, on_row)?;
            self.carry.extend_from_slice(&piece[used..]);
        } else {
            let mut carry = std::mem::take(&mut self.carry);
            carry.extend_from_slice(piece);
            let used = self.rows(&carry, on_row)?;
            carry.drain(..used);
            self.carry = carry;
        }
        Ok(())
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it was cut off.
    pub(crate) fn finish(self) -> Result<()> {
        if self.place == Place::End && self.carry.is_empty() {
            Ok(())
        } else {
            Err(corrupt("it was cut off"))
        }
    }

    /// Decodes all complete rows of `bytes`: how many bytes they took.
    fn rows(&mut self, bytes: &[u8], on_row: &mut OnRow<'_>) -> Result<usize, Fault> {
        let mut rest = bytes;
        if self.place == Place::Header {
            if rest.len() < HEADER.len() {
                return Ok(0);
            }
            let (header, behind) = rest.split_at(HEADER.len());
            if header != HEADER {
                return Err(torn("it does not begin with the signature, or has unknown flags"));
            }
            self.place = Place::Rows;
            rest = behind;
        }
        while self.place == Place::Rows {
            let Some((count, fields)) = rest.split_first_chunk::<2>() else { break };
            let count = i16::from_be_bytes(*count);
            if count == -1 {
                self.place = Place::End;
                rest = fields;
                break;
            }
            if usize::try_from(count).ok() != Some(self.types.len()) {
                return Err(torn(&format!("a row of {count} fields for {} columns", self.types.len())));
            }
            let Some(length) = complete(fields, self.types.len()).map_err(Fault::Stream)? else { break };
            let mut row = reuse(std::mem::take(&mut self.row));
            let mut cursor = fields;
            for (ordinal, logical) in self.types.iter().enumerate() {
                let field = take_field(&mut cursor).map_err(Fault::Stream)?;
                row.push(decode_field(logical, field).map_err(|why| Fault::Value { ordinal, why })?);
            }
            on_row(&row).map_err(Fault::Consumer)?;
            self.row = reuse(row);
            rest = &fields[length..];
        }
        if self.place == Place::End && !rest.is_empty() {
            return Err(torn("there are bytes behind its end"));
        }
        Ok(bytes.len() - rest.len())
    }
}

/// The bytes that `count` fields take, if they are all there.
fn complete(fields: &[u8], count: usize) -> Result<Option<usize>> {
    let mut rest = fields;
    for _ in 0..count {
        let Some((length, behind)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*length);
        if length < -1 {
            return Err(corrupt("a negative length"));
        }
        let Some(behind) = behind.get(length.max(0) as usize..) else { return Ok(None) };
        rest = behind;
    }
    Ok(Some(fields.len() - rest.len()))
}

fn take_field<'a>(cursor: &mut &'a [u8]) -> Result<Option<&'a [u8]>> {
    let (length, rest) = cursor.split_first_chunk::<4>().ok_or_else(|| corrupt("too few bytes"))?;
    let length = i32::from_be_bytes(*length);
    let Ok(length) = usize::try_from(length) else {
        *cursor = rest;
        return Ok(None);
    };
    let (field, rest) = rest.split_at_checked(length).ok_or_else(|| corrupt("too few bytes"))?;
    *cursor = rest;
    Ok(Some(field))
}

/// The same allocation for values that borrow from somewhere else.
fn reuse<'b>(mut row: Vec<Value<'_>>) -> Vec<Value<'b>> {
    row.clear();
    // Nothing is left to convert; the standard library collects such a chain in place.
    row.into_iter().map(|_| Value::Null).collect()
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "read Postgres's binary COPY stream").context(what.to_owned())
}

fn torn(what: &str) -> Fault {
    Fault::Stream(corrupt(what))
}

/// Why a field could not be decoded.
#[derive(Debug)]
pub(crate) struct Undecodable {
    kind: ErrorKind,
    reason: Cow<'static, str>,
}

impl Undecodable {
    fn corrupt(reason: &'static str) -> Self {
        Self { kind: ErrorKind::Corrupt, reason: reason.into() }
    }

    fn unsupported(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: ErrorKind::Unsupported, reason: reason.into() }
    }

    /// The error for the column at `ordinal`, counted from 0.
    pub(super) fn at(self, ordinal: usize) -> Error {
        Error::new(self.kind, "decode a value from Postgres").context(format!(
            "value {}: {}",
            ordinal + 1,
            self.reason
        ))
    }
}

/// Decodes the payload of one field; `None` is NULL.
pub(super) fn decode_field<'a>(
    logical: &LogicalType,
    field: Option<&'a [u8]>,
) -> Result<Value<'a>, Undecodable> {
    let Some(bytes) = field else { return Ok(Value::Null) };
    Ok(match logical {
        LogicalType::Bool => Value::Bool(array::<1>(bytes)? != [0]),
        LogicalType::Int16 => Value::Int(i16::from_be_bytes(array(bytes)?).into()),
        LogicalType::Int32 => Value::Int(i32::from_be_bytes(array(bytes)?).into()),
        LogicalType::Int64 => Value::Int(i64::from_be_bytes(array(bytes)?)),
        LogicalType::Float32 => Value::Float32(f32::from_bits(u32::from_be_bytes(array(bytes)?))),
        LogicalType::Float64 => Value::Float64(f64::from_bits(u64::from_be_bytes(array(bytes)?))),
        LogicalType::Numeric | LogicalType::Decimal { .. } => {
            Value::Decimal(Cow::Owned(numeric::decode(bytes).map_err(Undecodable::corrupt)?))
        }
        LogicalType::Text => Value::Text(Cow::Borrowed(bytes)),
        LogicalType::Json => Value::Json(Cow::Borrowed(bytes)),
        LogicalType::Bytes => Value::Bytes(Cow::Borrowed(bytes)),
        LogicalType::Uuid => Value::Uuid(array(bytes)?),
        LogicalType::Date => Value::Date(date(i32::from_be_bytes(array(bytes)?))?),
        LogicalType::Time => Value::Time(i64::from_be_bytes(array(bytes)?)),
        LogicalType::TimeTz => {
            let (micros, west) =
                bytes.split_first_chunk().ok_or_else(|| Undecodable::corrupt("a wrong length"))?;
            let east = i32::from_be_bytes(array(west)?)
                .checked_neg()
                .ok_or_else(|| Undecodable::corrupt("an offset out of range"))?;
            Value::TimeTz(i64::from_be_bytes(*micros), east)
        }
        LogicalType::Timestamp => instant(i64::from_be_bytes(array(bytes)?), Value::Timestamp),
        LogicalType::TimestampTz => instant(i64::from_be_bytes(array(bytes)?), Value::TimestampTz),
        LogicalType::Interval => {
            let [micros, rest] = *array::<16>(bytes)?.as_chunks::<8>().0 else {
                return Err(Undecodable::corrupt("a wrong length"));
            };
            let [days, months] = *rest.as_chunks::<4>().0 else {
                return Err(Undecodable::corrupt("a wrong length"));
            };
            Value::Interval(i32::from_be_bytes(months), i32::from_be_bytes(days), i64::from_be_bytes(micros))
        }
        LogicalType::Bits => {
            let (count, bits) =
                bytes.split_first_chunk().ok_or_else(|| Undecodable::corrupt("a wrong length"))?;
            let count = u32::from_be_bytes(*count);
            if bits.len() != count.div_ceil(8) as usize {
                return Err(Undecodable::corrupt("a wrong number of bits"));
            }
            Value::Bits(count, Cow::Borrowed(bits))
        }
        LogicalType::List(element) => list(element, bytes)?,
    })
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Undecodable> {
    bytes.try_into().map_err(|_| Undecodable::corrupt("a wrong length"))
}

fn date(days: i32) -> Result<i32, Undecodable> {
    match days {
        i32::MAX | i32::MIN => Ok(days),
        days => days.checked_add(EPOCH_DAYS).ok_or_else(|| Undecodable::corrupt("a date out of range")),
    }
}

/// A moment. Those after January 294247 are beyond 64 bits since 1970, and told in words.
fn instant(micros: i64, value: impl Fn(i64) -> Value<'static>) -> Value<'static> {
    if matches!(micros, i64::MAX | i64::MIN) {
        return value(micros);
    }
    // `i64::MAX` itself means infinity, so an instant may not land on it either.
    match micros.checked_add(EPOCH_MICROS).filter(|t| *t != i64::MAX) {
        Some(micros) => value(micros),
        None => {
            let seconds = (i128::from(micros) + i128::from(EPOCH_MICROS)) / 1_000_000;
            Value::Text(Cow::Owned(format!("{seconds} seconds since 1970-01-01 00:00:00").into_bytes()))
        }
    }
}

/// An array as a list; one of several dimensions is a list of lists, whatever the column's declaration says of them.
fn list<'a>(element: &LogicalType, bytes: &'a [u8]) -> Result<Value<'a>, Undecodable> {
    let cut = || Undecodable::corrupt("an array that is cut off");
    let mut rest = bytes;
    let mut word = || -> Result<i32, Undecodable> {
        let (head, behind) = rest.split_first_chunk().ok_or_else(cut)?;
        rest = behind;
        Ok(i32::from_be_bytes(*head))
    };
    let (dimensions, _nulls, oid) = (word()?, word()?, word()?);
    let scalar = element.scalar();
    if types::of_oid(oid as u32).as_ref().and_then(types::element_oid) != types::element_oid(scalar) {
        return Err(Undecodable::corrupt("an array of another type"));
    }
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        let (count, first) = (word()?, word()?);
        if first != 1 {
            return Err(Undecodable::unsupported(format!(
                "an array whose elements are counted from {first}; only 1 is supported"
            )));
        }
        lengths.push(usize::try_from(count).map_err(|_| cut())?);
    }
    if lengths.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    let list = dimension(scalar, &lengths, &mut rest)?;
    if rest.is_empty() { Ok(list) } else { Err(cut()) }
}

/// The list of the first of `lengths`, its elements lists of the others.
fn dimension<'a>(
    scalar: &LogicalType,
    lengths: &[usize],
    rest: &mut &'a [u8],
) -> Result<Value<'a>, Undecodable> {
    let cut = || Undecodable::corrupt("an array that is cut off");
    let Some((count, inner)) = lengths.split_first() else {
        let field = take_field(rest).map_err(|_| cut())?;
        return decode_field(scalar, field);
    };
    // Each element takes four bytes at least, so a damaged count can't ask for more memory than there are bytes.
    let mut values = Vec::with_capacity((*count).min(rest.len() / 4));
    for _ in 0..*count {
        if rest.is_empty() {
            return Err(cut());
        }
        values.push(dimension(scalar, inner, rest)?);
    }
    Ok(Value::List(values))
}

#[cfg(test)]
mod tests;
