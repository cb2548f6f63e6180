//! Statements on a session's connection: what its thread does.

use duckdb::arrow::array::StructArray;
use duckdb::arrow::datatypes::Schema;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params_from_iter};
use sea_orm::{ExecResult, QueryResult, Statement, Value};
use trimaran_core::{Error, ErrorKind, Result};

use super::bind::Bound;
use super::column::Column;
use super::error::failed;
use super::row::{Names, query_results};
use super::sql::{Shape, shape};
use super::unsupported::explain;
use crate::carrier::exec_result;

const RUN: &str = "run a DuckDB statement";
const QUERY: &str = "run a DuckDB query";

/// A prepared statement keeps the result of its last run. One of more rows is let go with its statement.
const KEPT_ROWS: usize = 256;
/// A stream hands its rows on in pieces of about as many bytes, and at most as many rows.
const PIECE_BYTES: usize = 256 << 10;
const PIECE_ROWS: usize = 512;

/// Runs one statement.
pub(super) fn execute(connection: &Connection, statement: Statement) -> Result<ExecResult> {
    let bound = Bound::new(statement)?;
    let shape = single(&bound.sql)?;
    exec_result(0, run(connection, &bound, &shape).map_err(|e| explain(e, &bound.sql))?)
}

fn run(connection: &Connection, bound: &Bound, shape: &Shape) -> Result<u64> {
    let refused = |e| failed(RUN, e);
    let mut prepared = connection.prepare_cached(&bound.sql).map_err(refused)?;
    let changed = prepared.execute(params_from_iter(&bound.parameters)).map_err(refused)?;
    // DuckDB counts no change where it gives the changed rows instead.
    let touched = if shape.returning { prepared.row_count() } else { changed };
    if prepared.row_count() > KEPT_ROWS {
        prepared.discard();
    }
    Ok(u64::try_from(touched).unwrap_or(u64::MAX))
}

/// Runs any number of statements without parameters, one after the other.
pub(super) fn execute_unprepared(connection: &Connection, sql: &str) -> Result<ExecResult> {
    let mut touched = 0;
    for statement in shape(sql)?.statements {
        let bound = Bound { sql: sql[statement].to_owned(), parameters: Vec::new() };
        let shape = shape(&bound.sql)?;
        touched += run(connection, &bound, &shape).map_err(|e| explain(e, &bound.sql))?;
    }
    exec_result(0, touched)
}

/// Runs a query and gives all its rows as SeaORM has them.
pub(super) fn query_all(
    connection: &Connection,
    statement: Statement,
    by_position: bool,
) -> Result<Vec<QueryResult>> {
    let mut names = None;
    let mut rows = Vec::new();
    read_all(connection, statement, &mut |schema, cells| {
        let names = names.get_or_insert_with(|| Names::of(schema, by_position));
        rows.push(names.row(cells));
    })?;
    query_results(rows)
}

/// Runs a query and gives the cells of all its rows.
pub(super) fn fetch(connection: &Connection, statement: Statement) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    read_all(connection, statement, &mut |_, cells| rows.push(cells))?;
    Ok(rows)
}

fn read_all(
    connection: &Connection,
    statement: Statement,
    take: &mut dyn FnMut(&Schema, Vec<Value>),
) -> Result<()> {
    let bound = Bound::new(statement)?;
    single(&bound.sql)?;
    let refused = |e| explain(failed(QUERY, e), &bound.sql);
    let mut prepared = connection.prepare_cached(&bound.sql).map_err(refused)?;
    let ran = prepared.execute(params_from_iter(&bound.parameters)).map_err(refused);
    ran?;
    let schema = prepared.schema();
    let mut count = 0;
    let read = loop {
        match prepared.step().map_err(refused) {
            Ok(Some(batch)) => {
                let read = read(&schema, batch, &mut |cells, _| {
                    count += 1;
                    take(&schema, cells);
                    Ok(())
                });
                if let Err(error) = read {
                    break Err(error);
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    if read.is_err() || count > KEPT_ROWS {
        // Whatever it still holds would be held until it is run again.
        prepared.discard();
    }
    read
}

/// Runs a query and gives its rows to `take` a piece at a time, until that says no.
pub(super) fn stream(
    connection: &Connection,
    statement: Statement,
    by_position: bool,
    take: &mut dyn FnMut(Vec<QueryResult>) -> bool,
) -> Result<()> {
    let bound = Bound::new(statement)?;
    single(&bound.sql)?;
    let refused = |e| explain(failed(QUERY, e), &bound.sql);
    // Not one of those that are kept: an open result holds its connection.
    let mut prepared = connection.prepare(&bound.sql).map_err(refused)?;
    let stream = prepared.stream_arrow(params_from_iter(&bound.parameters)).map_err(refused)?;
    let schema = stream.get_schema();
    let names = Names::of(&schema, by_position);
    let (mut piece, mut bytes, mut wanted) = (Vec::new(), 0, true);
    for batch in stream {
        let batch = StructArray::from(batch.map_err(refused)?);
        read(&schema, batch, &mut |cells, size| {
            piece.push(names.row(cells));
            bytes += size;
            if bytes >= PIECE_BYTES || piece.len() >= PIECE_ROWS {
                bytes = 0;
                wanted = take(query_results(std::mem::take(&mut piece))?);
                if !wanted {
                    return Err(Error::new(ErrorKind::Interrupted, QUERY));
                }
            }
            Ok(())
        })?;
    }
    if wanted && !piece.is_empty() {
        take(query_results(piece)?);
    }
    Ok(())
}

/// Makes sure that `sql` is one statement: DuckDB would run all but the last while it prepares them, and only once.
fn single(sql: &str) -> Result<Shape> {
    let shape = shape(sql)?;
    match shape.statements.len() {
        1 => Ok(shape),
        0 => Err(Error::new(ErrorKind::Invalid, RUN).context("there is none in the text")),
        count => Err(Error::new(ErrorKind::Invalid, RUN)
            .context(format!("the text holds {count} statements"))
            .hint("run them one by one, or without parameters with execute_unprepared")),
    }
}

/// Gives the cells of each row of a batch to `take`, with about how many bytes they have.
fn read(
    schema: &Schema,
    batch: StructArray,
    take: &mut dyn FnMut(Vec<Value>, usize) -> Result<()>,
) -> Result<()> {
    let batch = RecordBatch::from(batch);
    let size = batch.get_array_memory_size() / batch.num_rows().max(1);
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| Column::new(array, field))
        .collect::<Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        let cells = columns.iter().map(|column| column.get(row)).collect::<Result<_>>()?;
        take(cells, size)?;
    }
    Ok(())
}
