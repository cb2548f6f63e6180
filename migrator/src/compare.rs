//! Which rows differ, once it is known that some do.
//!
//! Both sides are read twice. The first time each row's digest is added to one of 4,096 buckets by its key; the second
//! time only rows in buckets that differ are looked at one by one. So a difference among millions of rows is named with
//! little memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use trimaran_core::digest::{self, Digest};
use trimaran_core::{Result, Value};

use crate::plan::TablePlan;
use crate::rows::{key_hash, shown_key};
use crate::sides::{Aside, Side, Sum};
use crate::source::Budget;

const BUCKETS: usize = 4_096;
/// How many rows of differing buckets are held at most while they are compared.
const HELD_ROWS: u64 = 50_000;
/// How many differences are named for one table.
const NAMED: usize = 20;

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is wrong with it.
    pub kind: Kind,
    /// The row's key as people read it.
    pub key: String,
    /// The columns that differ, where the row is on both sides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnDifference>,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The source has it, the target does not.
    Missing,
    /// The target has it, or has it once more than the source.
    Extra,
    /// Both have it, with different values.
    Different,
    /// The whole table, or one of its columns, is not on the target.
    TableMissing,
}

/// One column of a row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnDifference {
    /// The column.
    pub column: String,
    /// The source's value, where values may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The target's value, where values may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Difference {
    /// The table, or one of its columns, is not on the target.
    pub fn table_missing() -> Self {
        Self { kind: Kind::TableMissing, key: String::new(), columns: Vec::new() }
    }
}

/// A comparison of one table, row by row.
pub struct Compare<'a> {
    /// The source's side.
    pub source: Side<'a>,
    /// The target's side.
    pub target: &'a Side<'a>,
    /// The table.
    pub planned: &'a TablePlan,
    /// The digests of rows put aside.
    pub aside: Aside,
    /// Memory and threads.
    pub budget: Budget,
    /// Whether differences may show values.
    pub show_values: bool,
}

/// A row of the source in a bucket that differs.
struct Held {
    digest: [u8; 32],
    key: String,
    columns: Vec<[u8; 8]>,
    values: Option<Vec<Value<'static>>>,
}

