//! Content, asking before each call.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::model::{Namespace, NewObject, Object, ObjectInfo, ObjectVersion, Swept};
use crate::repository::Content;
use crate::{Page, PageRequest, Result};

guarded!(Content, Objects);

/// The namespace whose versions are kept.
const FILES: Namespace = Namespace::Configuration;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Content for Guarded {
    async fn put(&self, namespace: Namespace, name: &str, object: NewObject) -> Result<ObjectInfo> {
        self.check(Verb::Update, Target::Object(namespace, name))?;
        self.inner.put(namespace, name, object).await
    }

    async fn get(&self, namespace: Namespace, name: &str) -> Result<Option<Object>> {
        self.check(Verb::Read, Target::Object(namespace, name))?;
        self.inner.get(namespace, name).await
    }

    async fn get_range(&self, namespace: Namespace, name: &str, range: Range<u64>) -> Result<Option<Object>> {
        self.check(Verb::Read, Target::Object(namespace, name))?;
        self.inner.get_range(namespace, name, range).await
    }

    async fn head(&self, namespace: Namespace, name: &str) -> Result<Option<ObjectInfo>> {
        self.check(Verb::Read, Target::Object(namespace, name))?;
        self.inner.head(namespace, name).await
    }

    async fn list(&self, namespace: Namespace, prefix: &str, page: &PageRequest) -> Result<Page<ObjectInfo>> {
        self.check(Verb::Read, Target::Object(namespace, prefix))?;
        self.inner.list(namespace, prefix, page).await
    }

    async fn delete(&self, namespace: Namespace, name: &str) -> Result<bool> {
        self.check(Verb::Delete, Target::Object(namespace, name))?;
        self.inner.delete(namespace, name).await
    }

    async fn versions(&self, name: &str) -> Result<Vec<ObjectVersion>> {
        self.check(Verb::Read, Target::Object(FILES, name))?;
        self.inner.versions(name).await
    }

    async fn get_version(&self, name: &str, version: u64) -> Result<Option<Object>> {
        self.check(Verb::Read, Target::Object(FILES, name))?;
        self.inner.get_version(name, version).await
    }

    async fn purge(&self, namespace: Namespace, name: &str) -> Result<bool> {
        self.check(Verb::Purge, Target::Object(namespace, name))?;
        self.inner.purge(namespace, name).await
    }

    async fn sweep(&self, older_than: Duration) -> Result<Swept> {
        self.check(Verb::Purge, Target::All)?;
        self.inner.sweep(older_than).await
    }

    async fn erase(&self) -> Result<u64> {
        self.check(Verb::Purge, Target::All)?;
        self.inner.erase().await
    }
}
