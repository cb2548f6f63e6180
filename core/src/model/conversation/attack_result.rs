//! Results of attacks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::term::terms;
use super::{Identifier, Labels, Metadata, filter_size};
use crate::id::{AttackResultId, ConversationId, PieceId, ScenarioResultId, ScoreId};
use crate::model::Sha256;
use crate::{Result, Timestamp};

terms! {
    /// How an attack ended.
    AttackOutcome, "an attack's outcome" {
        /// It achieved its objective.
        Success = "success",
        /// It did not.
        Failure = "failure",
        /// It could not be made, for a reason that says nothing about the target.
        Error = "error",
        /// Nobody could say.
        Undetermined = "undetermined",
    }
}

/// What an attack came to. References to pieces, scores and conversations are not looked up and outlive what they refer to.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AttackDetails {
    /// What the attacker wanted.
    pub objective: String,
    /// The attack: strategy, converters, target, seeds.
    pub identifier: Option<Identifier>,
    /// The last answer of the target.
    pub last_response: Option<PieceId>,
    /// The score of that answer.
    pub last_score: Option<ScoreId>,
    /// How many turns were made.
    pub executed_turns: u32,
    /// How long they took, in milliseconds.
    pub execution_time_ms: u64,
    /// How it ended.
    pub outcome: AttackOutcome,
    /// Why it ended so.
    pub outcome_reason: Option<String>,
    /// Labels that it is found by.
    pub labels: Labels,
    /// What else is known of it.
    pub metadata: Metadata,
    /// Which harms it was about, in order.
    pub targeted_harm_categories: Vec<String>,
    /// Conversations that were given up on the way.
    pub pruned_conversations: Vec<ConversationId>,
    /// Conversations with the model that played the attacker.
    pub adversarial_conversations: Vec<ConversationId>,
    /// What kind of error ended it.
    pub error_type: Option<String>,
    /// What the error said.
    pub error_message: Option<String>,
    /// Where it came from.
    pub error_traceback: Option<String>,
    /// What was tried again, and why.
    pub retry_events: Vec<Value>,
    /// How often something was tried again.
    pub total_retries: u32,
    /// Its place in the scenario it was made for: a document of the scenario's own.
    pub attribution: Metadata,
}

impl AttackDetails {
    /// What an attack of this objective came to, and nothing else known of it.
    pub fn of(objective: impl Into<String>, outcome: AttackOutcome) -> Self {
        Self {
            objective: objective.into(),
            identifier: None,
            last_response: None,
            last_score: None,
            executed_turns: 0,
            execution_time_ms: 0,
            outcome,
            outcome_reason: None,
            labels: Labels::new(),
            metadata: Metadata::new(),
            targeted_harm_categories: Vec::new(),
            pruned_conversations: Vec::new(),
            adversarial_conversations: Vec::new(),
            error_type: None,
            error_message: None,
            error_traceback: None,
            retry_events: Vec::new(),
            total_retries: 0,
            attribution: Metadata::new(),
        }
    }

    /// The name of the atomic attack within its scenario (PyRIT 1.1: `parent_collection`).
    pub fn atomic_attack(&self) -> Option<&str> {
        self.attribution.get("parent_collection")?.as_str()
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the identifier would not come back as it is.
    pub fn validate(&self) -> Result<()> {
        self.identifier.as_ref().map_or(Ok(()), Identifier::check)
    }
}

/// The result of an attack.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AttackResult {
    /// Its id.
    pub id: AttackResultId,
    /// The conversation in which the attack was made. Not looked up.
    pub conversation: ConversationId,
    /// The scenario it was made for, if it was and the scenario's result is there.
    pub scenario: Option<ScenarioResultId>,
    /// The SHA-256 of the objective's UTF-8.
    pub objective_sha256: Sha256,
    /// 1 at first, one more with every update.
    pub version: i64,
    /// When it was added, or made if that was before.
    pub created_at: Timestamp,
    /// What it came to.
    #[serde(flatten)]
    pub details: AttackDetails,
}

