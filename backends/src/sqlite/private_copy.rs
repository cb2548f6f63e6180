//! A copy of a database that nobody has open, for the one case in which SQLite can't read the file itself without
//! creating another beside it; see [`super::snapshot`].

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use tempfile::TempDir;
use trimaran_core::{Error, ErrorKind, Result};

use super::error::{HOT_JOURNAL_HINT, file_failed};
use super::file::DatabaseFile;

/// The copy, in a folder of its own that goes when this is dropped. Where a file in use can't be deleted, the system's
/// cleaning of temporary files does it.
#[derive(Debug)]
pub(crate) struct PrivateCopy(TempDir);

/// The copy's name in its folder.
const NAME: &str = "source.sqlite";

impl PrivateCopy {
    /// Copies a database that has no log, and marks the copy as one with a rollback journal. Whether the database stayed
    /// the same meanwhile is for the caller to prove.
    ///
    /// # Errors
    /// `Corrupt` if a journal has to be rolled back first; `Unavailable` if there is no room.
    pub(crate) fn make(file: &DatabaseFile) -> Result<Self> {
        refuse_hot_journal(file)?;
        copy(file).map(Self).map_err(|error| {
            file_failed(|| format!("make a private copy of {}", file.path().display()))(error).hint(format!(
                "the copy needs as much room in {} as the database has bytes: make room, or set TMPDIR to a folder that \
                 has it",
                std::env::temp_dir().display()
            ))
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join(NAME)
    }
}

fn copy(file: &DatabaseFile) -> std::io::Result<TempDir> {
    // 0700: nobody else reads what the source's own rights may keep from them.
    let folder = tempfile::Builder::new().prefix("trimaran-source-").tempdir()?;
    let mut copy = OpenOptions::new().write(true).create_new(true).open(folder.path().join(NAME))?;
    let mut source = file.contents().map_err(std::io::Error::other)?;
    std::io::copy(&mut *source, &mut copy)?;
    // Format versions for writing and reading: 1 is the rollback journal (file format, section 1.3.3).
    copy.seek(SeekFrom::Start(18))?;
    copy.write_all(&[1, 1])?;
    Ok(folder)
}

/// SQLite would look for a journal beside the copy, not beside the database.
fn refuse_hot_journal(file: &DatabaseFile) -> Result<()> {
    let journal = file.beside("-journal");
    let mut first = [0];
    let read = File::open(&journal).and_then(|mut journal| journal.read(&mut first));
    match read {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file_failed(|| format!("examine {}", journal.display()))(error))
        }
        // As SQLite has it (`hasHotJournal`): one that begins with a zero byte was finished.
        Ok(1) if first != [0] => {
            Err(Error::new(ErrorKind::Corrupt, format!("open the SQLite file {}", file.path().display()))
                .context(format!("{} has to be rolled back first", journal.display()))
                .hint(HOT_JOURNAL_HINT)
                .code("SQLITE_READONLY_ROLLBACK"))
        }
        _ => Ok(()),
    }
}
