//! Results of scenarios.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use trimaran_core::id::{AttackResultId, ScenarioResultId};
use trimaran_core::model::conversation::{
    Metadata, NewScenarioResult, ScenarioProgress, ScenarioResult, ScenarioResultFilter, ScenarioState,
    ScenarioTransition,
};
use trimaran_core::repository::ScenarioResults;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};

use super::attack_results::{no_scenario, touch_scenario};
use super::conditions::Conditions;
use super::scenario_attacks;
use super::scenario_rows::{self, CLASS, ENDPOINT, KINDS, MODEL};
use super::tags::{self, Kind};
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::scenario_result;
use crate::fetch;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{paging, repetition, time};

tenant_repository! {
    /// [`ScenarioResults`] over SQL.
    SqlScenarioResults
}

impl SqlScenarioResults {
    async fn add_once(&self, new: &NewScenarioResult) -> Result<ScenarioResult> {
        const OPERATION: &str = "add the scenario result";
        let resources = &self.resources;
        let result = ScenarioResult {
            id: new.id.unwrap_or_else(|| ScenarioResultId(resources.shared.ids.next())),
            state: new.state,
            tries: new.tries,
            error_type: new.error_type.clone(),
            error_message: new.error_message.clone(),
            version: 1,
            created_at: new.created_at.map_or_else(|| resources.shared.clock.now(), time::truncated),
            completed_at: new.completed_at.map(time::truncated),
            details: new.details.clone(),
        };
        let transaction = resources.executor().begin().await?;
        let row = scenario_rows::row(resources, OPERATION, &result)?;
        append_rows(&transaction, vec![row], OPERATION).await?;
        append_rows(&transaction, scenario_rows::tags_of(resources, &result), OPERATION).await?;
        transaction.commit().await?;
        Ok(result)
    }

    fn by_id(&self, id: ScenarioResultId) -> Condition {
        Condition::all()
            .add(self.resources.own(scenario_result::Column::TenantId))
            .add(scenario_result::Column::Id.eq(id.0))
    }

    /// Tags' values of a target that have `wanted` somewhere in them, capitals and small letters alike.
    async fn target_values(&self, name: &str, wanted: &str) -> Result<Vec<String>> {
        let wanted = wanted.to_lowercase();
        let mut values = tags::distinct_values(&self.resources, Kind::ScenarioTarget, name).await?;
        values.retain(|value| value.to_lowercase().contains(&wanted));
        Ok(values)
    }

