//! Objects: what is put, and what comes back.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

use super::{Body, ByteStream, Namespace};
use crate::model::Sha256;
use crate::{Result, Timestamp};

/// What tells one writing of an object from every other: opaque, and never given twice, not even to the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ETag(String);

impl ETag {
    /// The one of this text, as [`Self::as_str`] gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to hand to a client and take back.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What must be so for a put to take effect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// There is no such object.
    Absent,
    /// The object is the one that was written under this tag.
    Unchanged(ETag),
}

/// An object to put.
#[derive(Debug)]
#[must_use]
pub struct NewObject {
    /// Its bytes.
    pub body: Body,
    /// Its MIME type; `None`: as its name says, else `application/octet-stream`.
    pub content_type: Option<String>,
    /// What the application wants to know of it.
    pub metadata: BTreeMap<String, String>,
    /// What must be so.
    pub condition: Condition,
}

impl NewObject {
    /// An object of these bytes, with the MIME type that its name says and no metadata, put whatever is there.
    pub fn new(body: impl Into<Body>) -> Self {
        let (content_type, metadata) = (None, BTreeMap::new());
        Self { body: body.into(), content_type, metadata, condition: Condition::None }
    }

    /// With this MIME type.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// With this metadata, beside what was given before.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Only if there is no such object.
    pub fn if_absent(mut self) -> Self {
        self.condition = Condition::Absent;
        self
    }

    /// Only if the object is still the one that was written under `etag`.
    pub fn if_unchanged(mut self, etag: ETag) -> Self {
        self.condition = Condition::Unchanged(etag);
        self
    }
}

/// What is known of an object without reading it. It is committed together with the bytes: never one's bytes with
/// another's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// What it is for.
    pub namespace: Namespace,
    /// Its name.
    pub name: String,
    /// Which writing it is.
    pub etag: ETag,
    /// How many writings there were, this one included. It begins anew when an object was deleted, except where versions are
    /// kept.
    pub version: u64,
    /// Its length, in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Its MIME type.
    pub content_type: String,
    /// What the application gave along.
    pub metadata: BTreeMap<String, String>,
    /// When it was written.
    pub modified_at: Timestamp,
}

/// An object, or a range of one, to be read.
pub struct Object {
    /// What is known of the whole.
    pub info: ObjectInfo,
    /// Which of its bytes these are.
    pub range: Range<u64>,
    /// The bytes. Of a whole object they are verified: a stream that ends without an error had the bytes that were put.
    pub body: ByteStream,
}

impl Object {
    /// All its bytes, in memory.
    ///
    /// # Errors
    /// `Corrupt`, naming the object, if they are not those that were put; else the store's.
    pub async fn bytes(mut self) -> Result<Bytes> {
        let mut first = Bytes::new();
        while first.is_empty() {
            match self.body.try_next().await? {
                Some(chunk) => first = chunk,
                None => return Ok(first),
            }
        }
        let Some(second) = self.body.try_next().await? else { return Ok(first) };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.body.try_next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("info", &self.info).field("range", &self.range).finish_non_exhaustive()
    }
}

/// One entry of an object's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Its number: 1 for the first, and one more for each after it.
    pub version: u64,
    /// When it came.
    pub at: Timestamp,
    /// What the object became; `None`: it was deleted.
    pub object: Option<ObjectInfo>,
}

/// What a [sweep](crate::repository::Content::sweep) removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Bodies that no object refers to.
    pub bodies: u64,
    /// Their bytes.
    pub bytes: u64,
}
