//! Groups and their members.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::{GroupId, UserId};
use crate::model::{Group, NewGroup};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Groups. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Groups: Debug + Send + Sync {
    /// Creates a group without members.
    ///
    /// # Errors
    /// `Conflict` if another group has the name; `Invalid` if the name is empty or too long.
    async fn create(&self, group: NewGroup) -> Result<Group>;

    /// The group of this id.
    async fn find(&self, id: GroupId) -> Result<Option<Group>>;

    /// The group of this name, byte for byte.
    async fn find_by_name(&self, name: &str) -> Result<Option<Group>>;

    /// Writes the name and the description of `group`, and returns it as it is now.
    ///
    /// # Errors
    /// `Conflict` if the stored version isn't `group.version` any more, or if another group has the name; `NotFound` if there
    /// is no such group; `Invalid` if the name is empty or too long.
    async fn update(&self, group: &Group) -> Result<Group>;

    /// Removes the group, its memberships and its assignments, but no user; says whether there was one.
    async fn delete(&self, id: GroupId) -> Result<bool>;

    /// A page of all groups.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, page: &PageRequest) -> Result<Page<Group>>;

    /// Makes the user a member; says whether it wasn't one before.
    ///
    /// # Errors
    /// `NotFound` if there is no such group or no such user.
    async fn add_member(&self, group: GroupId, user: UserId) -> Result<bool>;

    /// Makes the user a member no more; says whether it was one.
    async fn remove_member(&self, group: GroupId, user: UserId) -> Result<bool>;

    /// A page of the group's members, by id; empty if there is no such group.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn members_of(&self, group: GroupId, page: &PageRequest) -> Result<Page<UserId>>;

    /// The groups that the user is a member of, by id; empty if there is no such user.
    async fn groups_of(&self, user: UserId) -> Result<Vec<GroupId>>;
}

sealed!(Groups);

/// Conveniences over [`Groups`].
#[async_trait]
pub trait GroupsExt: sealed::Sealed {
    /// The group of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: GroupId) -> Result<Group>;
}

#[async_trait]
impl<T: Groups + ?Sized> GroupsExt for T {
    async fn require(&self, id: GroupId) -> Result<Group> {
        self.find(id).await?.ok_or_else(|| not_found("find the group", "group", id))
    }
}
