//! Components: generators, scorers, converters.

use sea_orm::entity::prelude::*;

/// A component.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "component")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false, unique_key = "name")]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is for.
    #[sea_orm(column_type = "Text", unique_key = "name")]
    pub kind: String,
    /// Its name, unique among the tenant's components of the kind.
    #[sea_orm(column_type = "Text", unique_key = "name")]
    pub name: String,
    /// Which implementation it is.
    #[sea_orm(column_type = "Text")]
    pub type_name: String,
    /// Its parameters as JSON text, with a mark in the place of each secret.
    #[sea_orm(column_type = "Text")]
    pub parameters: String,
    /// The secrets: a JSON object in text, from each one's place to nonce and ciphertext in base64.
    #[sea_orm(column_type = "Text", nullable)]
    pub secrets: Option<String>,
    /// The key that all of them are under.
    #[sea_orm(column_type = "Text", nullable)]
    pub key_id: Option<String>,
    /// How it stands.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When it was tested last.
    pub tested_at: Option<DateTimeWithTimeZone>,
    /// Whether it passed.
    pub test_passed: Option<bool>,
    /// What the test said.
    #[sea_orm(column_type = "Text", nullable)]
    pub test_message: Option<String>,
    /// What else is known of the test, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub test_details: Option<String>,
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
