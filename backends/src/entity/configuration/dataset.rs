//! Datasets of prompts.

use sea_orm::entity::prelude::*;

/// A dataset.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dataset")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false, unique_key = "name")]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its name, unique among the tenant's datasets.
    #[sea_orm(column_type = "Text", unique_key = "name")]
    pub name: String,
    /// Where its prompts come from.
    #[sea_orm(column_type = "Text")]
    pub source_type: String,
    /// How they are had from there, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub configuration: String,
    /// What else is known, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub metadata: String,
    /// How it stands.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// The position of the next prompt at its end: greater than every position that was ever given in it.
    pub next_position: i64,
    /// All positions are greater than this; those from before they were last given anew are not.
    pub ordered_from: i64,
    /// Counts updates.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTimeWithTimeZone,
    /// When it was updated last.
    pub updated_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its prompts.
    #[sea_orm(has_many = "super::dataset_prompt::Entity")]
    Prompt,
}

impl Related<super::dataset_prompt::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Prompt.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
