//! Rows moved in chunks: each chunk, its quarantined rows and its journal record in one transaction of the target.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trimaran_backends::bulk::Chunk;
use trimaran_backends::catalog::TableName;
use trimaran_backends::{Database, Read, Session};
use trimaran_core::digest::{self, Digest};
use trimaran_core::{ErrorKind, LogicalType, Result, Value};

use crate::interrupt;
use crate::journal::{ChunkRecord, Journal};
use crate::plan::{Plan, TablePlan};
use crate::progress::{Meter, Progress};
use crate::resume;
use crate::retry::Retries;
use crate::rows::{Held, RowMapper};
use crate::scan::{SCAN_ROWS, TableScan};
use crate::source::{Budget, Source};
use crate::work;

/// About how many bytes one transaction moves: small enough that an interruption costs little, large enough that
/// commits don't.
const CHUNK_BYTES: u64 = 16 * 1024 * 1024;
/// The fewest rows in a chunk; DuckDB's vector.
const LEAST_ROWS: u64 = 2_048;

/// Totals of one table.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Copied {
    /// The table, as people write it.
    pub table: String,
    /// Rows read.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows put aside.
    pub rows_quarantined: u64,
    /// Bytes of values.
    pub bytes: u64,
    /// The digest of the rows read.
    #[serde(serialize_with = "as_text")]
    pub digest: Digest,
}

impl Copied {
    fn add(&mut self, record: &ChunkRecord) {
        self.rows_read += record.read;
        self.rows_written += record.written;
        self.rows_quarantined += record.quarantined;
        self.bytes += record.bytes;
        self.digest.add(record.digest);
    }
}

fn lock(totals: &Mutex<Vec<Copied>>) -> MutexGuard<'_, Vec<Copied>> {
    totals.lock().unwrap_or_else(PoisonError::into_inner)
}

fn as_text<S: serde::Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// All that a copy needs.
pub struct Copy<'a> {
    /// The source.
    pub source: &'a Source,
    /// The target.
    pub target: &'a dyn Database,
    /// The plan.
    pub plan: &'a Plan,
    /// The journal.
    pub journal: &'a Journal,
    /// The run's id.
    pub run: &'a str,
    /// For each table, what keeps its rows from moving, from the scan.
    pub held: &'a [Held],
    /// What the scan counted: chunks are cut by it.
    pub scanned: &'a [TableScan],
    /// Memory and threads.
    pub budget: Budget,
    /// Tries again what fails for a reason that passes.
    pub retries: &'a Retries<'a>,
}

/// What a thread works with.
struct Sessions {
    source: Box<dyn Session>,
    target: Box<dyn Session>,
}

