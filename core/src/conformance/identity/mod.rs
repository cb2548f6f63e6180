//! Users, roles, groups, assignments.

pub mod assignments;
pub mod groups;
pub mod passwords;
pub mod roles;
pub mod users;
