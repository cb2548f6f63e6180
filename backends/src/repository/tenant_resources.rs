//! What the repositories of per-tenant areas work with.

use std::sync::Arc;

use sea_orm::{ColumnTrait, sea_query::SimpleExpr};
use trimaran_core::TenantId;
use trimaran_core::repository::{Configuration, Conversation};

use super::text::TextCodec;
use super::{Resources, conversation};
use crate::Executor;

/// [`Resources`], and whose rows they are for. Cheap to clone.
///
/// Every statement of a per-tenant repository names the tenant, on every engine, although a file of its own or row-level
/// security keeps others out, too: whoever gets one of these wrong still reaches nobody else's rows.
#[derive(Debug, Clone)]
pub struct TenantResources {
    /// What every repository works with.
    pub shared: Resources,
    /// Whose rows.
    pub tenant: TenantId,
}

impl TenantResources {
    /// The repositories of configuration.
    pub fn configuration(&self) -> Configuration {
        Configuration {}
    }

    /// The repositories of conversation.
    pub fn conversation(&self) -> Conversation {
        Conversation {
            scores: Arc::new(conversation::SqlScores::new(self.clone())),
            embeddings: Arc::new(conversation::SqlEmbeddings::new(self.clone())),
            seeds: Arc::new(conversation::SqlSeeds::new(self.clone())),
            attack_results: Arc::new(conversation::SqlAttackResults::new(self.clone())),
            scenario_results: Arc::new(conversation::SqlScenarioResults::new(self.clone())),
        }
    }

    /// Where statements go.
    pub(crate) fn executor(&self) -> &Executor {
        &self.shared.executor
    }

    /// The text codec of the engine.
    pub(crate) fn text(&self) -> TextCodec {
        self.shared.text()
    }

    /// The rows of this tenant, by the table's `tenant_id`.
    pub(crate) fn own(&self, tenant_id: impl ColumnTrait) -> SimpleExpr {
        tenant_id.eq(self.tenant.0)
    }
}

/// Declares a repository of a per-tenant area: the trait's implementation over [`TenantResources`].
macro_rules! tenant_repository {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            resources: $crate::repository::TenantResources,
        }

        impl $name {
            /// The repository over these.
            pub fn new(resources: $crate::repository::TenantResources) -> Self {
                Self { resources }
            }
        }
    };
}
pub(super) use tenant_repository;
