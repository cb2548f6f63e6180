//! Which attacks' results are a scenario's.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use trimaran_core::id::{AttackResultId, ScenarioResultId};
use trimaran_core::model::conversation::{AttackOutcome, AttackResultFilter, Metadata, ScenarioProgress};
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::attack_results::{hold_scenario, no_scenario};
use super::tags::{self, Kind};
use super::{attack_conditions, attack_rows, documents, hold};
use crate::Transaction;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::{attack_result, tag};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

/// Makes attacks' results the scenario's.
///
/// # Errors
/// `NotFound` if one of them isn't there; `Conflict` if one is another scenario's.
pub(super) async fn attribute(
    resources: &TenantResources,
    scenario: ScenarioResultId,
    results: &BTreeSet<AttackResultId>,
    attribution: &Metadata,
) -> Result<()> {
    const OPERATION: &str = "make attack results a scenario's";
    let transaction = resources.executor().begin().await?;
    if !hold_scenario(resources, &transaction, OPERATION, scenario).await? {
        return Err(no_scenario(OPERATION, scenario));
    }
    let ids: Vec<Uuid> = results.iter().map(|id| id.0).collect();
    for some in ids.chunks(hold::AT_A_TIME) {
        let there = present(resources, &transaction, OPERATION, some).await?;
        if let Some(missing) = some.iter().find(|id| !there.contains(id)) {
            return Err(Error::new(ErrorKind::NotFound, OPERATION)
                .context(format!("there is no attack result {missing}")));
        }
        let owners = scenarios_of(resources, &transaction, OPERATION, some).await?;
        let value = scenario.to_string();
        if let Some((id, _)) = owners.iter().find(|(_, other)| **other != value) {
            return Err(Error::new(ErrorKind::Conflict, OPERATION)
                .context(format!("the attack result {id} is another scenario's"))
                .hint("a result belongs to the scenario that it was made for, for good"));
        }
        let new = some.iter().filter(|id| !owners.contains_key(id));
        let tags =
            new.map(|id| attack_rows::scenario_tag(resources, AttackResultId(*id), scenario)).collect();
        append_rows(&transaction, tags, OPERATION).await?;
        attack_result::Entity::update_many()
            .set(attack_result::ActiveModel {
                attribution: Set(documents::text_of(OPERATION, attribution)?),
                ..Default::default()
            })
            .col_expr(attack_result::Column::Version, Expr::col(attack_result::Column::Version).add(1))
            .filter(resources.own(attack_result::Column::TenantId))
            .filter(attack_result::Column::Id.is_in(some.iter().copied()))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
    }
    transaction.commit().await
}

async fn present(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>> {
    let found: Vec<Uuid> = attack_result::Entity::find()
        .select_only()
        .column(attack_result::Column::Id)
        .filter(resources.own(attack_result::Column::TenantId))
        .filter(attack_result::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(transaction)
        .await
        .doing(operation)?;
    Ok(found.into_iter().collect())
}

async fn scenarios_of(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>> {
    let found: Vec<(Uuid, String)> = tag::Entity::find()
        .select_only()
        .column(tag::Column::OwnerId)
        .column(tag::Column::Value)
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::OwnerId.is_in(ids.iter().copied()))
        .filter(tag::Column::Kind.eq(Kind::AttackScenario.name()))
        .into_tuple()
        .all(transaction)
        .await
        .doing(operation)?;
    Ok(found.into_iter().collect())
}

/// Makes the scenario's results nobody's.
///
/// # Errors
/// The engine's.
pub(super) async fn detach(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    scenario: ScenarioResultId,
) -> Result<()> {
    tag::Entity::delete_many()
        .filter(resources.own(tag::Column::TenantId))
        .filter(tag::Column::Digest.eq(tags::digest_of(Kind::AttackScenario, "", &scenario.to_string())))
        .exec(transaction)
        .await
        .doing(operation)?;
    Ok(())
}

/// How far the scenario is.
///
/// # Errors
/// `Corrupt` for an outcome that was never written; else the engine's.
pub(super) async fn progress(
    resources: &TenantResources,
    scenario: ScenarioResultId,
) -> Result<ScenarioProgress> {
    let filter = AttackResultFilter { scenario: Some(scenario), ..AttackResultFilter::default() };
    // Counted here, a row each: engines give sums of whole numbers types of their own.
    let rows: Vec<(Uuid, String, i64, sea_orm::prelude::DateTimeWithTimeZone)> =
        attack_result::Entity::find()
            .select_only()
            .column(attack_result::Column::Id)
            .column(attack_result::Column::Outcome)
            .column(attack_result::Column::TotalRetries)
            .column(attack_result::Column::CreatedAt)
            .filter(attack_conditions::conditions(resources, &filter))
            .into_tuple()
            .all(resources.executor())
            .await
            .doing("read a scenario's progress")?;
    let mut progress = ScenarioProgress::default();
    let mut by_outcome: BTreeMap<AttackOutcome, u64> = BTreeMap::new();
    for (id, outcome, retries, created_at) in rows {
        let at = |column| Place { table: "attack_result", column, key: id };
        let outcome = AttackOutcome::from_name(&outcome)
            .ok_or_else(|| at("outcome").corrupt("there is an unknown outcome"))?;
        let retries =
            u64::try_from(retries).map_err(|_| at("total_retries").corrupt("there is no number of times"))?;
        *by_outcome.entry(outcome).or_default() += 1;
        progress.results += 1;
        progress.total_retries += retries;
        progress.latest_at = Ord::max(progress.latest_at, Some(time::loaded(created_at)));
    }
    progress.by_outcome = by_outcome;
    Ok(progress)
}
