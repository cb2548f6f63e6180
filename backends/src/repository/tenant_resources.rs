//! What the repositories of per-tenant areas work with.

use std::sync::Arc;

use sea_orm::{ColumnTrait, sea_query::SimpleExpr};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trimaran_core::id::ConversationId;
use trimaran_core::repository::{Configuration, Conversation};
use trimaran_core::secret::Keyring;
use trimaran_core::{Result, TenantId};

use super::conversation::Buffer;
use super::text::TextCodec;
use super::{Resources, configuration, conversation};
use crate::cache::TenantResults;
use crate::{Executor, Transaction};

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
    /// What was put aside to be appended; none within a unit of work.
    pub(crate) buffer: Option<Arc<Buffer>>,
    /// What is kept of results; none within a unit of work.
    pub(crate) results: Option<Arc<TenantResults>>,
    /// The keys that the tenant's secrets are under.
    pub keyring: Arc<Keyring>,
}

impl TenantResources {
    /// The repositories of configuration.
    pub fn configuration(&self) -> Configuration {
        Configuration {
            components: Arc::new(configuration::SqlComponents::new(self.clone())),
            datasets: Arc::new(configuration::SqlDatasets::new(self.clone())),
        }
    }

    /// The repositories of conversation.
    pub fn conversation(&self) -> Conversation {
        Conversation {
            scores: Arc::new(conversation::SqlScores::new(self.clone())),
            embeddings: Arc::new(conversation::SqlEmbeddings::new(self.clone())),
            seeds: Arc::new(conversation::SqlSeeds::new(self.clone())),
            attack_results: Arc::new(conversation::SqlAttackResults::new(self.clone())),
            scenario_results: Arc::new(conversation::SqlScenarioResults::new(self.clone())),
            pieces: Arc::new(conversation::SqlPieces::new(self.clone())),
            conversations: Arc::new(conversation::SqlConversations::new(self.clone())),
            analytics: Arc::new(conversation::SqlAnalytics::new(self.clone())),
        }
    }

    /// The same within a transaction of this call.
    pub(crate) fn within(&self, transaction: &Transaction) -> Self {
        let executor = Executor::Transaction(transaction.handle());
        let shared = Resources { executor, ..self.shared.clone() };
        Self { shared, tenant: self.tenant, keyring: Arc::clone(&self.keyring), buffer: None, results: None }
    }

    /// Appends what was put aside for these conversations, for `None` of any, by this process: to be called before whatever would see
    /// it or stands in an order with it. Within a unit of work nothing happens.
    pub(crate) async fn settle(&self, conversations: Option<&[ConversationId]>) -> Result<()> {
        match &self.buffer {
            Some(buffer) => buffer.settle(conversations).await,
            None => Ok(()),
        }
    }

    /// The answer to a question about this tenant's rows: what is kept of it, else what `compute` gives, which then is kept. What was put
    /// aside must be [settled](Self::settle) before. A question is always answered by the same type.
    pub(crate) async fn kept<T>(
        &self,
        question: &'static str,
        parameters: &(impl Serialize + Sync + ?Sized),
        compute: impl Future<Output = Result<T>> + Send,
    ) -> Result<T>
    where
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        match &self.results {
            Some(results) => results.answer(question, parameters, compute).await,
            None => compute.await,
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
