//! Messages: the parts that share a place in a conversation.

use serde::{Deserialize, Serialize};

use super::{ChatRole, NewPiece, Piece};
use crate::id::{ConversationId, PieceId};

/// A message: the pieces of one sequence, in order. There is at least one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// Its place in the conversation: the first is 0.
    pub sequence: i64,
    /// Its parts, by position.
    pub pieces: Vec<Piece>,
}

impl Message {
    /// Who says it: its first part's role.
    pub fn role(&self) -> Option<ChatRole> {
        self.pieces.first().map(|piece| piece.role)
    }
}

/// A message that is to be appended to a conversation, which is made if it isn't there.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its parts, in order: at least one, all of the same role.
    pub pieces: Vec<NewPiece>,
}

impl NewMessage {
    /// A message of these parts.
    pub fn new(conversation: ConversationId, pieces: Vec<NewPiece>) -> Self {
        Self { conversation, pieces }
    }

    /// A message of one text.
    pub fn text(conversation: ConversationId, role: ChatRole, text: impl Into<String>) -> Self {
        Self::new(conversation, vec![NewPiece::text(role, text)])
    }
}

/// Where a message came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its place in the conversation.
    pub sequence: i64,
    /// The ids of its parts, in order.
    pub pieces: Vec<PieceId>,
}
