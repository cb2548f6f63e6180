//! The catalogue of tenants: which user's data is where.

use sea_orm::sea_query::{Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

/// `tenant`, one row per user whose data is kept.
pub(super) const MIGRATION: Migration = Migration {
    name: "0003_tenant_catalogue",
    areas: &[Area::Application],
    tables: &["tenant"],
    readable_from: "0003_tenant_catalogue",
    up,
    down: |engine| vec![columns::drop_table(engine, "tenant")],
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let required = |name, logical| columns::required(engine, name, &logical);
    let tenant = Table::create()
        .table("tenant")
        .col(required("id", LogicalType::Uuid))
        .col(required("user_name", LogicalType::Text))
        .col(required("place", LogicalType::Text))
        .col(required("naming", LogicalType::Text))
        .col(required("key_id", LogicalType::Text))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take();
    let unique = |name: &'static str, column: &'static str| {
        Index::create().unique().name(name).table("tenant").col(column).take()
    };
    vec![
        columns::sql(engine, &tenant),
        columns::sql(engine, &unique("tenant_user_name", "user_name")),
        columns::sql(engine, &unique("tenant_place", "place")),
    ]
}