impl Copy<'_> {
    /// Copies every chunk that the journal does not have yet. `totals` becomes those of each table, earlier ones included: of a
    /// copy that fails, too.
    ///
    /// # Errors
    /// The engines', classified; [`trimaran_core::ErrorKind::Interrupted`] on request. Whatever was committed stays
    /// and is in the journal.
    pub fn run(&self, progress: &Progress, totals: &Mutex<Vec<Copied>>) -> Result<()> {
        let recorded = self
            .retries
            .run("read the journal", || self.journal.chunks(self.target.session()?.as_mut(), self.run))?;
        let done: HashMap<(TableName, u32), ChunkRecord> = recorded
            .into_iter()
            .map(|record| ((record.table.clone(), record.chunk.ordinal), record))
            .collect();
        let engine = self.source.database.engine();
        let finished = self.retries.run("read the journal", || {
            resume::finished(engine, self.journal, self.target.session()?.as_mut(), self.run, self.plan)
        })?;
        let chunks = self.source.chunks(self.plan, |at| self.chunk_rows(at))?;
        let (old, new): (Vec<_>, Vec<_>) = chunks.into_iter().partition(|(at, chunk)| {
            let name = self.plan.tables[*at].source_name();
            finished.contains(&name) || done.contains_key(&(name, chunk.ordinal))
        });
        if !old.is_empty() {
            progress.say(format!(
                "resume: {} of {} chunks are there already",
                old.len(),
                old.len() + new.len()
            ));
        }
        let meters: Vec<_> = self
            .plan
            .tables
            .iter()
            .zip(self.scanned)
            .map(|(t, scanned)| progress.table("copy", &t.source_name().to_string(), scanned.rows))
            .collect();
        let mut open: Vec<usize> = vec![0; self.plan.tables.len()];
        new.iter().for_each(|(at, _)| open[*at] += 1);
        let open = Mutex::new(open);
        let named = |t: &TablePlan| Copied { table: t.source_name().to_string(), ..Copied::default() };
        *lock(totals) = self.plan.tables.iter().map(named).collect();
        let places = self.plan.tables.iter().enumerate().map(|(at, t)| (t.source_name(), at));
        let places: HashMap<TableName, usize> = places.collect();
        for record in done.values() {
            if let Some(at) = places.get(&record.table) {
                lock(totals)[*at].add(record);
            }
        }
        work::share(
            &new,
            self.budget.jobs,
            || self.retries.run("connect", || self.connect()),
            |sessions, (at, chunk)| {
                let record = self.chunk(sessions, *at, *chunk, &meters[*at])?;
                lock(totals)[*at].add(&record);
                let last = open.lock().is_ok_and(|mut open| {
                    open[*at] -= 1;
                    open[*at] == 0
                });
                if last {
                    meters[*at].finish();
                    self.finish(sessions, &record.table)?;
                }
                Ok(())
            },
        )?;
        Ok(())
    }

    /// Depends on nothing but the data, so that a resumed run cuts the same chunks whatever its flags.
    fn chunk_rows(&self, at: usize) -> u64 {
        #[cfg(feature = "testing")]
        if let Some(rows) = crate::fault::chunk_rows() {
            return rows;
        }
        let scanned = &self.scanned[at];
        let row = (scanned.bytes / scanned.rows.max(1)).max(1);
        (CHUNK_BYTES / row).clamp(LEAST_ROWS, SCAN_ROWS)
    }

    fn connect(&self) -> Result<Sessions> {
        Ok(Sessions { source: self.source.database.session()?, target: self.target.session()? })
    }

    fn chunk(
        &self,
        sessions: &mut Sessions,
        at: usize,
        chunk: Chunk,
        meter: &Meter<'_>,
    ) -> Result<ChunkRecord> {
        meter.start();
        let table = self.plan.tables[at].source_name();
        let mut tried = false;
        self.retries.run(&format!("copy {table}"), || {
            if std::mem::replace(&mut tried, true) {
                *sessions = self.connect()?;
                // The attempt before may have been committed, and only the answer was lost.
                if let Some(record) = self.journal.chunk(sessions.target.as_mut(), self.run, &table, chunk)? {
                    return Ok(record);
                }
            }
            let Sessions { source, target } = sessions;
            match self.attempt(source.as_mut(), target.as_mut(), at, chunk, meter) {
                // So may that of a process before this one, just now: its record is in the way of ours.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    match self.journal.chunk(target.as_mut(), self.run, &table, chunk) {
                        Ok(Some(record)) => Ok(record),
                        _ => Err(error),
                    }
                }
                done => done,
            }
        })
    }

    /// Records that a table was copied whole, where that is what a run is resumed by.
    fn finish(&self, sessions: &mut Sessions, table: &TableName) -> Result<()> {
        let engine = self.source.database.engine();
        let mut tried = false;
        self.retries.run(&format!("copy {table}"), || {
            if std::mem::replace(&mut tried, true) {
                sessions.target = self.target.session()?;
                // The attempt before may have been committed, and only the answer was lost.
                let target = sessions.target.as_mut();
                if resume::finished(engine, self.journal, target, self.run, self.plan)?.contains(table) {
                    return Ok(());
                }
            }
            resume::finish(engine, self.journal, sessions.target.as_mut(), self.run, table)
        })
    }

    fn attempt(
        &self,
        source: &mut dyn Session,
        target: &mut dyn Session,
        at: usize,
        chunk: Chunk,
        meter: &Meter<'_>,
    ) -> Result<ChunkRecord> {
        target.begin()?;
        let result = self.write_chunk(source, target, at, chunk, meter);
        match result {
            Ok(record) => target.commit().map(|()| record),
            Err(error) => {
                // The first error is the one that matters; a lost connection can't be rolled back anyway.
                drop(target.rollback());
                Err(error)
            }
        }
    }

    fn write_chunk(
        &self,
        source: &mut dyn Session,
        target: &mut dyn Session,
        at: usize,
        chunk: Chunk,
        meter: &Meter<'_>,
    ) -> Result<ChunkRecord> {
        let planned = &self.plan.tables[at];
        let origin = self.source.table(planned)?;
        let mapper = RowMapper::new(self.plan, planned, origin, &self.held[at])?;
        let name = planned.target_name();
        let columns = planned.written(self.plan.target);
        let mut record = ChunkRecord {
            table: planned.source_name(),
            chunk,
            read: 0,
            written: 0,
            quarantined: 0,
            bytes: 0,
            digest: Digest::default(),
        };
        let limit = self.budget.buffer();
        let (mut buffer, mut canonical, mut aside) = (Vec::with_capacity(limit), Vec::new(), Vec::new());
        let (mut metered, mut metered_bytes) = (0, 0);
        let read = Read { table: origin, columns: mapper.columns(), chunk };
        source.read(&read, &mut |row| {
            let mut mapped = mapper.map(row);
            let obstacle = mapped.obstacle();
            // A row that is put aside is kept as it was; one that moves is proved as it moves.
            if obstacle.is_none() {
                mapped.replace();
            }
            digest::encode_row(&mapped.values, &mut canonical);
            record.digest.add(Digest::of_row(&canonical));
            record.read += 1;
            record.bytes += canonical.len() as u64;
            if let Some((column, hazard)) = obstacle {
                let key = mapper.shown_key(&mapped.values);
                self.put_aside(
                    &record,
                    &key,
                    &planned.columns[column].name,
                    &hazard.name(),
                    &canonical,
                    &mut aside,
                )?;
                record.quarantined += 1;
            } else {
                mapped.write(planned);
                self.target.encode_row(mapper.types(), &mapped.values, &mut buffer)?;
                record.written += 1;
            }
            drop(mapped);
            if buffer.len() >= limit {
                interrupt::check()?;
                target.write(&name, &columns, &buffer)?;
                buffer.clear();
                // A single large value must not leave its size behind in every thread.
                if buffer.capacity() > 2 * limit {
                    buffer = Vec::with_capacity(limit);
                }
                meter.add(record.read - metered, record.bytes - metered_bytes);
                (metered, metered_bytes) = (record.read, record.bytes);
            }
            if aside.len() >= limit {
                self.flush_aside(target, &mut aside)?;
            }
            if canonical.capacity() > limit {
                canonical = Vec::new();
            }
            Ok(())
        })?;
        if !buffer.is_empty() {
            target.write(&name, &columns, &buffer)?;
        }
        self.flush_aside(target, &mut aside)?;
        self.journal.record_chunk(target, self.run, &record)?;
        meter.add(record.read - metered, record.bytes - metered_bytes);
        Ok(record)
    }

    fn put_aside(
        &self,
        record: &ChunkRecord,
        key: &str,
        column: &str,
        reason: &str,
        canonical: &[u8],
        aside: &mut Vec<u8>,
    ) -> Result<()> {
        let (_, columns) = self.journal.quarantine();
        let types: Vec<LogicalType> = columns.into_iter().map(|(_, logical)| logical).collect();
        let row = [
            Value::text(self.run),
            Value::text(&record.table.schema),
            Value::text(&record.table.name),
            Value::Int(i64::from(record.chunk.ordinal)),
            Value::Int(i64::try_from(record.quarantined).unwrap_or(i64::MAX)),
            Value::text(key),
            Value::text(column),
            Value::text(reason),
            Value::Bytes(canonical.into()),
        ];
        self.target.encode_row(&types, &row, aside)
    }

    fn flush_aside(&self, target: &mut dyn Session, aside: &mut Vec<u8>) -> Result<()> {
        if !aside.is_empty() {
            let (name, columns) = self.journal.quarantine();
            target.write(&name, &columns, aside)?;
            aside.clear();
        }
        Ok(())
    }
}
