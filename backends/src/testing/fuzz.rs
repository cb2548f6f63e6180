//! What must hold of the encodings that a proof rests on, whatever bytes come.
//!
//! Each function takes bytes, makes of them what it needs ([`arbitrary`]), and panics if something does not hold. The fuzz targets in
//! `fuzz/` call them with what libFuzzer thinks of; a test calls them with bytes that follow from a seed.

use std::borrow::Cow;

use arbitrary::{Result as Drawn, Unstructured};
use trimaran_core::{LogicalType, Value, decimal, digest, escape};

use crate::postgres::copy_decode::{Decoder, Fault};
use crate::postgres::copy_encode::{HEADER, TRAILER, encode_row};

/// One of the functions.
pub type Target = fn(&[u8]);

/// All of them, by the names of the fuzz targets.
pub const TARGETS: [(&str, Target); 6] = [
    ("canonical_decode", canonical_decode),
    ("canonical_round_trip", canonical_round_trip),
    ("copy_decode", copy_decode),
    ("copy_round_trip", copy_round_trip),
    ("text_codec", text_codec),
    ("decimal_text", decimal_text),
];

/// What reads as a row is what that row is written as, to the last byte: no row has two forms.
pub fn canonical_decode(bytes: &[u8]) {
    let mut rest = bytes;
    if let Ok(row) = digest::decode_row(&mut rest) {
        let mut again = Vec::new();
        digest::encode_row(&row, &mut again);
        assert_eq!(again, bytes[..bytes.len() - rest.len()]);
    }
}

/// A row comes back as it was, and no part of its bytes passes for a row.
pub fn canonical_round_trip(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    let Ok((_, row)) = draw_row(&mut u) else { return };
    let cut = u.arbitrary::<usize>().unwrap_or_default();
    let mut written = Vec::new();
    digest::encode_row(&row, &mut written);
    let mut rest = written.as_slice();
    let read = digest::decode_row(&mut rest).expect("what was written can be read");
    assert!(rest.is_empty(), "{} bytes are left", rest.len());
    // Compared as bytes, for a NaN is not equal to itself.
    assert_eq!(canonical(&read), written);
    let mut part = &written[..cut % written.len()];
    assert!(digest::decode_row(&mut part).is_err(), "a part of {row:?} reads as a row");
}

/// A stream of COPY, damaged or not, is read alike however it is cut, and nothing but an error comes of damage.
pub fn copy_decode(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    let Ok((types, has_header)) = draw_types(&mut u).and_then(|types| Ok((types, u.arbitrary()?))) else {
        return;
    };
    let size = 1 + u.int_in_range(0_usize..=40).unwrap_or_default();
    let mut stream = if has_header { HEADER.to_vec() } else { Vec::new() };
    stream.extend_from_slice(u.take_rest());
    let whole = read(&types, [stream.as_slice()].into_iter());
    assert_eq!(read(&types, stream.chunks(size)), whole);
}

/// Rows that can be written come back, equal in their canonical bytes; what can't be written leaves no trace in the stream.
pub fn copy_round_trip(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    let Ok(types) = draw_types(&mut u) else { return };
    let mut stream = HEADER.to_vec();
    let mut expected = Vec::new();
    for _ in 0..u.int_in_range(0..=4).unwrap_or_default() {
        let Ok(row) = types.iter().map(|logical| draw(&mut u, logical)).collect::<Drawn<Vec<_>>>() else {
            break;
        };
        let before = stream.len();
        match encode_row(&types, &row, &mut stream) {
            Ok(()) => expected.push(canonical(&as_kept(&types, row))),
            Err(_) => assert_eq!(stream.len(), before, "{row:?} was refused and left something"),
        }
    }
    stream.extend_from_slice(&TRAILER);
    let size = 1 + u.int_in_range(0_usize..=200).unwrap_or_default();
    assert_eq!(read(&types, stream.chunks(size)), (expected, true), "{types:?}");
}

/// Text comes back from the codec as it was, and has no U+0000 meanwhile; UTF-8 that reads as encoded has one form.
pub fn text_codec(bytes: &[u8]) {
    let encoded = escape::encode(bytes);
    assert!(!encoded.contains(&0));
    assert_eq!(escape::needs_encoding(bytes), *encoded != *bytes);
    assert_eq!(*escape::decode(&encoded).expect("what was encoded can be decoded"), *bytes);
    if let Ok(decoded) = escape::decode(bytes)
        && !bytes.contains(&0)
        && std::str::from_utf8(bytes).is_ok()
    {
        assert_eq!(*escape::encode(&decoded), *bytes);
    }
}

