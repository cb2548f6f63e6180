//! Embeddings of pieces.

use sea_orm::entity::prelude::*;

/// The embedding of a piece.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "embedding")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub piece_id: Uuid,
    /// What made it.
    #[sea_orm(column_type = "Text")]
    pub type_name: String,
    /// The vector: 32-bit floats, the least significant byte first.
    pub vector: Vec<u8>,
    /// When it was put.
    pub created_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The piece.
    #[sea_orm(
        belongs_to = "super::prompt_piece::Entity",
        from = "(Column::TenantId, Column::PieceId)",
        to = "(super::prompt_piece::Column::TenantId, super::prompt_piece::Column::Id)",
        on_delete = "Cascade"
    )]
    Piece,
}

impl Related<super::prompt_piece::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Piece.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
