//! Groups of users. Groups hold no groups.

use crate::id::GroupId;
use crate::model::name;
use crate::{Result, Timestamp};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Group {
    /// What it is known by for ever.
    pub id: GroupId,
    /// Its name; no two groups have the same.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// 1 at first, one more with every change of name or description; members don't count.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its name or description was changed last.
    pub updated_at: Timestamp,
}

/// A group to be created. It has no members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}

impl NewGroup {
    /// A group of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), description: None }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the name is empty or too long.
    pub fn validate(&self) -> Result<()> {
        name::check("the group's name", &self.name)
    }
}