    async fn conditions(&self, filter: &ScenarioResultFilter) -> Result<Condition> {
        filter.validate()?;
        let id = scenario_result::Column::Id;
        let mut conditions = Conditions::own(&self.resources, scenario_result::Column::TenantId);
        conditions.one_of(id, filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.0)));
        conditions.one_of_texts(scenario_result::Column::Name, &filter.names);
        conditions.contains(scenario_result::Column::Name, &filter.name_contains);
        let versions = filter.scenario_versions.as_ref();
        conditions.one_of(
            scenario_result::Column::ScenarioVersion,
            versions.map(|versions| versions.iter().copied()),
        );
        conditions.one_of_texts(scenario_result::Column::SoftwareVersion, &filter.software_versions);
        let states = filter.states.as_ref();
        conditions.one_of(
            scenario_result::Column::State,
            states.map(|states| states.iter().map(|state| state.name())),
        );
        conditions.labels(id, Kind::ScenarioLabel, &filter.labels);
        conditions.one_tag(id, Kind::ScenarioTarget, CLASS, &filter.target_classes);
        for (name, wanted) in
            [(ENDPOINT, &filter.target_endpoint_contains), (MODEL, &filter.target_model_contains)]
        {
            if let Some(wanted) = wanted {
                let values = Some(self.target_values(name, wanted).await?);
                conditions.one_tag(id, Kind::ScenarioTarget, name, &values);
            }
        }
        conditions.one_tag(id, Kind::ScenarioScorer, "", &filter.scorer_classes);
        conditions.within(scenario_result::Column::CreatedAt, filter.created_from, filter.created_before);
        conditions.within(
            scenario_result::Column::CompletedAt,
            filter.completed_from,
            filter.completed_before,
        );
        Ok(conditions.all())
    }

    async fn update_once(&self, result: &ScenarioResult) -> Result<ScenarioResult> {
        const OPERATION: &str = "update the scenario result";
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        let mut values = scenario_rows::row(resources, OPERATION, result)?;
        for column in [
            scenario_result::Column::TenantId,
            scenario_result::Column::Id,
            scenario_result::Column::State,
            scenario_result::Column::Tries,
            scenario_result::Column::ErrorType,
            scenario_result::Column::ErrorMessage,
            scenario_result::Column::Version,
            scenario_result::Column::CreatedAt,
            scenario_result::Column::CompletedAt,
        ] {
            values.not_set(column);
        }
        let updated = scenario_result::Entity::update_many()
            .set(values)
            .col_expr(scenario_result::Column::Version, Expr::col(scenario_result::Column::Version).add(1))
            .filter(self.by_id(result.id))
            .filter(scenario_result::Column::Version.eq(result.version))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        if updated.rows_affected == 0 {
            // Nothing was written: a unit of work that this belongs to need not be doomed.
            transaction.commit().await?;
            return Err(match self.find(result.id).await? {
                None => no_scenario(OPERATION, result.id),
                Some(_) => Error::new(ErrorKind::Conflict, OPERATION)
                    .context(format!("{} was changed since version {}", result.id, result.version))
                    .hint("find it again, apply the change again"),
            });
        }
        tags::delete_of(resources, &transaction, &KINDS, &[result.id.0]).await?;
        append_rows(&transaction, scenario_rows::tags_of(resources, result), OPERATION).await?;
        let written = Self::new(resources.within(&transaction)).find(result.id).await?;
        transaction.commit().await?;
        written.ok_or_else(|| no_scenario(OPERATION, result.id))
    }
}

#[async_trait]
impl ScenarioResults for SqlScenarioResults {
    async fn add(&self, result: NewScenarioResult) -> Result<ScenarioResult> {
        result.details.validate()?;
        repetition::repeat(self.resources.executor(), || self.add_once(&result)).await
    }

    async fn find(&self, id: ScenarioResultId) -> Result<Option<ScenarioResult>> {
        let filter = ScenarioResultFilter { ids: Some(vec![id]), ..ScenarioResultFilter::default() };
        let page = self.list(&filter, &PageRequest::first(1)?).await?;
        Ok(page.items.into_iter().next())
    }

    async fn update(&self, result: &ScenarioResult) -> Result<ScenarioResult> {
        result.details.validate()?;
        self.update_once(result).await
    }

