//! Canonical bytes of a row, and the order-independent sum that proves two tables equal.
//!
//! A row becomes bytes in one way only: each cell is a tag and a payload, variable payloads carry their length, NULL has
//! a tag of its own (so it differs from the empty text), floats are their exact bits. The digest of a row is the SHA-256
//! of those bytes; the digest of a set of rows is the sum of its rows' digests modulo 2²⁵⁶. Addition commutes, so order
//! does not matter; it is not idempotent, so a doubled row shows (with XOR two equal rows would cancel).

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Error, ErrorKind, Result, Value};

const NULL: u8 = 0;
const BOOL: u8 = 1;
const INT: u8 = 2;
const FLOAT32: u8 = 3;
const FLOAT64: u8 = 4;
const DECIMAL: u8 = 5;
const TEXT: u8 = 6;
const BYTES: u8 = 7;
const JSON: u8 = 8;
const UUID: u8 = 9;
const DATE: u8 = 10;
const TIME: u8 = 11;
const TIME_TZ: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_TZ: u8 = 14;
const INTERVAL: u8 = 15;
const BITS: u8 = 16;
const LIST: u8 = 17;

/// How deep lists may lie within lists when they are read, so that damaged bytes don't end the stack. No engine's column has a type so deep.
const DEEPEST: u32 = 128;

/// Appends the canonical bytes of `value` to `out`. Integers are little-endian, lengths are 64 bits.
pub fn encode(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(v) => out.extend([BOOL, u8::from(*v)]),
        Value::Int(v) => fixed(out, INT, &v.to_le_bytes()),
        Value::Float32(v) => fixed(out, FLOAT32, &v.to_bits().to_le_bytes()),
        Value::Float64(v) => fixed(out, FLOAT64, &v.to_bits().to_le_bytes()),
        Value::Decimal(v) => variable(out, DECIMAL, v.as_bytes()),
        Value::Text(v) => variable(out, TEXT, v),
        Value::Bytes(v) => variable(out, BYTES, v),
        Value::Json(v) => variable(out, JSON, v),
        Value::Uuid(v) => fixed(out, UUID, v),
        Value::Date(v) => fixed(out, DATE, &v.to_le_bytes()),
        Value::Time(v) => fixed(out, TIME, &v.to_le_bytes()),
        Value::TimeTz(v, offset) => {
            fixed(out, TIME_TZ, &v.to_le_bytes());
            out.extend(offset.to_le_bytes());
        }
        Value::Timestamp(v) => fixed(out, TIMESTAMP, &v.to_le_bytes()),
        Value::TimestampTz(v) => fixed(out, TIMESTAMP_TZ, &v.to_le_bytes()),
        Value::Interval(months, days, micros) => {
            fixed(out, INTERVAL, &months.to_le_bytes());
            out.extend(days.to_le_bytes());
            out.extend(micros.to_le_bytes());
        }
        Value::Bits(count, v) => {
            fixed(out, BITS, &count.to_le_bytes());
            out.extend((v.len() as u64).to_le_bytes());
            out.extend_from_slice(v);
        }
        Value::List(values) => {
            fixed(out, LIST, &(values.len() as u64).to_le_bytes());
            values.iter().for_each(|v| encode(v, out));
        }
    }
}

fn fixed(out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
    out.push(tag);
    out.extend_from_slice(payload);
}

fn variable(out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
    out.push(tag);
    out.extend((payload.len() as u64).to_le_bytes());
    out.extend_from_slice(payload);
}

/// Replaces the contents of `out` by the canonical bytes of a row: the number of cells, then each.
pub fn encode_row(row: &[Value<'_>], out: &mut Vec<u8>) {
    out.clear();
    append_row(row, out);
}

/// Appends the canonical bytes of a row to `out`.
pub fn append_row(row: &[Value<'_>], out: &mut Vec<u8>) {
    out.extend((row.len() as u32).to_le_bytes());
    row.iter().for_each(|value| encode(value, out));
}

/// Reads one row from the front of `bytes` and moves `bytes` behind it.
///
/// # Errors
/// [`ErrorKind::Corrupt`] if the bytes are not what [`append_row`] writes.
pub fn decode_row<'a>(bytes: &mut &'a [u8]) -> Result<Vec<Value<'a>>> {
    let cells = u32::from_le_bytes(array(bytes)?);
    (0..cells).map(|_| decode(bytes, DEEPEST)).collect()
}

