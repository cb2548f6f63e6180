//! Files while they are written: under names of their own, locked by who writes them, so that those whose writer is no more are
//! known and removed.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use uuid::Uuid;

use super::directory::Directory;
use super::locks::Locks;

/// The folder of drafts.
#[derive(Debug, Clone)]
pub(super) struct Drafts(Arc<Directory>);

/// A file that is being written. Dropped without being published, it is removed.
#[derive(Debug)]
pub(super) struct Draft {
    drafts: Drafts,
    name: String,
    file: Arc<File>,
    length: u64,
    is_published: bool,
}

impl Drafts {
    pub(super) fn new(directory: Directory) -> Self {
        Self(Arc::new(directory))
    }

    /// A new, empty draft.
    pub(super) fn begin(&self, locks: &Locks) -> io::Result<Draft> {
        let name = Uuid::now_v7().simple().to_string();
        // Between its making and its locking nobody may take it for abandoned.
        let _held = locks.share_drafts()?;
        let file = self.0.create_file(&name)?;
        let draft =
            Draft { drafts: self.clone(), name, file: Arc::new(file), length: 0, is_published: false };
        draft.file.lock()?;
        Ok(draft)
    }

    /// Removes the drafts that nobody writes any more: a crash left them.
    pub(super) fn remove_abandoned(&self, locks: &Locks) -> io::Result<()> {
        let _held = locks.own_drafts()?;
        for name in self.0.names()? {
            let file = match self.0.open_file(&name) {
                // Published or dropped meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            match file.try_lock() {
                Ok(()) => match self.0.remove_file(&name) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                },
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Draft {
    /// Writes what follows.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes room for what follows, to be written by [`FileExt::write_all_at`](std::os::unix::fs::FileExt::write_all_at).
    pub(super) fn reserve(&mut self, length: u64) -> (Arc<File>, u64) {
        let at = self.length;
        self.length += length;
        (Arc::clone(&self.file), at)
    }

    /// Makes its bytes survive a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it its name, in place of what stands there, for good.
    pub(super) fn publish(mut self, directory: &Directory, name: &str) -> io::Result<()> {
        self.drafts.0.rename_to(&self.name, directory, name)?;
        self.is_published = true;
        directory.sync()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_published
            && let Err(error) = self.drafts.0.remove_file(&self.name)
        {
            tracing::warn!(%error, "a draft stays behind until the folder is opened the next time");
        }
    }
}
