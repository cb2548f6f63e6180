//! Objects as files: what is known of one, and its bytes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    Error as StoreError, GetOptions, GetResult, GetResultPayload, ObjectMeta, Result as StoreResult,
};
use rustix::fs::FileType;
use trimaran_core::digest;

use super::directory::Directory;
use super::{DRAFTS, Folder, FolderStore, LOCKS, NAME};

/// So much is read at a time.
const CHUNK_BYTES: u64 = 256 << 10;

/// A file of up to so many bytes has a tag, by which it can be replaced conditionally: the SHA-256 of its bytes. Times and inodes
/// come again, and would let a writer replace what it never saw.
const MAX_TAGGED_BYTES: u64 = 8 << 20;

/// The tag of a file; `None` if it is too long to have one.
pub(super) fn tag_of(file: &File) -> io::Result<Option<String>> {
    let length = file.metadata()?.len();
    if length > MAX_TAGGED_BYTES {
        return Ok(None);
    }
    Ok(Some(tag(&read(file, 0..length)?)))
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", digest::hex(&digest::sha256(bytes)))
}

fn read(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = BytesMut::zeroed(length);
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.freeze())
}

/// An open file as the answer to a request. The file stays what it is, whatever takes its name.
pub(super) async fn get(
    store: &FolderStore,
    location: &Path,
    file: File,
    options: GetOptions,
) -> StoreResult<GetResult> {
    let file = Arc::new(file);
    let failed = |error: io::Error| StoreError::Generic { store: NAME, source: error.into() };
    let known = file.metadata().map_err(failed)?;
    let size = known.len();
    let range = match &options.range {
        None => 0..size,
        Some(range) => {
            range.as_range(size).map_err(|error| StoreError::Generic { store: NAME, source: error.into() })?
        }
    };
    let mut meta = ObjectMeta {
        location: location.clone(),
        last_modified: known.modified().map_err(failed)?.into(),
        size,
        e_tag: None,
        version: None,
    };
    let is_tagged = size <= MAX_TAGGED_BYTES && options.range.is_none() && !options.head;
    let bytes: BoxStream<'static, StoreResult<Bytes>> = if is_tagged {
        let whole = Arc::clone(&file);
        let bytes = store.blocking(location, move |_| read(&whole, 0..size)).await?;
        meta.e_tag = Some(tag(&bytes));
        stream::once(std::future::ready(Ok(bytes))).boxed()
    } else {
        chunks(store.clone(), location.clone(), file, range.clone())
    };
    options.check_preconditions(&meta)?;
    Ok(GetResult {
        payload: GetResultPayload::Stream(bytes),
        meta,
        range,
        attributes: Default::default(),
        extensions: Default::default(),
    })
}

fn chunks(
    store: FolderStore,
    location: Path,
    file: Arc<File>,
    range: Range<u64>,
) -> BoxStream<'static, StoreResult<Bytes>> {
    stream::try_unfold(range.start, move |at| {
        let (store, location, file) = (store.clone(), location.clone(), Arc::clone(&file));
        let end = range.end.min(at.saturating_add(CHUNK_BYTES));
        async move {
            if at >= end {
                return Ok(None);
            }
            let bytes = store.blocking(&location, move |_| read(&file, at..end)).await?;
            Ok(Some((bytes, end)))
        }
    })
    .boxed()
}

/// What is known of the object at `location` without opening it.
pub(super) fn known(folder: &Folder, location: &Path) -> io::Result<ObjectMeta> {
    let (directory, name) = folder.place(location)?;
    let stat = directory.stat(name)?.ok_or(io::ErrorKind::NotFound)?;
    let seconds = stat.st_mtime;
    let nanos = u32::try_from(stat.st_mtime_nsec).unwrap_or_default();
    Ok(ObjectMeta {
        location: location.clone(),
        last_modified: DateTime::<Utc>::from_timestamp(seconds, nanos).unwrap_or_default(),
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        e_tag: None,
        version: None,
    })
}

/// The keys of all objects in a directory and below it, in no order.
pub(super) fn keys_under(directory: &Directory, path: &Path, keys: &mut Vec<Path>) -> io::Result<()> {
    for name in directory.names()? {
        if path.is_root() && matches!(name.as_str(), DRAFTS | LOCKS) {
            continue;
        }
        let Some(stat) = directory.stat(&name)? else { continue };
        let location = path.clone().join(name.as_str());
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            keys_under(&directory.open(&name)?, &location, keys)?;
        } else {
            keys.push(location);
        }
    }
    Ok(())
}
