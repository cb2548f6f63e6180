//! A body on its way in: hashed as it comes, in bounded memory.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};
use sha2::{Digest as _, Sha256 as Hasher};
use trimaran_core::Result;
use trimaran_core::model::{Body, Sha256};

use super::error::failed;

/// Bodies are written in parts of so many bytes. S3 takes parts of at least 5 MiB, and 10,000 of them: bodies of 80 GB.
pub(super) const PART_BYTES: usize = 8 << 20;

const OPERATION: &str = "write an object's bytes";

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

/// Writes `body` at `path`. If it fails nothing is there, or what a sweep removes.
pub(super) async fn write(store: &Arc<dyn ObjectStore>, path: &Path, body: Body) -> Result<Written> {
    let mut parts = Parts { stream: body.into_stream(), rest: Bytes::new(), hasher: Hasher::new(), size: 0 };
    let first = parts.next().await?;
    let second = if first.len() < PART_BYTES { Bytes::new() } else { parts.next().await? };
    if second.is_empty() {
        store.put(path, PutPayload::from(first)).await.map_err(|error| failed(OPERATION, error))?;
        return Ok(parts.written());
    }
    let mut upload = store.put_multipart(path).await.map_err(|error| failed(OPERATION, error))?;
    match in_parts(upload.as_mut(), &mut parts, first, second).await {
        Ok(()) => Ok(parts.written()),
        Err(error) => {
            if let Err(left) = upload.abort().await {
                tracing::warn!(error = %left, "parts of an object that was not put could not be removed");
            }
            Err(error)
        }
    }
}

async fn in_parts(
    upload: &mut dyn MultipartUpload,
    parts: &mut Parts,
    first: Bytes,
    second: Bytes,
) -> Result<()> {
    let mut part = first;
    let mut following = second;
    loop {
        let is_last = following.is_empty();
        upload.put_part(PutPayload::from(part)).await.map_err(|error| failed(OPERATION, error))?;
        if is_last {
            break;
        }
        part = following;
        following = parts.next().await?;
    }
    upload.complete().await.map(drop).map_err(|error| failed(OPERATION, error))
}

/// A stream cut into parts of the same length.
struct Parts {
    stream: trimaran_core::model::ByteStream,
    /// What came beyond the last part.
    rest: Bytes,
    hasher: Hasher,
    size: u64,
}

impl Parts {
    /// The next part: shorter than [`PART_BYTES`], or empty, only at the end.
    async fn next(&mut self) -> Result<Bytes> {
        let mut part = BytesMut::new();
        loop {
            let chunk = if self.rest.is_empty() {
                match self.stream.try_next().await? {
                    Some(chunk) => chunk,
                    None => break,
                }
            } else {
                std::mem::take(&mut self.rest)
            };
            let mut chunk = chunk;
            self.rest = chunk.split_off(chunk.len().min(PART_BYTES - part.len()));
            if part.is_empty() && chunk.len() == PART_BYTES {
                return Ok(self.taken(chunk));
            }
            part.extend_from_slice(&chunk);
            if part.len() == PART_BYTES {
                break;
            }
        }
        Ok(self.taken(part.freeze()))
    }

    fn taken(&mut self, part: Bytes) -> Bytes {
        self.hasher.update(&part);
        self.size += part.len() as u64;
        part
    }

    fn written(&self) -> Written {
        Written { size: self.size, sha256: Sha256(self.hasher.clone().finalize().into()) }
    }
}
