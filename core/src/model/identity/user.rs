//! Users.

use crate::id::UserId;
use crate::model::name;
use crate::{Result, Timestamp};

/// A user. Its password is not part of it: nothing gives it out, not even its hash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// What it is known by for ever.
    pub id: UserId,
    /// What it logs in with; no two users have the same. Compared byte for byte: `Ann` and `ann` are two people.
    pub name: String,
    /// Its e-mail address; several users may share one.
    pub email: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// Whether it may log in. A disabled user has no permissions.
    pub enabled: bool,
    /// 1 at first, one more with every change of what this struct shows.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A user to be created. It is enabled and has no password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewUser {
    /// What it logs in with.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
}

impl NewUser {
    /// A user of this name, and nothing else.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the name is empty or too long.
    pub fn validate(&self) -> Result<()> {
        name::check("the user's name", &self.name)
    }
}
