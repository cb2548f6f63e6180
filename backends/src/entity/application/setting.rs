//! Settings.

use sea_orm::entity::prelude::*;

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "setting")]
pub struct Model {
    /// Its id: the place in lists.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its key.
    #[sea_orm(column_type = "Text", unique)]
    pub key: String,
    /// Its value: JSON as text, for the numbers and the order in it are to come back as they went in.
    #[sea_orm(column_type = "Text")]
    pub value: String,
    /// Counts changes.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
