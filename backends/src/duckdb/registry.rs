//! One DuckDB handle per file in this process.
//!
//! DuckDB allows one handle on a file: a second one in the same process is not stopped by the file lock (a POSIX lock
//! does not hold against its own process) and would write over the first. So handles are kept here by the file they
//! are on; opening a file again shares its handle, and opening waits for a handle that is just being closed.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use duckdb::Connection;
use trimaran_core::{Error, ErrorKind, Result};

use super::error::wants_memory;
use super::file::{DatabaseFile, opening};
use super::layout::Layout;
use super::memory;
use crate::catalog::TableName;
use crate::{Access, OpenOptions};

/// What tells one file from another: its device and inode, so that links to one file are one file; elsewhere than on
/// Unix its path without links.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileKey(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] std::path::PathBuf);

impl FileKey {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).ok().map(|m| Self((m.dev(), m.ino())))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        std::fs::canonicalize(path).ok().map(Self)
    }
}

static INSTANCES: Mutex<Option<HashMap<FileKey, Weak<Instance>>>> = Mutex::new(None);
static CLOSED: Condvar = Condvar::new();

/// DuckDB's handle on a file, and the file. The order of the fields is the order they are closed in: closing the file
/// first would drop DuckDB's lock.
#[derive(Debug)]
pub(super) struct Handle {
    /// The connection that all others are cloned from.
    pub(super) connection: Connection,
    /// The file it is on.
    pub(super) file: DatabaseFile,
    /// The bytes that DuckDB may take now.
    pub(super) memory: u64,
}

/// A file that is open in this process.
#[derive(Debug)]
pub(super) struct Instance {
    key: FileKey,
    /// How it was opened, by whoever came first.
    pub(super) options: OpenOptions,
    handle: Mutex<Option<Handle>>,
    /// The names locked by [`crate::Session::try_lock`]. Other processes are kept out by the file lock.
    pub(super) locks: Mutex<HashSet<String>>,
    /// What is known of how tables are stored, as of a count of changes.
    pub(super) layouts: Mutex<HashMap<TableName, (u64, Arc<Layout>)>>,
    /// How many statements may have changed something.
    pub(super) changes: AtomicU64,
}

impl Instance {
    /// The file at `path`, shared if it is open already, else opened with `open`.
    ///
    /// # Errors
    /// `Locked` if this process has it open for something else; else what `open` returns.
    pub(super) fn acquire(
        path: &Path,
        options: OpenOptions,
        open: impl FnOnce() -> Result<Handle>,
    ) -> Result<Arc<Self>> {
        let mut instances = lock(&INSTANCES);
        while let Some(known) =
            FileKey::of(path).and_then(|key| instances.get_or_insert_default().get(&key).cloned())
        {
            if let Some(instance) = known.upgrade() {
                // If ours became the last reference, closing it takes this lock: let go of it first.
                drop(instances);
                return if instance.options.access == options.access {
                    Ok(instance)
                } else {
                    Err(in_use(path, &instance))
                };
            }
            instances = CLOSED.wait(instances).unwrap_or_else(PoisonError::into_inner);
        }
        let handle = open()?;
        let key = FileKey::of(path).ok_or_else(|| {
            opening(ErrorKind::Changed, path).context("the file vanished while it was being opened")
        })?;
        let instance = Arc::new(Self {
            key: key.clone(),
            options,
            handle: Mutex::new(Some(handle)),
            locks: Mutex::default(),
            layouts: Mutex::default(),
            changes: AtomicU64::new(0),
        });
        instances.get_or_insert_default().insert(key, Arc::downgrade(&instance));
        Ok(instance)
    }

    /// Does what only reads, and does it again with more memory while DuckDB asks for more than it has, up to what it was opened with.
    ///
    /// # Errors
    /// What `work` returns.
    pub(super) fn with_room<T>(&self, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        loop {
            let had = self.memory()?;
            match work() {
                Err(error) if wants_memory(&error) && self.raise(had)? => {
                    tracing::debug!(
                        bytes = had,
                        "DuckDB's memory was not enough for what is read, and is raised"
                    );
                }
                done => return done,
            }
        }
    }

    fn memory(&self) -> Result<u64> {
        self.with(|handle| Ok(handle.memory))
    }

    /// Gives DuckDB more memory than it `had`, if somebody else has not yet; false if it has all that it may.
    fn raise(&self, had: u64) -> Result<bool> {
        match lock(&self.handle).as_mut() {
            Some(handle) if handle.memory > had => Ok(true),
            Some(handle) if handle.memory >= self.options.memory => Ok(false),
            Some(handle) => {
                handle.memory = memory::raise(&handle.connection, handle.memory, self.options.memory)?;
                Ok(true)
            }
            None => Err(closed()),
        }
    }

    /// Does something with the handle, alone.
    ///
    /// # Errors
    /// What `f` returns.
    pub(super) fn with<T>(&self, f: impl FnOnce(&Handle) -> Result<T>) -> Result<T> {
        match lock(&self.handle).as_ref() {
            Some(handle) => f(handle),
            None => Err(closed()),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let mut instances = lock(&INSTANCES);
        // Closed while nobody can open the same file: every session's connection is gone by now.
        drop(lock(&self.handle).take());
        instances.get_or_insert_default().remove(&self.key);
        CLOSED.notify_all();
    }
}

/// Locks `mutex`. A panic elsewhere leaves these maps whole, so that a poisoned lock means nothing.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "use the DuckDB file").context("it is closed")
}

fn in_use(path: &Path, instance: &Instance) -> Error {
    let (held, hint) = match instance.options.access {
        Access::Source => ("reading", "read and write different files"),
        Access::Target => ("writing", "finish writing before it is opened as a source"),
    };
    opening(ErrorKind::Locked, path).context(format!("this process has it open for {held}")).hint(hint)
}
