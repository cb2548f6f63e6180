//! Many hashes sorted in little memory: runs in a temporary file, merged.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use trimaran_core::{Error, ErrorKind, Result};

use crate::rows::KeyHash;

/// The bytes of one hash.
const WIDTH: u64 = 16;
/// The fewest hashes in a run: 256 KiB of them.
const LEAST: usize = 16_384;
/// How much is written at a time, and the most of each run that is in memory while they are merged.
const BUFFER: usize = 64 * 1024;
/// The least of each run.
const LEAST_BUFFER: usize = 4 * 1024;

/// Hashes being collected.
pub(crate) struct SortedRuns {
    run: Vec<KeyHash>,
    limit: usize,
    file: Option<File>,
    runs: Vec<Range<u64>>,
    doubled: HashSet<KeyHash>,
}

impl SortedRuns {
    /// Room for hashes of which about `memory` bytes are held at a time.
    pub(crate) fn new(memory: u64) -> Self {
        let limit = usize::try_from(memory / WIDTH).unwrap_or(LEAST).max(LEAST);
        Self { run: Vec::new(), limit, file: None, runs: Vec::new(), doubled: HashSet::new() }
    }

    /// Takes all of `hashes`.
    ///
    /// # Errors
    /// If the temporary file can't be written.
    pub(crate) fn take(&mut self, hashes: &mut Vec<KeyHash>) -> Result<()> {
        self.run.append(hashes);
        if self.run.len() >= self.limit { self.spill().map_err(failed) } else { Ok(()) }
    }

    /// Sorts what is held, and notes what is in it twice.
    fn sort(&mut self) {
        self.run.sort_unstable();
        self.doubled.extend(self.run.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
        self.run.dedup();
    }

    fn spill(&mut self) -> std::io::Result<()> {
        self.sort();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(unnamed()?),
        };
        let from = file.seek(SeekFrom::End(0))?;
        let mut bytes = Vec::with_capacity(BUFFER);
        for part in self.run.chunks(BUFFER / WIDTH as usize) {
            bytes.clear();
            part.iter().for_each(|hash| bytes.extend_from_slice(&hash.to_be_bytes()));
            file.write_all(&bytes)?;
        }
        self.runs.push(from..from + self.run.len() as u64 * WIDTH);
        self.run.clear();
        Ok(())
    }

    /// The hashes that were taken more than once.
    ///
    /// # Errors
    /// If the temporary file can't be read.
    pub(crate) fn doubled(mut self) -> Result<HashSet<KeyHash>> {
        if self.file.is_some() {
            self.spill().map_err(failed)?;
            self.merge().map_err(failed)?;
        } else {
            self.sort();
        }
        Ok(self.doubled)
    }

    fn merge(&mut self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        // All of them together are no more than a run was.
        let share = self.limit * WIDTH as usize / self.runs.len().max(1);
        let buffer = (share - share % WIDTH as usize).clamp(LEAST_BUFFER, BUFFER);
        let mut parts: Vec<Part<'_>> = self
            .runs
            .iter()
            .cloned()
            .map(|rest| Part { file, rest, size: buffer, held: Cursor::default() })
            .collect();
        let mut heads = BinaryHeap::new();
        for (at, part) in parts.iter_mut().enumerate() {
            heads.extend(part.next()?.map(|hash| Reverse((hash, at))));
        }
        let mut last = None;
        while let Some(Reverse((hash, at))) = heads.pop() {
            // No run has one twice.
            if last == Some(hash) {
                self.doubled.insert(hash);
            }
            last = Some(hash);
            heads.extend(parts[at].next()?.map(|hash| Reverse((hash, at))));
        }
        Ok(())
    }
}

/// What is left of a run, and the beginning of it in memory.
struct Part<'f> {
    file: &'f File,
    rest: Range<u64>,
    /// How much is held at most.
    size: usize,
    held: Cursor<Vec<u8>>,
}

impl Part<'_> {
    fn next(&mut self) -> std::io::Result<Option<KeyHash>> {
        let mut hash = [0; WIDTH as usize];
        let cursor = &mut self.held;
        if cursor.position() == cursor.get_ref().len() as u64 {
            let length = (self.rest.end - self.rest.start).min(self.size as u64);
            if length == 0 {
                return Ok(None);
            }
            let mut file = self.file;
            file.seek(SeekFrom::Start(self.rest.start))?;
            let bytes = cursor.get_mut();
            bytes.clear();
            file.take(length).read_to_end(bytes)?;
            cursor.set_position(0);
            self.rest.start += length;
        }
        cursor.read_exact(&mut hash)?;
        Ok(Some(u128::from_be_bytes(hash)))
    }
}

/// A file in the folder for temporary files that has no name any more, so that it goes with the process however that ends.
fn unnamed() -> std::io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path: PathBuf =
            std::env::temp_dir().join(format!("trimaran-keys-{}-{number}", std::process::id()));
        match options.open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "sort keys in a temporary file")
        .source(error)
        .context(format!("in {}", std::env::temp_dir().display()))
        .hint("make room there, or name another folder in TMPDIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_twice_is_found_within_a_run_and_across_runs() {
        let mut runs = SortedRuns::new(0);
        for start in [0u128, 100_000, 199_999] {
            let mut hashes: Vec<u128> =
                (start..start + 100_000).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
            runs.take(&mut hashes).unwrap();
            assert!(hashes.is_empty());
        }
        runs.take(&mut vec![7, 7]).unwrap();
        assert!(runs.runs.len() >= 3);
        let doubled = runs.doubled().unwrap();
        assert_eq!(doubled, HashSet::from([199_999 * 0x9e37_79b9, 7]));
    }

    #[test]
    fn few_hashes_need_no_file() {
        let mut runs = SortedRuns::new(1 << 20);
        runs.take(&mut vec![3, 1, 3]).unwrap();
        assert!(runs.file.is_none());
        assert_eq!(runs.doubled().unwrap(), HashSet::from([3]));
    }
}