/// A number's canonical text is canonical, and is the same number however it is written.
pub fn decimal_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(canonical) = decimal::canonical(text) else { return };
    assert_eq!(decimal::canonical(&canonical).as_deref(), Some(&*canonical));
    if let Ok(number) = text.parse::<f64>()
        && number.is_finite()
        && !text.contains(['N', 'n'])
    {
        assert_eq!(canonical.parse::<f64>().ok(), Some(number), "{text} became {canonical}");
    }
}

fn canonical(row: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    digest::encode_row(row, &mut bytes);
    bytes
}

/// The rows that a stream gives before it ends, and whether it ended well.
fn read<'s>(types: &[LogicalType], pieces: impl Iterator<Item = &'s [u8]>) -> (Vec<Vec<u8>>, bool) {
    let mut rows = Vec::new();
    let mut decoder = Decoder::new(types.to_vec());
    for piece in pieces {
        let pushed = decoder.push(piece, &mut |row| {
            rows.push(canonical(row));
            Ok(())
        });
        match pushed {
            Ok(()) => {}
            Err(Fault::Stream(_) | Fault::Value { .. }) => return (rows, false),
            Err(Fault::Consumer(error)) => panic!("nobody refused a row: {error}"),
        }
    }
    let ended = decoder.finish().is_ok();
    (rows, ended)
}

/// What Postgres gives back of a row: a number in a numeric column is a decimal, in canonical text.
fn as_kept<'a>(types: &[LogicalType], row: Vec<Value<'a>>) -> Vec<Value<'a>> {
    let kept = |(logical, value): (&LogicalType, Value<'a>)| match (logical, value) {
        (LogicalType::Numeric | LogicalType::Decimal { .. }, Value::Int(number)) => {
            Value::Decimal(Cow::Owned(number.to_string()))
        }
        (LogicalType::List(element), Value::List(values)) => {
            let types = vec![(**element).clone(); values.len()];
            Value::List(as_kept(&types, values))
        }
        (_, value) => value,
    };
    types.iter().zip(row).map(kept).collect()
}

fn draw_row<'a>(u: &mut Unstructured<'a>) -> Drawn<(Vec<LogicalType>, Vec<Value<'a>>)> {
    let types = draw_types(u)?;
    let row = types.iter().map(|logical| draw(u, logical)).collect::<Drawn<_>>()?;
    Ok((types, row))
}

fn draw_types(u: &mut Unstructured<'_>) -> Drawn<Vec<LogicalType>> {
    let count = u.int_in_range(1..=6)?;
    (0..count).map(|_| draw_type(u, true)).collect()
}

fn draw_type(u: &mut Unstructured<'_>, may_nest: bool) -> Drawn<LogicalType> {
    const PLAIN: [LogicalType; 18] = [
        LogicalType::Bool,
        LogicalType::Int16,
        LogicalType::Int32,
        LogicalType::Int64,
        LogicalType::Float32,
        LogicalType::Float64,
        LogicalType::Numeric,
        LogicalType::Text,
        LogicalType::Bytes,
        LogicalType::Json,
        LogicalType::Uuid,
        LogicalType::Date,
        LogicalType::Time,
        LogicalType::TimeTz,
        LogicalType::Timestamp,
        LogicalType::TimestampTz,
        LogicalType::Interval,
        LogicalType::Bits,
    ];
    Ok(match u.int_in_range(0..=9)? {
        0 if may_nest => LogicalType::List(Box::new(draw_type(u, false)?)),
        1 => {
            let precision = u.int_in_range(1..=1_000)?;
            LogicalType::Decimal { precision, scale: u.int_in_range(0..=precision)? }
        }
        _ => u.choose(&PLAIN)?.clone(),
    })
}

