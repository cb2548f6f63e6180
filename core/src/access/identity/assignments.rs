//! Assignments of roles, asking before each call.

use async_trait::async_trait;

use std::collections::BTreeSet;

use crate::Result;
use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{RoleId, UserId};
use crate::model::{Permission, Subject};
use crate::repository::Assignments;

guarded!(Assignments, Assignments);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Assignments for Guarded {
    async fn assign(&self, role: RoleId, subject: Subject) -> Result<bool> {
        self.check(Verb::Assign, Target::Role(role))?;
        self.inner.assign(role, subject).await
    }

    async fn unassign(&self, role: RoleId, subject: Subject) -> Result<bool> {
        self.check(Verb::Unassign, Target::Role(role))?;
        self.inner.unassign(role, subject).await
    }

    async fn roles_of(&self, subject: Subject) -> Result<Vec<RoleId>> {
        self.check(Verb::Read, target(subject))?;
        self.inner.roles_of(subject).await
    }

    async fn permissions_of(&self, user: UserId) -> Result<BTreeSet<Permission>> {
        self.check(Verb::Read, Target::User(user))?;
        self.inner.permissions_of(user).await
    }

    async fn is_permitted(&self, user: UserId, permission: &Permission) -> Result<bool> {
        self.check(Verb::Read, Target::User(user))?;
        self.inner.is_permitted(user, permission).await
    }
}

fn target(subject: Subject) -> Target<'static> {
    match subject {
        Subject::User(id) => Target::User(id),
        Subject::Group(id) => Target::Group(id),
    }
}
