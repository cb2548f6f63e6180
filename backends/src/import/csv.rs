//! CSV (RFC 4180) with a header.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, ErrorKind as Fault, Reader, ReaderBuilder};
use serde_json::{Map, Value};
use trimaran_core::model::NewDatasetPrompt;
use trimaran_core::{Error, Result};

use super::{MAX_RECORD_BYTES, Mapping, damaged, unfit, unread};

/// The prompts in CSV, in UTF-8, with `delimiter` between fields: a comma, or a tab. The first line names the columns; all
/// fields are text. The iterator ends with the first error.
///
/// # Errors
/// `Corrupt` if the header can't be read, `Invalid` if it lacks a column of the mapping.
pub fn csv<R: Read>(
    reader: R,
    delimiter: u8,
    mapping: Mapping,
) -> Result<impl Iterator<Item = Result<NewDatasetPrompt>>> {
    let taken = Arc::new(AtomicU64::new(0));
    let reader = Limited { reader, taken: Arc::clone(&taken) };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(reader);
    let header = reader.byte_headers().map_err(fault)?;
    let header = header.iter().map(|name| text("the header", name)).collect::<Result<Vec<_>>>()?;
    mapping.check_header(&header)?;
    let mut records = Records { reader, header, mapping, taken, record: ByteRecord::new() };
    let mut ended = false;
    Ok(std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let next = records.next().transpose();
        ended = !matches!(next, Some(Ok(_)));
        next
    }))
}

struct Records<R> {
    reader: Reader<Limited<R>>,
    header: Vec<String>,
    mapping: Mapping,
    taken: Arc<AtomicU64>,
    record: ByteRecord,
}

impl<R: Read> Records<R> {
    fn next(&mut self) -> Result<Option<NewDatasetPrompt>> {
        self.taken.store(0, Ordering::Relaxed);
        if !self.reader.read_byte_record(&mut self.record).map_err(fault)? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        let mut fields = Map::new();
        for (column, field) in self.header.iter().zip(&self.record) {
            if self.mapping.takes(column) {
                let field = text(format!("the record at line {line}, column {column:?}"), field)?;
                fields.insert(column.clone(), Value::String(field));
            }
        }
        self.mapping.prompt(format!("the record at line {line}"), fields).map(Some)
    }
}

fn text(place: impl std::fmt::Display, bytes: &[u8]) -> Result<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(damaged(format!("{place}, byte {}", error.valid_up_to() + 1), "it is not UTF-8")),
    }
}

fn fault(error: csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        Fault::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<TooLong>()) => unfit(
            "a record",
            format!("it is longer than {MAX_RECORD_BYTES} bytes; perhaps a quote is not closed"),
        ),
        Fault::Io(error) => unread("the file", error),
        Fault::UnequalLengths { expected_len, len, .. } => damaged(
            format!("the record at line {line}"),
            &format!("it has {len} fields, and the header has {expected_len}"),
        ),
        _ => damaged(format!("the record at line {line}"), "it is no CSV"),
    }
}

/// Fails once so much has been read since the counter was set to 0. What is buffered ahead counts, too, which is little.
struct Limited<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

#[derive(Debug)]
struct TooLong;

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a record is too long")
    }
}

impl std::error::Error for TooLong {}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let taken = self.taken.fetch_add(read as u64, Ordering::Relaxed);
        if taken > MAX_RECORD_BYTES { Err(io::Error::other(TooLong)) } else { Ok(read) }
    }
}
