//! Which pieces are wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ChatRole, DataType, ResponseError};
use crate::Timestamp;
use crate::id::{ConversationId, PieceId};
use crate::model::Sha256;

/// Which pieces are wanted: those that meet every condition that is set. The default sets none and finds all.
///
/// A list is met by whatever meets one of its members; an empty list is therefore met by nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PieceFilter {
    /// Of one of these conversations.
    pub conversations: Option<Vec<ConversationId>>,
    /// Said by one of these.
    pub roles: Option<Vec<ChatRole>>,
    /// One of these.
    pub ids: Option<Vec<PieceId>>,
    /// Duplicates of one of these, or one of these itself.
    pub original_pieces: Option<Vec<PieceId>>,
    /// With every one of these labels, each with one of its values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// With every one of these metadata, each with one of its values. Values are equal if their JSON is: `1` is not `1.0`.
    pub metadata: BTreeMap<String, Vec<Value>>,
    /// Said then or later.
    pub created_from: Option<Timestamp>,
    /// Said before then.
    pub created_before: Option<Timestamp>,
    /// That were to say one of these.
    pub original_values: Option<Vec<String>>,
    /// That said one of these.
    pub converted_values: Option<Vec<String>>,
    /// With one of these SHA-256 of what was to be sent.
    pub original_sha256: Option<Vec<Sha256>>,
    /// With one of these SHA-256 of what was sent.
    pub converted_sha256: Option<Vec<Sha256>>,
    /// What was sent is of one of these kinds.
    pub data_types: Option<Vec<DataType>>,
    /// What was sent is of none of these kinds.
    pub not_data_types: Vec<DataType>,
    /// Of an attack with one of these ids.
    pub attack_ids: Option<Vec<String>>,
    /// Of an attack of one of these classes.
    pub attack_classes: Option<Vec<String>>,
    /// Went through a converter of one of these classes.
    pub converter_classes: Option<Vec<String>>,
    /// Went wrong in one of these ways.
    pub errors: Option<Vec<ResponseError>>,
}

impl PieceFilter {
    /// All pieces of a conversation.
    pub fn conversation(id: ConversationId) -> Self {
        Self { conversations: Some(vec![id]), ..Self::default() }
    }

    /// The same, with a label that must have this value.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), vec![value.into()]);
        self
    }
}

/// Which pieces are to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceSelection {
    /// These. Of those that aren't there nothing is said.
    Pieces(Vec<PieceId>),
    /// All of a conversation.
    Conversation(ConversationId),
}

/// What an export is written as. Both are UTF-8 with a line feed at the end of each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// JSON Lines: each line is one [`Piece`](super::Piece), as serde writes it, and is read again as the same piece.
    JsonLines,
    /// CSV (RFC 4180, but for the line ends) under a header. A column per field of a piece; of `original` and `converted` one per field
    /// of theirs; labels, metadata and identifiers are JSON in their columns, and what is missing is an empty column.
    Csv,
}
