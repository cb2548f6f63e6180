//! Binary COPY out, a range of blocks at a time.

use futures_util::TryStreamExt as _;
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value};

use super::copy_decode::{Decoder, Fault, OnRow};
use super::dialect::DIALECT;
use super::session::PostgresSession;
use super::types;
use crate::Dialect as _;
use crate::bulk::{Chunk, Read, Session as _};
use crate::catalog::{Column, Table};

/// Where the only chunk of a table without blocks begins: a partitioned table, which is read through its root.
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
    let blocks = match found.first().map(Vec::as_slice) {
        Some([Value::Bool(true), _]) => return Ok(vec![Chunk { ordinal: 0, from: NO_BLOCKS, to: i64::MAX }]),
        Some([Value::Bool(false), Value::Int(blocks)]) => *blocks,
        _ => {
            return Err(
                Error::new(ErrorKind::NotFound, format!("read {}", table.name)).context("no such table")
            );
        }
    };
    let (sampled, counted) = if blocks > 1 { density(session, table, blocks)? } else { (1, 1) };
    // Rounded up, and at least one: never more rows than asked for where they are spread evenly.
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let per_chunk = (rows.saturating_mul(sampled) / counted.max(1)).clamp(1, blocks.max(1));
    let count = (blocks.max(1) - 1) / per_chunk + 1;
    (0..count)
        .map(|index| {
            let ordinal = u32::try_from(index)
                .map_err(|e| Error::new(ErrorKind::Unsupported, format!("split {}", table.name)).source(e))?;
            let to = if index + 1 == count { i64::MAX } else { (index + 1) * per_chunk };
            Ok(Chunk { ordinal, from: index * per_chunk, to })
        })
        .collect()
}

/// How many blocks were looked into, and how many rows they have.
fn density(session: &mut PostgresSession, table: &Table, blocks: i64) -> Result<(i64, i64)> {
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
        _ => Err(Error::new(ErrorKind::Corrupt, format!("count rows of {}", table.name))),
    }
}

/// The table and, where it has blocks, the range of them. `ONLY`: tables that inherit are tables of their own.
fn source(table: &Table, chunk: Chunk) -> String {
    let name = DIALECT.qualify(&table.name);
    if chunk.from == NO_BLOCKS {
        return name;
    }
    let from = format!("ONLY {name} WHERE ctid >= '({},0)'::pg_catalog.tid", chunk.from);
    match chunk.to {
        i64::MAX => from,
        to => format!("{from} AND ctid < '({to},0)'::pg_catalog.tid"),
    }
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
    let select = format!("SELECT {names} FROM {}", source(read.table, read.chunk));
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
