//! Partitioned tables, whose rows are in their parts.
//!
//! The bounds of a chunk count blocks, which each part has its own of. In a partitioned table they say the part, too: above the lowest 32
//! bits (a block has no greater number) its place among the parts by object id, from 1 on. Sessions of one snapshot see the
//! same parts.

use trimaran_core::{Error, ErrorKind, Result, Value};

use super::session::PostgresSession;
use crate::bulk::{Chunk, Session as _};
use crate::catalog::{Table, TableName};

/// How far a part's place is shifted.
const SHIFT: u32 = 32;

/// A part that holds rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: TableName,
    /// How many blocks it has now.
    pub(super) blocks: i64,
}

/// The parts of a partitioned table. None if it has none, or if one of them is to be read through its root alone: a foreign table, or
/// one that this role has no right to or that has policies of its own.
pub(super) fn parts(session: &mut PostgresSession, table: &Table) -> Result<Vec<Part>> {
    let rows = session.query(
        "WITH RECURSIVE part AS (
           SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = $1 AND c.relname = $2
           UNION ALL
           SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part ON i.inhparent = part.oid
         )
         SELECT n.nspname::text, c.relname::text,
                CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8 ELSE 0 END,
                c.relkind = 'r' AND NOT c.relrowsecurity AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
         FROM part JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind <> 'p' ORDER BY c.oid",
        &[Value::text(&table.name.schema), Value::text(&table.name.name)],
    )?;
    let mut parts = Vec::with_capacity(rows.len());
    for row in &rows {
        let (
            Some(Value::Text(schema)),
            Some(Value::Text(name)),
            Some(Value::Int(blocks)),
            Some(Value::Bool(direct)),
        ) = (row.first(), row.get(1), row.get(2), row.get(3))
        else {
            return Err(Error::new(ErrorKind::Corrupt, format!("look up the parts of {}", table.name)));
        };
        if !direct {
            return Ok(Vec::new());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        parts.push(Part { name: TableName::new(text(schema), text(name)), blocks: *blocks });
    }
    Ok(parts)
}

/// The bounds of a range of a part's blocks; without `to` it goes to the part's end.
pub(super) fn bounds(place: usize, from: i64, to: Option<i64>) -> (i64, i64) {
    let part = (i64::try_from(place).unwrap_or(i64::MAX >> SHIFT) + 1) << SHIFT;
    (part + from, to.map_or(part + (1 << SHIFT), |to| part + to))
}

/// In which part a chunk is, and the range of its blocks; `None` for a chunk of a table that has no parts.
pub(super) fn located(chunk: Chunk) -> Option<(usize, Chunk)> {
    let part = chunk.from >> SHIFT;
    let place = usize::try_from(part.checked_sub(1)?).ok()?;
    let block = (1 << SHIFT) - 1;
    let to = if chunk.to >> SHIFT == part { chunk.to & block } else { i64::MAX };
    Some((place, Chunk { ordinal: chunk.ordinal, from: chunk.from & block, to }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_found_in_its_part_again() {
        for place in [0, 1, 70_000] {
            for (from, to) in [(0, None), (0, Some(1)), (4_294_967_294, None), (5, Some(4_294_967_294))] {
                let (start, end) = bounds(place, from, to);
                assert!(start < end);
                let chunk = Chunk { ordinal: 3, from: start, to: end };
                let blocks = Chunk { ordinal: 3, from, to: to.unwrap_or(i64::MAX) };
                assert_eq!(located(chunk), Some((place, blocks)));
            }
        }
        for (from, to) in [(0, i64::MAX), (-1, i64::MAX), (100, 200)] {
            assert_eq!(located(Chunk { ordinal: 0, from, to }), None);
        }
    }
}
