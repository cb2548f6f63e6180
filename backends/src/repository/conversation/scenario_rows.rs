//! Results of scenarios as rows and tags, and back.

use sea_orm::ActiveValue::Set;
use trimaran_core::Result;
use trimaran_core::id::ScenarioResultId;
use trimaran_core::model::conversation::{ScenarioDetails, ScenarioResult, ScenarioState};

use super::documents;
use super::tags::{self, Kind, Tags};
use crate::entity::conversation::{scenario_result, tag};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

/// The kinds of tags that results have.
pub(super) const KINDS: [Kind; 3] = [Kind::ScenarioLabel, Kind::ScenarioTarget, Kind::ScenarioScorer];

/// What of a target is a tag: its class.
pub(super) const CLASS: &str = "class";
/// Its address.
pub(super) const ENDPOINT: &str = "endpoint";
/// Its model.
pub(super) const MODEL: &str = "model_name";

/// The row.
///
/// # Errors
/// `Invalid` for documents that JSON can't say.
pub(super) fn row(
    resources: &TenantResources,
    operation: &str,
    result: &ScenarioResult,
) -> Result<scenario_result::ActiveModel> {
    let (text, details) = (resources.text(), &result.details);
    Ok(scenario_result::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        id: Set(result.id.0),
        name: Set(text.store(&details.name)),
        description: Set(text.store_option(details.description.as_deref())),
        scenario_version: Set(details.scenario_version),
        software_version: Set(text.store_option(details.software_version.as_deref())),
        identifier: Set(documents::text_of_option(operation, details.identifier.as_ref())?),
        target_identifier: Set(documents::text_of_option(operation, details.target.as_ref())?),
        scorer_identifier: Set(documents::text_of_option(operation, details.scorer.as_ref())?),
        state: Set(result.state.name().to_owned()),
        tries: Set(i64::from(result.tries)),
        error_type: Set(text.store_option(result.error_type.as_deref())),
        error_message: Set(text.store_option(result.error_message.as_deref())),
        metadata: Set(documents::text_of(operation, &details.metadata)?),
        display_groups: Set(documents::text_of(operation, &details.display_groups)?),
        version: Set(result.version),
        created_at: Set(time::stored(result.created_at)),
        completed_at: Set(result.completed_at.map(time::stored)),
    })
}

/// The tags.
pub(super) fn tags_of(resources: &TenantResources, result: &ScenarioResult) -> Vec<tag::ActiveModel> {
    let (id, details) = (result.id.0, &result.details);
    let labels = details.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut all: Vec<_> = tags::rows(resources, id, Kind::ScenarioLabel, labels).collect();
    if let Some(target) = &details.target {
        let said = [
            (CLASS, Some(target.class_name.as_str())),
            (ENDPOINT, target.text_member(ENDPOINT)),
            (MODEL, target.text_member(MODEL)),
        ];
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
        all.extend(tags::rows(resources, id, Kind::ScenarioTarget, said));
    }
    let scorer = details.scorer.as_ref().map(|scorer| ("", scorer.class_name.as_str()));
    all.extend(tags::rows(resources, id, Kind::ScenarioScorer, scorer));
    all
}

/// The result of a row and its tags.
///
/// # Errors
/// `Corrupt` for what was never written so.
pub(super) fn loaded(
    resources: &TenantResources,
    row: scenario_result::Model,
    tags: &Tags,
) -> Result<ScenarioResult> {
    let text = resources.text();
    let at = |column| Place { table: "scenario_result", column, key: row.id };
    let labels = tags::of_kind(tags, Kind::ScenarioLabel).map(|tag| (tag.name.clone(), tag.value.clone()));
    Ok(ScenarioResult {
        id: ScenarioResultId(row.id),
        state: ScenarioState::from_name(&row.state)
            .ok_or_else(|| at("state").corrupt("there is an unknown state"))?,
        tries: u32::try_from(row.tries).map_err(|_| at("tries").corrupt("there is no number of times"))?,
        error_type: text.load_option(at("error_type"), row.error_type)?,
        error_message: text.load_option(at("error_message"), row.error_message)?,
        version: row.version,
        created_at: time::loaded(row.created_at),
        completed_at: row.completed_at.map(time::loaded),
        details: ScenarioDetails {
            name: text.load(at("name"), row.name)?,
            description: text.load_option(at("description"), row.description)?,
            scenario_version: row.scenario_version,
            software_version: text.load_option(at("software_version"), row.software_version)?,
            identifier: documents::read_option(at("identifier"), row.identifier.as_deref())?,
            target: documents::read_option(at("target_identifier"), row.target_identifier.as_deref())?,
            scorer: documents::read_option(at("scorer_identifier"), row.scorer_identifier.as_deref())?,
            labels: labels.collect(),
            metadata: documents::read(at("metadata"), &row.metadata)?,
            display_groups: documents::read(at("display_groups"), &row.display_groups)?,
        },
    })
}
