//! Results of attacks.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType, Query};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use trimaran_core::id::{AttackResultId, ScenarioResultId};
use trimaran_core::model::Sha256;
use trimaran_core::model::conversation::{AttackResult, AttackResultFilter, NewAttackResult};
use trimaran_core::repository::AttackResults;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};

use super::attack_conditions;
use super::attack_rows::{self, KINDS};
use super::tags::{self, Kind};
use crate::Transaction;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::{attack_result, scenario_result};
use crate::fetch;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::{TenantResources, paging, repetition, time};

tenant_repository! {
    /// [`AttackResults`] over SQL.
    SqlAttackResults
}

impl SqlAttackResults {
    async fn add_once(&self, results: &[NewAttackResult]) -> Result<Vec<AttackResult>> {
        const OPERATION: &str = "add attack results";
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        for scenario in results.iter().filter_map(|result| result.scenario).collect::<BTreeSet<_>>() {
            if !hold_scenario(resources, &transaction, OPERATION, scenario).await? {
                return Err(no_scenario(OPERATION, scenario));
            }
        }
        let now = resources.shared.clock.now();
        let added: Vec<AttackResult> = results
            .iter()
            .map(|new| AttackResult {
                id: new.id.unwrap_or_else(|| AttackResultId(resources.shared.ids.next())),
                conversation: new.conversation,
                scenario: new.scenario,
                objective_sha256: Sha256::of(new.details.objective.as_bytes()),
                version: 1,
                created_at: new.created_at.map_or(now, time::truncated),
                details: new.details.clone(),
            })
            .collect();
        let rows = added
            .iter()
            .map(|result| attack_rows::row(resources, OPERATION, result))
            .collect::<Result<Vec<_>>>()?;
        append_rows(&transaction, rows, OPERATION).await?;
        let tags = added.iter().flat_map(|result| attack_rows::tags_of(resources, result)).collect();
        append_rows(&transaction, tags, OPERATION).await?;
        transaction.commit().await?;
        Ok(added)
    }

    async fn update_once(&self, result: &AttackResult) -> Result<AttackResult> {
        const OPERATION: &str = "update the attack result";
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        let mut values = attack_rows::row(resources, OPERATION, result)?;
        for key in [
            attack_result::Column::TenantId,
            attack_result::Column::Id,
            attack_result::Column::ConversationId,
            attack_result::Column::Version,
            attack_result::Column::CreatedAt,
        ] {
            sea_orm::ActiveModelTrait::not_set(&mut values, key);
        }
        let updated = attack_result::Entity::update_many()
            .set(values)
            .col_expr(attack_result::Column::Version, Expr::col(attack_result::Column::Version).add(1))
            .filter(resources.own(attack_result::Column::TenantId))
            .filter(attack_result::Column::Id.eq(result.id.0))
            .filter(attack_result::Column::Version.eq(result.version))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        if updated.rows_affected == 0 {
            // Nothing was written: a unit of work that this belongs to need not be doomed.
            transaction.commit().await?;
            return Err(match self.find(result.id).await? {
                None => missing(OPERATION, result.id),
                Some(_) => Error::new(ErrorKind::Conflict, OPERATION)
                    .context(format!("{} was updated since version {}", result.id, result.version))
                    .hint("find it again, apply the change again"),
            });
        }
        // The scenario stays: it is changed with the scenario's result.
        let kinds: Vec<Kind> = KINDS.into_iter().filter(|kind| *kind != Kind::AttackScenario).collect();
        tags::delete_of(resources, &transaction, &kinds, &[result.id.0]).await?;
        let tags = attack_rows::tags_of(&self.resources, &AttackResult { scenario: None, ..result.clone() });
        append_rows(&transaction, tags, OPERATION).await?;
        let written = Self::new(resources.within(&transaction)).find(result.id).await?;
        transaction.commit().await?;
        written.ok_or_else(|| missing(OPERATION, result.id))
    }
}

/// The error for a result that isn't there.
fn missing(operation: &str, id: AttackResultId) -> Error {
    Error::new(ErrorKind::NotFound, operation).context(format!("there is no attack result {id}"))
}

