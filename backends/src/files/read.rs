//! A body on its way out: a whole one is verified.

use std::ops::Range;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{Error as StoreError, GetOptions, ObjectStore, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256 as Hasher};
use trimaran_core::model::{ByteStream, Object, ObjectInfo, Sha256};
use trimaran_core::{Error, ErrorKind, Result};

use super::error::failed;

/// Opens a body; `None` if it is gone, as after a put or a delete that came between.
pub(super) async fn open(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    info: ObjectInfo,
    range: Option<Range<u64>>,
) -> Result<Option<Object>> {
    let operation = format!("read {}", what(&info));
    let is_whole = range.is_none();
    let range = range.unwrap_or(0..info.size);
    if range.is_empty() {
        return Ok(Some(Object {
            body: verified(stream::empty().boxed(), &info, &range, is_whole),
            info,
            range,
        }));
    }
    // A range, even for the whole: a body that is shorter than it was is told by its length.
    let options = GetOptions::new().with_range(Some(range.clone()));
    let found = match store.get_opts(path, options).await {
        Ok(found) => found,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => {
            // A range that begins after the end of a body that was cut off is refused by some stores in no clear words.
            if let Ok(meta) = store.head(path).await {
                check_size(&info, meta.size)?;
            }
            return Err(failed(&operation, error));
        }
    };
    check_size(&info, found.meta.size)?;
    let bytes = found.into_stream().map_err(move |error| failed(&operation, error)).boxed();
    Ok(Some(Object { body: verified(bytes, &info, &range, is_whole), info, range }))
}

/// The same bytes; they end with an error unless they are as many as they should be and, of a whole object, those that were put.
fn verified(mut bytes: ByteStream, info: &ObjectInfo, range: &Range<u64>, is_whole: bool) -> ByteStream {
    let (info, expected) = (info.clone(), range.end - range.start);
    try_stream! {
        let mut hasher = Hasher::new();
        let mut size = 0_u64;
        while let Some(chunk) = bytes.try_next().await? {
            size += chunk.len() as u64;
            if is_whole {
                hasher.update(&chunk);
            }
            yield chunk;
        }
        if size != expected {
            Err(damaged(&info, &format!("{size} bytes came, and {expected} should have")))?;
        }
        if is_whole && Sha256(hasher.finalize().into()) != info.sha256 {
            Err(damaged(&info, "the checksum of its bytes is not the one that was put"))?;
        }
    }
    .boxed()
}

fn check_size(info: &ObjectInfo, size: u64) -> Result<()> {
    if size == info.size {
        return Ok(());
    }
    Err(damaged(info, &format!("it has {size} bytes and should have {}", info.size)))
}

pub(super) fn damaged(info: &ObjectInfo, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("read {}", what(info)))
        .context(why)
        .hint("bring it back from a backup, or put it again")
}

fn what(info: &ObjectInfo) -> String {
    format!("the object {:?} of {}, version {}", info.name, info.namespace, info.version)
}
