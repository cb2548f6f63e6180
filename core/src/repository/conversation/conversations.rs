//! Conversations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::ConversationId;
use crate::model::{ConversationRecord, ConversationStatistics, Identifier, Message, WholeConversation};
use crate::{Page, PageRequest, Result};

/// Conversations. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait Conversations: Debug + Send + Sync {
    /// The conversation of this id. One comes to be with its first message, or by [`Self::register`] or [`Self::add`].
    async fn find(&self, id: ConversationId) -> Result<Option<ConversationRecord>>;

    /// A page of all conversations, in the order of ids.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, page: &PageRequest) -> Result<Page<ConversationRecord>>;

    /// Makes a conversation, or says with what one is held of which that isn't known. As often as you like with the same target.
    ///
    /// # Errors
    /// `Conflict` if it is held with another target: a conversation is held with one. `Invalid` for an identifier that can't be written.
    async fn register(&self, id: ConversationId, target: Option<Identifier>) -> Result<ConversationRecord>;

    /// Adds a whole conversation with the ids, sequences and times that it brings. Done again with the same it does
    /// nothing. Returns whether it was added.
    ///
    /// # Errors
    /// `Conflict` if there is a conversation of this id that differs in anything (target, pieces or what they are),
    /// or a piece's id is taken elsewhere. `Invalid` if its pieces are of another conversation, two have the same place, or a sequence or
    /// position is negative.
    async fn add(&self, conversation: &WholeConversation) -> Result<bool>;

    /// A page of a conversation's messages, in their sequence; none if there is no such conversation. The limit counts messages.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn messages(&self, id: ConversationId, page: &PageRequest) -> Result<Page<Message>>;

    /// Makes a new conversation of the same target that says the same, with new ids and of now; the sequences are the same. Each piece says
    /// what it is a duplicate of, and so has the scores of the original.
    ///
    /// # Errors
    /// `NotFound` if there is no such conversation.
    async fn duplicate(&self, id: ConversationId) -> Result<ConversationRecord>;

    /// The same without the last turn: without its last message, if that is a request (the user's or the system's) that has no
    /// answer yet; else without the last answer and the message before it. That is PyRIT's meaning.
    ///
    /// # Errors
    /// `NotFound` if there is no such conversation.
    async fn duplicate_without_last_turn(&self, id: ConversationId) -> Result<ConversationRecord>;

    /// Deletes all messages with a sequence greater than `sequence`, with all that belongs to them, for good; −1
    /// leaves none. The next message follows what is left. Returns how many pieces were deleted.
    async fn delete_after(&self, id: ConversationId, sequence: i64) -> Result<u64>;

    /// Deletes a conversation and all that belongs to it, for good. Says whether there was one.
    async fn delete(&self, id: ConversationId) -> Result<bool>;

    /// Deletes all that the tenant has in this area, for good: conversations, pieces, scores, embeddings, seeds, results.
    /// What this process has put aside goes, too.
    async fn delete_everything(&self) -> Result<()>;

    /// What each of these conversations amounts to. One that isn't there or has no pieces has none.
    async fn statistics(
        &self,
        ids: &[ConversationId],
    ) -> Result<BTreeMap<ConversationId, ConversationStatistics>>;

    /// All names of labels of pieces, each with all its values.
    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>>;

    /// The classes of all converters that pieces went through.
    async fn converter_classes(&self) -> Result<BTreeSet<String>>;

    /// The classes of all attacks that pieces belong to.
    async fn attack_classes(&self) -> Result<BTreeSet<String>>;
}
