//! Seeds: what attacks begin with.

use sea_orm::entity::prelude::*;

/// A seed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seed")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false, unique_key = "once")]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// A digest of what it is, or its group, within its dataset: no two seeds have the same.
    #[sea_orm(unique_key = "once")]
    pub once: Uuid,
    /// What it is sent with.
    pub group_id: Option<Uuid>,
    /// The dataset it belongs to.
    #[sea_orm(column_type = "Text", nullable)]
    pub dataset: Option<String>,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub seed_type: String,
    /// The prompt, or the template of one.
    #[sea_orm(column_type = "Text")]
    pub value: String,
    /// What kind of data that is.
    #[sea_orm(column_type = "Text")]
    pub data_type: String,
    /// Its SHA-256.
    pub sha256: Vec<u8>,
    /// What it is called.
    #[sea_orm(column_type = "Text", nullable)]
    pub name: Option<String>,
    /// What it is about.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// Where it is from.
    #[sea_orm(column_type = "Text", nullable)]
    pub source: Option<String>,
    /// Who added it.
    #[sea_orm(column_type = "Text", nullable)]
    pub added_by: Option<String>,
    /// Its turn among those it is sent with.
    pub sequence: Option<i32>,
    /// Who is to say it.
    #[sea_orm(column_type = "Text", nullable)]
    pub role: Option<String>,
    /// When it was added.
    pub added_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
