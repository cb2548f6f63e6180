//! Keys that several rows would have on the target: found before anything is written.
//!
//! A source's own keys tell values apart that the target takes for equal: the forms of one UUID or moment, what a
//! normalisation makes of two texts, a number and the text of it under `as_text`. So a key whose columns change on their way
//! is looked at: each row's values are hashed to 16 bytes, sorted in runs that fit the memory budget, and the runs, in
//! unnamed temporary files, are merged. That takes 16 bytes of disk for each row and key, and of memory a run, and for each
//! run a buffer of 64 KiB.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use trimaran_backends::catalog::Table;
use trimaran_core::{Engine, LogicalType, Result, Value, digest};

use crate::plan::{ColumnPlan, TablePlan};
use crate::policy::Policy;
use crate::rows::KeyHash;
use crate::sorted_runs::SortedRuns;

/// A key that is looked at.
pub struct Watched {
    /// The places of its columns.
    pub columns: Vec<usize>,
    hashes: Mutex<SortedRuns>,
}

/// The keys of a table whose uniqueness on the source says nothing of the target.
pub fn watched(engine: Engine, source: &Table, planned: &TablePlan, memory: u64) -> Vec<Watched> {
    let indexes = planned
        .indexes
        .iter()
        .filter(|index| index.unique)
        .map(|index| index.columns.iter().map(|column| column.name.clone()).collect());
    let keys =
        [planned.primary_key.clone()].into_iter().chain(planned.unique.iter().map(|k| k.columns.clone()));
    keys.chain(indexes)
        .filter(|names: &Vec<String>| !names.is_empty())
        .filter_map(|names| planned.positions(&names).map(|columns| (names, columns)))
        .filter(|(names, columns)| {
            !is_unique(source, names)
                || columns.iter().any(|at| merges(engine, source, &planned.columns[*at]))
        })
        .map(|(_, columns)| Watched { columns, hashes: Mutex::new(SortedRuns::new(memory)) })
        .collect()
}

/// Whether the source itself holds rows apart by these columns.
fn is_unique(source: &Table, names: &[String]) -> bool {
    let same = |columns: &[String]| columns == names;
    source.primary_key.as_ref().is_some_and(|key| same(&key.columns))
        || source.unique.iter().any(|key| same(&key.columns))
        || source
            .indexes
            .iter()
            .any(|index| index.unique && index.columns.iter().map(|c| &c.name).eq(names.iter()))
}

/// Whether two values of the source may be one on the target.
fn merges(engine: Engine, source: &Table, column: &ColumnPlan) -> bool {
    if matches!(column.on_hazard, Policy::Replace | Policy::AsText | Policy::AsBytes) {
        return true;
    }
    let declared = source.column(&column.name).and_then(|declared| declared.logical.as_ref());
    match engine {
        // Text, bytes and integers are compared there as they are; all else is kept in several forms.
        Engine::Sqlite => {
            !matches!(column.logical, LogicalType::Int64 | LogicalType::Text | LogicalType::Bytes)
        }
        Engine::Duckdb | Engine::Postgres => declared != Some(&column.logical),
    }
}

impl Watched {
    /// Takes the keys of some rows.
    ///
    /// # Errors
    /// If the temporary file can't be written.
    pub fn take(&self, hashes: &mut Vec<KeyHash>) -> Result<()> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).take(hashes)
    }

    /// The places of its columns, and the keys that several rows have.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub fn doubled(self) -> Result<(Vec<usize>, HashSet<KeyHash>)> {
        let doubled = self.hashes.into_inner().unwrap_or_else(PoisonError::into_inner).doubled()?;
        Ok((self.columns, doubled))
    }
}

/// The hash of a key by the target's rules of equality; `None` if one of its values is NULL, for then no key forbids it.
pub fn hash<'r, 'v: 'r>(value: impl Fn(usize) -> &'r Value<'v>, columns: &[usize]) -> Option<KeyHash> {
    let mut canonical = Vec::with_capacity(columns.len() * 24);
    for at in columns {
        let value = value(*at);
        if value.is_null() {
            return None;
        }
        digest::encode(&compared(value), &mut canonical);
    }
    digest::sha256(&canonical).first_chunk::<16>().map(|head| u128::from_be_bytes(*head))
}

/// The value that stands for all that the target takes for equal: both zeros are one, every NaN is one, a month is thirty days
/// and a day is 24 hours in an interval.
fn compared<'v>(value: &'v Value<'_>) -> Value<'v> {
    match value {
        Value::Float64(v) if *v == 0.0 => Value::Float64(0.0),
        Value::Float64(v) if v.is_nan() => Value::Float64(f64::NAN),
        Value::Float32(v) if *v == 0.0 => Value::Float32(0.0),
        Value::Float32(v) if v.is_nan() => Value::Float32(f32::NAN),
        Value::Interval(months, days, micros) => {
            let days = i128::from(*months) * 30 + i128::from(*days);
            let micros = days * i128::from(trimaran_core::temporal::DAY) + i128::from(*micros);
            Value::Decimal(Cow::Owned(micros.to_string()))
        }
        Value::List(values) => Value::List(values.iter().map(compared).collect()),
        other => other.borrowed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_target_takes_for_equal_is_one_key() {
        let key = |value: Value<'static>| hash(|_| &value, &[0]);
        let same = [
            (Value::Float64(0.0), Value::Float64(-0.0)),
            (Value::Float64(f64::NAN), Value::Float64(-f64::NAN)),
            (Value::Interval(1, 0, 0), Value::Interval(0, 30, 0)),
            (Value::Interval(0, 1, 0), Value::Interval(0, 0, 86_400_000_000)),
            (Value::List(vec![Value::Float64(0.0)]), Value::List(vec![Value::Float64(-0.0)])),
        ];
        for (a, b) in same {
            assert_eq!(key(a), key(b));
        }
        assert_ne!(key(Value::text("a")), key(Value::text("A")), "text is compared bytewise");
        assert_eq!(key(Value::Null), None, "several NULLs are no conflict");
    }
}
