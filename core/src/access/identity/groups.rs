//! Groups, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{GroupId, UserId};
use crate::model::{Group, NewGroup};
use crate::repository::Groups;
use crate::{Page, PageRequest, Result};

guarded!(Groups, Groups);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Groups for Guarded {
    async fn create(&self, group: NewGroup) -> Result<Group> {
        self.check(Verb::Create, Target::All)?;
        self.inner.create(group).await
    }

    async fn find(&self, id: GroupId) -> Result<Option<Group>> {
        self.check(Verb::Read, Target::Group(id))?;
        self.inner.find(id).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Group>> {
        self.check(Verb::Read, Target::Named(name))?;
        self.inner.find_by_name(name).await
    }

    async fn update(&self, group: &Group) -> Result<Group> {
        self.check(Verb::Update, Target::Group(group.id))?;
        self.inner.update(group).await
    }

    async fn delete(&self, id: GroupId) -> Result<bool> {
        self.check(Verb::Delete, Target::Group(id))?;
        self.inner.delete(id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Group>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(page).await
    }

    async fn add_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        self.check(Verb::Assign, Target::Group(group))?;
        self.inner.add_member(group, user).await
    }

    async fn remove_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        self.check(Verb::Unassign, Target::Group(group))?;
        self.inner.remove_member(group, user).await
    }

    async fn members_of(&self, group: GroupId, page: &PageRequest) -> Result<Page<UserId>> {
        self.check(Verb::Read, Target::Group(group))?;
        self.inner.members_of(group, page).await
    }

    async fn groups_of(&self, user: UserId) -> Result<Vec<GroupId>> {
        self.check(Verb::Read, Target::User(user))?;
        self.inner.groups_of(user).await
    }
}
