//! Settings, asking before each call.

use async_trait::async_trait;
use serde_json::Value;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::model::Setting;
use crate::repository::Settings;
use crate::{Page, PageRequest, Result};

guarded!(Settings, Settings);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Settings for Guarded {
    async fn get(&self, key: &str) -> Result<Option<Setting>> {
        self.check(Verb::Read, Target::Named(key))?;
        self.inner.get(key).await
    }

    async fn put(&self, key: &str, value: Value) -> Result<Setting> {
        self.check(Verb::Update, Target::Named(key))?;
        self.inner.put(key, value).await
    }

    async fn compare_and_set(&self, key: &str, expected: Option<i64>, value: Value) -> Result<Setting> {
        self.check(Verb::Update, Target::Named(key))?;
        self.inner.compare_and_set(key, expected, value).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.check(Verb::Delete, Target::Named(key))?;
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str, page: &PageRequest) -> Result<Page<Setting>> {
        self.check(Verb::Read, Target::Named(prefix))?;
        self.inner.list(prefix, page).await
    }
}
