//! JSON Lines: an object per line.

use std::io::{BufRead, BufReader, Read};

use serde_json::{Map, Value};
use trimaran_core::Result;
use trimaran_core::model::NewDatasetPrompt;

use super::{MAX_RECORD_BYTES, Mapping, damaged, unfit, unread};

/// What some programs begin a file of UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The prompts in JSON Lines, in UTF-8. Empty lines are passed over; the iterator ends with the first error.
pub fn json_lines(reader: impl Read, mapping: Mapping) -> impl Iterator<Item = Result<NewDatasetPrompt>> {
    let mut lines = Lines { reader: BufReader::new(reader), number: 0 };
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let next = lines.next(&mapping).transpose();
        ended = !matches!(next, Some(Ok(_)));
        next
    })
}

struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
}

impl<R: Read> Lines<R> {
    fn next(&mut self, mapping: &Mapping) -> Result<Option<NewDatasetPrompt>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            self.number += 1;
            let place = || format!("line {}", self.number);
            let read = self.reader.by_ref().take(MAX_RECORD_BYTES + 1).read_until(b'\n', &mut line);
            if read.map_err(|error| unread(place(), error))? == 0 {
                return Ok(None);
            }
            if line.len() as u64 > MAX_RECORD_BYTES {
                return Err(unfit(place(), format!("it is longer than {MAX_RECORD_BYTES} bytes")));
            }
            let mut bytes = line.as_slice();
            if self.number == 1 {
                bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let text = std::str::from_utf8(bytes).map_err(|error| {
                damaged(format!("line {}, byte {}", self.number, error.valid_up_to() + 1), "it is not UTF-8")
            })?;
            let record: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
                // The error's own text may quote what is there.
                let place = format!("line {}, column {}", self.number, error.column());
                let what = if error.is_data() { "it is no JSON object" } else { "it is no JSON" };
                damaged(place, what)
            })?;
            return mapping.prompt(place(), record).map(Some);
        }
    }
}
