//! Locks that hold among threads and processes: `flock` on files that are there for nothing else.

use std::fs::File;
use std::io;

use object_store::path::Path;
use trimaran_core::digest;

use super::directory::Directory;

/// The folder of lock files: 256 of them, and the one of drafts. Two keys may share one, which costs time and nothing else.
#[derive(Debug)]
pub(super) struct Locks(Directory);

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Held(#[allow(dead_code, reason = "closing the file lets go of the lock")] File);

impl Locks {
    pub(super) fn new(directory: Directory) -> Self {
        Self(directory)
    }

    /// Waits until nobody else changes the object at `location`.
    pub(super) fn hold(&self, location: &Path) -> io::Result<Held> {
        let digest = digest::sha256(location.as_ref().as_bytes());
        let file = self.0.lock_file(&digest::hex(&digest[..1]))?;
        file.lock()?;
        Ok(Held(file))
    }

    /// Waits until nobody looks for abandoned drafts.
    pub(super) fn share_drafts(&self) -> io::Result<Held> {
        let file = self.0.lock_file("drafts")?;
        file.lock_shared()?;
        Ok(Held(file))
    }

    /// Waits until nobody is just making a draft.
    pub(super) fn own_drafts(&self) -> io::Result<Held> {
        let file = self.0.lock_file("drafts")?;
        file.lock()?;
        Ok(Held(file))
    }
}
