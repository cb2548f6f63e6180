//! Rows moved in chunks: each chunk, its quarantined rows and its journal record in one transaction of the target.
//!
//! Chunks are moved by pairs of threads. One reads rows, decides on them, takes their digest and encodes them (`read`); the
//! other writes them, and waits for the target (`write`). Between them is a pipe of bounded size (`pipe`), so that neither
//! waits for the other as long as both have work.

mod pipe;
mod read;
mod write;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trimaran_backends::Database;
use trimaran_backends::bulk::Chunk;
use trimaran_backends::catalog::TableName;
use trimaran_core::digest::Digest;
use trimaran_core::{Error, Result};

use crate::journal::{ChunkRecord, Journal};
use crate::plan::{Plan, TablePlan};
use crate::progress::Progress;
use crate::resume;
use crate::retry::Retries;
use crate::rows::Held;
use crate::scan::{SCAN_ROWS, TableScan};
use crate::source::{Budget, Source};
use crate::work;
use pipe::{Pipe, Place};
use read::Queue;
use write::Tables;

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

fn add(totals: &Mutex<Vec<Copied>>, at: usize, record: &ChunkRecord) {
    lock(totals)[at].add(record);
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

impl Copy<'_> {
    /// Copies every chunk that the journal does not have yet. `totals` becomes those of each table, earlier ones included: of a
    /// copy that fails, too. Calls `loaded` with the place in the plan of each table that is there whole.
    ///
    /// # Errors
    /// The engines', classified; [`trimaran_core::ErrorKind::Interrupted`] on request; what `loaded` returned. Whatever was
    /// committed stays and is in the journal.
    pub fn run(
        &self,
        progress: &Progress,
        totals: &Mutex<Vec<Copied>>,
        loaded: impl Fn(usize) -> Result<()> + Sync,
    ) -> Result<()> {
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
        let named = |t: &TablePlan| Copied { table: t.source_name().to_string(), ..Copied::default() };
        *lock(totals) = self.plan.tables.iter().map(named).collect();
        let places = self.plan.tables.iter().enumerate().map(|(at, t)| (t.source_name(), at));
        let places: HashMap<TableName, usize> = places.collect();
        for record in done.values() {
            if let Some(at) = places.get(&record.table) {
                add(totals, *at, record);
            }
        }
        let mut open = vec![0; self.plan.tables.len()];
        new.iter().for_each(|(at, _)| open[*at] += 1);
        open.iter().enumerate().filter(|(_, chunks)| **chunks == 0).try_for_each(|(at, _)| loaded(at))?;
        let tables = Tables {
            meters: &meters,
            open: open.into_iter().map(AtomicUsize::new).collect(),
            totals,
            loaded: &loaded,
        };
        self.move_all(&new, &tables)
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

    /// Moves chunks, each by a thread that reads and one that writes, as many pairs as the budget has jobs. At the first error, or
    /// when the operator asks to stop, what is begun is ended and nothing more is begun.
    fn move_all(&self, chunks: &[(usize, Chunk)], tables: &Tables<'_, '_>) -> Result<()> {
        let places: Vec<Place> = chunks.iter().map(|(at, chunk)| Place { at: *at, chunk: *chunk }).collect();
        let pairs = self.budget.jobs.clamp(1, places.len().max(1));
        let pipes: Vec<Pipe> = (0..pairs).map(|_| Pipe::new(self.budget.buffer())).collect();
        let queue = Queue::new(places);
        let failed: Mutex<Option<Error>> = Mutex::default();
        let (queue, failure) = (&queue, &failed);
        std::thread::scope(|scope| {
            let started = pipes.iter().try_for_each(|pipe| {
                work::spawn(scope, "copy: read", move || self.read_chunks(queue, pipe))?;
                let write = move || {
                    if let Err(error) = self.write_chunks(pipe, tables) {
                        queue.stop();
                        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                };
                work::spawn(scope, "copy: write", write).map(drop)
            });
            // A reader whose writer could not be started must not wait for it.
            started.inspect_err(|_| pipes.iter().for_each(Pipe::close))
        })?;
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
