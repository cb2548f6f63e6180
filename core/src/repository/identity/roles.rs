//! Roles and their permissions.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::RoleId;
use crate::model::{NewRole, Role};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Roles. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Roles: Debug + Send + Sync {
    /// Creates a role with its permissions.
    ///
    /// # Errors
    /// `Conflict` if another role has the name; `Invalid` if the name is empty or too long.
    async fn create(&self, role: NewRole) -> Result<Role>;

    /// The role of this id.
    async fn find(&self, id: RoleId) -> Result<Option<Role>>;

    /// The role of this name, byte for byte.
    async fn find_by_name(&self, name: &str) -> Result<Option<Role>>;

    /// Writes the name, the description and the permissions of `role`, and returns it as it is now. Whoever has the role
    /// has the new permissions from the next call on.
    ///
    /// # Errors
    /// `Conflict` if the stored version isn't `role.version` any more, or if another role has the name; `NotFound` if there
    /// is no such role; `Invalid` if the name is empty or too long.
    async fn update(&self, role: &Role) -> Result<Role>;

    /// Removes the role and takes it from whoever has it; says whether there was one.
    async fn delete(&self, id: RoleId) -> Result<bool>;

    /// A page of all roles.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, page: &PageRequest) -> Result<Page<Role>>;
}

sealed!(Roles);

/// Conveniences over [`Roles`].
#[async_trait]
pub trait RolesExt: sealed::Sealed {
    /// The role of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: RoleId) -> Result<Role>;
}

#[async_trait]
impl<T: Roles + ?Sized> RolesExt for T {
    async fn require(&self, id: RoleId) -> Result<Role> {
        self.find(id).await?.ok_or_else(|| not_found("find the role", "role", id))
    }
}
