//! Components, datasets and their prompts.

use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0005_configuration";
const TABLES: &[&str] = &["component", "dataset", "dataset_prompt"];

/// `component`, `dataset`, `dataset_prompt`.
pub(super) const MIGRATION: Migration = Migration {
    name: NAME,
    areas: &[Area::Configuration],
    tables: TABLES,
    readable_from: NAME,
    up,
    down: |engine| TABLES.iter().rev().map(|table| columns::drop_table(engine, table)).collect(),
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let required = |name, logical| columns::required(engine, name, &logical);
    let optional = |name, logical| columns::optional(engine, name, &logical);
    let component = Table::create()
        .table("component")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("kind", LogicalType::Text))
        .col(required("name", LogicalType::Text))
        .col(required("type_name", LogicalType::Text))
        .col(required("parameters", LogicalType::Text))
        .col(optional("secrets", LogicalType::Text))
        .col(optional("key_id", LogicalType::Text))
        .col(required("status", LogicalType::Text))
        .col(optional("tested_at", LogicalType::TimestampTz))
        .col(optional("test_passed", LogicalType::Bool))
        .col(optional("test_message", LogicalType::Text))
        .col(optional("test_details", LogicalType::Text))
        .col(required("version", LogicalType::Int64))
        .col(required("created_at", LogicalType::TimestampTz))
        .col(required("updated_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let dataset = Table::create()
        .table("dataset")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("name", LogicalType::Text))
        .col(required("source_type", LogicalType::Text))
        .col(required("configuration", LogicalType::Text))
        .col(required("metadata", LogicalType::Text))
        .col(required("status", LogicalType::Text))
        .col(required("next_position", LogicalType::Int64))
        .col(required("ordered_from", LogicalType::Int64))
        .col(required("version", LogicalType::Int64))
        .col(required("created_at", LogicalType::TimestampTz))
        .col(required("updated_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    // The place is the key, so that pages are read in one stretch; ids are given once by the id source.
    let mut prompt = Table::create()
        .table("dataset_prompt")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("dataset_id", LogicalType::Uuid))
        .col(required("position", LogicalType::Int64))
        .col(required("id", LogicalType::Uuid))
        .col(required("text", LogicalType::Text))
        .col(required("metadata", LogicalType::Text))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("dataset_id").col("position"))
        .take();
    let mut key = ForeignKey::create()
        .name("dataset_prompt_dataset")
        .from("dataset_prompt", ("tenant_id", "dataset_id"))
        .to("dataset", ("tenant_id", "id"))
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    columns::references(engine, &mut prompt, &mut key);
    let component_name = Index::create()
        .name("component_name")
        .table("component")
        .col("tenant_id")
        .col("kind")
        .col("name")
        .unique()
        .take();
    let dataset_name =
        Index::create().name("dataset_name").table("dataset").col("tenant_id").col("name").unique().take();
    let prompt_id =
        Index::create().name("dataset_prompt_id").table("dataset_prompt").col("tenant_id").col("id").take();
    vec![
        columns::sql(engine, &component),
        columns::sql(engine, &dataset),
        columns::sql(engine, &prompt),
        columns::sql(engine, &component_name),
        columns::sql(engine, &dataset_name),
        columns::sql(engine, &prompt_id),
    ]
}
