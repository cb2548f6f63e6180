//! Results of scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::{AttackResultId, ScenarioResultId};
use crate::model::conversation::{
    Metadata, NewScenarioResult, ScenarioProgress, ScenarioResult, ScenarioResultFilter, ScenarioState,
    ScenarioTransition,
};
use crate::{Page, PageRequest, Result};

/// Results of scenarios. What holds for every call is said in [the module](crate::repository).
#[async_trait]
pub trait ScenarioResults: Debug + Send + Sync {
    /// Adds a result.
    ///
    /// # Errors
    /// `Conflict` for an id that is taken; `Invalid` for an identifier that would not come back as it is.
    async fn add(&self, result: NewScenarioResult) -> Result<ScenarioResult>;

    /// The result of this id.
    async fn find(&self, id: ScenarioResultId) -> Result<Option<ScenarioResult>>;

    /// Writes the details of `result` if its version is the one that is kept, and returns it as it is then. State, tries, error and
    /// times stay as they are.
    ///
    /// # Errors
    /// `NotFound` if there is no such result; `Conflict` if it was changed since it was read, on engines that find conflicts
    /// late also `Aborted`, of two at the same moment; `Invalid` as for [`add`](Self::add).
    async fn update(&self, result: &ScenarioResult) -> Result<ScenarioResult>;

    /// Changes the state if it is one of `expected`, and returns the result as it is then. Of any number of callers that expect
    /// the same state one succeeds, if the state it changes to isn't expected, too.
    ///
    /// # Errors
    /// `NotFound` if there is no such result; `Conflict` if its state is another one, on engines that find conflicts late
    /// also `Aborted`, of two at the same moment; `Invalid` if nothing is expected.
    async fn change_state(
        &self,
        id: ScenarioResultId,
        expected: &[ScenarioState],
        transition: ScenarioTransition,
    ) -> Result<ScenarioResult>;

    /// Makes attacks' results the scenario's, with `attribution` in the place of theirs. Those that are the scenario's already
    /// get the attribution, too.
    ///
    /// # Errors
    /// `NotFound` if the scenario's result or one of the attacks' isn't there; `Conflict` if one is another scenario's.
    async fn attribute(
        &self,
        id: ScenarioResultId,
        results: &[AttackResultId],
        attribution: &Metadata,
    ) -> Result<()>;

    /// How far it is, by the results of its attacks. Of a scenario that isn't there: nothing.
    async fn progress(&self, id: ScenarioResultId) -> Result<ScenarioProgress>;

    /// A page of the results that the filter lets through.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list, or the filter has too many values.
    async fn list(&self, filter: &ScenarioResultFilter, page: &PageRequest) -> Result<Page<ScenarioResult>>;

    /// Removes the result; says whether there was one. The results of its attacks stay, and are no scenario's then.
    async fn delete(&self, id: ScenarioResultId) -> Result<bool>;

    /// The different names, in the order of their characters' code points.
    async fn names(&self) -> Result<Vec<String>>;

    /// The different labels with their different values, in the same order.
    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>>;
}