    async fn change_state(
        &self,
        id: ScenarioResultId,
        expected: &[ScenarioState],
        transition: ScenarioTransition,
    ) -> Result<ScenarioResult> {
        const OPERATION: &str = "change the scenario's state";
        if expected.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, OPERATION)
                .context("no state is expected, so that none could be right")
                .hint("name the states from which the change is meant"));
        }
        let text = self.resources.text();
        let ScenarioTransition { to, error_type, error_message } = transition;
        let mut values = scenario_result::ActiveModel {
            state: Set(to.name().to_owned()),
            error_type: Set(text.store_option(error_type.as_deref())),
            error_message: Set(text.store_option(error_message.as_deref())),
            ..Default::default()
        };
        if to.is_over() {
            values.completed_at = Set(Some(time::stored(self.resources.shared.clock.now())));
        }
        let tries = i64::from(to == ScenarioState::InProgress);
        let column = |column| Expr::col(column);
        let transaction = self.resources.executor().begin().await?;
        let changed = scenario_result::Entity::update_many()
            .set(values)
            .col_expr(scenario_result::Column::Version, column(scenario_result::Column::Version).add(1))
            .col_expr(scenario_result::Column::Tries, column(scenario_result::Column::Tries).add(tries))
            .filter(self.by_id(id))
            .filter(scenario_result::Column::State.is_in(expected.iter().map(|state| state.name())))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        let found = Self::new(self.resources.within(&transaction)).find(id).await?;
        transaction.commit().await?;
        let found = found.ok_or_else(|| no_scenario(OPERATION, id))?;
        if changed.rows_affected == 0 {
            return Err(Error::new(ErrorKind::Conflict, OPERATION)
                .context(format!("the state of {id} is {}, which was not expected", found.state))
                .hint("another one was first: look at the state, decide again"));
        }
        Ok(found)
    }

    async fn attribute(
        &self,
        id: ScenarioResultId,
        results: &[AttackResultId],
        attribution: &Metadata,
    ) -> Result<()> {
        let results: BTreeSet<AttackResultId> = results.iter().copied().collect();
        repetition::repeat(self.resources.executor(), || {
            scenario_attacks::attribute(&self.resources, id, &results, attribution)
        })
        .await
    }

    async fn progress(&self, id: ScenarioResultId) -> Result<ScenarioProgress> {
        scenario_attacks::progress(&self.resources, id).await
    }

    async fn list(&self, filter: &ScenarioResultFilter, page: &PageRequest) -> Result<Page<ScenarioResult>> {
        let mut query = scenario_result::Entity::find().filter(self.conditions(filter).await?);
        if let Some(after) = paging::after(page)? {
            query = query.filter(scenario_result::Column::Id.gt(after));
        }
        let query = query.order_by_asc(scenario_result::Column::Id).limit(paging::one_more(page));
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let rows = fetch::models(within.executor(), query, "list the scenario results").await?;
        let page = Page::from_one_more(rows, page.limit(), |row| row.id.to_string());
        let owners: Vec<_> = page.items.iter().map(|row| row.id).collect();
        let mut tags = tags::load_kinds(&within, &owners, &KINDS).await?;
        state.commit().await?;
        page.try_map(|row| {
            let own = tags.remove(&row.id).unwrap_or_default();
            scenario_rows::loaded(&self.resources, row, &own)
        })
    }

    async fn delete(&self, id: ScenarioResultId) -> Result<bool> {
        const OPERATION: &str = "delete the scenario result";
        let resources = &self.resources;
        repetition::repeat(resources.executor(), || async move {
            let transaction = resources.executor().begin().await?;
            if !transaction.handle().capabilities().foreign_keys {
                touch_scenario(resources, &transaction, OPERATION, id).await?;
            }
            let deleted = scenario_result::Entity::delete_many()
                .filter(self.by_id(id))
                .exec(&transaction)
                .await
                .doing(OPERATION)?;
            // After the row: whoever adds a result for the scenario holds it, and is waited for here.
            scenario_attacks::detach(resources, &transaction, OPERATION, id).await?;
            tags::delete_of(resources, &transaction, &KINDS, &[id.0]).await?;
            transaction.commit().await?;
            Ok(deleted.rows_affected > 0)
        })
        .await
    }

    async fn names(&self) -> Result<Vec<String>> {
        let names: Vec<String> = scenario_result::Entity::find()
            .select_only()
            .column(scenario_result::Column::Name)
            .distinct()
            .filter(self.resources.own(scenario_result::Column::TenantId))
            .into_tuple()
            .all(self.resources.executor())
            .await
            .doing("list the names of scenarios")?;
        let at = Place { table: "scenario_result", column: "name", key: "of a name" };
        let names: BTreeSet<String> =
            names.into_iter().map(|name| self.resources.text().load(at, name)).collect::<Result<_>>()?;
        Ok(names.into_iter().collect())
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let labels = tags::different_labels(&self.resources, Kind::ScenarioLabel);
        self.resources.kept("labels of scenario results", &(), labels).await
    }
}
