//! The reading half of a copy: a chunk's rows, decided on, proved and encoded, into the pipe.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use trimaran_backends::{Read, Session};
use trimaran_core::digest::{self, Digest};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::Copy;
use super::pipe::{Piece, Pipe, Place, Rows};
use crate::interrupt;
use crate::journal::ChunkRecord;
use crate::plan::TablePlan;
use crate::rows::RowMapper;

/// The chunks that nobody has taken yet.
pub(super) struct Queue(Mutex<VecDeque<Place>>);

impl Queue {
    pub(super) fn new(places: impl IntoIterator<Item = Place>) -> Self {
        Self(Mutex::new(places.into_iter().collect()))
    }

    fn next(&self) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Takes all of them away: what is begun is ended, and nothing more is begun.
    pub(super) fn stop(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Ends a pipe whatever happens to the thread that fills it.
pub(super) struct Filling<'p>(pub(super) &'p Pipe);

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Copy<'_> {
    /// Reads chunks of `queue` into `pipe` until there are no more or nobody takes them.
    pub(super) fn read_chunks(&self, queue: &Queue, pipe: &Pipe) {
        let _filling = Filling(pipe);
        let mut session = None;
        while let Some(place) = queue.next() {
            if !pipe.push(Piece::Begin(place)) || !self.read_chunk(&mut session, place, pipe) {
                return;
            }
        }
    }

    /// Reads one chunk into `pipe`, its end or its failure last: whether somebody took it. After a failure the next one is
    /// read by another session.
    pub(super) fn read_chunk(
        &self,
        session: &mut Option<Box<dyn Session>>,
        place: Place,
        pipe: &Pipe,
    ) -> bool {
        let read = match session.take() {
            Some(session) => Ok(session),
            None => self.source.database.session(),
        };
        let read = read.and_then(|mut open| {
            let record = self.rows_of(open.as_mut(), place, pipe)?;
            *session = Some(open);
            Ok(record)
        });
        pipe.push(match read {
            Ok(record) => Piece::End(Box::new(record)),
            Err(error) => Piece::Failed(error),
        })
    }

    fn rows_of(&self, session: &mut dyn Session, place: Place, pipe: &Pipe) -> Result<ChunkRecord> {
        let Place { at, chunk } = place;
        let planned = &self.plan.tables[at];
        let origin = self.source.table(planned)?;
        let mapper = RowMapper::new(self.plan, planned, origin, &self.held[at])?;
        let mut outgoing = Outgoing::new(self, planned, place, pipe);
        let read = Read { table: origin, columns: mapper.columns(), chunk };
        session.read(&read, &mut |row| outgoing.add(&mapper, row))?;
        outgoing.finish()
    }
}

/// A chunk's rows on their way into the pipe.
struct Outgoing<'a> {
    copy: &'a Copy<'a>,
    planned: &'a TablePlan,
    pipe: &'a Pipe,
    /// How large a piece is.
    size: usize,
    rows: Rows,
    aside: Vec<u8>,
    canonical: Vec<u8>,
    record: ChunkRecord,
}

impl<'a> Outgoing<'a> {
    fn new(copy: &'a Copy<'a>, planned: &'a TablePlan, place: Place, pipe: &'a Pipe) -> Self {
        let record = ChunkRecord {
            table: planned.source_name(),
            chunk: place.chunk,
            read: 0,
            written: 0,
            quarantined: 0,
            bytes: 0,
            digest: Digest::default(),
        };
        let size = copy.budget.piece();
        let rows = Rows { encoded: pipe.buffer(size), ..Rows::default() };
        Self { copy, planned, pipe, size, rows, aside: Vec::new(), canonical: Vec::new(), record }
    }

    fn add(&mut self, mapper: &RowMapper<'_>, row: &[Value<'_>]) -> Result<()> {
        let mut mapped = mapper.map(row);
        let obstacle = mapped.obstacle();
        // A row that is put aside is kept as it was; one that moves is proved as it moves.
        if obstacle.is_none() {
            mapped.replace();
        }
        digest::encode_row(&mapped.values, &mut self.canonical);
        self.record.digest.add(Digest::of_row(&self.canonical));
        self.record.read += 1;
        self.rows.rows += 1;
        self.record.bytes += self.canonical.len() as u64;
        self.rows.bytes += self.canonical.len() as u64;
        if let Some((column, hazard)) = obstacle {
            let key = mapper.shown_key(&mapped.values);
            self.put_aside(&key, &self.planned.columns[column].name, &hazard.name())?;
            self.record.quarantined += 1;
        } else {
            mapper.write(&mut mapped);
            self.copy.target.encode_row(mapper.types(), &mapped.values, &mut self.rows.encoded)?;
            self.record.written += 1;
        }
        drop(mapped);
        if self.rows.encoded.len() >= self.size {
            self.push_rows()?;
        }
        if self.aside.len() >= self.size {
            self.push_aside()?;
        }
        // A single large value must not leave its size behind in every thread.
        if self.canonical.capacity() > self.copy.budget.buffer() {
            self.canonical = Vec::new();
        }
        Ok(())
    }

    fn push_rows(&mut self) -> Result<()> {
        interrupt::check()?;
        let rows = Rows { encoded: self.pipe.buffer(self.size), ..Rows::default() };
        self.push(|outgoing| Piece::Rows(std::mem::replace(&mut outgoing.rows, rows)))
    }

    fn push_aside(&mut self) -> Result<()> {
        self.push(|outgoing| Piece::Aside(std::mem::take(&mut outgoing.aside)))
    }

    fn push(&mut self, piece: impl FnOnce(&mut Self) -> Piece) -> Result<()> {
        let piece = piece(self);
        if self.pipe.push(piece) { Ok(()) } else { Err(abandoned()) }
    }

    fn put_aside(&mut self, key: &str, column: &str, reason: &str) -> Result<()> {
        let (_, columns) = self.copy.journal.quarantine();
        let types: Vec<LogicalType> = columns.into_iter().map(|(_, logical)| logical).collect();
        let record = &self.record;
        let row = [
            Value::text(self.copy.run),
            Value::text(&record.table.schema),
            Value::text(&record.table.name),
            Value::Int(i64::from(record.chunk.ordinal)),
            Value::Int(i64::try_from(record.quarantined).unwrap_or(i64::MAX)),
            Value::text(key),
            Value::text(column),
            Value::text(reason),
            Value::Bytes(self.canonical.as_slice().into()),
        ];
        self.copy.target.encode_row(&types, &row, &mut self.aside)
    }

    /// What was read, when all of it is in the pipe.
    fn finish(mut self) -> Result<ChunkRecord> {
        if self.rows.rows > 0 {
            self.push_rows()?;
        }
        if !self.aside.is_empty() {
            self.push_aside()?;
        }
        self.pipe.give_back(std::mem::take(&mut self.rows.encoded));
        Ok(self.record)
    }
}

/// Nobody takes the rows: the writer has an error of its own, which is the one to tell.
fn abandoned() -> Error {
    Error::new(ErrorKind::Aborted, "hand rows over").context("the thread that writes has ended")
}
