//! What is known of a database file before SQLite touches it, and what tells one state of it from another.
//!
//! A process loses *all* its POSIX locks on a file when it closes *any* of its handles on it
//! (<https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>). SQLite knows
//! this of its own handles but not of ours, so a file is opened here once, kept while any [`DatabaseFile`] of it lives,
//! and examined through that handle. A program that reads a file as a source while it also has the same file open
//! through another library keeps its locks until the last [`DatabaseFile`] goes.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::UNIX_EPOCH;

use trimaran_core::{Error, ErrorKind, Result, digest};

use super::error::file_failed;
use crate::bulk::Identity;

/// The first bytes of every SQLite database (<https://sqlite.org/fileformat2.html#the_database_header>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The size of the database header.
const HEADER_BYTES: usize = 100;
/// The size of the header of a write-ahead log; its salts change whenever the log starts again.
const WAL_HEADER_BYTES: u64 = 32;
/// What stands at offset 8 of a DuckDB file.
const DUCKDB_MAGIC: &[u8; 4] = b"DUCK";

/// A database file that exists and begins like one, held open.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    held: Arc<Mutex<File>>,
}

/// Handles in use, by device and inode.
static HELD: LazyLock<Mutex<HashMap<FileKey, Weak<Mutex<File>>>>> = LazyLock::new(Mutex::default);

type FileKey = (u64, u64, PathBuf);

impl DatabaseFile {
    /// Examines the file at `path` without SQLite.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Corrupt` for a folder or what is empty or no SQLite database; each with the
    /// next step.
    pub(crate) fn examine(path: &Path) -> Result<Self> {
        let operation = format!("open the SQLite file {}", path.display());
        let fault =
            |kind: ErrorKind, what: &str| Error::new(kind, operation.clone()).context(what.to_owned());
        // SQLite follows symbolic links and names the files beside a database after the link's end.
        let path = std::fs::canonicalize(path).map_err(file_failed(operation.clone()))?;
        let metadata = std::fs::metadata(&path).map_err(file_failed(operation.clone()))?;
        if metadata.is_dir() {
            return Err(fault(ErrorKind::Corrupt, "it is a folder").hint("name the database file in it"));
        }
        if !metadata.is_file() {
            return Err(fault(ErrorKind::Invalid, "it is not a regular file").hint("name a database file"));
        }
        if metadata.len() == 0 {
            return Err(fault(ErrorKind::Corrupt, "it is empty").hint(
                "look at the path: an empty file is what is left when a copy failed or a name was mistyped",
            ));
        }
        let held = hold(&path, &metadata).map_err(file_failed(operation.clone()))?;
        let file = Self { path, held };
        let header = file.header()?;
        if header.get(8..12) == Some(DUCKDB_MAGIC) {
            return Err(fault(ErrorKind::Corrupt, "it is a DuckDB database, not a SQLite database")
                .hint(format!("write duckdb://{}", file.path.display())));
        }
        if header.get(..MAGIC.len()) != Some(MAGIC) {
            return Err(fault(ErrorKind::Corrupt, "it is not a SQLite database").hint(
                "name another file; if it is an encrypted database, decrypt it with its application first",
            ));
        }
        if header.len() < HEADER_BYTES {
            return Err(fault(ErrorKind::Corrupt, "it ends in the middle of its header")
                .hint("restore a backup: most of the file is missing"));
        }
        Ok(file)
    }

