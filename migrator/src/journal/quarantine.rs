//! The rows put aside, as the journal keeps them: read, and taken out again in the transaction that writes them.

use trimaran_backends::catalog::{Column, Table, TableName};
use trimaran_backends::{Read, Session};
use trimaran_core::digest::Digest;
use trimaran_core::{ErrorKind, LogicalType, Result, Value};

use super::{CHUNKS, Journal, QUARANTINE, corrupt, number, text};

/// The quarantine's columns.
const COLUMNS: [(&str, LogicalType); 9] = [
    ("run", LogicalType::Text),
    ("source_schema", LogicalType::Text),
    ("source_table", LogicalType::Text),
    ("chunk", LogicalType::Int64),
    ("entry", LogicalType::Int64),
    ("row_key", LogicalType::Text),
    ("column_name", LogicalType::Text),
    ("reason", LogicalType::Text),
    ("row_bytes", LogicalType::Bytes),
];

/// A row that was put aside.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its table, on the source.
    pub table: TableName,
    /// The chunk it was read in.
    pub chunk: i64,
    /// Its place among those of the chunk.
    pub entry: i64,
    /// Its key, as people read it.
    pub key: String,
    /// The column with the hazard.
    pub column: String,
    /// The hazard.
    pub reason: String,
    /// The row, in canonical bytes: see [`trimaran_core::digest`].
    pub bytes: Vec<u8>,
}

