//! The least that a row takes on a page of Postgres: what it refuses as "row is too big" is found before.
//!
//! A row lies on one page of 8 kB (Postgres' documentation, "Database Page Layout"): a header of 23 bytes, a bit per column
//! if one is NULL, padding to 8 bytes, then the values, each at its type's alignment. Before Postgres gives up on a row it
//! compresses its long values and moves them out, each leaving a pointer (`heap_toast_insert_or_update` in
//! `src/backend/access/heap/heaptoast.c`). What is computed here is the least that can be left: no row that Postgres takes is
//! counted larger than its page.

use trimaran_core::{Engine, LogicalType, Value};

use crate::plan::{ColumnPlan, TablePlan};

/// The most bytes of a row: a page less its header and one line pointer (`MaxHeapTupleSize`).
const LIMIT: usize = 8_160;
/// A row's header, before the bits that say which values are NULL (`SizeofHeapTupleHeader`).
const HEADER: usize = 23;
/// What values begin at a multiple of (`MAXIMUM_ALIGNOF` on all machines of 64 bits).
const ALIGNMENT: usize = 8;
/// What is left of a value that was moved out (`TOAST_POINTER_SIZE`); it lies at any byte.
const POINTER: usize = 18;
/// The most bytes of a value, with its length in one byte, that Postgres never moves out nor compresses.
const STAYS: usize = 24;
/// The fewest bytes of a value that its own method of compression takes; what lz4 makes of fewer is no less than a pointer.
const COMPRESSED: usize = 32;
/// What a compressed value has around what it can't do without, by either method: its length and its uncompressed one, and
/// at the least a byte and a reference of three.
const COMPRESSION: usize = 12;

/// How a column's values lie in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// As many bytes each, at a multiple of that many.
    Fixed(usize, usize),
    /// A number of so many digits after the point, or as many as it has.
    Numeric(Option<usize>),
    /// Its length and its bytes.
    Varying,
}

/// How the rows of a table lie on a page.
pub(super) struct HeapTuple(Vec<Layout>);

impl HeapTuple {
    /// How rows of `table` lie on a page of `target`; `None` if any row fits, as in all but very wide tables.
    pub(super) fn of(target: Engine, table: &TablePlan) -> Option<Self> {
        let tuple = Self(table.columns.iter().map(layout).collect());
        let widest = tuple.0.iter().fold(tuple.header(true), |at, layout| match layout {
            Layout::Fixed(size, alignment) => at.next_multiple_of(*alignment) + size,
            Layout::Numeric(_) | Layout::Varying => at + STAYS,
        });
        (target == Engine::Postgres && widest > LIMIT).then_some(tuple)
    }

