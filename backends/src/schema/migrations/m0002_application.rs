//! API keys, sessions, settings.

use sea_orm::sea_query::{Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0002_application";
const TABLES: &[&str] = &["api_key", "session", "setting"];

/// `api_key`, `session`, `setting`. Owners and users are no foreign keys: they may be kept in another database.
pub(super) const MIGRATION: Migration = Migration {
    name: NAME,
    areas: &[Area::Application],
    tables: TABLES,
    readable_from: NAME,
    up,
    down: |engine| TABLES.iter().rev().map(|table| columns::drop_table(engine, table)).collect(),
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let required = |name, logical| columns::required(engine, name, &logical);
    let optional = |name, logical| columns::optional(engine, name, &logical);
    let api_key = Table::create()
        .table("api_key")
        .col(required("id", LogicalType::Uuid))
        .col(required("owner", LogicalType::Uuid))
        .col(required("name", LogicalType::Text))
        .col(required("prefix", LogicalType::Text))
        .col(required("scopes", LogicalType::Text))
        .col(required("secret_hash", LogicalType::Bytes))
        .col(required("created_at", LogicalType::TimestampTz))
        .col(optional("expires_at", LogicalType::TimestampTz))
        .col(optional("last_used_at", LogicalType::TimestampTz))
        .col(optional("rotated_at", LogicalType::TimestampTz))
        .col(optional("revoked_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take();
    let session = Table::create()
        .table("session")
        .col(required("id", LogicalType::Uuid))
        .col(required("user_id", LogicalType::Uuid))
        .col(required("secret_hash", LogicalType::Bytes))
        .col(required("idle_timeout_micros", LogicalType::Int64))
        .col(required("created_at", LogicalType::TimestampTz))
        .col(required("last_used_at", LogicalType::TimestampTz))
        .col(required("idle_expires_at", LogicalType::TimestampTz))
        .col(required("expires_at", LogicalType::TimestampTz))
        .col(optional("revoked_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take();
    let setting = Table::create()
        .table("setting")
        .col(required("id", LogicalType::Uuid))
        .col(required("key", LogicalType::Text))
        .col(required("value", LogicalType::Text))
        .col(required("version", LogicalType::Int64))
        .col(required("updated_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take();
    let index = |name: &'static str, table: &'static str, column: &'static str| {
        Index::create().name(name).table(table).col(column).take()
    };
    vec![
        columns::sql(engine, &api_key),
        columns::sql(engine, &session),
        columns::sql(engine, &setting),
        columns::sql(engine, &index("api_key_owner", "api_key", "owner")),
        columns::sql(engine, &index("session_user_id", "session", "user_id")),
        columns::sql(engine, index("setting_key", "setting", "key").unique()),
    ]
}
