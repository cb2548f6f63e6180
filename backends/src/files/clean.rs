//! Removing: objects, what nobody refers to any more, and everything.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStoreExt as _};
use trimaran_core::model::{Namespace, Swept};
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::content::{ObjectContent, Subject};
use super::error::failed;
use super::key::Key;

impl ObjectContent {
    /// Removes bodies that no entry refers to. They are out of everybody's reach already: what fails here is left to a sweep.
    pub(super) async fn remove_bodies(
        &self,
        subject: &Subject<'_>,
        ids: impl IntoIterator<Item = Uuid> + Send,
    ) {
        let paths: Vec<Path> =
            ids.into_iter().map(|id| self.scope.body(subject.namespace, &subject.key, id)).collect();
        for path in paths {
            match self.store.delete(&path).await {
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, "bytes of a replaced object stay behind until the next sweep")
                }
            }
        }
    }

    /// Removes an object that has no history.
    pub(super) async fn remove(&self, subject: &Subject<'_>) -> Result<bool> {
        let Some(found) = self.find(subject).await? else { return Ok(false) };
        let path = self.scope.entry(subject.namespace, &subject.key);
        self.entries.remove(&path, &format!("delete {}", subject.what())).await?;
        self.remove_bodies(subject, found.entry.bodies()).await;
        Ok(true)
    }

    /// Removes an object and its history, a damaged one, too: then its bytes wait for a sweep.
    pub(super) async fn remove_for_good(&self, subject: &Subject<'_>) -> Result<bool> {
        let bodies: Vec<Uuid> = match self.find(subject).await {
            Ok(None) => return Ok(false),
            Ok(Some(found)) => found.entry.bodies().collect(),
            Err(error) if error.kind() == ErrorKind::Corrupt => Vec::new(),
            Err(error) => return Err(error),
        };
        let path = self.scope.entry(subject.namespace, &subject.key);
        self.entries.remove(&path, &format!("purge {}", subject.what())).await?;
        self.remove_bodies(subject, bodies).await;
        Ok(true)
    }

    /// Removes bodies that are older than this and that no entry refers to.
    pub(super) async fn remove_remnants(&self, older_than: Duration) -> Result<Swept> {
        let operation = "sweep";
        let age = chrono::Duration::from_std(older_than)
            .map_err(|error| Error::new(ErrorKind::Invalid, operation).source(error))?;
        let before = self.clock.now() - age;
        let mut swept = Swept::default();
        for namespace in Namespace::ALL {
            let mut bodies = self.store.list(Some(&self.scope.bodies(namespace)));
            let mut known: Option<(Key, Vec<Uuid>)> = None;
            while let Some(body) = bodies.try_next().await.map_err(|error| failed(operation, error))? {
                let Some((key, id)) = Key::of_body(&body.location) else { continue };
                if body.last_modified > before {
                    continue;
                }
                // Bodies come in the order of their keys: an entry is read once for all that are its own. It is read after they
                // were listed, so that a body which was committed meanwhile is seen to be referred to.
                let is_known = known.as_ref().is_some_and(|(of, ids)| *of == key && ids.contains(&id));
                if !is_known {
                    let path = self.scope.entry(namespace, &key);
                    let found = self.entries.find(&path, &key, &format!("an object of {namespace}")).await?;
                    let ids = found.map(|found| found.entry.bodies().collect::<Vec<_>>()).unwrap_or_default();
                    known = Some((key, ids));
                }
                if known.as_ref().is_some_and(|(_, ids)| ids.contains(&id)) {
                    continue;
                }
                match self.store.delete(&body.location).await {
                    Ok(()) | Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(failed(operation, error)),
                }
                swept.bodies += 1;
                swept.bytes += body.size;
            }
        }
        Ok(swept)
    }

    /// Removes everything of the scope: the entries first, so that no object is ever seen without its bytes.
    pub(super) async fn remove_all(&self) -> Result<u64> {
        let mut objects = 0;
        for namespace in Namespace::ALL {
            objects += self.remove_under(self.scope.entries(namespace)).await?;
            self.remove_under(self.scope.bodies(namespace)).await?;
        }
        // What an earlier version of the format may have left besides.
        self.remove_under(self.scope.path().clone()).await?;
        Ok(objects)
    }

    async fn remove_under(&self, prefix: Path) -> Result<u64> {
        let operation = "erase the content";
        let locations = self.store.list(Some(&prefix)).map_ok(|object| object.location).boxed();
        let mut removed = 0;
        let mut deleted = self.store.delete_stream(locations);
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) => removed += 1,
                Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(failed(operation, error)),
            }
        }
        Ok(removed)
    }
}
