//! Chunks of a table, and the rows in them.
//!
//! How a chunk's `from` and `to` count depends on how the table is stored ([`Order`]):
//!
//! - **by rowid** (nearly all tables): a range of rowids. A table whose rowids are at least half used is cut by
//!   arithmetic; else the cuts are at rowids that exist, found by stepping through the table, so that a chunk never has
//!   more rows than asked for and a table with two far-off rowids has no million empty chunks;
//! - **by key** (`WITHOUT ROWID`): positions in primary-key order. The key at each cut is found in one pass through the
//!   table and kept for all sessions of the database, so that a chunk is read by seeking to its key. A session that has
//!   not been told (a resumed run that reads before it splits) counts its way there once per chunk;
//! - **by position**: positions in storage order, found by counting. Only for `WITHOUT ROWID` tables whose key has a
//!   descending column or a collation that is not its column's (SQLite can't seek to a row of those), and for tables with
//!   columns called `rowid`, `_rowid_` and `oid` and no integer primary key. Reading such a table takes time with the
//!   square of its chunks.
//!
//! The last chunk has no end. Splitting takes a `count(*)` or one walk through the keys: SQLite knows no counts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use trimaran_core::{Result, Value};

use super::dialect::DIALECT;
use super::error::failed;
use super::write::Bound;
use crate::Dialect;
use crate::bulk::{Chunk, Read};
use crate::catalog::{Table, TableName};

/// The keys at the cuts of tables that are split by key, as found by [`chunks`].
#[derive(Debug, Default)]
pub(crate) struct Cuts(Mutex<HashMap<TableName, HashMap<i64, Vec<Value<'static>>>>>);

impl Cuts {
    fn keep(&self, table: &TableName, cuts: HashMap<i64, Vec<Value<'static>>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), cuts);
    }

    fn at(&self, table: &TableName, position: i64) -> Option<Vec<Value<'static>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(table)?.get(&position).cloned()
    }
}

/// How the rows of a table are told apart and ordered.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    /// By this name of the rowid, quoted where it is a column's.
    Rowid(String),
    /// By these columns of the primary key, quoted.
    Key(Vec<String>),
    /// By position.
    Position,
}

impl Order {
    fn of(connection: &Connection, table: &Table) -> Result<Self> {
        let operation = || format!("look up how {} is stored", table.name);
        let name = &table.name.name;
        let without_rowid: bool = connection
            .prepare_cached("SELECT wr FROM pragma_table_list(?1) WHERE schema = 'main'")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)))
            .map_err(failed(operation))?;
        if !without_rowid {
            let taken =
                |name: &str| table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
            let free = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken(name));
            let alias = table.columns.iter().find(|column| column.identity.is_some());
            return Ok(match (free, alias) {
                (Some(name), _) => Order::Rowid(name.to_owned()),
                (None, Some(alias)) => Order::Rowid(DIALECT.quote(&alias.name)),
                (None, None) => Order::Position,
            });
        }
        let mut statement = connection
            .prepare_cached(
                "SELECT x.name, x.coll, x.\"desc\" FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x \
                 WHERE l.origin = 'pk' AND x.key ORDER BY x.seqno",
            )
            .map_err(failed(operation))?;
        let parts = statement
            .query_map([name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
            })
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .map_err(failed(operation))?;
        // With a COLLATE of its own a column would not be looked up in the key (seen with EXPLAIN QUERY PLAN), so the key
        // has to sort by the column's.
        let natural = parts.iter().map(|(column, collation, descending)| {
            let (_, own, ..) = connection.column_metadata(Some("main"), name.as_str(), column.as_str())?;
            let own = own.map(|own| own.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(!descending && own.eq_ignore_ascii_case(collation))
        });
        let natural = natural.collect::<rusqlite::Result<Vec<bool>>>().map_err(failed(operation))?;
        if parts.is_empty() || natural.contains(&false) {
            return Ok(Order::Position);
        }
        Ok(Order::Key(parts.iter().map(|(column, ..)| DIALECT.quote(column)).collect()))
    }
}

