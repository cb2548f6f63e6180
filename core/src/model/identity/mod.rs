//! Who there is, and what they may.

pub mod group;
pub mod permission;
pub mod role;
pub mod subject;
pub mod user;

pub use group::{Group, NewGroup};
pub use permission::Permission;
pub use role::{NewRole, Role};
pub use subject::Subject;
pub use user::{NewUser, User};
