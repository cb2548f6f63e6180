//! Binary COPY out, a range of blocks at a time.

use futures_util::TryStreamExt as _;
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value};

use super::copy_decode::{Decoder, Fault, OnRow};
use super::dialect::DIALECT;
use super::parts;
use super::session::PostgresSession;
use super::types;
use crate::Dialect as _;
use crate::bulk::{Chunk, Read, Session as _};
use crate::catalog::{Column, Table, TableName};

/// Where the only chunk of a partitioned table begins that is read through its root.
const NO_BLOCKS: i64 = -1;

/// How many blocks are looked into to learn how many rows a block has.
const SAMPLES: i64 = 32;

/// How much of an abandoned chunk is read past so that the connection can be used further; beyond, it is given up.
const LEFTOVER: usize = 64 << 20;

/// Splits a table into ranges of blocks. See [`crate::Session::chunks`].
///
/// The density of rows is counted in blocks spread evenly over the table and not taken from the planner's statistics,
/// which autovacuum changes while the data stays the same.
pub(super) fn chunks(session: &mut PostgresSession, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
    let found = session.query(
        "SELECT c.relkind = 'p', pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8 \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
        &[Value::text(&table.name.schema), Value::text(&table.name.name)],
    )?;
    let ranges = match found.first().map(Vec::as_slice) {
        Some([Value::Bool(true), _]) => ranges_of_parts(session, table, rows)?,
        Some([Value::Bool(false), Value::Int(blocks)]) => {
            let per_chunk = blocks_of(session, &table.name, *blocks, rows)?;
            ranges(*blocks, per_chunk).map(|(from, to)| (from, to.unwrap_or(i64::MAX))).collect()
        }
        _ => {
            return Err(
                Error::new(ErrorKind::NotFound, format!("read {}", table.name)).context("no such table")
            );
        }
    };
    (0u64..)
        .zip(ranges)
        .map(|(index, (from, to))| {
            let ordinal = u32::try_from(index)
                .map_err(|e| Error::new(ErrorKind::Unsupported, format!("split {}", table.name)).source(e))?;
            Ok(Chunk { ordinal, from, to })
        })
        .collect()
}

/// The ranges of the blocks of a partitioned table's parts. How many rows a block has is learnt from the largest.
fn ranges_of_parts(session: &mut PostgresSession, table: &Table, rows: u64) -> Result<Vec<(i64, i64)>> {
    let parts = parts::parts(session, table)?;
    let Some(largest) = parts.iter().max_by_key(|part| part.blocks).filter(|part| part.blocks > 0) else {
        return Ok(vec![(NO_BLOCKS, i64::MAX)]);
    };
    let per_chunk = blocks_of(session, &largest.name, largest.blocks, rows)?;
    let with_rows = parts.iter().enumerate().filter(|(_, part)| part.blocks > 0);
    Ok(with_rows
        .flat_map(|(place, part)| {
            ranges(part.blocks, per_chunk).map(move |(from, to)| parts::bounds(place, from, to))
        })
        .collect())
}

/// Ranges of so many blocks each; the last, of which there always is one, has no end.
fn ranges(blocks: i64, per_chunk: i64) -> impl Iterator<Item = (i64, Option<i64>)> {
    let count = (blocks.max(1) - 1) / per_chunk + 1;
    (0..count).map(move |index| (index * per_chunk, (index + 1 < count).then(|| (index + 1) * per_chunk)))
}

/// How many blocks hold so many rows, one at least: never more rows than asked for where they are spread evenly.
fn blocks_of(session: &mut PostgresSession, table: &TableName, blocks: i64, rows: u64) -> Result<i64> {
    let (sampled, counted) = if blocks > 1 { density(session, table, blocks)? } else { (1, 1) };
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    Ok((rows.saturating_mul(sampled) / counted.max(1)).clamp(1, blocks.max(1)))
}

/// How many blocks were looked into, and how many rows they have.
fn density(session: &mut PostgresSession, table: &TableName, blocks: i64) -> Result<(i64, i64)> {
    let samples = blocks.min(SAMPLES);
    let counts: Vec<_> = (0..samples)
        .map(|sample| {
            let block = sample * blocks / samples;
            let source = source(table, Chunk { ordinal: 0, from: block, to: block + 1 });
            format!("(SELECT count(*) FROM {source})")
        })
        .collect();
    let rows = session.query(&format!("SELECT {}", counts.join(" + ")), &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(counted)) => Ok((samples, *counted)),
        _ => Err(Error::new(ErrorKind::Corrupt, format!("count rows of {table}"))),
    }
}

/// The table and the range of its blocks. `ONLY`: tables that inherit are tables of their own.
fn source(table: &TableName, chunk: Chunk) -> String {
    let from = format!("ONLY {} WHERE ctid >= '({},0)'::pg_catalog.tid", DIALECT.qualify(table), chunk.from);
    match chunk.to {
        i64::MAX => from,
        to => format!("{from} AND ctid < '({to},0)'::pg_catalog.tid"),
    }
}

