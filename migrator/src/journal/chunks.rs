//! Chunks that were copied, as the journal keeps them.

use trimaran_backends::Session;
use trimaran_backends::bulk::Chunk;
use trimaran_backends::catalog::TableName;
use trimaran_core::digest::Digest;
use trimaran_core::{Error, ErrorKind, Result, Value};

use super::{CHUNKS, Journal, RUNS, corrupt, now, number, text};

/// A chunk that was copied.
#[derive(Debug, Clone)]
pub struct ChunkRecord {
    /// The table, on the source.
    pub table: TableName,
    /// Which chunk.
    pub chunk: Chunk,
    /// Rows read.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// Rows put aside.
    pub quarantined: u64,
    /// Bytes of values.
    pub bytes: u64,
    /// The digest of the rows read.
    pub digest: Digest,
}

impl Journal {
    /// The chunks that a run has copied.
    ///
    /// # Errors
    /// The target's, classified; [`ErrorKind::Corrupt`] if a record makes no sense.
    pub fn chunks(&self, session: &mut dyn Session, run: &str) -> Result<Vec<ChunkRecord>> {
        let sql = format!("SELECT {CHUNK_COLUMNS} FROM {} WHERE run = $1", self.name(CHUNKS));
        session.query(&sql, &[Value::text(run)])?.iter().map(|row| chunk_record(row)).collect()
    }

    /// The record of one chunk, if a run has copied it.
    ///
    /// # Errors
    /// As [`Journal::chunks`].
    pub fn chunk(
        &self,
        session: &mut dyn Session,
        run: &str,
        table: &TableName,
        chunk: Chunk,
    ) -> Result<Option<ChunkRecord>> {
        let sql = format!(
            "SELECT {CHUNK_COLUMNS} FROM {} \
             WHERE run = $1 AND source_schema = $2 AND source_table = $3 AND chunk = $4",
            self.name(CHUNKS)
        );
        let ordinal = Value::Int(i64::from(chunk.ordinal));
        let values = [Value::text(run), Value::text(&table.schema), Value::text(&table.name), ordinal];
        session.query(&sql, &values)?.first().map(|row| chunk_record(row)).transpose()
    }

    /// Records a chunk, in the transaction that wrote its rows.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn record_chunk(&self, session: &mut dyn Session, run: &str, record: &ChunkRecord) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (run, source_schema, source_table, chunk, from_position, to_position, rows_read, \
             rows_written, rows_quarantined, bytes, digest, recorded) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, {})",
            self.name(CHUNKS),
            now()
        );
        let count = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let digest = record.digest.to_string();
        let values = [
            Value::text(run),
            Value::text(&record.table.schema),
            Value::text(&record.table.name),
            Value::Int(i64::from(record.chunk.ordinal)),
            Value::Int(record.chunk.from),
            Value::Int(record.chunk.to),
            count(record.read),
            count(record.written),
            count(record.quarantined),
            count(record.bytes),
            Value::text(&digest),
        ];
        session.query(&sql, &values)?;
        // Whoever has lost the lock of the run unnoticed must not write into what another has begun again.
        let sql = format!("SELECT run FROM {} WHERE run = $1", self.name(RUNS));
        if session.query(&sql, &[Value::text(run)])?.is_empty() {
            return Err(Error::new(ErrorKind::Interrupted, "record a chunk")
                .context(format!("run {run} is no longer in the journal: another migration began it again"))
                .hint("let that one end, then run the same command again"));
        }
        Ok(())
    }
}

const CHUNK_COLUMNS: &str = "source_schema, source_table, chunk, from_position, to_position, rows_read, rows_written, \
                             rows_quarantined, bytes, digest";

/// A chunk's record, of which a row has [`CHUNK_COLUMNS`].
fn chunk_record(row: &[Value<'_>]) -> Result<ChunkRecord> {
    let count = |at| number(row, at).and_then(|n| u64::try_from(n).map_err(|e| corrupt("a count").source(e)));
    Ok(ChunkRecord {
        table: TableName::new(text(row, 0)?, text(row, 1)?),
        chunk: Chunk {
            ordinal: u32::try_from(number(row, 2)?).map_err(|e| corrupt("a chunk").source(e))?,
            from: number(row, 3)?,
            to: number(row, 4)?,
        },
        read: count(5)?,
        written: count(6)?,
        quarantined: count(7)?,
        bytes: count(8)?,
        digest: Digest::parse(&text(row, 9)?).ok_or_else(|| corrupt("a digest"))?,
    })
}
