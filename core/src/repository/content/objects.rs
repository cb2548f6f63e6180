//! The trait of the area, and conveniences over it.

use std::fmt::Debug;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::diff::{self, Diff};
use crate::model::{Body, Condition, Namespace, NewObject, Object, ObjectInfo, ObjectVersion, Swept};
use crate::repository::sealed;
use crate::{Error, ErrorKind, Page, PageRequest, Result};

/// Objects in [namespaces](Namespace), of the installation or of one tenant: nothing here leads from one to another.
///
/// A name is any text of 1 to [`MAX_BYTES`](crate::model::name::MAX_BYTES) bytes. It never becomes a path: `../../etc/passwd`,
/// `CON` and two names that differ only in case are names like any other.
///
/// What holds for every call, on every kind of store:
///
/// - **A put is atomic.** Bytes, checksum, MIME type and metadata take effect together, at one moment. No reader ever sees half
///   of a write, nor the bytes of one with the metadata of another. A crash at any moment leaves what was there or what
///   was put. What a crash may leave besides are bytes that nobody refers to: [`Self::sweep`] removes them.
/// - **A put that returned is durable**: on a folder, files and folders are synced; in memory, as long as the process.
/// - **A read is verified.** The stream of a whole object ends with `Corrupt`, naming the object, unless it had the very
///   bytes that were put. Of a range only the length is.
/// - **A reader is left in peace.** What is being read stays readable on a folder and in memory while it is replaced or deleted; on S3
///   a read that has begun may fail, and never mixes two versions.
/// - **Memory is bounded**, at about 16 MiB per put and less per get, however large the object.
///
/// Errors, besides those that are named: `Unavailable` and `Timeout` of the store, `Forbidden` where it lets nobody in, and
/// `Corrupt` for what is not what was written, a symbolic link in the folder included.
#[async_trait]
pub trait Content: Debug + Send + Sync {
    /// Puts an object, if its condition holds, and returns what it is now. Of any number of callers with the same condition
    /// one succeeds. If the body ends with an error, or the call is dropped, nothing has taken effect.
    ///
    /// # Errors
    /// `Conflict` if the condition doesn't hold. `Invalid` for a name, MIME type or metadata that break their
    /// [rules](crate::model::content::rules). The body's own. `Unavailable` may come after it took effect, if the answer
    /// was lost.
    async fn put(&self, namespace: Namespace, name: &str, object: NewObject) -> Result<ObjectInfo>;

    /// The object, to be read.
    async fn get(&self, namespace: Namespace, name: &str) -> Result<Option<Object>>;

    /// A range of the object's bytes: as much of it as there is.
    ///
    /// # Errors
    /// `Invalid` if it begins after its own end or after the object's.
    async fn get_range(&self, namespace: Namespace, name: &str, range: Range<u64>) -> Result<Option<Object>>;

    /// What is known of the object.
    async fn head(&self, namespace: Namespace, name: &str) -> Result<Option<ObjectInfo>>;

    /// A page of the objects whose names begin with `prefix`, byte for byte. They come in the order of the first 64 bytes of
    /// their names; where those are equal, in an order that means nothing and is always the same.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, namespace: Namespace, prefix: &str, page: &PageRequest) -> Result<Page<ObjectInfo>>;

    /// Deletes the object; says whether there was one. Where versions are kept this is one more, and what was there can be
    /// restored. Elsewhere it is gone, with whatever was put at the same moment; of several callers at the same moment each
    /// may say that there was one.
    async fn delete(&self, namespace: Namespace, name: &str) -> Result<bool>;

    /// The history of a configuration file, newest first, as far as it is kept; empty if there never was such a file.
    async fn versions(&self, name: &str) -> Result<Vec<ObjectVersion>>;

    /// A configuration file as it was; `None` if there is no such version, if it is no longer kept, or if it is a deletion.
    async fn get_version(&self, name: &str, version: u64) -> Result<Option<Object>>;

    /// Removes the object for good, with all its versions; says whether anything was there.
    async fn purge(&self, namespace: Namespace, name: &str) -> Result<bool>;

    /// Removes what crashes left behind, if it is older than this by the store's clock. A body that is still being put is such a thing to
    /// look at: give more time than the longest put may take, such as a day.
    async fn sweep(&self, older_than: Duration) -> Result<Swept>;

    /// Removes everything that is kept for this tenant, or everything of the installation that is no tenant's, for good.
    /// Returns how many objects there were. Nothing may be put meanwhile.
    async fn erase(&self) -> Result<u64>;
}

sealed!(Content);

/// Conveniences over [`Content`].
#[async_trait]
pub trait ContentExt: sealed::Sealed {
    /// The whole object, verified, in memory.
    ///
    /// # Errors
    /// As for [`Content::get`] and its body.
    async fn read(&self, namespace: Namespace, name: &str) -> Result<Option<(ObjectInfo, Bytes)>>;

    /// What changed in a configuration file between two versions, a deletion being an empty file.
    ///
    /// # Errors
    /// `NotFound` if one of them isn't kept; `Invalid` if one is text of more than [`MAX_DIFF_BYTES`](super::MAX_DIFF_BYTES).
    async fn diff(&self, name: &str, from: u64, to: u64) -> Result<Diff>;

    /// Makes a configuration file what it was at `version`, as a new version: nothing is overwritten.
    ///
    /// # Errors
    /// `NotFound` if there is no such version, or it is a deletion; `Conflict` if somebody changed the file meanwhile.
    async fn restore(&self, name: &str, version: u64) -> Result<ObjectInfo>;
}

#[async_trait]
impl<C: Content + ?Sized> ContentExt for C {
    async fn read(&self, namespace: Namespace, name: &str) -> Result<Option<(ObjectInfo, Bytes)>> {
        let Some(object) = self.get(namespace, name).await? else { return Ok(None) };
        let info = object.info.clone();
        Ok(Some((info, object.bytes().await?)))
    }

    async fn diff(&self, name: &str, from: u64, to: u64) -> Result<Diff> {
        let versions = self.versions(name).await?;
        let mut sides = [Bytes::new(), Bytes::new()];
        for (side, wanted) in sides.iter_mut().zip([from, to]) {
            let entry = versions.iter().find(|entry| entry.version == wanted);
            let entry = entry.ok_or_else(|| no_version("compare two versions", name, wanted))?;
            let Some(info) = &entry.object else { continue };
            diff::check_size(info)?;
            let object = self.get_version(name, wanted).await?;
            let object = object.ok_or_else(|| no_version("compare two versions", name, wanted))?;
            *side = object.bytes().await?;
        }
        let [old, new] = &sides;
        Ok(diff::between(old, new, &format!("version {from}"), &format!("version {to}")))
    }

    async fn restore(&self, name: &str, version: u64) -> Result<ObjectInfo> {
        let operation = "restore a version";
        let now = self.head(Namespace::Configuration, name).await?;
        let Some(object) = self.get_version(name, version).await? else {
            return Err(no_version(operation, name, version));
        };
        let restored = NewObject {
            content_type: Some(object.info.content_type),
            metadata: object.info.metadata,
            body: Body::stream(object.body),
            condition: now.map_or(Condition::Absent, |now| Condition::Unchanged(now.etag)),
        };
        self.put(Namespace::Configuration, name, restored).await.map_err(|error| error.within(operation))
    }
}

fn no_version(operation: &str, name: &str, version: u64) -> Error {
    Error::new(ErrorKind::NotFound, operation)
        .context(format!("the configuration file {name:?} has no version {version} to read"))
        .hint("versions(name) tells which there are")
}