    /// The path, links resolved.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file that SQLite keeps beside the database: `-wal`, `-shm`, `-journal`.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Whether the header says that the database is kept with a write-ahead log (bytes 18 and 19 are 2).
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) fn has_wal_format(&self) -> Result<bool> {
        Ok(self.header()?.get(18..20).is_some_and(|versions| versions.contains(&2)))
    }

    /// Whose database the header says it is (bytes 68 to 71); 0: it doesn't say.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) fn application_id(&self) -> Result<u32> {
        Ok(self.header()?.get(68..72).map_or(0, number))
    }

    /// The handle, from its first byte. Nobody else reads through it meanwhile.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(crate) fn contents(&self) -> Result<MutexGuard<'_, File>> {
        let mut file = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(0)).map_err(file_failed(|| format!("read {}", self.path.display())))?;
        Ok(file)
    }

    /// What tells this state of the database from any other: size, times and place of the file, the counters of its
    /// header (file format, section 1.3), and size, time and header of its write-ahead log.
    ///
    /// # Errors
    /// If the files can't be examined.
    pub(crate) fn identity(&self) -> Result<Identity> {
        let operation = || format!("examine {}", self.path.display());
        let metadata = std::fs::metadata(&self.path).map_err(file_failed(operation))?;
        let header = self.header()?;
        let counter = |at: usize| header.get(at..at + 4).map_or_else(|| "none".to_owned(), big_endian);
        let wal = self.beside("-wal");
        Ok(Identity(BTreeMap::from([
            ("size".to_owned(), metadata.len().to_string()),
            ("modified".to_owned(), modified(&metadata)),
            ("inode".to_owned(), inode(&metadata)),
            ("change counter".to_owned(), counter(24)),
            ("pages".to_owned(), counter(28)),
            ("freelist pages".to_owned(), counter(36)),
            ("schema cookie".to_owned(), counter(40)),
            ("version valid for".to_owned(), counter(92)),
            ("write-ahead log".to_owned(), log_identity(&wal).map_err(file_failed(operation))?),
        ])))
    }

    fn header(&self) -> Result<Vec<u8>> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        Read::by_ref(&mut *self.contents()?)
            .take(HEADER_BYTES as u64)
            .read_to_end(&mut header)
            .map_err(file_failed(|| format!("read {}", self.path.display())))?;
        Ok(header)
    }
}

/// The one handle on a file that this process keeps.
fn hold(path: &Path, metadata: &Metadata) -> std::io::Result<Arc<Mutex<File>>> {
    let key = file_key(path, metadata);
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    held.retain(|_, handle| handle.strong_count() > 0);
    if let Some(handle) = held.get(&key).and_then(Weak::upgrade) {
        return Ok(handle);
    }
    let handle = Arc::new(Mutex::new(File::open(path)?));
    held.insert(key, Arc::downgrade(&handle));
    Ok(handle)
}

/// A log of no bytes holds nothing: it is the same as none.
fn log_identity(path: &Path) -> std::io::Result<String> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 => metadata,
        Ok(_) => return Ok("none".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok("none".to_owned()),
        Err(error) => return Err(error),
    };
    let mut header = Vec::new();
    // SQLite locks the database and its -shm file, never the log: opening and closing it here drops no lock.
    File::open(path)?.take(WAL_HEADER_BYTES).read_to_end(&mut header)?;
    Ok(format!(
        "{} bytes, modified {}, inode {}, header {}",
        metadata.len(),
        modified(&metadata),
        inode(&metadata),
        digest::hex(&header)
    ))
}

fn big_endian(bytes: &[u8]) -> String {
    number(bytes).to_string()
}

fn number(big_endian: &[u8]) -> u32 {
    big_endian.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Nanoseconds since 1970.
fn modified(metadata: &Metadata) -> String {
    match metadata.modified().map(|time| time.duration_since(UNIX_EPOCH)) {
        Ok(Ok(since)) => since.as_nanos().to_string(),
        Ok(Err(before)) => format!("-{}", before.duration().as_nanos()),
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{}:{}", metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> String {
    "unknown".to_owned()
}

#[cfg(unix)]
fn file_key(_: &Path, metadata: &Metadata) -> FileKey {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino(), PathBuf::new())
}

#[cfg(not(unix))]
fn file_key(path: &Path, _: &Metadata) -> FileKey {
    (0, 0, path.to_owned())
}