/// Splits a table; see the module's description.
pub(crate) fn chunks(connection: &Connection, cuts: &Cuts, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX).max(1);
    let from = DIALECT.qualify(&table.name);
    let starts = match Order::of(connection, table)? {
        Order::Rowid(rowid) => rowid_starts(connection, &from, &rowid, rows),
        Order::Key(key) => key_starts(connection, &from, &key, rows).map(|found| {
            let starts = (0..).step_by(rows.unsigned_abs() as usize).take(found.len()).collect::<Vec<i64>>();
            cuts.keep(&table.name, starts.iter().copied().zip(found).collect());
            starts
        }),
        Order::Position => count(connection, &from)
            .map(|count| (0..count).step_by(usize::try_from(rows).unwrap_or(usize::MAX)).collect()),
    };
    let starts = starts.map_err(failed(|| format!("split {} into chunks", table.name)))?;
    let ends = starts.iter().skip(1).copied().chain([i64::MAX]);
    let numbered = (0u32..).zip(starts.iter().copied().zip(ends));
    Ok(numbered.map(|(ordinal, (from, to))| Chunk { ordinal, from, to }).collect())
}

fn count(connection: &Connection, from: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("SELECT count(*) FROM {from}"), [], |row| row.get(0))
}

fn rowid_starts(connection: &Connection, from: &str, rowid: &str, rows: i64) -> rusqlite::Result<Vec<i64>> {
    // Each on its own: SQLite seeks for one min or max, and scans for two of them in one query.
    let bounds = connection.query_row(
        &format!("SELECT (SELECT min({rowid}) FROM {from}), (SELECT max({rowid}) FROM {from})"),
        [],
        |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?)),
    )?;
    let Some((least, greatest)) = bounds else { return Ok(Vec::new()) };
    let span = i128::from(greatest) - i128::from(least) + 1;
    if span <= 2 * i128::from(count(connection, from)?) {
        return Ok((i128::from(least)..=i128::from(greatest))
            .step_by(usize::try_from(rows).unwrap_or(usize::MAX))
            .filter_map(|start| i64::try_from(start).ok())
            .collect());
    }
    let sql = format!("SELECT {rowid} FROM {from} WHERE {rowid} >= ?1 ORDER BY {rowid} LIMIT 1 OFFSET ?2");
    let mut next = connection.prepare(&sql)?;
    let mut starts = vec![least];
    let mut last = least;
    while let Some(start) = optional(next.query_row([last, rows], |row| row.get(0)))? {
        starts.push(start);
        last = start;
    }
    Ok(starts)
}

/// The key at every `rows`-th row, beginning with the first.
fn key_starts(
    connection: &Connection,
    from: &str,
    key: &[String],
    rows: i64,
) -> rusqlite::Result<Vec<Vec<Value<'static>>>> {
    let list = key.join(", ");
    let key_of =
        |row: &rusqlite::Row<'_>| (0..key.len()).map(|at| Ok(value(row.get_ref(at)?).into_owned())).collect();
    let first =
        connection.query_row(&format!("SELECT {list} FROM {from} ORDER BY {list} LIMIT 1"), [], key_of);
    let Some(first) = optional::<Vec<_>>(first)? else { return Ok(Vec::new()) };
    let sql = format!("{} OFFSET {rows}", from_key(&format!("SELECT {list}"), from, key, 1));
    let mut next = connection.prepare(&sql)?;
    let mut starts = vec![first];
    while let Some(last) = starts.last() {
        let found = next.query_row(rusqlite::params_from_iter(last.iter().map(bound)), key_of);
        match optional(found)? {
            Some(start) => starts.push(start),
            None => break,
        }
    }
    Ok(starts)
}

