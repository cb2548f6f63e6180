//! Settings.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::model::Setting;
use crate::repository::sealed;
use crate::{Error, ErrorKind, Page, PageRequest, Result};

/// Settings: JSON values under a key. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Settings: Debug + Send + Sync {
    /// The setting of this key, byte for byte.
    async fn get(&self, key: &str) -> Result<Option<Setting>>;

    /// Sets the value, whatever it was, and returns the setting as it is now.
    ///
    /// # Errors
    /// `Invalid` if the key is empty or too long.
    async fn put(&self, key: &str, value: serde_json::Value) -> Result<Setting>;

    /// Sets the value if the setting's version is `expected`, where `None` means that there is no such setting. Of any
    /// number of callers that expect the same version one succeeds.
    ///
    /// # Errors
    /// `Conflict` if the version is another one; on engines that find conflicts late also `Aborted`, of two callers at
    /// the same moment. `Invalid` if the key is empty or too long.
    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<i64>,
        value: serde_json::Value,
    ) -> Result<Setting>;

    /// Removes the setting; says whether there was one.
    async fn delete(&self, key: &str) -> Result<bool>;

    /// A page of the settings whose keys begin with `prefix`, byte for byte, in the order in which the keys were first
    /// put. The empty prefix gives all.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, prefix: &str, page: &PageRequest) -> Result<Page<Setting>>;
}

sealed!(Settings);

/// Conveniences over [`Settings`].
#[async_trait]
pub trait SettingsExt: sealed::Sealed {
    /// The value of this key as a `T`.
    ///
    /// # Errors
    /// `Invalid` if the value is no `T`.
    async fn get_as<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>>;
}

#[async_trait]
impl<S: Settings + ?Sized> SettingsExt for S {
    async fn get_as<T: DeserializeOwned + Send>(&self, key: &str) -> Result<Option<T>> {
        let Some(setting) = self.get(key).await? else { return Ok(None) };
        serde_json::from_value(setting.value).map(Some).map_err(|error| {
            Error::new(ErrorKind::Invalid, "read the setting as what it should be")
                // The error's own text quotes the value.
                .context(format!("it is {} JSON", category(&error)))
                .hint("put a value of the right shape")
        })
    }
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "another kind of",
        _ => "broken",
    }
}
