//! Who calls.

use std::collections::BTreeSet;
use std::fmt;

use crate::id::{ApiKeyId, UserId};
use crate::model::{ApiKey, Permission};

/// Who calls a repository. What it may is read once, when the actor is made; make one per request, not per process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The application itself: whoever logs users in, cleans up, migrates.
    System,
    /// A user who has logged in.
    User {
        /// Which.
        id: UserId,
        /// What it may.
        permissions: BTreeSet<Permission>,
    },
    /// A program with an API key.
    ApiKey {
        /// Which key.
        id: ApiKeyId,
        /// Whose.
        owner: UserId,
        /// What it may.
        permissions: BTreeSet<Permission>,
    },
}

impl Actor {
    /// A user who may what
    /// [`permissions_of`](crate::repository::Assignments::permissions_of) says.
    pub fn user(id: UserId, permissions: BTreeSet<Permission>) -> Self {
        Actor::User { id, permissions }
    }

    /// An API key, which may what is among its scopes and among its owner's permissions: no key may what its owner may not
    /// or may no more.
    pub fn api_key(key: &ApiKey, permissions_of_owner: &BTreeSet<Permission>) -> Self {
        Actor::ApiKey {
            id: key.id,
            owner: key.owner,
            permissions: key.scopes.intersection(permissions_of_owner).cloned().collect(),
        }
    }

    /// Whose actions these are; `None` for the application's own.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::User { id, .. } => Some(*id),
            Actor::ApiKey { owner, .. } => Some(*owner),
        }
    }

    /// Whether it has the permission of this name. The application has all.
    pub fn has(&self, permission: &str) -> bool {
        match self {
            Actor::System => true,
            Actor::User { permissions, .. } | Actor::ApiKey { permissions, .. } => {
                permissions.iter().any(|held| held.as_str() == permission)
            }
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::System => f.write_str("the application"),
            Actor::User { id, .. } => write!(f, "user {id}"),
            Actor::ApiKey { id, owner, .. } => write!(f, "API key {id} of user {owner}"),
        }
    }
}
