use std::borrow::Cow;

use trimaran_core::{ErrorKind, LogicalType, Value};

use super::super::copy_encode::{HEADER, TRAILER, encode_row};
use super::*;

/// SplitMix64: a seeded sequence, so that every failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, limit: u64) -> Vec<u8> {
        (0..self.below(limit)).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self) -> Vec<u8> {
        let chars: String =
            (0..self.below(40)).map(|_| ['a', 'é', '日', '🦀', '\u{1}'][self.below(5) as usize]).collect();
        chars.into_bytes()
    }
}

fn types() -> Vec<LogicalType> {
    let scalars = [
        LogicalType::Bool,
        LogicalType::Int16,
        LogicalType::Int32,
        LogicalType::Int64,
        LogicalType::Float32,
        LogicalType::Float64,
        LogicalType::Decimal { precision: 30, scale: 10 },
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
    scalars.iter().cloned().chain(scalars.iter().cloned().map(|l| LogicalType::List(Box::new(l)))).collect()
}

fn value(logical: &LogicalType, random: &mut Random) -> Value<'static> {
    if random.below(6) == 0 {
        return Value::Null;
    }
    let bits = random.next();
    match logical {
        LogicalType::Bool => Value::Bool(bits & 1 == 1),
        LogicalType::Int16 => Value::Int((bits as i16).into()),
        LogicalType::Int32 => Value::Int((bits as i32).into()),
        LogicalType::Int64 => Value::Int(bits as i64),
        LogicalType::Float32 => Value::Float32(finite32(bits)),
        LogicalType::Float64 => Value::Float64(finite64(bits)),
        LogicalType::Decimal { .. } | LogicalType::Numeric => {
            let text = format!("{}.{:010}", bits as i64, random.below(10_000_000_000));
            Value::Decimal(Cow::Owned(trimaran_core::decimal::canonical(&text).unwrap().into_owned()))
        }
        LogicalType::Text => Value::Text(Cow::Owned(random.text())),
        LogicalType::Json => Value::Json(Cow::Owned(random.text())),
        LogicalType::Bytes => Value::Bytes(Cow::Owned(random.bytes(50))),
        LogicalType::Uuid => Value::Uuid([bits as u8; 16]),
        LogicalType::Date => Value::Date((bits % 4_000_000) as i32 - 2_000_000),
        LogicalType::Time => Value::Time((bits % 86_400_000_001) as i64),
        LogicalType::TimeTz => {
            Value::TimeTz((bits % 86_400_000_001) as i64, (random.below(115_199) as i32) - 57_599)
        }
        LogicalType::Timestamp => Value::Timestamp((bits % (1 << 57)) as i64 - (1 << 56)),
        LogicalType::TimestampTz => Value::TimestampTz((bits % (1 << 57)) as i64 - (1 << 56)),
        LogicalType::Interval => Value::Interval(bits as i32, random.next() as i32, random.next() as i64),
        LogicalType::Bits => {
            let mut bytes = random.bytes(9);
            let spare = if bytes.is_empty() { 0 } else { random.below(8) as u32 };
            let count = bytes.len() as u32 * 8 - spare;
            if let Some(last) = bytes.last_mut() {
                *last &= 0xff << spare;
            }
            Value::Bits(count, Cow::Owned(bytes))
        }
        LogicalType::List(element) => {
            Value::List((0..random.below(5)).map(|_| value(element, random)).collect())
        }
    }
}

// NaN equals nothing, so values are compared without them; that bits are kept is a case of its own.
fn finite32(bits: u64) -> f32 {
    Some(f32::from_bits(bits as u32)).filter(|f| !f.is_nan()).unwrap_or(-0.0)
}

fn finite64(bits: u64) -> f64 {
    Some(f64::from_bits(bits)).filter(|f| !f.is_nan()).unwrap_or(-0.0)
}

fn decode_in_pieces(types: &[LogicalType], stream: &[u8], piece: usize) -> Result<Vec<Vec<Value<'static>>>> {
    let mut rows = Vec::new();
    let mut decoder = Decoder::new(types.to_vec());
    for part in stream.chunks(piece) {
        decoder
            .push(part, &mut |row| {
                rows.push(row.iter().map(|v| v.borrowed().into_owned()).collect());
                Ok(())
            })
            .map_err(|fault| match fault {
                Fault::Stream(error) | Fault::Consumer(error) => error,
                Fault::Value { ordinal, why } => why.at(ordinal),
            })?;
    }
    decoder.finish()?;
    Ok(rows)
}

#[test]
fn every_type_survives_however_the_stream_is_cut() {
    let types = types();
    let mut random = Random(20_250_101);
    let rows: Vec<Vec<Value<'static>>> =
        (0..60).map(|_| types.iter().map(|l| value(l, &mut random)).collect()).collect();
    let mut stream = HEADER.to_vec();
    rows.iter().for_each(|row| encode_row(&types, row, &mut stream).unwrap());
    stream.extend(TRAILER);
    for piece in [1, 2, 3, 19, 20, 21, 100, 4096, stream.len()] {
        assert_eq!(decode_in_pieces(&types, &stream, piece).unwrap(), rows, "pieces of {piece}");
    }
}

