//! Roles: permissions under a name.

use std::collections::BTreeSet;

use super::Permission;
use crate::id::RoleId;
use crate::model::name;
use crate::{Result, Timestamp};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Role {
    /// What it is known by for ever.
    pub id: RoleId,
    /// Its name; no two roles have the same.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What whoever has it may.
    pub permissions: BTreeSet<Permission>,
    /// 1 at first, one more with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A role to be created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What whoever has it may.
    pub permissions: BTreeSet<Permission>,
}

impl NewRole {
    /// A role of this name and these permissions.
    pub fn named(name: impl Into<String>, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self { name: name.into(), description: None, permissions: permissions.into_iter().collect() }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the name is empty or too long.
    pub fn validate(&self) -> Result<()> {
        name::check("the role's name", &self.name)
    }
}
