//! The prompts of datasets.

use sea_orm::entity::prelude::*;

/// A prompt of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dataset_prompt")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// The dataset it is in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub dataset_id: Uuid,
    /// Its place in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Its id.
    pub id: Uuid,
    /// What it says.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// What else is known, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub metadata: String,
    /// When it came into the dataset.
    pub created_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The dataset.
    #[sea_orm(
        belongs_to = "super::dataset::Entity",
        from = "(Column::TenantId, Column::DatasetId)",
        to = "(super::dataset::Column::TenantId, super::dataset::Column::Id)",
        on_delete = "Cascade"
    )]
    Dataset,
}

impl Related<super::dataset::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Dataset.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
