//! Conversations, asking before each call.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::ConversationId;
use crate::model::{ConversationRecord, ConversationStatistics, Identifier, Message, WholeConversation};
use crate::repository::Conversations;
use crate::{Page, PageRequest, Result};

guarded!(Conversations, Conversations);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Conversations for Guarded {
    async fn find(&self, id: ConversationId) -> Result<Option<ConversationRecord>> {
        self.check(Verb::Read, Target::Conversation(id))?;
        self.inner.find(id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<ConversationRecord>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(page).await
    }

    async fn register(&self, id: ConversationId, target: Option<Identifier>) -> Result<ConversationRecord> {
        self.check(Verb::Create, Target::Conversation(id))?;
        self.inner.register(id, target).await
    }

    async fn add(&self, conversation: &WholeConversation) -> Result<bool> {
        self.check(Verb::Create, Target::Conversation(conversation.id))?;
        self.inner.add(conversation).await
    }

    async fn messages(&self, id: ConversationId, page: &PageRequest) -> Result<Page<Message>> {
        self.check(Verb::Read, Target::Conversation(id))?;
        self.inner.messages(id, page).await
    }

    async fn duplicate(&self, id: ConversationId) -> Result<ConversationRecord> {
        // It reads the one and makes another: whoever may do only one of these may not.
        self.check(Verb::Read, Target::Conversation(id))?;
        self.check(Verb::Create, Target::All)?;
        self.inner.duplicate(id).await
    }

    async fn duplicate_without_last_turn(&self, id: ConversationId) -> Result<ConversationRecord> {
        self.check(Verb::Read, Target::Conversation(id))?;
        self.check(Verb::Create, Target::All)?;
        self.inner.duplicate_without_last_turn(id).await
    }

    async fn delete_after(&self, id: ConversationId, sequence: i64) -> Result<u64> {
        self.check(Verb::Delete, Target::Conversation(id))?;
        self.inner.delete_after(id, sequence).await
    }

    async fn delete(&self, id: ConversationId) -> Result<bool> {
        self.check(Verb::Delete, Target::Conversation(id))?;
        self.inner.delete(id).await
    }

    async fn delete_everything(&self) -> Result<()> {
        self.check(Verb::Purge, Target::All)?;
        self.inner.delete_everything().await
    }

    async fn statistics(
        &self,
        ids: &[ConversationId],
    ) -> Result<BTreeMap<ConversationId, ConversationStatistics>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.statistics(ids).await
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.labels().await
    }

    async fn converter_classes(&self) -> Result<BTreeSet<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.converter_classes().await
    }

    async fn attack_classes(&self) -> Result<BTreeSet<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.attack_classes().await
    }
}
