//! Conversations.

use sea_orm::entity::prelude::*;

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The sequence that the next message gets; counted up to take one.
    pub next_sequence: i64,
    /// What it is held with, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub target_identifier: Option<String>,
    /// When it was begun.
    pub created_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
