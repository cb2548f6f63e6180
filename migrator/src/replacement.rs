//! The named normalisations of the policy `replace`. Each loses something, so none is ever chosen by itself; each is a pure
//! function of a value, so that the verifier applies it to the source before it compares.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use trimaran_core::{Engine, LogicalType, Value, json, temporal};

use crate::hazard::Hazard;
use crate::limits;
use crate::mapping::{self, Form};
use crate::rounding;

/// A normalisation. It is applied to values with a hazard only; every other value moves exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replacement {
    /// U+0000 is left out of text.
    DropNul,
    /// U+0000, and each sequence of bytes that is no UTF-8, becomes U+FFFD: one for each maximal part of a character, as
    /// Unicode recommends.
    ReplacementCharacter,
    /// `NaN`, `Infinity` and `-Infinity` in a JSON document become `null`, as in JavaScript's `JSON.stringify`.
    NanToNull,
    /// A number or moment beyond the range of the target's type becomes the range's nearer end.
    Clamp,
    /// The same, but it becomes `infinity` or `-infinity`.
    Infinity,
    /// A number or moment finer than the target's type keeps becomes the nearest that it keeps, the even one of two.
    Round,
    /// The value becomes NULL.
    Null,
}

impl Replacement {
    /// All of them, by the names that plans have for them.
    pub const ALL: [(Replacement, &'static str); 7] = [
        (Replacement::DropNul, "drop-nul"),
        (Replacement::ReplacementCharacter, "replacement-character"),
        (Replacement::NanToNull, "nan-to-null"),
        (Replacement::Clamp, "clamp"),
        (Replacement::Infinity, "infinity"),
        (Replacement::Round, "round"),
        (Replacement::Null, "null"),
    ];

    /// Its name in plans.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(replacement, _)| *replacement == self).map_or("", |(_, name)| name)
    }

    /// Whether it can ever do anything for a column of this type.
    pub fn fits(self, logical: &LogicalType, nullable: bool) -> bool {
        use LogicalType as L;
        match (self, logical.scalar()) {
            (Replacement::DropNul, L::Text)
            | (Replacement::ReplacementCharacter, L::Text | L::Json)
            | (Replacement::NanToNull, L::Json)
            | (Replacement::Clamp, L::Int16 | L::Int32 | L::Int64 | L::Float32 | L::Decimal { .. })
            | (Replacement::Clamp | Replacement::Infinity, L::Date | L::Timestamp | L::TimestampTz)
            | (Replacement::Infinity, L::Float32)
            | (
                Replacement::Round,
                L::Int16 | L::Int32 | L::Int64 | L::Float32 | L::Float64 | L::Decimal { .. },
            )
            | (Replacement::Round, L::Time | L::TimeTz | L::Timestamp | L::TimestampTz) => true,
            (Replacement::Null, _) => nullable,
            _ => false,
        }
    }

    /// The value that stands for `native`, which has `hazard` in a column of this type and form; `None` if this
    /// normalisation can't mend it.
    pub fn apply(
        self,
        native: &Value<'_>,
        logical: &LogicalType,
        form: Form,
        hazard: Hazard,
        target: Engine,
    ) -> Option<Value<'static>> {
        if self == Replacement::Null {
            return hazard.replacements().contains(&self).then_some(Value::Null);
        }
        if let (LogicalType::List(element), Value::List(values)) = (logical, native) {
            let mended = values.iter().map(|value| self.element(value, element, form, target));
            return mended.collect::<Option<Vec<_>>>().map(Value::List);
        }
        let mended = match self {
            Replacement::DropNul | Replacement::ReplacementCharacter | Replacement::NanToNull => {
                self.text(native, logical)
            }
            Replacement::Clamp if hazard == Hazard::OutOfRange => rounding::clamp(native, logical, target),
            Replacement::Infinity if hazard == Hazard::OutOfRange => rounding::infinite(native, logical),
            Replacement::Round if hazard == Hazard::Inexact => rounding::round(native, logical, form),
            _ => None,
        }?;
        let meant = mapping::convert(&mended, logical, form).ok()?;
        limits::accepts(target, &meant).ok()?;
        Some(meant.into_owned())
    }

    fn element(
        self,
        value: &Value<'_>,
        logical: &LogicalType,
        form: Form,
        target: Engine,
    ) -> Option<Value<'static>> {
        let exact = mapping::convert(value, logical, form);
        let fault = match &exact {
            Ok(meant) => limits::accepts(target, meant).err(),
            Err(hazard) => Some(*hazard),
        };
        match (fault, exact) {
            (None, Ok(meant)) => Some(meant.into_owned()),
            (Some(hazard), _) => self.apply(value, logical, form, hazard, target),
            (None, Err(_)) => None,
        }
    }

    fn text(self, native: &Value<'_>, logical: &LogicalType) -> Option<Value<'static>> {
        let (Value::Text(bytes) | Value::Json(bytes)) = native else { return None };
        let mended = match self {
            Replacement::DropNul => bytes.iter().copied().filter(|byte| *byte != 0).collect(),
            Replacement::ReplacementCharacter => {
                String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}").into_bytes()
            }
            _ => json::nan_to_null(bytes)?,
        };
        Some(match logical {
            LogicalType::Json => Value::Json(Cow::Owned(mended)),
            _ => Value::Text(Cow::Owned(mended)),
        })
    }
}

impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The microseconds of a day's end, for moments that are clamped to it.
pub(crate) const LAST_MICRO: i64 = temporal::DAY - 1;

#[cfg(test)]
#[path = "replacement_tests.rs"]
mod tests;