/// A value that a column of the type may have; beyond what Postgres holds, too.
fn draw<'a>(u: &mut Unstructured<'a>, logical: &LogicalType) -> Drawn<Value<'a>> {
    if u.ratio(1, 12)? {
        return Ok(Value::Null);
    }
    Ok(match logical {
        LogicalType::Bool => Value::Bool(u.arbitrary()?),
        LogicalType::Int16 => Value::Int(u.arbitrary::<i16>()?.into()),
        LogicalType::Int32 => Value::Int(u.arbitrary::<i32>()?.into()),
        LogicalType::Int64 => Value::Int(u.arbitrary()?),
        LogicalType::Float32 => Value::Float32(u.arbitrary()?),
        LogicalType::Float64 => Value::Float64(u.arbitrary()?),
        LogicalType::Numeric | LogicalType::Decimal { .. } if u.ratio(1, 4)? => Value::Int(u.arbitrary()?),
        LogicalType::Numeric | LogicalType::Decimal { .. } => {
            let text = format!("{}e{}", u.arbitrary::<i128>()?, u.int_in_range(-40..=40)?);
            let text = decimal::canonical(&text).map(Cow::into_owned).unwrap_or_default();
            Value::Decimal(Cow::Owned(text))
        }
        LogicalType::Text if u.ratio(1, 8)? => Value::Text(Cow::Borrowed(u.arbitrary()?)),
        LogicalType::Text => Value::Text(Cow::Borrowed(u.arbitrary::<&str>()?.as_bytes())),
        LogicalType::Json => Value::Json(Cow::Borrowed(u.arbitrary::<&str>()?.as_bytes())),
        LogicalType::Bytes => Value::Bytes(Cow::Borrowed(u.arbitrary()?)),
        LogicalType::Uuid => Value::Uuid(u.arbitrary()?),
        LogicalType::Date => Value::Date(u.arbitrary()?),
        LogicalType::Time => Value::Time(u.arbitrary::<i64>()? >> u.int_in_range(0..=40)?),
        LogicalType::TimeTz => {
            Value::TimeTz(u.arbitrary::<i64>()? >> u.int_in_range(0..=40)?, u.arbitrary::<i32>()? >> 14)
        }
        LogicalType::Timestamp => Value::Timestamp(u.arbitrary()?),
        LogicalType::TimestampTz => Value::TimestampTz(u.arbitrary()?),
        LogicalType::Interval => Value::Interval(u.arbitrary()?, u.arbitrary()?, u.arbitrary()?),
        LogicalType::Bits => {
            let bytes: &[u8] = u.arbitrary()?;
            let count = u32::try_from(bytes.len() * 8).unwrap_or_default();
            Value::Bits(count.saturating_sub(u.int_in_range(0..=7)?), Cow::Borrowed(bytes))
        }
        LogicalType::List(element) => {
            let count = u.int_in_range(0..=5)?;
            Value::List((0..count).map(|_| draw(u, element)).collect::<Drawn<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea and Flood 2014): a seeded sequence, so that every failure can be repeated.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Bytes as a fuzzer would think of them: few different ones in a row, small numbers, and the marks of the encodings.
    fn bytes(state: &mut u64) -> Vec<u8> {
        const MARKS: [u8; 12] = [0, 1, 2, 4, 7, 17, 0x1a, b'0', b'1', b'e', 0x7f, 0xff];
        let length = usize::try_from(next(state) % 300).unwrap_or_default();
        let wild = next(state).is_multiple_of(3);
        let byte = |state: &mut u64| {
            let [first, second, ..] = next(state).to_le_bytes();
            if wild || second.is_multiple_of(4) { first } else { MARKS[usize::from(first) % MARKS.len()] }
        };
        (0..length).map(|_| byte(state)).collect()
    }

    #[test]
    fn what_must_hold_of_the_encodings_holds_for_twenty_thousand_inputs_each() {
        for (name, target) in TARGETS {
            let mut state = 20_261_124;
            for round in 0..20_000 {
                let input = bytes(&mut state);
                let held = std::panic::catch_unwind(|| target(&input));
                assert!(held.is_ok(), "{name} fails in round {round} for {input:?}");
            }
        }
    }

    #[test]
    fn what_was_found_before_stays_mended() {
        // Lists within lists without end: an error, not the end of the stack.
        let nested: Vec<u8> = std::iter::once(1_u32.to_le_bytes().to_vec())
            .chain((0..1_000_000).map(|_| [&[17_u8][..], &1_u64.to_le_bytes()].concat()))
            .flatten()
            .collect();
        assert!(digest::decode_row(&mut nested.as_slice()).is_err());
        // A boolean that is neither 0 nor 1.
        canonical_decode(&[1, 0, 0, 0, 1, 2]);
        // An exponent whose sign can't be turned.
        decimal_text(b"1e-2147483648");
        // A byte of UTF-8 that is written as if it were none.
        text_codec(b"\x1ax33");
        // An offset whose sign can't be turned.
        let time = [&[0_u8; 8][..], &i32::MIN.to_be_bytes()].concat();
        let stream = [&HEADER[..], &[0, 1, 0, 0, 0, 12], &time].concat();
        assert!(!read(&[LogicalType::TimeTz], [stream.as_slice()].into_iter()).1);
    }
}
