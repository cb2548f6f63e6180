//! Who there is, and what they may.

pub mod group_member;
pub mod group_role;
pub mod role;
pub mod role_permission;
pub mod user_account;
pub mod user_group;
pub mod user_role;
