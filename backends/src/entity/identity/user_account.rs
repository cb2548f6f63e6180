//! Users. Not `user`: SQL reserves the word.

use sea_orm::entity::prelude::*;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it logs in with.
    #[sea_orm(column_type = "Text", unique)]
    pub name: String,
    /// Its e-mail address.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// What people call it.
    #[sea_orm(column_type = "Text", nullable)]
    pub display_name: Option<String>,
    /// Its password as a PHC string.
    #[sea_orm(column_type = "Text", nullable)]
    pub password_hash: Option<String>,
    /// Whether it may log in.
    pub enabled: bool,
    /// Counts changes.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTimeWithTimeZone,
    /// When it was changed last.
    pub updated_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
