//! Roles, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::RoleId;
use crate::model::{NewRole, Role};
use crate::repository::Roles;
use crate::{Page, PageRequest, Result};

guarded!(Roles, Roles);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Roles for Guarded {
    async fn create(&self, role: NewRole) -> Result<Role> {
        self.check(Verb::Create, Target::All)?;
        self.inner.create(role).await
    }

    async fn find(&self, id: RoleId) -> Result<Option<Role>> {
        self.check(Verb::Read, Target::Role(id))?;
        self.inner.find(id).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Role>> {
        self.check(Verb::Read, Target::Named(name))?;
        self.inner.find_by_name(name).await
    }

    async fn update(&self, role: &Role) -> Result<Role> {
        self.check(Verb::Update, Target::Role(role.id))?;
        self.inner.update(role).await
    }

    async fn delete(&self, id: RoleId) -> Result<bool> {
        self.check(Verb::Delete, Target::Role(id))?;
        self.inner.delete(id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Role>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(page).await
    }
}
