//! Users, asking before each call.

use async_trait::async_trait;
use secrecy::SecretString;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::UserId;
use crate::model::{NewUser, User};
use crate::repository::Users;
use crate::{Page, PageRequest, Result};

guarded!(Users, Users);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Users for Guarded {
    async fn create(&self, user: NewUser) -> Result<User> {
        self.check(Verb::Create, Target::All)?;
        self.inner.create(user).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>> {
        self.check(Verb::Read, Target::User(id))?;
        self.inner.find(id).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<User>> {
        self.check(Verb::Read, Target::Named(name))?;
        self.inner.find_by_name(name).await
    }

    async fn update(&self, user: &User) -> Result<User> {
        self.check(Verb::Update, Target::User(user.id))?;
        self.inner.update(user).await
    }

    async fn enable(&self, id: UserId) -> Result<User> {
        self.check(Verb::Enable, Target::User(id))?;
        self.inner.enable(id).await
    }

    async fn disable(&self, id: UserId) -> Result<User> {
        self.check(Verb::Disable, Target::User(id))?;
        self.inner.disable(id).await
    }

    async fn delete(&self, id: UserId) -> Result<bool> {
        self.check(Verb::Delete, Target::User(id))?;
        self.inner.delete(id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<User>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(page).await
    }

    async fn set_password(&self, id: UserId, password: &SecretString) -> Result<()> {
        self.check(Verb::SetPassword, Target::User(id))?;
        self.inner.set_password(id, password).await
    }

    async fn verify_password(&self, name: &str, password: &SecretString) -> Result<Option<User>> {
        self.check(Verb::Authenticate, Target::Named(name))?;
        self.inner.verify_password(name, password).await
    }
}
