//! The repositories of identity, asking before each call.

pub(super) mod assignments;
pub(super) mod groups;
pub(super) mod roles;
pub(super) mod users;
