//! Scores: what a scorer says.

use sea_orm::entity::prelude::*;

/// A score.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "score")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The piece it is kept under.
    pub piece_id: Option<Uuid>,
    /// What kind of value it has.
    #[sea_orm(column_type = "Text")]
    pub score_type: String,
    /// The value; NULL where no verdict was reachable.
    #[sea_orm(column_type = "Text", nullable)]
    pub value: Option<String>,
    /// What the value means.
    #[sea_orm(column_type = "Text", nullable)]
    pub value_description: Option<String>,
    /// Why the scorer thinks so.
    #[sea_orm(column_type = "Text", nullable)]
    pub rationale: Option<String>,
    /// What else the scorer says, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub metadata: String,
    /// The scorer, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub scorer_identifier: Option<String>,
    /// What the attacker wanted.
    #[sea_orm(column_type = "Text", nullable)]
    pub objective: Option<String>,
    /// What was scored where that is no piece, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub scorable: Option<String>,
    /// When it was given.
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
