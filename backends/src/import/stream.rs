//! From an iterator, which blocks, to a stream, which doesn't.

use std::fs::File;
use std::path::Path;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use trimaran_core::model::NewDatasetPrompt;
use trimaran_core::{Error, ErrorKind, Result};

use super::{Mapping, OPERATION, unfit, unread};

/// The prompts of a file, one by one.
pub type Prompts = Box<dyn Iterator<Item = Result<NewDatasetPrompt>>>;

/// How many prompts, and how many bytes of them, go from thread to task at once; as much again waits.
const HANDED_AT_ONCE: usize = 512;
const BYTES_AT_ONCE: usize = 1 << 20;

/// The prompts in a file, whose name says its format: `.jsonl` and `.ndjson`, `.csv`, `.tsv`, `.parquet`. Whatever is wrong with
/// the file, it not being there included, comes as the stream's error.
pub fn file(path: impl AsRef<Path>, mapping: Mapping) -> BoxStream<'static, Result<NewDatasetPrompt>> {
    let path = path.as_ref().to_owned();
    streamed(move || {
        let named = |error: Error| error.context(format!("in {}", path.display()));
        let file = || File::open(&path).map_err(|error| unread(path.display(), error));
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let prompts: Prompts = match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Box::new(super::json_lines(file()?, mapping)),
            "csv" => Box::new(super::csv(file()?, b',', mapping).map_err(named)?),
            "tsv" => Box::new(super::csv(file()?, b'\t', mapping).map_err(named)?),
            "parquet" => super::parquet(file()?, mapping).map_err(named)?,
            _ => {
                return Err(unfit(path.display(), "its name doesn't say its format")
                    .hint("name it .jsonl, .csv, .tsv or .parquet, or use the format's own function"));
            }
        };
        Ok(Box::new(
            prompts
                .map(move |prompt| prompt.map_err(|error| error.context(format!("in {}", path.display())))),
        ))
    })
}

/// A stream of the prompts that `open` gives: it is called, and they are read, on a thread where blocking is allowed, no further ahead
/// than a few megabytes. Dropped, the stream ends the thread. Needs Tokio's runtime.
pub fn streamed(
    open: impl FnOnce() -> Result<Prompts> + Send + 'static,
) -> BoxStream<'static, Result<NewDatasetPrompt>> {
    async_stream::stream! {
        let (sender, mut receiver) = mpsc::channel::<Vec<Result<NewDatasetPrompt>>>(1);
        let reading = tokio::task::spawn_blocking(move || hand_over(open, &sender));
        while let Some(batch) = receiver.recv().await {
            for prompt in batch {
                yield prompt;
            }
        }
        // A reader that panicked must not look like a file that ended.
        if let Err(error) = reading.await {
            yield Err(Error::new(ErrorKind::Corrupt, OPERATION)
                .context("the file's reader failed")
                .hint("the file is probably damaged; nothing was imported")
                .source(error));
        }
    }
    .boxed()
}

/// Sends batches until the prompts end or nobody wants them any more.
fn hand_over(open: impl FnOnce() -> Result<Prompts>, sender: &mpsc::Sender<Vec<Result<NewDatasetPrompt>>>) {
    let mut prompts = match open() {
        Ok(prompts) => prompts,
        Err(error) => Box::new(std::iter::once(Err(error))),
    };
    loop {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < HANDED_AT_ONCE && bytes < BYTES_AT_ONCE {
            let Some(prompt) = prompts.next() else { break };
            bytes += prompt.as_ref().map_or(0, |prompt| prompt.text.len());
            batch.push(prompt);
        }
        if batch.is_empty() || sender.blocking_send(batch).is_err() {
            return;
        }
    }
}
