//! Lists, kept as JSON arrays in text.
//!
//! Exact for every element type: integers and finite floats are JSON numbers (floats with the fewest digits that read
//! back as the same bits, sign of zero included), booleans and NULL are JSON's, nested lists nested arrays. `NaN` and the
//! infinities are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`. Everything else is a string: text as it is, bytes as
//! hexadecimal digits, the rest as [`storage`] keeps it.

use std::borrow::Cow;
use std::fmt::Write;

use trimaran_core::{LogicalType, Value, digest};

use super::storage;

/// The array of `values`, whose elements are of type `element`; `Err` says what can't be held.
pub fn encode(element: &LogicalType, values: &[Value<'_>]) -> Result<String, String> {
    let mut out = String::from("[");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        encode_element(element, value, &mut out).map_err(|why| format!("element {}: {why}", at + 1))?;
    }
    out.push(']');
    Ok(out)
}

fn encode_element(element: &LogicalType, value: &Value<'_>, out: &mut String) -> Result<(), String> {
    match (element, value) {
        (_, Value::Null) => out.push_str("null"),
        (LogicalType::Bool, Value::Bool(v)) => push(out, v),
        (LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64, Value::Int(v)) => push(out, v),
        // Debug, not Display: it keeps `1.0` a float and writes great numbers with an exponent.
        (LogicalType::Float32, Value::Float32(v)) if v.is_finite() => push(out, format_args!("{v:?}")),
        (LogicalType::Float64, Value::Float64(v)) if v.is_finite() => push(out, format_args!("{v:?}")),
        (LogicalType::Float32, Value::Float32(v)) => {
            string(special(f64::from(*v), v.to_bits() == f32::NAN.to_bits())?, out)
        }
        (LogicalType::Float64, Value::Float64(v)) => {
            string(special(*v, v.to_bits() == f64::NAN.to_bits())?, out)
        }
        (LogicalType::List(inner), Value::List(values)) => out.push_str(&encode(inner, values)?),
        (LogicalType::Bytes, Value::Bytes(v)) => string(&digest::hex(v), out),
        _ => match storage::to_stored(element, value)? {
            Value::Text(text) => string(std::str::from_utf8(&text).map_err(|e| e.to_string())?, out),
            other => return Err(format!("a {} has no place in a list", other.kind())),
        },
    }
    Ok(())
}

fn push(out: &mut String, shown: impl std::fmt::Display) {
    // Writing to a string can't fail.
    let _ = write!(out, "{shown}");
}

/// What is not finite, by name. A NaN with a payload would not come back as it was.
fn special(value: f64, plain_nan: bool) -> Result<&'static str, String> {
    match value {
        f64::INFINITY => Ok("Infinity"),
        f64::NEG_INFINITY => Ok("-Infinity"),
        _ if plain_nan => Ok("NaN"),
        _ => Err("a NaN with a sign or payload can't be kept exactly".to_owned()),
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => push(out, format_args!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The elements of an array that [`encode`] wrote (or anybody else, in JSON); `None` if it is none of that type.
pub fn decode(element: &LogicalType, text: &str) -> Option<Vec<Value<'static>>> {
    let mut reader = Reader { rest: text };
    let values = reader.array(element)?;
    reader.skip();
    reader.rest.is_empty().then_some(values)
}

/// What is still to be read.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip();
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    fn array(&mut self, element: &LogicalType) -> Option<Vec<Value<'static>>> {
        let mut values = Vec::new();
        if !self.takes("[") {
            return None;
        }
        if self.takes("]") {
            return Some(values);
        }
        loop {
            values.push(self.element(element)?);
            if self.takes("]") {
                return Some(values);
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn element(&mut self, element: &LogicalType) -> Option<Value<'static>> {
        if self.takes("null") {
            return Some(Value::Null);
        }
        match element {
            LogicalType::List(inner) => self.array(inner).map(Value::List),
            LogicalType::Bool => match (self.takes("true"), self.takes("false")) {
                (true, _) => Some(Value::Bool(true)),
                (_, true) => Some(Value::Bool(false)),
                _ => None,
            },
            LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64 => {
                self.number()?.parse().ok().map(Value::Int)
            }
            LogicalType::Float32 => match self.float()? {
                Cow::Borrowed(digits) => digits.parse().ok().map(Value::Float32),
                Cow::Owned(name) => not_finite(&name).map(|v| Value::Float32(v as f32)),
            },
            LogicalType::Float64 => match self.float()? {
                Cow::Borrowed(digits) => digits.parse().ok().map(Value::Float64),
                Cow::Owned(name) => not_finite(&name).map(Value::Float64),
            },
            LogicalType::Bytes => unhex(&self.string()?).map(|bytes| Value::Bytes(Cow::Owned(bytes))),
            other => {
                let text = Value::Text(Cow::Owned(self.string()?.into_bytes()));
                storage::from_stored(other, &text).map(Value::into_owned)
            }
        }
    }

    /// A number's digits, borrowed, or the name of what is none, owned.
    fn float(&mut self) -> Option<Cow<'t, str>> {
        self.skip();
        if self.rest.starts_with('"') {
            self.string().map(Cow::Owned)
        } else {
            self.number().map(Cow::Borrowed)
        }
    }

    fn number(&mut self) -> Option<&'t str> {
        self.skip();
        let part_of = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !part_of(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!number.is_empty()).then_some(number)
    }

    fn string(&mut self) -> Option<String> {
        if !self.takes("\"") {
            return None;
        }
        let mut text = String::new();
        loop {
            let at = self.rest.find(['"', '\\'])?;
            text.push_str(&self.rest[..at]);
            let quote = self.rest[at..].starts_with('"');
            self.rest = &self.rest[at + 1..];
            if quote {
                return Some(text);
            }
            text.push(self.escaped()?);
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        let kind = self.rest.chars().next()?;
        self.rest = &self.rest[kind.len_utf8()..];
        Some(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits()?;
                if (0xd800..0xdc00).contains(&first) {
                    self.rest = self.rest.strip_prefix("\\u")?;
                    let second = self.four_digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second);
                }
                return char::from_u32(first);
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }
}

fn not_finite(name: &str) -> Option<f64> {
    match name {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The bytes of hexadecimal digits.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => {
                let nibble = |digit: u8| char::from(digit).to_digit(16);
                u8::try_from(nibble(*high)? << 4 | nibble(*low)?).ok()
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_others_wrote_is_read_and_what_is_no_list_is_not() {
        let text = LogicalType::Text;
        assert_eq!(
            decode(&text, " [ \"a\\u00e9\\ud83d\\ude00\\n\" , null ] "),
            Some(vec![Value::text("aé😀\n"), Value::Null])
        );
        assert_eq!(decode(&LogicalType::Int64, "[]"), Some(Vec::new()));
        for wrong in ["", "[", "[1", "[1,]", "[1] x", "1", "[\"a]", "[\"\\ud800\"]", "[\"\\x\"]", "{}"] {
            assert_eq!(decode(&text, wrong), None, "{wrong}");
        }
        assert_eq!(decode(&LogicalType::Int64, "[1.5]"), None);
        assert_eq!(decode(&LogicalType::Bytes, "[\"abc\"]"), None);
    }
}