/// Whether the scenario's result is there; if so it stays until the transaction ends.
///
/// # Errors
/// The engine's.
pub(super) async fn hold_scenario(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    scenario: ScenarioResultId,
) -> Result<bool> {
    let id = scenario_result::Column::Id.eq(scenario.0);
    if transaction.handle().capabilities().foreign_keys {
        let query = Query::select()
            .expr(Expr::val(1))
            .from(scenario_result::Entity)
            .and_where(resources.own(scenario_result::Column::TenantId))
            .and_where(id)
            .lock(LockType::KeyShare)
            .take();
        return Ok(transaction.query_one(&query).await.doing(operation)?.is_some());
    }
    touch_scenario(resources, transaction, operation, scenario).await
}

/// Writes another value and then the one of before, as whoever deletes the scenario's result does, too: then one of the two
/// fails. See [`parent::hold`](crate::repository::parent::hold).
///
/// # Errors
/// The engine's.
pub(super) async fn touch_scenario(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    scenario: ScenarioResultId,
) -> Result<bool> {
    let mut rows = 0;
    for step in [1_i64, -1] {
        let column = scenario_result::Column::Tries;
        let write = Query::update()
            .table(scenario_result::Entity)
            .value(column, Expr::col(column).add(step))
            .and_where(resources.own(scenario_result::Column::TenantId))
            .and_where(scenario_result::Column::Id.eq(scenario.0))
            .take();
        rows = transaction.execute(&write).await.doing(operation)?.rows_affected();
    }
    Ok(rows > 0)
}

/// The error for a scenario's result that isn't there.
pub(super) fn no_scenario(operation: &str, scenario: ScenarioResultId) -> Error {
    Error::new(ErrorKind::NotFound, operation)
        .context(format!("there is no scenario result {scenario}"))
        .hint("add the scenario's result first")
}

#[async_trait]
impl AttackResults for SqlAttackResults {
    async fn add(&self, results: Vec<NewAttackResult>) -> Result<Vec<AttackResult>> {
        results.iter().try_for_each(|result| result.details.validate())?;
        repetition::repeat(self.resources.executor(), || self.add_once(&results)).await
    }

    async fn find(&self, id: AttackResultId) -> Result<Option<AttackResult>> {
        let filter = AttackResultFilter { ids: Some(vec![id]), ..AttackResultFilter::default() };
        let page = self.list(&filter, &PageRequest::first(1)?).await?;
        Ok(page.items.into_iter().next())
    }

    async fn update(&self, result: &AttackResult) -> Result<AttackResult> {
        result.details.validate()?;
        self.update_once(result).await
    }

    async fn list(&self, filter: &AttackResultFilter, page: &PageRequest) -> Result<Page<AttackResult>> {
        filter.validate()?;
        let mut query =
            attack_result::Entity::find().filter(attack_conditions::conditions(&self.resources, filter));
        if let Some(after) = paging::after(page)? {
            query = query.filter(attack_result::Column::Id.gt(after));
        }
        let query = query.order_by_asc(attack_result::Column::Id).limit(paging::one_more(page));
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let rows = fetch::models(within.executor(), query, "list the attack results").await?;
        let page = Page::from_one_more(rows, page.limit(), |row| row.id.to_string());
        let owners: Vec<_> = page.items.iter().map(|row| row.id).collect();
        let mut tags = tags::load_kinds(&within, &owners, &KINDS).await?;
        state.commit().await?;
        page.try_map(|row| {
            let own = tags.remove(&row.id).unwrap_or_default();
            attack_rows::loaded(&self.resources, row, &own)
        })
    }

    async fn delete(&self, id: AttackResultId) -> Result<bool> {
        let resources = &self.resources;
        repetition::repeat(resources.executor(), || async move {
            let transaction = resources.executor().begin().await?;
            tags::delete_of(resources, &transaction, &KINDS, &[id.0]).await?;
            let deleted = attack_result::Entity::delete_many()
                .filter(resources.own(attack_result::Column::TenantId))
                .filter(attack_result::Column::Id.eq(id.0))
                .exec(&transaction)
                .await
                .doing("delete the attack result")?;
            transaction.commit().await?;
            Ok(deleted.rows_affected > 0)
        })
        .await
    }

    async fn attack_classes(&self) -> Result<Vec<String>> {
        let classes = tags::different_values(&self.resources, Kind::AttackIdentifier, attack_rows::CLASS);
        self.resources.kept("attack classes of results", &(), classes).await
    }

    async fn converter_classes(&self) -> Result<Vec<String>> {
        let classes = tags::different_values(&self.resources, Kind::AttackConverter, "");
        self.resources.kept("converter classes of results", &(), classes).await
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let labels = tags::different_labels(&self.resources, Kind::AttackLabel);
        self.resources.kept("labels of attack results", &(), labels).await
    }
}
