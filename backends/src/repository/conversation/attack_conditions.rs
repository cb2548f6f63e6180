//! From filters of attacks' results to SQL.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SimpleExpr};
use sea_orm::{ColumnTrait as _, Condition};
use trimaran_core::model::conversation::AttackResultFilter;

use super::attack_rows::{CLASS, EVALUATION_HASH, HASH, TARGET_CLASS};
use super::conditions::Conditions;
use super::tags::Kind;
use crate::entity::conversation::{attack_result as table, tag};
use crate::repository::TenantResources;

/// The conditions of a filter.
pub(super) fn conditions(resources: &TenantResources, filter: &AttackResultFilter) -> Condition {
    let id = table::Column::Id;
    let mut conditions = Conditions::own(resources, table::Column::TenantId);
    conditions.one_of(id, filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.0)));
    let conversations = filter.conversations.as_ref();
    conditions.one_of(table::Column::ConversationId, conversations.map(|ids| ids.iter().map(|id| id.0)));
    conditions.contains(table::Column::Objective, &filter.objective_contains);
    let hashes = filter.objective_sha256s.as_ref();
    conditions.one_of(
        table::Column::ObjectiveSha256,
        hashes.map(|hashes| hashes.iter().map(|hash| hash.as_bytes().to_vec())),
    );
    let outcomes = filter.outcomes.as_ref();
    conditions.one_of(table::Column::Outcome, outcomes.map(|outcomes| outcomes.iter().map(|one| one.name())));
    for (name, values) in [
        (CLASS, &filter.attack_classes),
        (HASH, &filter.identifier_hashes),
        (EVALUATION_HASH, &filter.evaluation_hashes),
        (TARGET_CLASS, &filter.target_classes),
    ] {
        conditions.one_tag(id, Kind::AttackIdentifier, name, values);
    }
    conditions.all_tags(id, Kind::AttackConverter, "", &filter.converter_classes);
    conditions.one_tag(id, Kind::AttackConverter, "", &filter.any_converter_class);
    if let Some(wanted) = filter.has_converters {
        conditions.add(has_tags(resources, Kind::AttackConverter, wanted));
    }
    conditions.labels(id, Kind::AttackLabel, &filter.labels);
    conditions.metadata(id, Kind::AttackMetadata, &filter.metadata);
    conditions.one_tag(id, Kind::AttackHarm, "", &filter.targeted_harm_categories);
    let scenario = filter.scenario.map(|scenario| vec![scenario.to_string()]);
    conditions.one_tag(id, Kind::AttackScenario, "", &scenario);
    if let Some(wanted) = filter.in_a_scenario {
        conditions.add(has_tags(resources, Kind::AttackScenario, wanted));
    }
    let responses = filter.last_responses.as_ref();
    conditions.one_of(table::Column::LastResponseId, responses.map(|ids| ids.iter().map(|id| id.0)));
    let scores = filter.last_scores.as_ref();
    conditions.one_of(table::Column::LastScoreId, scores.map(|ids| ids.iter().map(|id| id.0)));
    conditions.one_of_texts(table::Column::ErrorType, &filter.error_types);
    conditions.between(
        table::Column::ExecutedTurns,
        filter.least_turns.map(i64::from),
        filter.most_turns.map(i64::from),
    );
    // No time that is kept is greater than the greatest that fits.
    let milliseconds = |time: Option<u64>| time.map(|time| i64::try_from(time).unwrap_or(i64::MAX));
    conditions.between(
        table::Column::ExecutionTimeMs,
        milliseconds(filter.least_execution_time_ms),
        milliseconds(filter.most_execution_time_ms),
    );
    conditions.within(table::Column::CreatedAt, filter.created_from, filter.created_before);
    conditions.all()
}

/// The result has a tag of this kind, or has none.
fn has_tags(resources: &TenantResources, kind: Kind, wanted: bool) -> SimpleExpr {
    let tags = Query::select()
        .expr(Expr::val(1))
        .from(tag::Entity)
        .and_where(resources.own(tag::Column::TenantId))
        .and_where(Expr::col((tag::Entity, tag::Column::OwnerId)).equals((table::Entity, table::Column::Id)))
        .and_where(tag::Column::Kind.eq(kind.name()))
        .take();
    match wanted {
        true => Expr::exists(tags),
        false => Expr::exists(tags).not(),
    }
}