fn optional<T>(found: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Selects the rows from a key on, which is bound as the parameters, in the order of the key.
fn from_key(select: &str, from: &str, key: &[String], limit: i64) -> String {
    let list = key.join(", ");
    let places = (1..=key.len()).map(|at| format!("?{at}")).collect::<Vec<_>>().join(", ");
    format!("{select} FROM {from} WHERE ({list}) >= ({places}) ORDER BY {list} LIMIT {limit}")
}

/// Reads a chunk's rows in storage order.
pub(crate) fn rows(
    connection: &Connection,
    cuts: &Cuts,
    read: &Read<'_>,
    on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>,
) -> Result<()> {
    let operation = || format!("read {}", read.table.name);
    let (from, chunk) = (DIALECT.qualify(&read.table.name), read.chunk);
    let columns =
        read.columns.iter().map(|column| DIALECT.quote(&column.name)).collect::<Vec<_>>().join(", ");
    // A statement has to have a column, even where none is asked for.
    let select = format!("SELECT {}", if columns.is_empty() { "NULL" } else { &columns });
    let limit = if chunk.to == i64::MAX { -1 } else { chunk.to.saturating_sub(chunk.from) };
    let (sql, arguments) = match Order::of(connection, read.table)? {
        Order::Rowid(rowid) if chunk.to == i64::MAX => (
            format!("{select} FROM {from} WHERE {rowid} >= ?1 ORDER BY {rowid}"),
            vec![Value::Int(chunk.from)],
        ),
        Order::Rowid(rowid) => (
            format!("{select} FROM {from} WHERE {rowid} >= ?1 AND {rowid} < ?2 ORDER BY {rowid}"),
            vec![Value::Int(chunk.from), Value::Int(chunk.to)],
        ),
        Order::Key(key) => match cuts.at(&read.table.name, chunk.from) {
            Some(start) => (from_key(&select, &from, &key, limit), start),
            None => (
                format!("{select} FROM {from} ORDER BY {} LIMIT ?1 OFFSET ?2", key.join(", ")),
                vec![Value::Int(limit), Value::Int(chunk.from)],
            ),
        },
        // NOT INDEXED: a covering index would give the rows in another order than the count went by.
        Order::Position => (
            format!("{select} FROM {from} NOT INDEXED LIMIT ?1 OFFSET ?2"),
            vec![Value::Int(limit), Value::Int(chunk.from)],
        ),
    };
    let mut statement = connection.prepare_cached(&sql).map_err(failed(operation))?;
    let mut rows = statement
        .query(rusqlite::params_from_iter(arguments.iter().map(bound)))
        .map_err(failed(operation))?;
    let mut spare: Vec<Value<'static>> = Vec::with_capacity(read.columns.len());
    while let Some(row) = rows.next().map_err(failed(operation))? {
        let mut values = recycle(spare);
        for at in 0..read.columns.len() {
            values.push(value(row.get_ref(at).map_err(failed(operation))?));
        }
        on_row(&values)?;
        spare = recycle(values);
    }
    Ok(())
}

/// An empty vector with the same room for values of another lifetime: the collection is done in place.
fn recycle<'to>(mut values: Vec<Value<'_>>) -> Vec<Value<'to>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}

/// A cell as SQLite has it.
pub(crate) fn value(cell: ValueRef<'_>) -> Value<'_> {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Float64(v),
        ValueRef::Text(v) => Value::Text(v.into()),
        ValueRef::Blob(v) => Value::Bytes(v.into()),
    }
}

/// A cell that [`value`] gave, to be bound.
fn bound<'v>(value: &'v Value<'_>) -> Bound<'v> {
    Bound(match value {
        Value::Int(v) => ValueRef::Integer(*v),
        Value::Float64(v) => ValueRef::Real(*v),
        Value::Text(v) => ValueRef::Text(v),
        Value::Bytes(v) => ValueRef::Blob(v),
        _ => ValueRef::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sought_and_not_scanned_for() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (a TEXT COLLATE NOCASE, b, v, PRIMARY KEY (b, a)) WITHOUT ROWID")
            .unwrap();
        let sql = from_key("SELECT v", "main.t", &["\"b\"".to_owned(), "\"a\"".to_owned()], 10);
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.query_map(["1", "2"], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(rusqlite::Result::unwrap).collect();
        assert_eq!(steps, ["SEARCH main.t USING PRIMARY KEY ((b,a)>(?,?))"]);
    }

    #[test]
    fn a_rows_vector_is_used_again() {
        let mut values: Vec<Value<'_>> = Vec::with_capacity(7);
        values.push(Value::Int(1));
        let place = values.as_ptr().addr();
        let again: Vec<Value<'static>> = recycle(values);
        assert_eq!((again.as_ptr().addr(), again.capacity(), again.len()), (place, 7, 0));
    }
}
