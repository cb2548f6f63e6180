//! Sessions, asking before each call.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::Result;
use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{SessionId, UserId};
use crate::model::{IssuedSession, NewSession, Session};
use crate::repository::Sessions;

guarded!(Sessions, Sessions);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Sessions for Guarded {
    async fn create(&self, session: NewSession) -> Result<IssuedSession> {
        self.check(Verb::Create, Target::User(session.user))?;
        self.inner.create(session).await
    }

    async fn authenticate(&self, token: &SecretString) -> Result<Option<Session>> {
        self.check(Verb::Authenticate, Target::All)?;
        self.inner.authenticate(token).await
    }

    async fn find(&self, id: SessionId) -> Result<Option<Session>> {
        self.check(Verb::Read, Target::Session(id))?;
        self.inner.find(id).await
    }

    async fn list_of(&self, user: UserId) -> Result<Vec<Session>> {
        self.check(Verb::Read, Target::User(user))?;
        self.inner.list_of(user).await
    }

    async fn revoke(&self, id: SessionId) -> Result<bool> {
        self.check(Verb::Revoke, Target::Session(id))?;
        self.inner.revoke(id).await
    }

    async fn revoke_all(&self, user: UserId) -> Result<u64> {
        self.check(Verb::Revoke, Target::User(user))?;
        self.inner.revoke_all(user).await
    }

    async fn purge(&self) -> Result<u64> {
        self.check(Verb::Purge, Target::All)?;
        self.inner.purge().await
    }
}
