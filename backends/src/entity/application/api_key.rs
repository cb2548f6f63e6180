//! API keys.

use sea_orm::entity::prelude::*;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub owner: Uuid,
    /// What its owner calls it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What its text begins with.
    #[sea_orm(column_type = "Text")]
    pub prefix: String,
    /// Its scopes, sorted, with a space between two.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// The SHA-256 of its secret.
    #[sea_orm(column_type = "Blob")]
    pub secret_hash: Vec<u8>,
    /// When it was created.
    pub created_at: DateTimeWithTimeZone,
    /// From when on it is worthless.
    pub expires_at: Option<DateTimeWithTimeZone>,
    /// When it was used last.
    pub last_used_at: Option<DateTimeWithTimeZone>,
    /// When its secret was last replaced.
    pub rotated_at: Option<DateTimeWithTimeZone>,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeWithTimeZone>,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
