//! Tags: labels, metadata, categories and names by which others are found.

use sea_orm::entity::prelude::*;

/// One tag of one owner.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tag")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// What it is on: a piece, a seed, a score, a result.
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner_id: Uuid,
    /// What it says, such as `piece.label`.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub kind: String,
    /// Its place among those of the same kind and owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// Its name.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Its value.
    #[sea_orm(column_type = "Text")]
    pub value: String,
    /// What kind, name and value are found by.
    pub digest: Uuid,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
