//! Conversations themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ChatRole, Identifier, Labels, Piece};
use crate::Timestamp;
use crate::id::ConversationId;

/// A conversation, without what is said in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversationRecord {
    /// Its id.
    pub id: ConversationId,
    /// What it is held with, if that was said.
    pub target: Option<Identifier>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// The sequence that the next message gets.
    pub next_sequence: i64,
}

/// A whole conversation with ids and sequences of its own, as an import brings it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WholeConversation {
    /// Its id.
    pub id: ConversationId,
    /// What it is held with.
    pub target: Option<Identifier>,
    /// All its pieces, in any order.
    pub pieces: Vec<Piece>,
}

/// What a conversation amounts to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversationStatistics {
    /// How many messages it has.
    pub messages: u64,
    /// How many pieces.
    pub pieces: u64,
    /// How many pieces of each role that there is.
    pub by_role: BTreeMap<ChatRole, u64>,
    /// When its first piece was said.
    pub first_at: Timestamp,
    /// When its last piece was said.
    pub last_at: Timestamp,
    /// The labels of its first piece that has some.
    pub labels: Labels,
    /// The beginning of what its last message's first piece was sent as, at most [`PREVIEW_CHARS`] characters.
    pub preview: String,
}

/// How long a preview is, in characters: what PyRIT 1.1 shows.
pub const PREVIEW_CHARS: usize = 100;