/// Some entries of one chunk that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// The chunk.
    pub chunk: i64,
    /// The first entry.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Journal {
    /// The quarantine: its name, and the columns and types that its rows are written with.
    pub fn quarantine(&self) -> (TableName, Vec<(String, LogicalType)>) {
        let columns = COLUMNS.iter().map(|(name, logical)| ((*name).to_owned(), logical.clone()));
        (TableName::new(&self.schema, QUARANTINE), columns.collect())
    }

    /// How many rows a run put aside, by table and reason.
    ///
    /// # Errors
    /// The target's, classified; [`ErrorKind::Corrupt`] if a record makes no sense.
    pub fn put_aside(&self, session: &mut dyn Session, run: &str) -> Result<Vec<(TableName, String, u64)>> {
        let sql = format!(
            "SELECT source_schema, source_table, reason, count(*) FROM {} WHERE run = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            self.name(QUARANTINE)
        );
        let rows = session.query(&sql, &[Value::text(run)])?;
        rows.iter()
            .map(|row| {
                let count = u64::try_from(number(row, 3)?).map_err(|e| corrupt("a count").source(e))?;
                Ok((TableName::new(text(row, 0)?, text(row, 1)?), text(row, 2)?, count))
            })
            .collect()
    }

    /// Calls `visit` with the table and the canonical bytes of each quarantined row of a run.
    ///
    /// # Errors
    /// The target's, classified; or what `visit` returned.
    pub fn quarantined(
        &self,
        session: &mut dyn Session,
        run: &str,
        visit: &mut dyn FnMut(&TableName, &[u8]) -> Result<()>,
    ) -> Result<()> {
        self.each(session, run, &mut |row| match &row[8] {
            Value::Bytes(bytes) => visit(&TableName::new(text(row, 1)?, text(row, 2)?), bytes),
            _ => Err(corrupt("a quarantined row")),
        })
    }

    /// Calls `visit` with each quarantined row of a run.
    ///
    /// # Errors
    /// The target's, classified; or what `visit` returned.
    pub fn entries(
        &self,
        session: &mut dyn Session,
        run: &str,
        visit: &mut dyn FnMut(Entry) -> Result<()>,
    ) -> Result<()> {
        self.each(session, run, &mut |row| visit(entry(row)?))
    }

    fn each(
        &self,
        session: &mut dyn Session,
        run: &str,
        visit: &mut dyn FnMut(&[Value<'_>]) -> Result<()>,
    ) -> Result<()> {
        let (name, columns) = self.quarantine();
        let columns: Vec<Column> = columns
            .into_iter()
            .map(|(name, logical)| Column {
                name,
                declared: logical.stored_as(self.dialect.engine()),
                logical: Some(logical),
                nullable: false,
                default: None,
                identity: None,
                generated: None,
            })
            .collect();
        let table = Table {
            name,
            columns: columns.clone(),
            primary_key: None,
            unique: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
            estimated_rows: None,
        };
        for chunk in session.chunks(&table, 10_000)? {
            session.read(&Read { table: &table, columns: &columns, chunk }, &mut |row| {
                let Value::Text(row_run) = &row[0] else { return Err(corrupt("a quarantined row")) };
                if row_run.as_ref() == run.as_bytes() { visit(row) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    /// Splits a table's quarantined rows into batches of about `bytes` bytes and at most `rows` rows, in order.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn batches(
        &self,
        session: &mut dyn Session,
        run: &str,
        table: &TableName,
        bytes: u64,
        rows: usize,
    ) -> Result<Vec<Batch>> {
        let mut found: Vec<(i64, i64, u64)> = Vec::new();
        self.each(session, run, &mut |row| {
            if let (Value::Text(schema), Value::Text(name), Value::Bytes(row_bytes)) =
                (&row[1], &row[2], &row[8])
                && schema.as_ref() == table.schema.as_bytes()
                && name.as_ref() == table.name.as_bytes()
            {
                found.push((number(row, 3)?, number(row, 4)?, row_bytes.len() as u64));
            }
            Ok(())
        })?;
        found.sort_unstable();
        let mut batches: Vec<Batch> = Vec::new();
        let (mut held, mut count) = (0, 0);
        for (chunk, entry, size) in found {
            match batches.last_mut() {
                Some(batch) if batch.chunk == chunk && held + size <= bytes && count < rows => {
                    batch.last = entry;
                    (held, count) = (held + size, count + 1);
                }
                _ => {
                    batches.push(Batch { chunk, first: entry, last: entry });
                    (held, count) = (size, 1);
                }
            }
        }
        Ok(batches)
    }

    /// The rows of a batch.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn batch(
        &self,
        session: &mut dyn Session,
        run: &str,
        table: &TableName,
        batch: Batch,
    ) -> Result<Vec<Entry>> {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE run = $1 AND source_schema = $2 AND source_table = $3 AND chunk = $4 \
             AND entry >= $5 AND entry <= $6 ORDER BY entry",
            names.join(", "),
            self.name(QUARANTINE)
        );
        let values = [
            Value::text(run),
            Value::text(&table.schema),
            Value::text(&table.name),
            Value::Int(batch.chunk),
            Value::Int(batch.first),
            Value::Int(batch.last),
        ];
        session.query(&sql, &values)?.iter().map(|row| entry(row)).collect()
    }

    /// Takes rows of one chunk out of the quarantine and counts them as written, in the transaction that writes them.
    /// `before` and `after` are the sums of their digests as they were and as they are written.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if one of them is not there any more; else the target's, classified.
    pub fn release(
        &self,
        session: &mut dyn Session,
        run: &str,
        entries: &[&Entry],
        before: Digest,
        after: Digest,
    ) -> Result<()> {
        let Some(first) = entries.first() else { return Ok(()) };
        let key = [
            Value::text(run),
            Value::text(&first.table.schema),
            Value::text(&first.table.name),
            Value::Int(first.chunk),
        ];
        const OF_CHUNK: &str = "run = $1 AND source_schema = $2 AND source_table = $3 AND chunk = $4";
        let numbers: Vec<String> = entries.iter().map(|entry| entry.entry.to_string()).collect();
        let sql = format!(
            "DELETE FROM {} WHERE {OF_CHUNK} AND entry IN ({}) RETURNING entry",
            self.name(QUARANTINE),
            numbers.join(", ")
        );
        if session.query(&sql, &key)?.len() != entries.len() {
            return Err(trimaran_core::Error::new(ErrorKind::Changed, "take rows out of the quarantine")
                .context("somebody else has changed it meanwhile"));
        }
        let sql = format!("SELECT digest FROM {} WHERE {OF_CHUNK}", self.name(CHUNKS));
        let rows = session.query(&sql, &key)?;
        let row = rows.first().ok_or_else(|| corrupt("the chunk of a quarantined row"))?;
        let mut digest = Digest::parse(&text(row, 0)?).ok_or_else(|| corrupt("a digest"))?;
        digest.subtract(before);
        digest.add(after);
        let (digest, count) = (digest.to_string(), entries.len());
        let sql = format!(
            "UPDATE {} SET rows_written = rows_written + {count}, rows_quarantined = rows_quarantined - {count}, \
             digest = $5, recorded = {} WHERE {OF_CHUNK}",
            self.name(CHUNKS),
            super::now()
        );
        let values: Vec<Value<'_>> = key.into_iter().chain([Value::text(&digest)]).collect();
        session.query(&sql, &values).map(drop)
    }
}

fn entry(row: &[Value<'_>]) -> Result<Entry> {
    let Some(Value::Bytes(bytes)) = row.get(8) else { return Err(corrupt("a quarantined row")) };
    Ok(Entry {
        table: TableName::new(text(row, 1)?, text(row, 2)?),
        chunk: number(row, 3)?,
        entry: number(row, 4)?,
        key: text(row, 5)?,
        column: text(row, 6)?,
        reason: text(row, 7)?,
        bytes: bytes.to_vec(),
    })
}
