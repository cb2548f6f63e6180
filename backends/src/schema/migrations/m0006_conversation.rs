//! Conversations, prompt pieces, and the tags that pieces, seeds, scores and results are found by.

use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, Index, Table};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0006_conversation";
const TABLES: &[&str] = &["conversation", "prompt_piece", "tag"];

/// `conversation`, `prompt_piece`, `tag`.
pub(super) const MIGRATION: Migration = Migration {
    name: NAME,
    areas: &[Area::Conversation],
    tables: TABLES,
    readable_from: NAME,
    up,
    down: |engine| TABLES.iter().rev().map(|table| columns::drop_table(engine, table)).collect(),
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let required = |name, logical| columns::required(engine, name, &logical);
    let optional = |name, logical| columns::optional(engine, name, &logical);
    let conversation = Table::create()
        .table("conversation")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("next_sequence", LogicalType::Int64))
        .col(optional("target_identifier", LogicalType::Text))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let mut piece = Table::create()
        .table("prompt_piece")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("conversation_id", LogicalType::Uuid))
        .col(required("sequence", LogicalType::Int64))
        .col(required("position", LogicalType::Int32))
        .col(required("role", LogicalType::Text))
        .col(required("original_value", LogicalType::Text))
        .col(required("original_data_type", LogicalType::Text))
        .col(required("original_sha256", LogicalType::Bytes))
        .col(required("converted_value", LogicalType::Text))
        .col(required("converted_data_type", LogicalType::Text))
        .col(required("converted_sha256", LogicalType::Bytes))
        .col(required("original_piece_id", LogicalType::Uuid))
        .col(optional("target_identifier", LogicalType::Text))
        .col(optional("attack_identifier", LogicalType::Text))
        .col(optional("converter_identifiers", LogicalType::Text))
        .col(required("error", LogicalType::Text))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let mut key = ForeignKey::create()
        .name("prompt_piece_conversation")
        .from("prompt_piece", ("tenant_id", "conversation_id"))
        .to("conversation", ("tenant_id", "id"))
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    columns::references(engine, &mut piece, &mut key);
    let tag = Table::create()
        .table("tag")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("owner_id", LogicalType::Uuid))
        .col(required("kind", LogicalType::Text))
        .col(required("position", LogicalType::Int32))
        .col(required("name", LogicalType::Text))
        .col(required("value", LogicalType::Text))
        .col(required("digest", LogicalType::Uuid))
        .primary_key(Index::create().col("tenant_id").col("owner_id").col("kind").col("position"))
        .take();
    let place = Index::create()
        .name("prompt_piece_place")
        .table("prompt_piece")
        .col("tenant_id")
        .col("conversation_id")
        .col("sequence")
        .col("position")
        .unique()
        .take();
    let sha256 = Index::create()
        .name("prompt_piece_converted_sha256")
        .table("prompt_piece")
        .col("tenant_id")
        .col("converted_sha256")
        .take();
    // Not the name and the value: no engine promises to index a text of any length.
    let digest =
        Index::create().name("tag_digest").table("tag").col("tenant_id").col("digest").col("owner_id").take();
    vec![
        columns::sql(engine, &conversation),
        columns::sql(engine, &piece),
        columns::sql(engine, &tag),
        columns::sql(engine, &place),
        columns::sql(engine, &sha256),
        columns::sql(engine, &digest),
    ]
}
