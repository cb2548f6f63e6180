//! Whether it may be.

use std::fmt::Debug;

use super::{Action, Actor, Target};

/// Says what actors may do. Asked before every call; it must answer from what it has at hand.
pub trait Policy: Debug + Send + Sync {
    /// Whether `actor` may do `action`.
    fn permits(&self, actor: &Actor, action: &Action<'_>) -> bool;
}

/// Everybody may do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct PermitAll;

impl Policy for PermitAll {
    fn permits(&self, _actor: &Actor, _action: &Action<'_>) -> bool {
        true
    }
}

/// An actor may do what it has the permission for: `identity.users:read` for looking at users, and so on by area,
/// [aggregate](super::Aggregate) and [verb](super::Verb). With `:own` at the end, as in `application.sessions:revoke:own`, it may do it to
/// what is its user's: the call must say the user, not only an id. The application may do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct RolePolicy;

impl Policy for RolePolicy {
    fn permits(&self, actor: &Actor, action: &Action<'_>) -> bool {
        let needed = action.to_string();
        let is_own = matches!(action.target, Target::User(user) if actor.user_id() == Some(user));
        actor.has(&needed) || is_own && actor.has(&format!("{needed}:own"))
    }
}
