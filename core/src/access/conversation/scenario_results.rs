//! Results of scenarios, asking before each call.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{AttackResultId, ScenarioResultId};
use crate::model::conversation::{
    Metadata, NewScenarioResult, ScenarioProgress, ScenarioResult, ScenarioResultFilter, ScenarioState,
    ScenarioTransition,
};
use crate::repository::conversation::ScenarioResults;
use crate::{Page, PageRequest, Result};

guarded!(ScenarioResults, ScenarioResults);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ScenarioResults for Guarded {
    async fn add(&self, result: NewScenarioResult) -> Result<ScenarioResult> {
        self.check(Verb::Create, Target::All)?;
        self.inner.add(result).await
    }

    async fn find(&self, id: ScenarioResultId) -> Result<Option<ScenarioResult>> {
        self.check(Verb::Read, Target::ScenarioResult(id))?;
        self.inner.find(id).await
    }

    async fn update(&self, result: &ScenarioResult) -> Result<ScenarioResult> {
        self.check(Verb::Update, Target::ScenarioResult(result.id))?;
        self.inner.update(result).await
    }

    async fn change_state(
        &self,
        id: ScenarioResultId,
        expected: &[ScenarioState],
        transition: ScenarioTransition,
    ) -> Result<ScenarioResult> {
        self.check(Verb::Update, Target::ScenarioResult(id))?;
        self.inner.change_state(id, expected, transition).await
    }

    async fn attribute(
        &self,
        id: ScenarioResultId,
        results: &[AttackResultId],
        attribution: &Metadata,
    ) -> Result<()> {
        self.check(Verb::Update, Target::ScenarioResult(id))?;
        self.inner.attribute(id, results, attribution).await
    }

    async fn progress(&self, id: ScenarioResultId) -> Result<ScenarioProgress> {
        self.check(Verb::Read, Target::ScenarioResult(id))?;
        self.inner.progress(id).await
    }

    async fn list(&self, filter: &ScenarioResultFilter, page: &PageRequest) -> Result<Page<ScenarioResult>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(filter, page).await
    }

    async fn delete(&self, id: ScenarioResultId) -> Result<bool> {
        self.check(Verb::Delete, Target::ScenarioResult(id))?;
        self.inner.delete(id).await
    }

    async fn names(&self) -> Result<Vec<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.names().await
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.labels().await
    }
}
