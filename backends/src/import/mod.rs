//! Prompts of datasets from files: JSON Lines, CSV and Parquet.
//!
//! Each format is an iterator over the prompts in it, one record at a time, so that a file of any size takes little memory. What is
//! wrong in a file is an error that names the line or row, and never shows what is there. [`streamed`] makes a
//! stream of an iterator, which [`import_prompts`](trimaran_core::repository::Datasets::import_prompts) takes: all of the file is
//! imported, or nothing.
//!
//! ```no_run
//! # async fn example(datasets: &dyn trimaran_core::repository::Datasets, id: trimaran_core::id::DatasetId) -> trimaran_core::Result<()> {
//! use trimaran_backends::import::{self, Mapping};
//!
//! let mapping = Mapping::of("prompt").with_metadata(["category"]);
//! let imported = datasets.import_prompts(id, import::file("prompts.jsonl", mapping)).await?;
//! # Ok(())
//! # }
//! ```

mod csv;
mod json_lines;
mod mapping;
mod parquet;
mod stream;
#[cfg(test)]
mod tests;

pub use csv::csv;
pub use json_lines::json_lines;
pub use mapping::{Mapping, Metadata};
pub use parquet::parquet;
pub use stream::{Prompts, file, streamed};

use trimaran_core::{Error, ErrorKind};

/// The greatest length of a record, in bytes: 64 MiB. A record must fit in memory, and a file without line breaks is
/// more likely no such file than one long prompt.
pub const MAX_RECORD_BYTES: u64 = 64 << 20;

const OPERATION: &str = "import prompts from a file";

/// The file is not what it should be; `place` says where, such as "line 7".
fn damaged(place: impl std::fmt::Display, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION)
        .context(format!("{place}: {what}"))
        .hint("correct the file there, and import it again; nothing was imported")
}

/// The file is sound, but it doesn't have what the mapping asks for.
fn unfit(place: impl std::fmt::Display, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Invalid, OPERATION)
        .context(format!("{place}: {what}"))
        .hint("correct the file, or name other columns in the mapping; nothing was imported")
}

/// Reading failed.
fn unread(place: impl std::fmt::Display, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, OPERATION).context(format!("{place} can't be read")).source(error)
}
