//! What a file is, before DuckDB touches it and while DuckDB has it open.
//!
//! DuckDB locks its file with a POSIX record lock, and a process loses such a lock when it closes *any* descriptor of
//! the file. Whoever looks into the file must therefore keep the descriptor until DuckDB has closed: [`DatabaseFile`]
//! is opened before DuckDB opens, kept beside the connection, and closed after it (see [`super::registry`]).

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use trimaran_core::{Error, ErrorKind, Result};

use crate::{Access, Identity};

/// Every header begins with a checksum of 8 bytes (DuckDB's `storage_info.hpp`, `DEFAULT_BLOCK_HEADER_SIZE`).
const CHECKSUM_BYTES: usize = 8;
/// The main header: checksum, `DUCK`, a version of 8 bytes, then four words of flags (`MainHeader::Write`).
const MAGIC: &[u8; 4] = b"DUCK";
const FLAGS_AT: usize = CHECKSUM_BYTES + MAGIC.len() + 8;
/// The flag of an encrypted file (`MainHeader::ENCRYPTED_DATABASE_FLAG`).
const ENCRYPTED: u64 = 1;
/// The two database headers follow at 4,096 and 8,192 (`Storage::FILE_HEADER_SIZE`); a checkpoint writes one of them,
/// with an iteration one higher, in turn.
const DATABASE_HEADERS: [(&str, u64); 2] = [("header 1", 4096), ("header 2", 8192)];
/// What a whole file has at least: three headers.
const HEADERS_BYTES: u64 = 3 * 4096;
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// What may stand beside a file, holding changes that are not in it yet (`StorageManager::GetWALPath` and its callers).
const WAL_SUFFIXES: [&str; 3] = [".wal", ".wal.checkpoint", ".wal.recovery"];

/// A DuckDB file, held open.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl DatabaseFile {
    /// Opens a file that exists and makes sure that it is DuckDB's and not encrypted.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Corrupt` or `Unsupported`, with what was found instead.
    pub(super) fn open(path: &Path, access: Access) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|e| unreachable_file(path, access, e))?;
        if metadata.is_dir() {
            return Err(opening(ErrorKind::Corrupt, path)
                .context("it is a folder")
                .hint("name the DuckDB file in it, as in duckdb:///folder/file.duckdb"));
        }
        if metadata.len() == 0 {
            let hint = match access {
                Access::Source => "look for the file that the application really writes",
                Access::Target => "delete it; a new file is created where there is none",
            };
            return Err(opening(ErrorKind::Corrupt, path).context("the file is empty").hint(hint));
        }
        let mut file = File::open(path).map_err(|e| unreachable_file(path, access, e))?;
        let mut head = Vec::with_capacity(FLAGS_AT + 8);
        Read::by_ref(&mut file)
            .take((FLAGS_AT + 8) as u64)
            .read_to_end(&mut head)
            .map_err(|e| unreachable_file(path, access, e))?;
        check_head(path, &head)?;
        if metadata.len() < HEADERS_BYTES {
            return Err(opening(ErrorKind::Corrupt, path)
                .context("the file is cut short")
                .hint("take the file from a backup, or copy it again"));
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// The state of the file now: size, times, place, header counters and what stands in its WAL.
    ///
    /// # Errors
    /// If it can't be examined.
    pub(super) fn identity(&self) -> Result<Identity> {
        let failed = |e: io::Error| examining(&self.path, e);
        let mut facts = Identity::default();
        let metadata = fs::metadata(&self.path).map_err(failed)?;
        describe(&mut facts, "file", &metadata);
        for (name, offset) in DATABASE_HEADERS {
            let iteration = self.word_at(offset + CHECKSUM_BYTES as u64).map_err(failed)?;
            facts.0.insert(format!("{name} iteration"), iteration.to_string());
        }
        for suffix in WAL_SUFFIXES {
            match fs::metadata(beside(&self.path, suffix)) {
                Ok(wal) if wal.len() > 0 => describe(&mut facts, suffix.trim_start_matches('.'), &wal),
                // DuckDB may leave an empty WAL or none: both say the same.
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed(e)),
            }
        }
        Ok(facts)
    }

    fn word_at(&self, offset: u64) -> io::Result<u64> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut word = [0; 8];
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }
}

/// What is wrong with the first bytes, if anything is.
fn check_head(path: &Path, head: &[u8]) -> Result<()> {
    if head.starts_with(SQLITE_MAGIC) {
        return Err(opening(ErrorKind::Corrupt, path)
            .context("the file is not a DuckDB database; it is an SQLite database")
            .hint(format!("write sqlite://{}", path.display())));
    }
    if head.get(CHECKSUM_BYTES..CHECKSUM_BYTES + MAGIC.len()) != Some(MAGIC) {
        return Err(opening(ErrorKind::Corrupt, path)
            .context("the file is not a DuckDB database")
            .hint("look at the path; for an SQLite file write sqlite:// instead of duckdb://"));
    }
    let flags = head.get(FLAGS_AT..).and_then(|f| f.first_chunk::<8>()).map_or(0, |f| u64::from_le_bytes(*f));
    if flags & ENCRYPTED != 0 {
        return Err(opening(ErrorKind::Unsupported, path)
            .context("the file is encrypted")
            .hint("copy it to a file without encryption with DuckDB's ATTACH … (ENCRYPTION_KEY …) and COPY FROM DATABASE"));
    }
    Ok(())
}

/// The path of a file that stands beside `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn describe(facts: &mut Identity, name: &str, metadata: &Metadata) {
    facts.0.insert(format!("{name} size"), metadata.len().to_string());
    let modified = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    if let Some(modified) = modified {
        facts.0.insert(
            format!("{name} modified"),
            format!("{}.{:09}", modified.as_secs(), modified.subsec_nanos()),
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        facts.0.insert(format!("{name} inode"), metadata.ino().to_string());
    }
}

/// A failure of `kind` to open `path`.
pub(super) fn opening(kind: ErrorKind, path: &Path) -> Error {
    Error::new(kind, format!("open the DuckDB file {}", path.display()))
}

fn examining(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::Changed,
        io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("examine the DuckDB file {}", path.display())).source(error)
}

fn unreachable_file(path: &Path, access: Access, error: io::Error) -> Error {
    let (kind, hint) = match (error.kind(), access) {
        (io::ErrorKind::NotFound, _) => {
            (ErrorKind::NotFound, "look at the path; duckdb:///absolute/path has three slashes")
        }
        (io::ErrorKind::PermissionDenied, Access::Source) => {
            (ErrorKind::Forbidden, "give this user the right to read the file and to enter its folder")
        }
        (io::ErrorKind::PermissionDenied, Access::Target) => {
            (ErrorKind::Forbidden, "give this user the right to read and write the file and its folder")
        }
        _ => (ErrorKind::Unavailable, "look at the disk and its mount"),
    };
    let context = match kind {
        ErrorKind::NotFound => "there is no such file",
        ErrorKind::Forbidden => "this user may not read it",
        _ => "the system refused",
    };
    opening(kind, path).context(context).hint(hint).source(error)
}
