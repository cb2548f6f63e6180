//! Whose a file is, written inside it.

use sea_orm::sea_query::{Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

/// `tenant_mark`: on SQLite and DuckDB one row, the tenant whose file it is; on Postgres a row for each tenant that has
/// moved there from a file.
pub(super) const MIGRATION: Migration = Migration {
    name: "0004_tenant_mark",
    areas: &[Area::Configuration, Area::Conversation],
    tables: &["tenant_mark"],
    readable_from: "0004_tenant_mark",
    up,
    down: |engine| vec![columns::drop_table(engine, "tenant_mark")],
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let table = Table::create()
        .table("tenant_mark")
        .col(columns::required(engine, "tenant_id", &LogicalType::Uuid))
        .col(columns::required(engine, "created_at", &LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id"))
        .take();
    vec![columns::sql(engine, &table)]
}
