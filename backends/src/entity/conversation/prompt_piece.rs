//! Prompt pieces: the parts of messages.

use sea_orm::entity::prelude::*;

/// A prompt piece.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prompt_piece")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false, unique_key = "place")]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The conversation it belongs to.
    #[sea_orm(unique_key = "place")]
    pub conversation_id: Uuid,
    /// The place of its message in the conversation.
    #[sea_orm(unique_key = "place")]
    pub sequence: i64,
    /// Its place among the parts of the message.
    #[sea_orm(unique_key = "place")]
    pub position: i32,
    /// Who says it.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// What was to be sent.
    #[sea_orm(column_type = "Text")]
    pub original_value: String,
    /// What kind of data that is.
    #[sea_orm(column_type = "Text")]
    pub original_data_type: String,
    /// Its SHA-256.
    pub original_sha256: Vec<u8>,
    /// What was sent.
    #[sea_orm(column_type = "Text")]
    pub converted_value: String,
    /// What kind of data that is.
    #[sea_orm(column_type = "Text")]
    pub converted_data_type: String,
    /// Its SHA-256.
    pub converted_sha256: Vec<u8>,
    /// The piece that this one is a duplicate of; itself if it is none.
    pub original_piece_id: Uuid,
    /// What it is sent to or came from, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub target_identifier: Option<String>,
    /// The attack it belongs to, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub attack_identifier: Option<String>,
    /// The converters it went through, in order, as a JSON list in text.
    #[sea_orm(column_type = "Text", nullable)]
    pub converter_identifiers: Option<String>,
    /// How the answer went wrong, or that it did not.
    #[sea_orm(column_type = "Text")]
    pub error: String,
    /// When it was said.
    pub created_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The conversation.
    #[sea_orm(
        belongs_to = "super::conversation::Entity",
        from = "(Column::TenantId, Column::ConversationId)",
        to = "(super::conversation::Column::TenantId, super::conversation::Column::Id)",
        on_delete = "Cascade"
    )]
    Conversation,
}

impl Related<super::conversation::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Conversation.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
