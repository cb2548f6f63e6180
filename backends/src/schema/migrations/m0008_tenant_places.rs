//! Where tenants are, if not where the configuration's `stores` says, and what is being done to one.

use sea_orm::sea_query::{Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0008_tenant_places";
const TABLES: &[&str] = &["tenant_home", "tenant_operation"];

/// `tenant_home` and `tenant_operation`, both by the tenant's id. Their columns are no part of `tenant`: most tenants have
/// neither, and DuckDB drops no column of a table with indexes, so that there would be no way back. Code that knows nothing of
/// them would open a tenant in the wrong place, or one that is being deleted: it must not.
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
    let home = Table::create()
        .table("tenant_home")
        .col(required("id", LogicalType::Uuid))
        .col(required("place", LogicalType::Text))
        .primary_key(Index::create().col("id"))
        .take();
    let operation = Table::create()
        .table("tenant_operation")
        .col(required("id", LogicalType::Uuid))
        .col(required("kind", LogicalType::Text))
        .col(required("step", LogicalType::Text))
        .col(optional("from_user_name", LogicalType::Text))
        .col(optional("from_place", LogicalType::Text))
        .col(required("started_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take();
    vec![columns::sql(engine, &home), columns::sql(engine, &operation)]
}