/// The result of an attack that is to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttackResult {
    /// Its id, if it brings one; else it is given one.
    pub id: Option<AttackResultId>,
    /// The conversation in which the attack was made.
    pub conversation: ConversationId,
    /// The scenario it was made for.
    pub scenario: Option<ScenarioResultId>,
    /// When it was made, if that is not now. Kept to the microsecond, rounded down.
    pub created_at: Option<Timestamp>,
    /// What it came to.
    pub details: AttackDetails,
}

impl NewAttackResult {
    /// What the attack of this conversation came to.
    pub fn of(conversation: ConversationId, details: AttackDetails) -> Self {
        Self { id: None, conversation, scenario: None, created_at: None, details }
    }
}

/// Which results: those that meet every condition that is set. A list is met by whatever meets one of its members, an
/// empty one therefore by nothing; where a field says "all of these", an empty list is met by everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AttackResultFilter {
    /// One of these.
    pub ids: Option<Vec<AttackResultId>>,
    /// Made in one of these conversations.
    pub conversations: Option<Vec<ConversationId>>,
    /// With this text somewhere in the objective, character for character.
    pub objective_contains: Option<String>,
    /// With one of these hashes of the objective.
    pub objective_sha256s: Option<Vec<Sha256>>,
    /// Ended in one of these ways.
    pub outcomes: Option<Vec<AttackOutcome>>,
    /// Made by a strategy of one of these classes.
    pub attack_classes: Option<Vec<String>>,
    /// With one of these hashes of the identifier.
    pub identifier_hashes: Option<Vec<String>>,
    /// With one of these hashes of what the identifier says of behaviour (PyRIT 1.1: `eval_hash`).
    pub evaluation_hashes: Option<Vec<String>>,
    /// Against a target of one of these classes.
    pub target_classes: Option<Vec<String>>,
    /// With converters of all of these classes.
    pub converter_classes: Vec<String>,
    /// With a converter of one of these classes.
    pub any_converter_class: Option<Vec<String>>,
    /// With converters, or without.
    pub has_converters: Option<bool>,
    /// With every one of these labels, each with one of its values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// With every one of these metadata, each with one of its values. Values are equal if their JSON is.
    pub metadata: BTreeMap<String, Vec<Value>>,
    /// About one of these harms.
    pub targeted_harm_categories: Option<Vec<String>>,
    /// Made for this scenario.
    pub scenario: Option<ScenarioResultId>,
    /// Made for a scenario, or for none.
    pub in_a_scenario: Option<bool>,
    /// With one of these last answers.
    pub last_responses: Option<Vec<PieceId>>,
    /// With one of these last scores.
    pub last_scores: Option<Vec<ScoreId>>,
    /// Ended by one of these kinds of error.
    pub error_types: Option<Vec<String>>,
    /// With at least so many turns.
    pub least_turns: Option<u32>,
    /// With at most so many turns.
    pub most_turns: Option<u32>,
    /// That took at least so many milliseconds.
    pub least_execution_time_ms: Option<u64>,
    /// That took at most so many milliseconds.
    pub most_execution_time_ms: Option<u64>,
    /// Made then or later.
    pub created_from: Option<Timestamp>,
    /// Made before then.
    pub created_before: Option<Timestamp>,
}

impl AttackResultFilter {
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the lists have more than [`MOST_VALUES`](super::MOST_VALUES) values.
    pub fn validate(&self) -> Result<()> {
        filter_size::check(
            "list the attack results",
            [
                filter_size::length(&self.ids),
                filter_size::length(&self.conversations),
                filter_size::length(&self.objective_sha256s),
                filter_size::length(&self.outcomes),
                filter_size::length(&self.attack_classes),
                filter_size::length(&self.identifier_hashes),
                filter_size::length(&self.evaluation_hashes),
                filter_size::length(&self.target_classes),
                self.converter_classes.len(),
                filter_size::length(&self.any_converter_class),
                filter_size::values(&self.labels),
                filter_size::values(&self.metadata),
                filter_size::length(&self.targeted_harm_categories),
                filter_size::length(&self.last_responses),
                filter_size::length(&self.last_scores),
                filter_size::length(&self.error_types),
            ],
        )
    }
}
