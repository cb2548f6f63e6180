//! Results of attacks as rows and tags, and back.

use sea_orm::ActiveValue::Set;
use serde_json::Value;
use trimaran_core::id::{AttackResultId, ConversationId, PieceId, ScenarioResultId, ScoreId};
use trimaran_core::model::Sha256;
use trimaran_core::model::conversation::{AttackDetails, AttackOutcome, AttackResult};
use trimaran_core::{Error, ErrorKind, Result};

use super::documents;
use super::tags::{self, Kind, Tags};
use crate::entity::conversation::{attack_result, tag};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

/// The kinds of tags that results have.
pub(super) const KINDS: [Kind; 6] = [
    Kind::AttackIdentifier,
    Kind::AttackConverter,
    Kind::AttackLabel,
    Kind::AttackMetadata,
    Kind::AttackHarm,
    Kind::AttackScenario,
];

/// What of an identifier is a tag: the strategy's class.
pub(super) const CLASS: &str = "class";
/// Its hash.
pub(super) const HASH: &str = "hash";
/// The hash of what decides on its behaviour.
pub(super) const EVALUATION_HASH: &str = "eval_hash";
/// The class of what is attacked.
pub(super) const TARGET_CLASS: &str = "target_class";

/// The row.
///
/// # Errors
/// `Invalid` for numbers that don't fit, and documents that JSON can't say.
pub(super) fn row(
    resources: &TenantResources,
    operation: &str,
    result: &AttackResult,
) -> Result<attack_result::ActiveModel> {
    let (text, details) = (resources.text(), &result.details);
    let execution_time_ms = i64::try_from(details.execution_time_ms).map_err(|_| {
        Error::new(ErrorKind::Invalid, operation).context("its execution time is over 292 million years")
    })?;
    Ok(attack_result::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        id: Set(result.id.0),
        conversation_id: Set(result.conversation.0),
        objective: Set(text.store(&details.objective)),
        objective_sha256: Set(Sha256::of(details.objective.as_bytes()).as_bytes().to_vec()),
        identifier: Set(documents::text_of_option(operation, details.identifier.as_ref())?),
        last_response_id: Set(details.last_response.map(|piece| piece.0)),
        last_score_id: Set(details.last_score.map(|score| score.0)),
        executed_turns: Set(i64::from(details.executed_turns)),
        execution_time_ms: Set(execution_time_ms),
        outcome: Set(details.outcome.name().to_owned()),
        outcome_reason: Set(text.store_option(details.outcome_reason.as_deref())),
        pruned_conversations: Set(documents::text_of(operation, &details.pruned_conversations)?),
        adversarial_conversations: Set(documents::text_of(operation, &details.adversarial_conversations)?),
        error_type: Set(text.store_option(details.error_type.as_deref())),
        error_message: Set(text.store_option(details.error_message.as_deref())),
        error_traceback: Set(text.store_option(details.error_traceback.as_deref())),
        retry_events: Set(documents::text_of(operation, &details.retry_events)?),
        total_retries: Set(i64::from(details.total_retries)),
        attribution: Set(documents::text_of(operation, &details.attribution)?),
        version: Set(result.version),
        created_at: Set(time::stored(result.created_at)),
    })
}

/// The tags.
pub(super) fn tags_of(resources: &TenantResources, result: &AttackResult) -> Vec<tag::ActiveModel> {
    let (id, details) = (result.id.0, &result.details);
    let mut all = Vec::new();
    if let Some(identifier) = &details.identifier {
        let said = [
            (CLASS, Some(identifier.attack_class())),
            (HASH, identifier.hash.as_deref()),
            (EVALUATION_HASH, identifier.evaluation_hash()),
            (TARGET_CLASS, identifier.attack_target_class()),
        ];
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
        all.extend(tags::rows(resources, id, Kind::AttackIdentifier, said));
        let converters = identifier.attack_converter_classes().into_iter().map(|class| ("", class));
        all.extend(tags::rows(resources, id, Kind::AttackConverter, converters));
    }
    let labels = details.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    all.extend(tags::rows(resources, id, Kind::AttackLabel, labels));
    let metadata: Vec<(&str, String)> =
        details.metadata.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let metadata = metadata.iter().map(|(name, value)| (*name, value.as_str()));
    all.extend(tags::rows(resources, id, Kind::AttackMetadata, metadata.collect::<Vec<_>>()));
    let harms = details.targeted_harm_categories.iter().map(|harm| ("", harm.as_str()));
    all.extend(tags::rows(resources, id, Kind::AttackHarm, harms));
    if let Some(scenario) = result.scenario {
        all.push(scenario_tag(resources, result.id, scenario));
    }
    all
}

