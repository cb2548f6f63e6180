//! Results of scenarios: runs of many attacks.

use std::collections::BTreeMap;

use super::attack_result::AttackOutcome;
use super::term::terms;
use super::{Identifier, Labels, Metadata, filter_size};
use crate::id::ScenarioResultId;
use crate::{Result, Timestamp};

terms! {
    /// Where the run of a scenario is.
    ScenarioState, "a scenario's state" {
        /// It has not begun.
        Created = "CREATED",
        /// It runs.
        InProgress = "IN_PROGRESS",
        /// It came to its end.
        Completed = "COMPLETED",
        /// It ended with an error. It may be tried again.
        Failed = "FAILED",
        /// Somebody stopped it.
        Cancelled = "CANCELLED",
    }
}

impl ScenarioState {
    /// Whether the run is over.
    pub const fn is_over(self) -> bool {
        matches!(self, ScenarioState::Completed | ScenarioState::Failed | ScenarioState::Cancelled)
    }
}

/// What a scenario is. All but its state and its results.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScenarioDetails {
    /// Its name: that of its class.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// The version of its definition.
    pub scenario_version: i32,
    /// The version of the software that runs it (PyRIT: `pyrit_version`).
    pub software_version: Option<String>,
    /// The scenario, with its techniques, datasets and parameters.
    pub identifier: Option<Identifier>,
    /// What is attacked.
    pub target: Option<Identifier>,
    /// What decides whether an attack was a success.
    pub scorer: Option<Identifier>,
    /// Labels that it is found by.
    pub labels: Labels,
    /// What else is known of it, such as the plan of the run.
    pub metadata: Metadata,
    /// Under which name the attacks of an atomic attack are shown.
    pub display_groups: BTreeMap<String, String>,
}

impl ScenarioDetails {
    /// A scenario of this name, in its first version, and nothing else known of it.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            scenario_version: 1,
            software_version: None,
            identifier: None,
            target: None,
            scorer: None,
            labels: Labels::new(),
            metadata: Metadata::new(),
            display_groups: BTreeMap::new(),
        }
    }

    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if an identifier would not come back as it is.
    pub fn validate(&self) -> Result<()> {
        [&self.identifier, &self.target, &self.scorer].into_iter().flatten().try_for_each(Identifier::check)
    }
}

/// The result of a scenario. Its attacks' results are listed by
/// [`AttackResultFilter::scenario`](super::AttackResultFilter::scenario).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScenarioResult {
    /// Its id.
    pub id: ScenarioResultId,
    /// Where its run is.
    pub state: ScenarioState,
    /// How often it was begun.
    pub tries: u32,
    /// What kind of error ended it.
    pub error_type: Option<String>,
    /// What the error said.
    pub error_message: Option<String>,
    /// 1 at first, one more with every change.
    pub version: i64,
    /// When it was added, or made if that was before.
    pub created_at: Timestamp,
    /// When its run was last over.
    pub completed_at: Option<Timestamp>,
    /// What it is.
    #[serde(flatten)]
    pub details: ScenarioDetails,
}

/// The result of a scenario that is to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewScenarioResult {
    /// Its id, if it brings one; else it is given one.
    pub id: Option<ScenarioResultId>,
    /// Where its run is: of a new one [`ScenarioState::Created`].
    pub state: ScenarioState,
    /// How often it was begun.
    pub tries: u32,
    /// What kind of error ended it.
    pub error_type: Option<String>,
    /// What the error said.
    pub error_message: Option<String>,
    /// When it was made, if that is not now. Kept to the microsecond, rounded down.
    pub created_at: Option<Timestamp>,
    /// When its run was over.
    pub completed_at: Option<Timestamp>,
    /// What it is.
    pub details: ScenarioDetails,
}

impl From<ScenarioDetails> for NewScenarioResult {
    /// One whose run has not begun.
    fn from(details: ScenarioDetails) -> Self {
        Self {
            id: None,
            state: ScenarioState::Created,
            tries: 0,
            error_type: None,
            error_message: None,
            created_at: None,
            completed_at: None,
            details,
        }
    }
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioTransition {
    /// The state from then on. [`ScenarioState::InProgress`] counts a try; one that is over sets the time of the end.
    pub to: ScenarioState,
    /// What kind of error it was, if one was the reason; what was there is replaced.
    pub error_type: Option<String>,
    /// What the error said.
    pub error_message: Option<String>,
}

impl From<ScenarioState> for ScenarioTransition {
    /// Without an error.
    fn from(to: ScenarioState) -> Self {
        Self { to, error_type: None, error_message: None }
    }
}

/// How far the run of a scenario is, by the results of its attacks that there are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioProgress {
    /// How many results there are.
    pub results: u64,
    /// How many of each outcome that there is.
    pub by_outcome: BTreeMap<AttackOutcome, u64>,
    /// How often something was tried again.
    pub total_retries: u64,
    /// When the latest was made.
    pub latest_at: Option<Timestamp>,
}

/// Which results: those that meet every condition that is set. A list is met by whatever meets one of its members, an
/// empty one therefore by nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioResultFilter {
    /// One of these.
    pub ids: Option<Vec<ScenarioResultId>>,
    /// With one of these names.
    pub names: Option<Vec<String>>,
    /// With this text somewhere in the name, character for character.
    pub name_contains: Option<String>,
    /// Of one of these versions.
    pub scenario_versions: Option<Vec<i32>>,
    /// Run by one of these versions of the software.
    pub software_versions: Option<Vec<String>>,
    /// In one of these states.
    pub states: Option<Vec<ScenarioState>>,
    /// With every one of these labels, each with one of its values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Against a target of one of these classes.
    pub target_classes: Option<Vec<String>>,
    /// Against a target with this text somewhere in its `endpoint`, capitals and small letters alike.
    pub target_endpoint_contains: Option<String>,
    /// Against a target with this text somewhere in its `model_name`, capitals and small letters alike.
    pub target_model_contains: Option<String>,
    /// Decided by a scorer of one of these classes.
    pub scorer_classes: Option<Vec<String>>,
    /// Made then or later.
    pub created_from: Option<Timestamp>,
    /// Made before then.
    pub created_before: Option<Timestamp>,
    /// Over then or later.
    pub completed_from: Option<Timestamp>,
    /// Over before then.
    pub completed_before: Option<Timestamp>,
}

impl ScenarioResultFilter {
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if the lists have more values than [`MOST_VALUES`](super::MOST_VALUES).
    pub fn validate(&self) -> Result<()> {
        filter_size::check(
            "list the scenario results",
            [
                filter_size::length(&self.ids),
                filter_size::length(&self.names),
                filter_size::length(&self.scenario_versions),
                filter_size::length(&self.software_versions),
                filter_size::length(&self.states),
                filter_size::values(&self.labels),
                filter_size::length(&self.target_classes),
                filter_size::length(&self.scorer_classes),
            ],
        )
    }
}
