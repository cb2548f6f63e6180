//! Results of attacks.

use sea_orm::entity::prelude::*;

/// The result of an attack.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attack_result")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The conversation in which it was made.
    pub conversation_id: Uuid,
    /// What the attacker wanted.
    #[sea_orm(column_type = "Text")]
    pub objective: String,
    /// Its SHA-256.
    pub objective_sha256: Vec<u8>,
    /// The attack, as JSON text.
    #[sea_orm(column_type = "Text", nullable)]
    pub identifier: Option<String>,
    /// The last answer.
    pub last_response_id: Option<Uuid>,
    /// The score of that.
    pub last_score_id: Option<Uuid>,
    /// How many turns were made.
    pub executed_turns: i64,
    /// How many milliseconds they took.
    pub execution_time_ms: i64,
    /// How it ended.
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    /// Why it ended so.
    #[sea_orm(column_type = "Text", nullable)]
    pub outcome_reason: Option<String>,
    /// Conversations that were given up, as a JSON list in text.
    #[sea_orm(column_type = "Text")]
    pub pruned_conversations: String,
    /// Conversations with the model that played the attacker, as a JSON list in text.
    #[sea_orm(column_type = "Text")]
    pub adversarial_conversations: String,
    /// What kind of error ended it.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_type: Option<String>,
    /// What the error said.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// Where it came from.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_traceback: Option<String>,
    /// What was tried again, as a JSON list in text.
    #[sea_orm(column_type = "Text")]
    pub retry_events: String,
    /// How often something was tried again.
    pub total_retries: i64,
    /// Its place in its scenario, as JSON text.
    #[sea_orm(column_type = "Text")]
    pub attribution: String,
    /// Counted up with every update.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeWithTimeZone,
}

/// What it is joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