/// The tag that says whose result it is.
pub(super) fn scenario_tag(
    resources: &TenantResources,
    result: AttackResultId,
    scenario: ScenarioResultId,
) -> tag::ActiveModel {
    let value = scenario.to_string();
    tag::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        owner_id: Set(result.0),
        kind: Set(Kind::AttackScenario.name().to_owned()),
        position: Set(0),
        name: Set(String::new()),
        digest: Set(tags::digest_of(Kind::AttackScenario, "", &value)),
        value: Set(value),
    }
}

/// The result of a row and its tags.
///
/// # Errors
/// `Corrupt` for what was never written so.
pub(super) fn loaded(
    resources: &TenantResources,
    row: attack_result::Model,
    tags: &Tags,
) -> Result<AttackResult> {
    let text = resources.text();
    let at = |column| Place { table: "attack_result", column, key: row.id };
    let count = |column: &'static str, number: i64| {
        u32::try_from(number).map_err(|_| at(column).corrupt("there is no number of times"))
    };
    let outcome = AttackOutcome::from_name(&row.outcome)
        .ok_or_else(|| at("outcome").corrupt("there is an unknown outcome"))?;
    let conversations = |column, text: &str| documents::read::<Vec<ConversationId>, _>(at(column), text);
    let scenario = tags::of_kind(tags, Kind::AttackScenario).next();
    let scenario = scenario.map(|tag| {
        tag.value
            .parse()
            .map(ScenarioResultId)
            .map_err(|_| at("scenario").corrupt("there is a tag that is no id"))
    });
    let labels = tags::of_kind(tags, Kind::AttackLabel).map(|tag| (tag.name.clone(), tag.value.clone()));
    let metadata = tags::of_kind(tags, Kind::AttackMetadata)
        .map(|tag| Ok((tag.name.clone(), documents::read::<Value, _>(at("metadata"), &tag.value)?)));
    Ok(AttackResult {
        id: AttackResultId(row.id),
        conversation: ConversationId(row.conversation_id),
        scenario: scenario.transpose()?,
        objective_sha256: Sha256::from_slice(&row.objective_sha256)
            .ok_or_else(|| at("objective_sha256").corrupt("there is no SHA-256"))?,
        version: row.version,
        created_at: time::loaded(row.created_at),
        details: AttackDetails {
            objective: text.load(at("objective"), row.objective)?,
            identifier: documents::read_option(at("identifier"), row.identifier.as_deref())?,
            last_response: row.last_response_id.map(PieceId),
            last_score: row.last_score_id.map(ScoreId),
            executed_turns: count("executed_turns", row.executed_turns)?,
            execution_time_ms: u64::try_from(row.execution_time_ms)
                .map_err(|_| at("execution_time_ms").corrupt("there is no time"))?,
            outcome,
            outcome_reason: text.load_option(at("outcome_reason"), row.outcome_reason)?,
            labels: labels.collect(),
            metadata: metadata.collect::<Result<_>>()?,
            targeted_harm_categories: tags::values_of(tags, Kind::AttackHarm),
            pruned_conversations: conversations("pruned_conversations", &row.pruned_conversations)?,
            adversarial_conversations: conversations(
                "adversarial_conversations",
                &row.adversarial_conversations,
            )?,
            error_type: text.load_option(at("error_type"), row.error_type)?,
            error_message: text.load_option(at("error_message"), row.error_message)?,
            error_traceback: text.load_option(at("error_traceback"), row.error_traceback)?,
            retry_events: documents::read(at("retry_events"), &row.retry_events)?,
            total_retries: count("total_retries", row.total_retries)?,
            attribution: documents::read(at("attribution"), &row.attribution)?,
        },
    })
}
