//! Who there is, and what they may.

use std::sync::Arc;

pub mod assignments;
pub mod groups;
pub mod roles;
pub mod users;

pub use assignments::Assignments;
pub use groups::{Groups, GroupsExt};
pub use roles::{Roles, RolesExt};
pub use users::{Users, UsersExt};

/// The repositories of the area, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Users and their passwords.
    pub users: Arc<dyn Users>,
    /// Roles and their permissions.
    pub roles: Arc<dyn Roles>,
    /// Groups and their members.
    pub groups: Arc<dyn Groups>,
    /// Who has which role.
    pub assignments: Arc<dyn Assignments>,
}
