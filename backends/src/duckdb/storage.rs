//! How heavy the stored rows are, and which ranges of them fit in memory.
//!
//! DuckDB reads 2,048 rows at a time; with texts of megabytes that is gigabytes. Asking for the lengths would read the
//! texts. But `pragma_storage_info` gives, from metadata alone, the longest string of every segment and how many
//! overflow blocks it has (and in files of DuckDB 2.0 the sum of all lengths). From these follows an upper bound
//! for every vector of rows; vectors above the session's share are read by smaller ranges of row ids.
//!
//! A range narrower than a vector saves memory where DuckDB can fetch single rows of it (uncompressed and FSST
//! segments). A segment compressed with ZSTD, a list, or a column with updates from a replayed WAL is expanded by whole
//! vectors whatever is asked for: there the least memory is one vector, and a narrow range saves only the copies.

use std::collections::BTreeMap;

use duckdb::Connection;
use trimaran_core::{Error, ErrorKind, Result, Value};

use super::dialect::DIALECT;
use super::layout::{LIGHT, Layout, Vector};
use super::read::VECTOR;
use super::session::query;
use crate::Dialect as _;
use crate::catalog::TableName;

/// The default block; a file of smaller blocks only makes the bounds loose.
const BLOCK: u64 = 262_144;
/// What a string is taken for where its segment keeps no greatest length.
const UNKNOWN_STRING: u64 = 1 << 20;
/// What an element of a list of fixed width is taken for.
const ELEMENT: u64 = 16;

/// A stored piece of a column.
#[derive(Debug)]
struct Segment {
    start: u64,
    count: u64,
    longest: Option<u64>,
    sum: Option<u64>,
    /// Known for what is in the file; rows of a replayed WAL keep long strings in memory, unlisted.
    overflow_blocks: Option<u64>,
    compression: String,
    updated: bool,
}

impl Segment {
    /// No more bytes than this in all its strings.
    fn total(&self) -> u64 {
        let by_length = self.count.saturating_mul(self.longest.unwrap_or(UNKNOWN_STRING));
        // Short strings share the segment's own block; each longer one starts in an overflow block.
        let by_blocks = match self.overflow_blocks {
            Some(blocks) if self.compression == "Uncompressed" => BLOCK.saturating_mul(1 + blocks),
            _ => u64::MAX,
        };
        self.sum.unwrap_or(u64::MAX).min(by_length).min(by_blocks)
    }
}

/// A column of a row group.
#[derive(Debug, Default)]
struct Stored {
    strings: Vec<Segment>,
    /// The bytes of list elements in the whole row group.
    elements: u64,
    /// Whether its NULL bits can be read row by row.
    whole_validity: bool,
}

impl Stored {
    fn is_expanded(&self) -> bool {
        let first = self.strings.first().map(|s| s.compression.as_str());
        self.whole_validity
            || self
                .strings
                .iter()
                .any(|s| s.updated || s.compression == "ZSTD" || Some(s.compression.as_str()) != first)
    }
}

/// Reads how `table` is stored.
///
/// # Errors
/// The engine's, classified.
pub(super) fn examine(connection: &Connection, table: &TableName) -> Result<Layout> {
    let name = DIALECT.qualify(table);
    let sql = format!(
        "SELECT row_group_id, column_id, column_path, segment_type = 'VALIDITY', start, count, compression, has_updates,
                CASE WHEN persistent THEN len(additional_block_ids) END, CAST(stats['max_string_length'] AS BIGINT),
                CAST(stats['total_string_length'] AS BIGINT), segment_type IN ('VARCHAR', 'BLOB', 'JSON')
         FROM pragma_storage_info('{}') ORDER BY row_group_id",
        name.replace('\'', "''")
    );
    let segments = query(connection, &sql, &[])?;
    let last = query(connection, &format!("SELECT max(rowid) FROM {name}"), &[])?;
    let last = last.first().and_then(|row| row.first()).map_or(0, |v| number(v).unwrap_or(0));
    let mut groups: BTreeMap<i64, (u64, BTreeMap<i64, Stored>)> = BTreeMap::new();
    for row in &segments {
        gather(&mut groups, row).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("learn how the table {table} is stored"))
                .context("pragma_storage_info has an unknown shape")
                .hint("use the DuckDB version that this build was made for")
        })?;
    }
    let mut layout = Layout { end: last.saturating_add(1), ..Layout::default() };
    let mut start = 0u64;
    for (rows, columns) in groups.values() {
        weigh(start, *rows, columns, &mut layout.heavy);
        start += rows;
    }
    layout.scattered = u64::try_from(last).is_ok_and(|last| last >= start);
    Ok(layout)
}

