//! Whom a role is assigned to.

use crate::id::{GroupId, UserId};

/// A user, or all members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// One user.
    User(UserId),
    /// Whoever is a member of the group, for as long.
    Group(GroupId),
}

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Subject::User(id)
    }
}

impl From<GroupId> for Subject {
    fn from(id: GroupId) -> Self {
        Subject::Group(id)
    }
}