impl Compare<'_> {
    /// The first rows that differ.
    ///
    /// # Errors
    /// The engines', classified.
    pub fn run(self) -> Result<Vec<Difference>> {
        let key = self.planned.positions(&self.planned.primary_key).unwrap_or_default();
        let left = Mutex::new(self.aside.clone());
        let source = self.buckets(&self.source, &key, Some(&left))?;
        let target = self.buckets(self.target, &key, None)?;
        let mut wanted = HashSet::new();
        let mut rows = 0;
        for bucket in (0..BUCKETS).filter(|b| source[*b] != target[*b]) {
            wanted.insert(bucket);
            rows += source[bucket].rows.max(target[bucket].rows);
            if rows > HELD_ROWS {
                break;
            }
        }
        let mut held = self.held(&key, &wanted)?;
        let mut found = self.unmatched(&key, &wanted, &mut held)?;
        for rows in held.into_values() {
            found.extend(rows.into_iter().map(|row| Difference {
                kind: Kind::Missing,
                key: row.key,
                columns: vec![],
            }));
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found.truncate(NAMED);
        Ok(found)
    }

    fn buckets(&self, side: &Side<'_>, key: &[usize], aside: Option<&Mutex<Aside>>) -> Result<Vec<Sum>> {
        let parts = side.each(
            self.budget,
            || vec![Sum::default(); BUCKETS],
            |sums, values| {
                let digest = row_digest(values);
                if !aside.is_some_and(|aside| put_aside(aside, &digest)) {
                    sums[bucket(key, values, &digest)].add(Digest::from_bytes(digest));
                }
                Ok(())
            },
        )?;
        let mut total = vec![Sum::default(); BUCKETS];
        for part in parts {
            for (sum, more) in total.iter_mut().zip(part) {
                sum.rows += more.rows;
                sum.digest.add(more.digest);
            }
        }
        Ok(total)
    }

    fn held(&self, key: &[usize], wanted: &HashSet<usize>) -> Result<HashMap<u128, Vec<Held>>> {
        let aside = Mutex::new(self.aside.clone());
        let parts = self.source.each(self.budget, Vec::new, |rows, values| {
            let digest = row_digest(values);
            if wanted.contains(&bucket(key, values, &digest)) && !put_aside(&aside, &digest) {
                let held = Held {
                    digest,
                    key: shown_key(key, values),
                    columns: values.iter().map(cell_hash).collect(),
                    values: self
                        .show_values
                        .then(|| values.iter().map(|v| v.borrowed().into_owned()).collect()),
                };
                rows.push((identity(key, values, &digest), held));
            }
            Ok(())
        })?;
        let mut held: HashMap<u128, Vec<Held>> = HashMap::new();
        for (identity, row) in parts.into_iter().flatten() {
            held.entry(identity).or_default().push(row);
        }
        Ok(held)
    }

    /// Takes every row of the target that the source has out of `held`; the others are differences.
    fn unmatched(
        &self,
        key: &[usize],
        wanted: &HashSet<usize>,
        held: &mut HashMap<u128, Vec<Held>>,
    ) -> Result<Vec<Difference>> {
        let shared = Mutex::new((held, Vec::new()));
        self.target.each(
            self.budget,
            || (),
            |(), values| {
                let digest = row_digest(values);
                if !wanted.contains(&bucket(key, values, &digest)) {
                    return Ok(());
                }
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let (held, found) = &mut *shared;
                let rows = held.entry(identity(key, values, &digest)).or_default();
                if let Some(at) = rows.iter().position(|row| row.digest == digest) {
                    rows.swap_remove(at);
                } else if let Some(row) = rows.pop() {
                    found.push(Difference {
                        kind: Kind::Different,
                        key: row.key.clone(),
                        columns: self.columns(&row, values),
                    });
                } else {
                    found.push(Difference {
                        kind: Kind::Extra,
                        key: shown_key(key, values),
                        columns: vec![],
                    });
                }
                Ok(())
            },
        )?;
        let (_, found) = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(found)
    }

    fn columns(&self, row: &Held, values: &[Value<'_>]) -> Vec<ColumnDifference> {
        let shown = |value: &Value<'_>| value.shown(80);
        self.planned
            .columns
            .iter()
            .enumerate()
            .filter(|(at, _)| row.columns[*at] != cell_hash(&values[*at]))
            .map(|(at, column)| ColumnDifference {
                column: column.name.clone(),
                source: row.values.as_ref().map(|v| shown(&v[at])),
                target: row.values.as_ref().map(|_| shown(&values[at])),
            })
            .collect()
    }
}

/// Whether the row is one that was put aside; each such row is taken once.
fn put_aside(aside: &Mutex<Aside>, digest: &[u8; 32]) -> bool {
    let mut aside = aside.lock().unwrap_or_else(PoisonError::into_inner);
    match aside.get_mut(digest) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

fn row_digest(values: &[Value<'_>]) -> [u8; 32] {
    let mut canonical = Vec::new();
    digest::encode_row(values, &mut canonical);
    digest::sha256(&canonical)
}

/// What a row is told by: its key, or all of it where there is none.
fn identity(key: &[usize], values: &[Value<'_>], digest: &[u8; 32]) -> u128 {
    let whole = || digest.first_chunk::<16>().map_or(0, |head| u128::from_be_bytes(*head));
    if key.is_empty() { whole() } else { key_hash(values, key).unwrap_or_else(whole) }
}

fn bucket(key: &[usize], values: &[Value<'_>], digest: &[u8; 32]) -> usize {
    (identity(key, values, digest) % BUCKETS as u128) as usize
}

fn cell_hash(value: &Value<'_>) -> [u8; 8] {
    let mut canonical = Vec::new();
    digest::encode(value, &mut canonical);
    let hash = digest::sha256(&canonical);
    hash.first_chunk::<8>().copied().unwrap_or_default()
}
