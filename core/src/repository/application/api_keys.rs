//! API keys.

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::Result;
use crate::id::{ApiKeyId, UserId};
use crate::model::{ApiKey, IssuedApiKey, NewApiKey};

/// API keys. What holds for every call is said in [the module](crate::repository).
///
/// A key's text is `prefix_id_secret`. Only the SHA-256 of its 256 random bits is kept, so that a text once lost is lost.
/// Owners aren't looked up, and their deletion doesn't delete keys: users may be kept in another database.
#[async_trait]
pub trait ApiKeys: Debug + Send + Sync {
    /// Makes a key.
    ///
    /// # Errors
    /// `Invalid` if the name is empty or too long, or the prefix is none.
    async fn create(&self, key: NewApiKey) -> Result<IssuedApiKey>;

    /// The key of this text, if it is good: known, neither expired nor revoked. A text that is no key's, one with another
    /// prefix and one with a wrong secret give `None` alike; secrets are compared in constant time.
    ///
    /// Sets the time of its last use, unless one within
    /// [`LAST_USE_GRANULARITY`](super::LAST_USE_GRANULARITY) is set: at most one write a minute for each key.
    async fn authenticate(&self, text: &SecretString) -> Result<Option<ApiKey>>;

    /// The key of this id, good or not.
    async fn find(&self, id: ApiKeyId) -> Result<Option<ApiKey>>;

    /// All keys of the owner, good or not, in the order of creation.
    async fn list_of(&self, owner: UserId) -> Result<Vec<ApiKey>>;

    /// Replaces the key's secret; from then on the text of before is worthless. All else stays.
    ///
    /// # Errors
    /// `NotFound` if there is no such key; `Conflict` if it is revoked.
    async fn rotate(&self, id: ApiKeyId) -> Result<IssuedApiKey>;

    /// Makes the key worthless for ever; says whether it wasn't revoked before. `false` also if there is no such key.
    async fn revoke(&self, id: ApiKeyId) -> Result<bool>;

    /// Revokes all keys of the owner; says how many were not before.
    async fn revoke_all(&self, owner: UserId) -> Result<u64>;

    /// Removes the key; says whether there was one.
    async fn delete(&self, id: ApiKeyId) -> Result<bool>;
}