#[test]
fn not_a_number_keeps_its_bits() {
    let types = [LogicalType::Float32, LogicalType::Float64];
    let (single, double) = (0xffc0_0123, 0x7ff8_0000_dead_beef);
    let row = [Value::Float32(f32::from_bits(single)), Value::Float64(f64::from_bits(double))];
    let mut stream = HEADER.to_vec();
    encode_row(&types, &row, &mut stream).unwrap();
    stream.extend(TRAILER);
    let rows = decode_in_pieces(&types, &stream, 7).unwrap();
    let [Value::Float32(a), Value::Float64(b)] = rows[0][..] else { panic!("two floats") };
    assert_eq!((a.to_bits(), b.to_bits()), (single, double));
}

#[test]
fn infinities_survive() {
    let types = [LogicalType::Date, LogicalType::Date, LogicalType::Timestamp, LogicalType::TimestampTz];
    let row = vec![
        Value::Date(i32::MAX),
        Value::Date(i32::MIN),
        Value::Timestamp(i64::MIN),
        Value::TimestampTz(i64::MAX),
    ];
    let mut stream = HEADER.to_vec();
    encode_row(&types, &row, &mut stream).unwrap();
    stream.extend(TRAILER);
    assert_eq!(decode_in_pieces(&types, &stream, 50).unwrap(), [row]);
}

#[test]
fn a_stream_that_is_cut_off_or_damaged_is_corrupt() {
    let types = [LogicalType::Int32, LogicalType::Text];
    let mut stream = HEADER.to_vec();
    encode_row(&types, &[Value::Int(1), Value::text("abc")], &mut stream).unwrap();
    stream.extend(TRAILER);
    for cut in 0..stream.len() {
        let error = decode_in_pieces(&types, &stream[..cut], 1 + cut).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {cut}");
    }
    for at in 0..HEADER.len() {
        let mut damaged = stream.clone();
        damaged[at] ^= 1;
        assert_eq!(decode_in_pieces(&types, &damaged, 9).unwrap_err().kind(), ErrorKind::Corrupt);
    }
    stream.push(0);
    assert_eq!(decode_in_pieces(&types, &stream, 9).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn arrays_that_a_list_cannot_say_are_named_not_flattened() {
    let words = |words: [i32; 7]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
    let list = LogicalType::List(Box::new(LogicalType::Int32));
    let cut_in_its_dimensions = words([2, 0, 23, 1, 1, 1, 1]);
    assert_eq!(
        decode_field(&list, Some(&cut_in_its_dimensions)).unwrap_err().at(0).kind(),
        ErrorKind::Corrupt
    );
    let from_zero = words([1, 0, 23, 1, 0, 4, 7]);
    let error = decode_field(&list, Some(&from_zero)).unwrap_err().at(4);
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("value 5"), "{error}");
    let another_type = words([1, 0, 25, 1, 1, 4, 7]);
    assert_eq!(decode_field(&list, Some(&another_type)).unwrap_err().at(0).kind(), ErrorKind::Corrupt);
}

#[test]
fn an_instant_beyond_sixty_four_bits_since_1970_is_named() {
    let late = (i64::MAX - 900_000_000_000_000).to_be_bytes();
    let Value::Text(told) = decode_field(&LogicalType::Timestamp, Some(&late)).unwrap() else {
        panic!("words")
    };
    assert!(told.ends_with(b" seconds since 1970-01-01 00:00:00"));
}

#[test]
fn the_error_of_the_consumer_comes_back_unchanged() {
    let types = [LogicalType::Bool];
    let mut stream = HEADER.to_vec();
    encode_row(&types, &[Value::Bool(true)], &mut stream).unwrap();
    let mut decoder = Decoder::new(types.to_vec());
    let fault = decoder.push(&stream, &mut |_| Err(Error::new(ErrorKind::Interrupted, "go on"))).unwrap_err();
    assert!(matches!(fault, Fault::Consumer(error) if error.kind() == ErrorKind::Interrupted));
}

#[test]
fn an_array_of_several_dimensions_is_a_list_of_lists() {
    let words: [i32; 15] = [2, 1, 23, 2, 1, 2, 1, 4, 7, -1, 4, 8, 4, 9, 0];
    let bytes: Vec<u8> = words[..14].iter().flat_map(|w| w.to_be_bytes()).collect();
    let list = |values: Vec<Value<'static>>| Value::List(values);
    let expected =
        list(vec![list(vec![Value::Int(7), Value::Null]), list(vec![Value::Int(8), Value::Int(9)])]);
    for declared in [LogicalType::Int32, LogicalType::List(Box::new(LogicalType::Int32))] {
        let read = decode_field(&LogicalType::List(Box::new(declared)), Some(&bytes)).unwrap();
        assert_eq!(read, expected);
    }
}
