//! The writing half of a copy: a chunk's rows out of the pipe, the quarantined ones and the journal's record, in one
//! transaction of the target.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use trimaran_backends::Session;
use trimaran_backends::catalog::TableName;
use trimaran_core::{Error, ErrorKind, Result};

use super::pipe::{Piece, Pipe, Place};
use super::read::Filling;
use super::{Copied, Copy, add};
use crate::interrupt;
use crate::journal::ChunkRecord;
use crate::progress::Meter;
use crate::resume;

/// What the writers share: for each table of the plan, its meter, how many of its chunks are to be written yet, what was
/// copied of it, and whom to tell that it is there whole.
pub(super) struct Tables<'m, 'p> {
    pub(super) meters: &'m [Meter<'p>],
    pub(super) open: Vec<AtomicUsize>,
    pub(super) totals: &'m Mutex<Vec<Copied>>,
    pub(super) loaded: &'m (dyn Fn(usize) -> Result<()> + Sync),
}

/// Closes a pipe whatever happens to the thread that empties it.
struct Emptying<'p>(&'p Pipe);

impl Drop for Emptying<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The pieces of one chunk.
struct Incoming<'a> {
    pipe: &'a Pipe,
    meter: &'a Meter<'a>,
    /// Rows and bytes that the meter was told of.
    metered: (u64, u64),
    /// A piece that was taken and is not dealt with yet.
    next: Option<Piece>,
    /// Whether the chunk's last piece was taken.
    ended: bool,
}

impl<'a> Incoming<'a> {
    fn new(pipe: &'a Pipe, meter: &'a Meter<'a>) -> Self {
        Self { pipe, meter, metered: (0, 0), next: None, ended: false }
    }

    fn take(&mut self) -> Result<Piece> {
        let piece = self.next.take().or_else(|| self.pipe.take()).ok_or_else(|| {
            Error::new(ErrorKind::Aborted, "take rows over").context("the thread that reads has ended")
        })?;
        self.ended |= matches!(piece, Piece::End(_) | Piece::Failed(_));
        Ok(piece)
    }

    /// Puts the next rows in the place of `buffer`'s; false if something else comes first.
    fn rows(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        match self.take()? {
            Piece::Rows(rows) => {
                self.meter.add(rows.rows, rows.bytes);
                self.metered = (self.metered.0 + rows.rows, self.metered.1 + rows.bytes);
                self.pipe.give_back(std::mem::replace(buffer, rows.encoded));
                Ok(true)
            }
            other => {
                self.next = Some(other);
                Ok(false)
            }
        }
    }

    /// Lets go what is still to come of a chunk that has failed.
    fn skip(&mut self) {
        let (rows, bytes) = std::mem::take(&mut self.metered);
        self.meter.take_back(rows, bytes);
        while !self.ended && self.take().is_ok() {}
    }
}

