//! Sessions.

use sea_orm::entity::prelude::*;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The SHA-256 of its secret.
    #[sea_orm(column_type = "Blob")]
    pub secret_hash: Vec<u8>,
    /// How long it lives without being used, in microseconds.
    pub idle_timeout_micros: i64,
    /// When it was created.
    pub created_at: DateTimeWithTimeZone,
    /// When it was used last.
    pub last_used_at: DateTimeWithTimeZone,
    /// When it ends unless it is used before: the earlier of `last_used_at` and the idle time-out, and `expires_at`.
    pub idle_expires_at: DateTimeWithTimeZone,
    /// When it ends, in use or not.
    pub expires_at: DateTimeWithTimeZone,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeWithTimeZone>,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