fn decode<'a>(bytes: &mut &'a [u8], depth: u32) -> Result<Value<'a>> {
    let [tag] = array(bytes)?;
    Ok(match tag {
        NULL => Value::Null,
        BOOL => match array(bytes)? {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            _ => return Err(corrupt("a boolean")),
        },
        INT => Value::Int(i64::from_le_bytes(array(bytes)?)),
        FLOAT32 => Value::Float32(f32::from_bits(u32::from_le_bytes(array(bytes)?))),
        FLOAT64 => Value::Float64(f64::from_bits(u64::from_le_bytes(array(bytes)?))),
        DECIMAL => {
            let text = std::str::from_utf8(slice(bytes)?).map_err(|e| corrupt("a decimal").source(e))?;
            Value::Decimal(Cow::Borrowed(text))
        }
        TEXT => Value::Text(Cow::Borrowed(slice(bytes)?)),
        BYTES => Value::Bytes(Cow::Borrowed(slice(bytes)?)),
        JSON => Value::Json(Cow::Borrowed(slice(bytes)?)),
        UUID => Value::Uuid(array(bytes)?),
        DATE => Value::Date(i32::from_le_bytes(array(bytes)?)),
        TIME => Value::Time(i64::from_le_bytes(array(bytes)?)),
        TIME_TZ => Value::TimeTz(i64::from_le_bytes(array(bytes)?), i32::from_le_bytes(array(bytes)?)),
        TIMESTAMP => Value::Timestamp(i64::from_le_bytes(array(bytes)?)),
        TIMESTAMP_TZ => Value::TimestampTz(i64::from_le_bytes(array(bytes)?)),
        INTERVAL => Value::Interval(
            i32::from_le_bytes(array(bytes)?),
            i32::from_le_bytes(array(bytes)?),
            i64::from_le_bytes(array(bytes)?),
        ),
        BITS => Value::Bits(u32::from_le_bytes(array(bytes)?), Cow::Borrowed(slice(bytes)?)),
        LIST => {
            let count = u64::from_le_bytes(array(bytes)?);
            let depth = depth.checked_sub(1).ok_or_else(|| corrupt("lists within lists without end"))?;
            Value::List((0..count).map(|_| decode(bytes, depth)).collect::<Result<_>>()?)
        }
        other => return Err(corrupt(&format!("tag {other}"))),
    })
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or_else(|| corrupt("too few bytes"))?;
    *bytes = rest;
    Ok(*head)
}

fn slice<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length =
        usize::try_from(u64::from_le_bytes(array(bytes)?)).map_err(|e| corrupt("length").source(e))?;
    let (head, rest) = bytes.split_at_checked(length).ok_or_else(|| corrupt("too few bytes"))?;
    *bytes = rest;
    Ok(head)
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "read canonical row bytes").context(what.to_owned())
}

/// The SHA-256 of canonical bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble)] as char;
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// A sum of row digests modulo 2²⁵⁶. Two tables hold the same rows, each as often, exactly if their sums are equal
/// (up to a SHA-256 collision).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Digest([u64; 4]);

impl Digest {
    /// The digest of one row, given its canonical bytes.
    pub fn of_row(canonical: &[u8]) -> Self {
        Self::from_bytes(sha256(canonical))
    }