impl Copy<'_> {
    /// Writes the chunks that come by `pipe`.
    ///
    /// # Errors
    /// The engines', classified; [`ErrorKind::Interrupted`] on request. Nothing more is taken from the pipe then.
    pub(super) fn write_chunks(&self, pipe: &Pipe, tables: &Tables<'_, '_>) -> Result<()> {
        let _emptying = Emptying(pipe);
        let mut session = None;
        while let Some(piece) = pipe.take() {
            let Piece::Begin(place) = piece else {
                return Err(Error::new(ErrorKind::Corrupt, "copy").context("rows of no chunk"));
            };
            interrupt::check()?;
            let meter = &tables.meters[place.at];
            meter.start();
            let record = self.move_chunk(&mut session, place, pipe, meter)?;
            add(tables.totals, place.at, &record);
            if tables.open[place.at].fetch_sub(1, Ordering::AcqRel) == 1 {
                meter.finish();
                self.finish(&mut session, &record.table)?;
                (tables.loaded)(place.at)?;
            }
        }
        Ok(())
    }

    /// Writes the chunk that has begun in `pipe`; again, from the source, where that helps.
    fn move_chunk(
        &self,
        session: &mut Option<Box<dyn Session>>,
        place: Place,
        pipe: &Pipe,
        meter: &Meter<'_>,
    ) -> Result<ChunkRecord> {
        let table = self.plan.tables[place.at].source_name();
        let mut incoming = Some(Incoming::new(pipe, meter));
        self.retries.run(&format!("copy {table}"), || {
            let Some(mut incoming) = incoming.take() else {
                let mut target = self.target.session()?;
                // The attempt before may have been committed, and only the answer was lost.
                if let Some(record) = self.journal.chunk(target.as_mut(), self.run, &table, place.chunk)? {
                    return Ok(record);
                }
                let record = self.write_again(target.as_mut(), place, meter)?;
                *session = Some(target);
                return Ok(record);
            };
            let written = self.session(session).and_then(|mut target| {
                let record = self.write_chunk(target.as_mut(), place, &mut incoming)?;
                *session = Some(target);
                Ok(record)
            });
            written.inspect_err(|_| incoming.skip())
        })
    }

    /// The session that was kept, or another one.
    fn session(&self, kept: &mut Option<Box<dyn Session>>) -> Result<Box<dyn Session>> {
        kept.take().map_or_else(|| self.target.session(), Ok)
    }

    /// Reads a chunk once more, in a thread of its own: the pipe that it came by goes on with the next one.
    fn write_again(&self, target: &mut dyn Session, place: Place, meter: &Meter<'_>) -> Result<ChunkRecord> {
        let pipe = Pipe::new(self.budget.buffer());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _filling = Filling(&pipe);
                self.read_chunk(&mut None, place, &pipe)
            });
            let _emptying = Emptying(&pipe);
            let mut incoming = Incoming::new(&pipe, meter);
            self.write_chunk(target, place, &mut incoming).inspect_err(|_| incoming.skip())
        })
    }

    fn write_chunk(
        &self,
        target: &mut dyn Session,
        place: Place,
        incoming: &mut Incoming<'_>,
    ) -> Result<ChunkRecord> {
        target.begin()?;
        let error = match self.write_rows(target, place, incoming) {
            Ok(record) => match target.commit() {
                Ok(()) => return Ok(record),
                Err(error) => error,
            },
            Err(error) => {
                // The first error is the one that matters; a lost connection can't be rolled back anyway.
                drop(target.rollback());
                error
            }
        };
        // A process before this one may have written the chunk just now: its record is in the way of ours.
        if error.kind() == ErrorKind::Conflict {
            let table = self.plan.tables[place.at].source_name();
            if let Ok(Some(record)) = self.journal.chunk(target, self.run, &table, place.chunk) {
                incoming.skip();
                return Ok(record);
            }
        }
        Err(error)
    }

    fn write_rows(
        &self,
        target: &mut dyn Session,
        place: Place,
        incoming: &mut Incoming<'_>,
    ) -> Result<ChunkRecord> {
        let planned = &self.plan.tables[place.at];
        let (name, columns) = (planned.target_name(), planned.written(self.plan.target));
        loop {
            match incoming.take()? {
                Piece::Rows(rows) => {
                    incoming.next = Some(Piece::Rows(rows));
                    target.load(&name, &columns, &mut |buffer| incoming.rows(buffer))?;
                }
                Piece::Aside(encoded) => {
                    let (name, columns) = self.journal.quarantine();
                    target.write(&name, &columns, &encoded)?;
                }
                Piece::End(record) => {
                    self.journal.record_chunk(target, self.run, &record)?;
                    return Ok(*record);
                }
                Piece::Failed(error) => return Err(error),
                Piece::Begin(_) => {
                    return Err(Error::new(ErrorKind::Corrupt, "copy").context("a chunk within a chunk"));
                }
            }
        }
    }

    /// Records that a table was copied whole, where that is what a run is resumed by.
    fn finish(&self, session: &mut Option<Box<dyn Session>>, table: &TableName) -> Result<()> {
        let engine = self.source.database.engine();
        let mut tried = false;
        self.retries.run(&format!("copy {table}"), || {
            let mut target = self.session(session)?;
            // The attempt before may have been committed, and only the answer was lost.
            let recorded = std::mem::replace(&mut tried, true)
                && resume::finished(engine, self.journal, target.as_mut(), self.run, self.plan)?
                    .contains(table);
            if !recorded {
                resume::finish(engine, self.journal, target.as_mut(), self.run, table)?;
            }
            *session = Some(target);
            Ok(())
        })
    }
}
