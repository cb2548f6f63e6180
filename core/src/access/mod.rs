//! Who may call what: repositories that ask a policy before each call.
//!
//! ```
//! # use std::sync::Arc;
//! # use trimaran_core::access::{Actor, RolePolicy};
//! # use trimaran_core::{Identity, Result};
//! # use trimaran_core::id::UserId;
//! # async fn handle(identity: Identity, caller: UserId) -> Result<()> {
//! let permissions = identity.assignments.permissions_of(caller).await?;
//! let identity = identity.acting_as(Actor::user(caller, permissions), Arc::new(RolePolicy));
//! // Fails with `Forbidden` unless a role of the caller's has the permission `identity.users:read`.
//! let ann = identity.users.find_by_name("ann").await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`actor`]: who calls;
//! - [`action`]: what is called, on what;
//! - [`policy`]: whether it may be;
//! - a file per repository that asks, and fails with [`Forbidden`](crate::ErrorKind::Forbidden) before anything is touched;
//! - [`store`]: a whole store so, units of work included.

use std::sync::Arc;

pub mod action;
pub mod actor;
mod application;
mod configuration;
mod content;
mod conversation;
mod guard;
mod identity;
pub mod policy;
pub mod store;

pub use action::{Action, Aggregate, Target, Verb};
pub use actor::Actor;
pub use policy::{PermitAll, Policy, RolePolicy};
pub use store::ActingStore;

use crate::repository::{Application, Configuration, Content, Conversation, Identity};
use guard::Guard;

impl Identity {
    /// The same repositories, each call made by `actor` and asked of `policy`. Decorating twice asks twice.
    #[must_use]
    pub fn acting_as(&self, actor: Actor, policy: Arc<dyn Policy>) -> Self {
        self.guarded(&Guard::new(actor, policy))
    }

    fn guarded(&self, guard: &Guard) -> Self {
        Self {
            users: Arc::new(identity::users::Guarded::new(&self.users, guard)),
            roles: Arc::new(identity::roles::Guarded::new(&self.roles, guard)),
            groups: Arc::new(identity::groups::Guarded::new(&self.groups, guard)),
            assignments: Arc::new(identity::assignments::Guarded::new(&self.assignments, guard)),
        }
    }
}

impl Application {
    /// The same repositories, each call made by `actor` and asked of `policy`. Decorating twice asks twice.
    #[must_use]
    pub fn acting_as(&self, actor: Actor, policy: Arc<dyn Policy>) -> Self {
        self.guarded(&Guard::new(actor, policy))
    }

    fn guarded(&self, guard: &Guard) -> Self {
        Self {
            api_keys: Arc::new(application::api_keys::Guarded::new(&self.api_keys, guard)),
            sessions: Arc::new(application::sessions::Guarded::new(&self.sessions, guard)),
            settings: Arc::new(application::settings::Guarded::new(&self.settings, guard)),
        }
    }
}

impl Configuration {
    /// The same repositories, each call made by `actor` and asked of `policy`. Decorating twice asks twice.
    #[must_use]
    pub fn acting_as(&self, actor: Actor, policy: Arc<dyn Policy>) -> Self {
        self.guarded(&Guard::new(actor, policy))
    }

    fn guarded(&self, guard: &Guard) -> Self {
        Self {
            components: Arc::new(configuration::components::Guarded::new(&self.components, guard)),
            datasets: Arc::new(configuration::datasets::Guarded::new(&self.datasets, guard)),
        }
    }
}

impl Conversation {
    /// The same repositories, each call made by `actor` and asked of `policy`. Decorating twice asks twice.
    #[must_use]
    pub fn acting_as(&self, actor: Actor, policy: Arc<dyn Policy>) -> Self {
        self.guarded(&Guard::new(actor, policy))
    }

    fn guarded(&self, guard: &Guard) -> Self {
        Self {
            scores: Arc::new(conversation::scores::Guarded::new(&self.scores, guard)),
            embeddings: Arc::new(conversation::embeddings::Guarded::new(&self.embeddings, guard)),
            seeds: Arc::new(conversation::seeds::Guarded::new(&self.seeds, guard)),
            attack_results: Arc::new(conversation::attack_results::Guarded::new(&self.attack_results, guard)),
            scenario_results: Arc::new(conversation::scenario_results::Guarded::new(
                &self.scenario_results,
                guard,
            )),
            pieces: Arc::new(conversation::pieces::Guarded::new(&self.pieces, guard)),
            conversations: Arc::new(conversation::conversations::Guarded::new(&self.conversations, guard)),
            analytics: Arc::new(conversation::analytics::Guarded::new(&self.analytics, guard)),
        }
    }
}

impl dyn Content {
    /// The same content, each call made by `actor` and asked of `policy`. Decorating twice asks twice.
    #[must_use]
    pub fn acting_as(self: &Arc<Self>, actor: Actor, policy: Arc<dyn Policy>) -> Arc<dyn Content> {
        Arc::new(content::Guarded::new(self, &Guard::new(actor, policy)))
    }
}

#[cfg(test)]
mod tests;
