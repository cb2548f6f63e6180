//! What is said of pieces, what attacks begin with, and what they come to: scores, embeddings, seeds, results.

use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, Index, Table, TableCreateStatement};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0007_results";
const TABLES: &[&str] = &["score", "embedding", "seed", "attack_result", "scenario_result"];

/// `score`, `embedding`, `seed`, `attack_result`, `scenario_result`. Lists and maps that are filtered by are tags.
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
    let mut score = Table::create()
        .table("score")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(optional("piece_id", LogicalType::Uuid))
        .col(required("score_type", LogicalType::Text))
        .col(optional("value", LogicalType::Text))
        .col(optional("value_description", LogicalType::Text))
        .col(optional("rationale", LogicalType::Text))
        .col(required("metadata", LogicalType::Text))
        .col(optional("scorer_identifier", LogicalType::Text))
        .col(optional("objective", LogicalType::Text))
        .col(optional("scorable", LogicalType::Text))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    of_a_piece(engine, &mut score, "score_piece_key", "score");
    let mut embedding = Table::create()
        .table("embedding")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("piece_id", LogicalType::Uuid))
        .col(required("type_name", LogicalType::Text))
        .col(required("vector", LogicalType::Bytes))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("piece_id"))
        .take();
    of_a_piece(engine, &mut embedding, "embedding_piece_key", "embedding");
    let seed = Table::create()
        .table("seed")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("once", LogicalType::Uuid))
        .col(optional("group_id", LogicalType::Uuid))
        .col(optional("dataset", LogicalType::Text))
        .col(required("seed_type", LogicalType::Text))
        .col(required("value", LogicalType::Text))
        .col(required("data_type", LogicalType::Text))
        .col(required("sha256", LogicalType::Bytes))
        .col(optional("name", LogicalType::Text))
        .col(optional("description", LogicalType::Text))
        .col(optional("source", LogicalType::Text))
        .col(optional("added_by", LogicalType::Text))
        .col(optional("sequence", LogicalType::Int32))
        .col(optional("role", LogicalType::Text))
        .col(required("added_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let attack_result = Table::create()
        .table("attack_result")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("conversation_id", LogicalType::Uuid))
        .col(required("objective", LogicalType::Text))
        .col(required("objective_sha256", LogicalType::Bytes))
        .col(optional("identifier", LogicalType::Text))
        .col(optional("last_response_id", LogicalType::Uuid))
        .col(optional("last_score_id", LogicalType::Uuid))
        .col(required("executed_turns", LogicalType::Int64))
        .col(required("execution_time_ms", LogicalType::Int64))
        .col(required("outcome", LogicalType::Text))
        .col(optional("outcome_reason", LogicalType::Text))
        .col(required("pruned_conversations", LogicalType::Text))
        .col(required("adversarial_conversations", LogicalType::Text))
        .col(optional("error_type", LogicalType::Text))
        .col(optional("error_message", LogicalType::Text))
        .col(optional("error_traceback", LogicalType::Text))
        .col(required("retry_events", LogicalType::Text))
        .col(required("total_retries", LogicalType::Int64))
        .col(required("attribution", LogicalType::Text))
        .col(required("version", LogicalType::Int64))
        .col(required("created_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let scenario_result = Table::create()
        .table("scenario_result")
        .col(required("tenant_id", LogicalType::Uuid))
        .col(required("id", LogicalType::Uuid))
        .col(required("name", LogicalType::Text))
        .col(optional("description", LogicalType::Text))
        .col(required("scenario_version", LogicalType::Int32))
        .col(optional("software_version", LogicalType::Text))
        .col(optional("identifier", LogicalType::Text))
        .col(optional("target_identifier", LogicalType::Text))
        .col(optional("scorer_identifier", LogicalType::Text))
        .col(required("state", LogicalType::Text))
        .col(required("tries", LogicalType::Int64))
        .col(optional("error_type", LogicalType::Text))
        .col(optional("error_message", LogicalType::Text))
        .col(required("metadata", LogicalType::Text))
        .col(required("display_groups", LogicalType::Text))
        .col(required("version", LogicalType::Int64))
        .col(required("created_at", LogicalType::TimestampTz))
        .col(optional("completed_at", LogicalType::TimestampTz))
        .primary_key(Index::create().col("tenant_id").col("id"))
        .take();
    let index = |name: &'static str, table: &'static str, column: &'static str| {
        Index::create().name(name).table(table).col("tenant_id").col(column).take()
    };
    vec![
        columns::sql(engine, &score),
        columns::sql(engine, &embedding),
        columns::sql(engine, &seed),
        columns::sql(engine, &attack_result),
        columns::sql(engine, &scenario_result),
        columns::sql(engine, &index("score_piece", "score", "piece_id")),
        // What may be there once: a digest, for no engine promises to index a text of any length.
        columns::sql(engine, index("seed_once", "seed", "once").unique()),
        columns::sql(engine, &index("seed_group", "seed", "group_id")),
        columns::sql(engine, &index("attack_result_conversation", "attack_result", "conversation_id")),
    ]
}

/// A foreign key to the piece that a row goes with.
fn of_a_piece(engine: Engine, table: &mut TableCreateStatement, name: &'static str, from: &'static str) {
    let mut key = ForeignKey::create()
        .name(name)
        .from(from, ("tenant_id", "piece_id"))
        .to("prompt_piece", ("tenant_id", "id"))
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    columns::references(engine, table, &mut key);
}