    /// Whether a page can hold a row of these values.
    pub(super) fn fits(&self, values: &[Value<'_>]) -> bool {
        self.least(values) <= LIMIT
    }

    fn header(&self, nulls: bool) -> usize {
        (HEADER + if nulls { self.0.len().div_ceil(8) } else { 0 }).next_multiple_of(ALIGNMENT)
    }

    fn least(&self, values: &[Value<'_>]) -> usize {
        let present = self.0.iter().zip(values).filter(|(_, value)| !value.is_null());
        present.fold(self.header(values.iter().any(Value::is_null)), |at, (layout, value)| match layout {
            Layout::Fixed(size, alignment) => at.next_multiple_of(*alignment) + size,
            Layout::Numeric(scale) => at + left(numeric(value, *scale), |_| 1),
            Layout::Varying => at + varying(value),
        })
    }
}

/// By the table of types in Postgres' catalogue (`typlen`, `typalign`).
fn layout(column: &ColumnPlan) -> Layout {
    use LogicalType as L;
    // Values of an enum are numbers there.
    if column.enum_type.is_some() {
        return Layout::Fixed(4, 4);
    }
    match &column.logical {
        L::Bool => Layout::Fixed(1, 1),
        L::Int16 => Layout::Fixed(2, 2),
        L::Int32 | L::Float32 | L::Date => Layout::Fixed(4, 4),
        L::Int64 | L::Float64 | L::Time | L::Timestamp | L::TimestampTz => Layout::Fixed(8, 8),
        L::TimeTz => Layout::Fixed(12, 8),
        L::Interval => Layout::Fixed(16, 8),
        L::Uuid => Layout::Fixed(16, 1),
        L::Decimal { scale, .. } => Layout::Numeric(Some(usize::from(*scale))),
        L::Numeric => Layout::Numeric(None),
        L::Text | L::Bytes | L::Json | L::Bits | L::List(_) => Layout::Varying,
    }
}

/// The least that is left of a value of `size` bytes in the row, where `distinct` tells how many different bytes it has, up
/// to so many.
///
/// Compression can leave less than a pointer of a very regular value; but each byte that occurs in it has to be there once,
/// so that this is only looked for in values of very few different bytes.
fn left(size: usize, distinct: impl FnOnce(usize) -> usize) -> usize {
    match size + 1 {
        short if short <= STAYS => short,
        _ if size < COMPRESSED => POINTER,
        _ => COMPRESSION + distinct(POINTER - COMPRESSION),
    }
}

fn varying(value: &Value<'_>) -> usize {
    /// The length of a string of bits, in bits.
    const BITS: usize = 4;
    /// An array without elements; any other has a head of 20 bytes, of three different ones.
    const EMPTY_ARRAY: usize = 12;
    match value {
        Value::Text(v) | Value::Bytes(v) | Value::Json(v) => left(v.len(), |most| distinct(v, most)),
        Value::Bits(_, v) => left(BITS + v.len(), |most| distinct(v, most)),
        Value::List(values) if values.is_empty() => left(EMPTY_ARRAY, |_| 1),
        Value::List(_) => COMPRESSION + 3,
        // No value of such a column: the row has another hazard.
        _ => 1,
    }
}

/// How many different bytes there are, counted up to `most`.
fn distinct(bytes: &[u8], most: usize) -> usize {
    let mut seen = Vec::with_capacity(most);
    for byte in bytes {
        if !seen.contains(byte) {
            seen.push(*byte);
            if seen.len() == most {
                break;
            }
        }
    }
    seen.len()
}

/// How many bytes Postgres keeps of a number, without their length: two, or four if it is very large or has a long fraction,
/// and two for each digit to base 10,000 from the first that is not zero to the last (`NumericData` in
/// `src/backend/utils/adt/numeric.c`).
fn numeric(value: &Value<'_>, scale: Option<usize>) -> usize {
    const SHORT: std::ops::RangeInclusive<i64> = -64..=63;
    let integer;
    let text = match value {
        Value::Decimal(text) => text.as_ref(),
        Value::Int(number) => {
            integer = number.to_string();
            &integer
        }
        _ => return 0,
    };
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let powers = (1 - whole.len() as i64..=fraction.len() as i64).map(|at| -at);
    let digits = whole.bytes().chain(fraction.bytes()).zip(powers);
    let mut groups =
        digits.filter(|(digit, _)| (b'1'..=b'9').contains(digit)).map(|(_, power)| power.div_euclid(4));
    let Some(first) = groups.next() else { return 2 };
    let last = groups.last().unwrap_or(first);
    let short = SHORT.contains(&first) && scale.unwrap_or(fraction.len()) <= 63;
    let header = if short { 2 } else { 4 };
    header + 2 * (first - last + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_what_pg_column_size_says_of_them() {
        // `SELECT pg_column_size(v) - 1` of a table's column, on Postgres 15.
        let cases = [
            ("0", 2),
            ("1", 4),
            ("-1", 4),
            ("10000", 4),
            ("10001", 6),
            ("0.0001", 4),
            ("0.00001", 4),
            ("1.5", 6),
            ("12345.678", 8),
            ("NaN", 2),
            ("-Infinity", 2),
        ];
        for (text, size) in cases {
            assert_eq!(numeric(&Value::Decimal(text.into()), None), size, "{text}");
        }
        assert_eq!(numeric(&Value::Int(i64::MIN), Some(2)), 12);
        assert_eq!(numeric(&Value::Int(1), Some(64)), 6);
        assert_eq!(numeric(&Value::Decimal(format!("1{}", "0".repeat(256)).into()), None), 6);
    }

    #[test]
    fn a_value_leaves_a_pointer_or_less_if_it_is_very_regular() {
        let of = |text: &str| varying(&Value::text(text));
        assert_eq!(of(""), 1);
        assert_eq!(of(&"a".repeat(23)), 24);
        assert_eq!(of(&"a".repeat(24)), 18);
        assert_eq!(of(&"a".repeat(32)), 13);
        assert_eq!(of("abcdefabcdefabcdefabcdefabcdefabcdef"), 18);
    }
}
