//! Prompts that stand out. A prompt is a piece of the role `user`, or of the roles that the filter names; its text is the
//! converted value: what was sent.

use crate::Timestamp;
use crate::id::{ConversationId, PieceId};
use crate::model::Sha256;

/// A long prompt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LongPrompt {
    /// The piece.
    pub piece: PieceId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// How many characters (Unicode scalar values) its text has.
    pub characters: u64,
    /// The text's beginning: [`PREVIEW_CHARS`](super::PREVIEW_CHARS) characters at most.
    pub preview: String,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A prompt that was sent several times.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RepeatedPrompt {
    /// The SHA-256 by which pieces are taken for the same.
    pub sha256: Sha256,
    /// How many pieces.
    pub pieces: u64,
    /// In how many conversations.
    pub conversations: u64,
    /// The first of them, by its id.
    pub first: PieceId,
    /// The beginning of what that says: [`PREVIEW_CHARS`](super::PREVIEW_CHARS) characters at most.
    pub preview: String,
}