/// Where a chunk's rows are: in a table's blocks, in a part's, or, for one without blocks, in all that its name stands for.
fn source_of(session: &mut PostgresSession, table: &Table, chunk: Chunk) -> Result<String> {
    if chunk.from == NO_BLOCKS {
        return Ok(DIALECT.qualify(&table.name));
    }
    let Some((place, chunk)) = parts::located(chunk) else { return Ok(source(&table.name, chunk)) };
    if session.parts.as_ref().is_none_or(|(of, _)| *of != table.name) {
        session.parts = Some((table.name.clone(), parts::parts(session, table)?));
    }
    let part = session.parts.as_ref().and_then(|(_, parts)| parts.get(place));
    part.map(|part| source(&part.name, chunk)).ok_or_else(|| {
        Error::new(ErrorKind::Changed, format!("read {}", table.name))
            .context("a part of it is gone")
            .hint("begin again with --restart")
    })
}

/// How a column is selected, and the type of what arrives: as it is where its binary form is one of ours, else cast to
/// the type that the catalogue took it for, else as text.
fn selection(column: &Column) -> (String, LogicalType) {
    let name = DIALECT.quote(&column.name);
    match (types::of_declared(&column.declared), &column.logical) {
        // Arrays that are no lists are asked for as text.
        (Some(LogicalType::List(_)), Some(LogicalType::Text)) => (format!("{name}::text"), LogicalType::Text),
        (Some(wire), _) => (name, wire),
        // As it is written, and not as it is cast: that would take the blanks off a domain of `char(3)`.
        (None, Some(LogicalType::Text)) => (
            format!("CASE WHEN {name} IS DISTINCT FROM NULL THEN pg_catalog.concat({name}) END"),
            LogicalType::Text,
        ),
        (None, Some(logical)) => {
            (format!("{name}::{}", logical.stored_as(Engine::Postgres)), logical.clone())
        }
        (None, None) => (format!("{name}::text"), LogicalType::Text),
    }
}

/// Reads a chunk. See [`crate::Session::read`].
pub(super) fn read(session: &mut PostgresSession, read: &Read<'_>, on_row: &mut OnRow<'_>) -> Result<()> {
    session.ready()?;
    let (names, types): (Vec<_>, Vec<_>) = read.columns.iter().map(selection).unzip();
    let names = names.join(", ");
    check(session, read, &names)?;

    let operation = format!("read {}", read.table.name);
    let select = format!("SELECT {names} FROM {}", source_of(session, read.table, read.chunk)?);
    let mut decoder = Decoder::new(types);
    let mut fault = None;
    let mut abandoned = false;
    let mut started = false;
    let copied = session.run(&operation, async |connection| {
        let mut stream =
            connection.copy_out_raw(&format!("COPY ({select}) TO STDOUT (FORMAT binary)")).await?;
        started = true;
        let mut left = LEFTOVER;
        while let Some(message) = stream.try_next().await? {
            if fault.is_none() {
                fault = decoder.push(&message, on_row).err();
            } else if message.len() > left {
                abandoned = true;
                break;
            } else {
                left -= message.len();
            }
        }
        Ok(())
    });
    if abandoned || (copied.is_err() && !started) {
        // The driver leaves the end of such an answer unread, and would take it for the answer to the next statement.
        session.give_up();
    }
    match fault {
        None => copied.and_then(|()| decoder.finish()).map_err(|error| located(error, read)),
        Some(Fault::Consumer(error)) => Err(error),
        Some(Fault::Stream(error)) => Err(located(error, read)),
        Some(Fault::Value { ordinal, why }) => {
            let column = read.columns.get(ordinal).map_or("?", |column| &column.name);
            Err(located(why.at(ordinal), read).context(format!("column \"{column}\"")))
        }
    }
}

/// Runs the selection for no row, once per session: whatever is wrong with it (a column that is gone, a right that is
/// missing, row-level security) shows here, where the driver can deal with it.
fn check(session: &mut PostgresSession, read: &Read<'_>, names: &str) -> Result<()> {
    let probe = format!("SELECT {names} FROM {} LIMIT 0", DIALECT.qualify(&read.table.name));
    if session.checked.as_deref() == Some(probe.as_str()) {
        return Ok(());
    }
    session.statement(&probe).map_err(|error| {
        let row_security = error.to_string().contains("row-level security");
        let error = error.context(format!("table {}", read.table.name));
        if row_security {
            error.hint("read as the tables' owner or as a role with BYPASSRLS, so that no row is left out")
        } else {
            error
        }
    })?;
    session.checked = Some(probe);
    Ok(())
}

/// Says in which part of which table it went wrong.
fn located(error: Error, read: &Read<'_>) -> Error {
    error.context(format!("table {}, chunk {}", read.table.name, read.chunk.ordinal))
}
