//! Who has which role, and what follows from it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;

use crate::Result;
use crate::id::{RoleId, UserId};
use crate::model::{Permission, Subject};

/// Assignments of roles. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Assignments: Debug + Send + Sync {
    /// Gives the role to a user or to all members of a group; says whether it hadn't it before.
    ///
    /// # Errors
    /// `NotFound` if there is no such role, user or group.
    async fn assign(&self, role: RoleId, subject: Subject) -> Result<bool>;

    /// Takes the role away; says whether it was assigned. A user keeps it if a group of its has it.
    async fn unassign(&self, role: RoleId, subject: Subject) -> Result<bool>;

    /// The roles assigned to the subject itself, by id; empty if there is no such subject.
    async fn roles_of(&self, subject: Subject) -> Result<Vec<RoleId>>;

    /// All that the user may, by its own roles and by its groups', in one round trip. A disabled user may nothing, neither
    /// may one that doesn't exist.
    async fn permissions_of(&self, user: UserId) -> Result<BTreeSet<Permission>>;

    /// Whether the permission is among [`Self::permissions_of`], in one round trip.
    async fn is_permitted(&self, user: UserId, permission: &Permission) -> Result<bool>;
}
