//! The way from the thread that reads a chunk to the one that writes it: while one part of the rows is being written, the
//! next is read and encoded. What is on its way is bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use trimaran_backends::Chunk;
use trimaran_core::Error;

use crate::journal::ChunkRecord;

/// A chunk of one of the plan's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The table's place in the plan.
    pub(super) at: usize,
    /// The chunk.
    pub(super) chunk: Chunk,
}

/// Encoded rows, and what they count for.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// As the target's `encode_row` made them.
    pub(super) encoded: Vec<u8>,
    /// How many rows of the source these and what was put aside beside them were.
    pub(super) rows: u64,
    /// The bytes of their values.
    pub(super) bytes: u64,
}

/// What crosses: for each chunk, in this order, one `Begin`, any number of rows, one `End` or `Failed`.
#[derive(Debug)]
pub(super) enum Piece {
    /// A chunk begins.
    Begin(Place),
    /// Rows for the table.
    Rows(Rows),
    /// Rows for the quarantine.
    Aside(Vec<u8>),
    /// The chunk was read whole.
    End(Box<ChunkRecord>),
    /// It could not be read whole.
    Failed(Error),
}

impl Piece {
    fn weight(&self) -> usize {
        match self {
            Piece::Rows(rows) => rows.encoded.len(),
            Piece::Aside(encoded) => encoded.len(),
            Piece::Begin(_) | Piece::End(_) | Piece::Failed(_) => 0,
        }
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Piece>,
    /// Of what waits, and of the piece that was taken last.
    bytes: usize,
    taken: usize,
    /// Buffers to be filled again.
    spare: Vec<Vec<u8>>,
    /// Nothing more comes.
    ended: bool,
    /// Nobody takes anything more.
    closed: bool,
}

/// One reader's pieces for one writer.
pub(super) struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

impl Pipe {
    /// A pipe in which at most about `limit` bytes are on their way; a larger piece goes by itself.
    pub(super) fn new(limit: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State>) -> MutexGuard<'g, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a piece over, once there is room for it: whether somebody will take it.
    pub(super) fn push(&self, piece: Piece) -> bool {
        let weight = piece.weight();
        let mut state = self.lock();
        while !state.closed && state.bytes > 0 && state.bytes + weight > self.limit {
            state = self.wait(state);
        }
        if state.closed {
            return false;
        }
        state.bytes += weight;
        state.waiting.push_back(piece);
        self.changed.notify_all();
        true
    }

    /// The next piece; `None` when there will be no more. The one that was taken before counts as written now.
    pub(super) fn take(&self) -> Option<Piece> {
        let mut state = self.lock();
        state.bytes -= std::mem::take(&mut state.taken);
        self.changed.notify_all();
        loop {
            if let Some(piece) = state.waiting.pop_front() {
                state.taken = piece.weight();
                return Some(piece);
            }
            if state.ended || state.closed {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// An empty buffer, one that was written before if there is one.
    pub(super) fn buffer(&self, capacity: usize) -> Vec<u8> {
        self.lock().spare.pop().unwrap_or_else(|| Vec::with_capacity(capacity))
    }

    /// Gives back a buffer that was written. One that has grown far is let go: a single large value must not leave its
    /// size behind.
    pub(super) fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut state = self.lock();
        let kept: usize = state.spare.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= self.limit {
            state.spare.push(buffer);
        }
    }

    /// Says that nothing more comes.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Says that nothing more is taken.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: usize) -> Piece {
        Piece::Rows(Rows { encoded: vec![0; bytes], rows: 1, bytes: bytes as u64 })
    }

    #[test]
    fn what_is_on_its_way_is_bounded_and_a_larger_piece_goes_alone() {
        let (pipe, sizes) = (Pipe::new(100), [40, 40, 40, 500, 10, 90, 30, 1]);
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for size in sizes {
                    assert!(pipe.push(rows(size)));
                }
                pipe.end();
            });
            while let Some(piece) = pipe.take() {
                // What was taken counts as being on its way until the next is.
                let (weight, bytes) = (piece.weight(), pipe.lock().bytes);
                assert!(bytes >= weight && bytes <= weight.max(100), "{bytes} with {weight}");
                taken.push(weight);
            }
        });
        assert_eq!(taken, sizes);
        assert_eq!(pipe.lock().bytes, 0);
    }

    #[test]
    fn who_pushes_into_a_closed_pipe_is_told_and_never_waits() {
        let pipe = Pipe::new(10);
        assert!(pipe.push(rows(10)));
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| pipe.push(rows(10)));
            pipe.close();
            assert!(!pushing.join().unwrap());
        });
        assert!(pipe.take().is_none());
    }

    #[test]
    fn buffers_are_filled_again_unless_they_are_too_large() {
        let pipe = Pipe::new(100);
        let mut buffer = pipe.buffer(64);
        buffer.extend([1; 64]);
        let place = buffer.as_ptr();
        pipe.give_back(buffer);
        pipe.give_back(Vec::with_capacity(1_000));
        let again = pipe.buffer(64);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        assert_eq!(pipe.buffer(8).capacity(), 8);
    }
}
