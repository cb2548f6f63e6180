//! Who there is, and what they may.

mod assignments;
mod groups;
mod names;
mod roles;
mod users;

pub use assignments::SqlAssignments;
pub use groups::SqlGroups;
pub use roles::SqlRoles;
pub use users::SqlUsers;