    /// From 32 bytes, most significant first.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
            *limb = u64::from_be_bytes(*chunk);
        }
        Self(limbs)
    }

    /// As 32 bytes, most significant first.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (limb, chunk) in self.0.iter().rev().zip(bytes.as_chunks_mut::<8>().0) {
            *chunk = limb.to_be_bytes();
        }
        bytes
    }

    /// Adds another digest, modulo 2²⁵⁶.
    pub fn add(&mut self, other: Digest) {
        let mut carry = false;
        for (limb, addend) in self.0.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(addend);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
    }

    /// Takes another digest away again, modulo 2²⁵⁶.
    pub fn subtract(&mut self, other: Digest) {
        let mut negative = Digest(other.0.map(|limb| !limb));
        negative.add(Digest([1, 0, 0, 0]));
        self.add(negative);
    }

    /// Parses 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self::from_bytes(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.to_bytes()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_digest(row: &[Value<'_>]) -> Digest {
        let mut bytes = Vec::new();
        encode_row(row, &mut bytes);
        Digest::of_row(&bytes)
    }

    #[test]
    fn every_kind_of_value_survives_its_canonical_bytes() {
        let row = vec![
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float32(-0.0),
            Value::Float64(f64::INFINITY),
            Value::Decimal("-1.5".into()),
            Value::text("a\0b"),
            Value::Bytes(Cow::Borrowed(&[0xff])),
            Value::Json(Cow::Borrowed(b"{}")),
            Value::Uuid([7; 16]),
            Value::Date(-1),
            Value::Time(86_400_000_000),
            Value::TimeTz(1, -3600),
            Value::Timestamp(i64::MAX),
            Value::TimestampTz(0),
            Value::Interval(-1, 2, -3),
            Value::Bits(3, Cow::Borrowed(&[0b1010_0000])),
            Value::List(vec![Value::Null, Value::List(vec![Value::Int(1)])]),
        ];
        let mut bytes = Vec::new();
        encode_row(&row, &mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(decode_row(&mut rest).unwrap(), row);
        assert!(rest.is_empty());
        for cut in 0..bytes.len() {
            assert_eq!(
                decode_row(&mut &bytes[..cut]).unwrap_err().kind(),
                ErrorKind::Corrupt,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn values_that_look_alike_differ() {
        let rows: Vec<Vec<Value<'_>>> = vec![
            vec![Value::Null, Value::text("")],
            vec![Value::text(""), Value::Null],
            vec![Value::text("a"), Value::text("b")],
            vec![Value::text("ab"), Value::text("")],
            vec![Value::Float64(0.0), Value::Null],
            vec![Value::Float64(-0.0), Value::Null],
            vec![Value::Float64(0.1), Value::Null],
            vec![Value::Float64(f64::from_bits(0.1f64.to_bits() + 1)), Value::Null],
            vec![Value::Bytes(Cow::Borrowed(b"a")), Value::Null],
            vec![Value::text("a"), Value::Null],
        ];
        let digests: std::collections::HashSet<_> = rows.iter().map(|r| row_digest(r)).collect();
        assert_eq!(digests.len(), rows.len());
    }

    #[test]
    fn order_does_not_matter_and_a_doubled_row_shows() {
        let (a, b) = (row_digest(&[Value::Int(1)]), row_digest(&[Value::Int(2)]));
        let sum = |parts: &[Digest]| {
            let mut total = Digest::default();
            parts.iter().for_each(|d| total.add(*d));
            total
        };
        assert_eq!(sum(&[a, b]), sum(&[b, a]));
        assert_ne!(sum(&[a, b]), sum(&[a, b, b, b]));
        assert_ne!(sum(&[a, a]), Digest::default());
    }

    #[test]
    fn addition_carries_and_wraps_and_hex_round_trips() {
        let mut all = Digest::from_bytes([0xff; 32]);
        let mut one = [0; 32];
        one[31] = 1;
        all.add(Digest::from_bytes(one));
        assert_eq!(all, Digest::default());
        let digest = row_digest(&[Value::Int(5)]);
        let mut sum = digest;
        sum.add(row_digest(&[Value::Null]));
        sum.subtract(row_digest(&[Value::Null]));
        assert_eq!(sum, digest);
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("zz"), None);
    }
}
