//! API keys, asking before each call.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::Result;
use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{ApiKeyId, UserId};
use crate::model::{ApiKey, IssuedApiKey, NewApiKey};
use crate::repository::ApiKeys;

guarded!(ApiKeys, ApiKeys);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ApiKeys for Guarded {
    async fn create(&self, key: NewApiKey) -> Result<IssuedApiKey> {
        self.check(Verb::Create, Target::User(key.owner))?;
        self.inner.create(key).await
    }

    async fn authenticate(&self, text: &SecretString) -> Result<Option<ApiKey>> {
        self.check(Verb::Authenticate, Target::All)?;
        self.inner.authenticate(text).await
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        self.check(Verb::Read, Target::ApiKey(id))?;
        self.inner.find(id).await
    }

    async fn list_of(&self, owner: UserId) -> Result<Vec<ApiKey>> {
        self.check(Verb::Read, Target::User(owner))?;
        self.inner.list_of(owner).await
    }

    async fn rotate(&self, id: ApiKeyId) -> Result<IssuedApiKey> {
        self.check(Verb::Rotate, Target::ApiKey(id))?;
        self.inner.rotate(id).await
    }

    async fn revoke(&self, id: ApiKeyId) -> Result<bool> {
        self.check(Verb::Revoke, Target::ApiKey(id))?;
        self.inner.revoke(id).await
    }

    async fn revoke_all(&self, owner: UserId) -> Result<u64> {
        self.check(Verb::Revoke, Target::User(owner))?;
        self.inner.revoke_all(owner).await
    }

    async fn delete(&self, id: ApiKeyId) -> Result<bool> {
        self.check(Verb::Delete, Target::ApiKey(id))?;
        self.inner.delete(id).await
    }
}
