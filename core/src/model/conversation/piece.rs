//! Prompt pieces: the parts of messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ChatRole, DataType, Identifier, ResponseError};
use crate::Timestamp;
use crate::id::{ConversationId, PieceId};
use crate::model::Sha256;

/// Labels: a value for each name.
pub type Labels = BTreeMap<String, String>;

/// Metadata: JSON under each name.
pub type Metadata = BTreeMap<String, Value>;

/// What is said in a piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceValue {
    /// Text, or where the data is.
    pub value: String,
    /// What kind of data it is.
    pub data_type: DataType,
    /// By what it is found and compared: of the text's UTF-8, or, if whoever wrote it said so, of the data it leads to.
    pub sha256: Sha256,
}

impl PieceValue {
    /// A value, with the SHA-256 of its own UTF-8.
    pub fn new(value: impl Into<String>, data_type: DataType) -> Self {
        let value = value.into();
        Self { sha256: Sha256::of(value.as_bytes()), value, data_type }
    }

    /// Text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::new(value, DataType::Text)
    }

    /// The same with another SHA-256: that of the file which the value leads to.
    #[must_use]
    pub fn with_sha256(mut self, sha256: Sha256) -> Self {
        self.sha256 = sha256;
        self
    }
}

/// A prompt piece: one part of one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Its id.
    pub id: PieceId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The place of its message in the conversation: the first is 0.
    pub sequence: i64,
    /// Its place among the parts of the message: the first is 0.
    pub position: i32,
    /// Who says it.
    pub role: ChatRole,
    /// What was to be sent, before all converters.
    pub original: PieceValue,
    /// What was sent.
    pub converted: PieceValue,
    /// The piece that this one is a duplicate of; itself if it is none. Scores are of that piece.
    pub original_piece: PieceId,
    /// Labels that it is found by.
    #[serde(default)]
    pub labels: Labels,
    /// What else is known of it.
    #[serde(default)]
    pub metadata: Metadata,
    /// What it is sent to or came from.
    #[serde(default)]
    pub target: Option<Identifier>,
    /// The attack it belongs to (PyRIT 0.8: the orchestrator).
    #[serde(default)]
    pub attack: Option<Identifier>,
    /// The converters it went through, in order.
    #[serde(default)]
    pub converters: Vec<Identifier>,
    /// How the answer went wrong, or that it did not.
    pub error: ResponseError,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A piece that is to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPiece {
    /// Its id, if whoever appends it brings one; else it gets one.
    pub id: Option<PieceId>,
    /// Who says it.
    pub role: ChatRole,
    /// What was to be sent, before all converters.
    pub original: PieceValue,
    /// What was sent, if that is something else.
    pub converted: Option<PieceValue>,
    /// The piece that it is a duplicate of, if it is one.
    pub original_piece: Option<PieceId>,
    /// Labels that it is found by.
    pub labels: Labels,
    /// What else is known of it.
    pub metadata: Metadata,
    /// What it is sent to or came from.
    pub target: Option<Identifier>,
    /// The attack it belongs to.
    pub attack: Option<Identifier>,
    /// The converters it went through, in order.
    pub converters: Vec<Identifier>,
    /// How the answer went wrong, or that it did not.
    pub error: ResponseError,
    /// When it was said, if that is not now. Kept to the microsecond, rounded down.
    pub created_at: Option<Timestamp>,
}

impl NewPiece {
    /// A piece that says `original`, and nothing else known of it.
    pub fn new(role: ChatRole, original: PieceValue) -> Self {
        Self {
            id: None,
            role,
            original,
            converted: None,
            original_piece: None,
            labels: Labels::new(),
            metadata: Metadata::new(),
            target: None,
            attack: None,
            converters: Vec::new(),
            error: ResponseError::None,
            created_at: None,
        }
    }

    /// A piece of text.
    pub fn text(role: ChatRole, text: impl Into<String>) -> Self {
        Self::new(role, PieceValue::text(text))
    }
}
