//! Entries, read and written: the conditional write that makes a change take effect.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use trimaran_core::{Error, ErrorKind, Result};

use super::entry::Entry;
use super::error::failed;
use super::key::Key;

/// The store of entries.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    pub(super) store: Arc<dyn ObjectStore>,
    /// Whose they are: `installation`, or a tenant's id.
    pub(super) owner: Arc<str>,
}

/// An entry as it was read, and what tells whether it is still the same.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) entry: Entry,
    tag: UpdateVersion,
}

impl Entries {
    /// The entry at `path`, which is `key`'s; `what` names the object in errors.
    pub(super) async fn find(&self, path: &Path, key: &Key, what: &str) -> Result<Option<Found>> {
        let operation = format!("read {what}");
        let read = match self.store.get(path).await {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            other => other.map_err(|error| failed(&operation, error))?,
        };
        let tag = UpdateVersion { e_tag: read.meta.e_tag.clone(), version: read.meta.version.clone() };
        let bytes = match read.bytes().await {
            // Deleted between the two halves of the reading.
            Err(StoreError::NotFound { .. }) => return Ok(None),
            other => other.map_err(|error| failed(&operation, error))?,
        };
        let entry = Entry::decode(&bytes, what)?;
        if Key::of(&entry.name) != *key {
            return Err(Error::new(ErrorKind::Corrupt, operation)
                .context("its entry is another object's")
                .hint("bring the entry back from a backup, or purge the object"));
        }
        // Entries that were written before they said whose they are say nothing.
        if entry.owner.as_deref().is_some_and(|owner| owner != &*self.owner) {
            return Err(Error::new(ErrorKind::Corrupt, operation)
                .context("its entry is of another owner's object: files were exchanged")
                .hint("bring the entry and its bodies back from a backup, or purge the object"));
        }
        Ok(Some(Found { entry, tag }))
    }

    /// Writes the entry at `path` if what is there is still `before`; says whether it was.
    pub(super) async fn replace(
        &self,
        path: &Path,
        before: Option<&Found>,
        entry: &Entry,
        operation: &str,
    ) -> Result<bool> {
        let mode = match before {
            Some(found) => PutMode::Update(found.tag.clone()),
            None => PutMode::Create,
        };
        let payload = PutPayload::from(entry.encode()?);
        let options = PutOptions { mode, ..PutOptions::default() };
        match self.store.put_opts(path, payload, options).await {
            Ok(_) => Ok(true),
            // S3 answers a conditional write to an object that is gone with "not found".
            Err(
                StoreError::AlreadyExists { .. }
                | StoreError::Precondition { .. }
                | StoreError::NotFound { .. },
            ) => Ok(false),
            Err(error) => Err(failed(operation, error)),
        }
    }

    /// Removes the entry at `path`; it is no error if there is none.
    pub(super) async fn remove(&self, path: &Path, operation: &str) -> Result<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(operation, error)),
        }
    }
}