fn number(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(v) => Some(*v),
        _ => None,
    }
}

/// Adds one row of `pragma_storage_info` to its row group; `None` if it is of another shape.
fn gather(groups: &mut BTreeMap<i64, (u64, BTreeMap<i64, Stored>)>, row: &[Value<'_>]) -> Option<()> {
    let [group, column, path, validity, start, count, compression, updated, blocks, longest, sum, string] =
        row
    else {
        return None;
    };
    let (Value::Text(path), Value::Text(compression)) = (path, compression) else { return None };
    let size = |value| number(value).and_then(|n| u64::try_from(n).ok());
    let is = |value: &Value<'_>| *value == Value::Bool(true);
    let (start, count) = (size(start)?, size(count)?);
    let (rows, columns) = groups.entry(number(group)?).or_default();
    let stored = columns.entry(number(column)?).or_default();
    let depth = path.iter().filter(|b| **b == b',').count();
    let compression = String::from_utf8_lossy(compression).into_owned();
    let segment = Segment {
        start,
        count,
        longest: size(longest),
        sum: size(sum),
        overflow_blocks: size(blocks),
        compression,
        updated: is(updated),
    };
    if is(validity) {
        // The column's own NULL bits lie one level below it; deeper ones are those of elements.
        stored.whole_validity |=
            depth == 1 && !matches!(segment.compression.as_str(), "Constant" | "Uncompressed");
        stored.whole_validity |= depth == 1 && segment.updated;
        return Some(());
    }
    if depth == 0 {
        *rows = (*rows).max(start + count);
    }
    match (depth, is(string) || segment.longest.is_some()) {
        (0, true) => stored.strings.push(segment),
        (0, false) => {}
        (_, true) => stored.elements += segment.total(),
        (_, false) => stored.elements += count.saturating_mul(ELEMENT),
    }
    Some(())
}

/// Adds the heavy vectors of a row group that starts at row id `start`.
fn weigh(start: u64, rows: u64, columns: &BTreeMap<i64, Stored>, heavy: &mut Vec<Vector>) {
    for first in (0..rows).step_by(VECTOR as usize) {
        let end = (first + VECTOR).min(rows);
        let (mut total, mut row, mut expanded) = (0u64, 0u64, 0u64);
        for column in columns.values() {
            let mut bytes = column.elements.saturating_mul(end - first) / rows;
            let mut longest = 0;
            for segment in &column.strings {
                let overlap = end.min(segment.start + segment.count).saturating_sub(first.max(segment.start));
                if overlap > 0 {
                    let length = segment.longest.unwrap_or(UNKNOWN_STRING);
                    longest = longest.max(length);
                    bytes = bytes.saturating_add(segment.total().min(overlap.saturating_mul(length)));
                }
            }
            total = total.saturating_add(bytes);
            if column.elements > 0 || column.is_expanded() {
                expanded = expanded.saturating_add(bytes);
            } else {
                row = row.saturating_add(longest);
            }
        }
        if total > LIGHT {
            let first = i64::try_from(start + first).unwrap_or(i64::MAX);
            heavy.push(Vector { first, total, row, expanded });
        }
    }
}
