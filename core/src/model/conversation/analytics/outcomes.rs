//! How attacks ended, in all and by group.

use std::collections::BTreeMap;

use super::distribution::rate;
use super::{Dimension, GroupChoice, GroupKey};
use crate::model::conversation::{AttackOutcome, AttackResultFilter};
use crate::{Error, ErrorKind, Result};

/// How many attacks ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// They achieved their objective.
    pub success: u64,
    /// They did not.
    pub failure: u64,
    /// They could not be made.
    pub error: u64,
    /// Nobody could say.
    pub undetermined: u64,
}

impl Outcomes {
    /// Counts so many more that ended so.
    pub fn add(&mut self, outcome: AttackOutcome, times: u64) {
        match outcome {
            AttackOutcome::Success => self.success += times,
            AttackOutcome::Failure => self.failure += times,
            AttackOutcome::Error => self.error += times,
            AttackOutcome::Undetermined => self.undetermined += times,
        }
    }

    /// Counts what the other one counted, too.
    pub fn merge(&mut self, other: &Self) {
        self.success += other.success;
        self.failure += other.failure;
        self.error += other.error;
        self.undetermined += other.undetermined;
    }

    /// How many attacks.
    pub fn count(&self) -> u64 {
        self.success + self.failure + self.error + self.undetermined
    }

    /// What part of those that were decided, by success or failure, succeeded. PyRIT counts so, too.
    pub fn success_rate(&self) -> Option<f64> {
        rate(self.success, self.success + self.failure)
    }
}

#[derive(serde::Serialize)]
struct Shown {
    attacks: u64,
    success: u64,
    failure: u64,
    error: u64,
    undetermined: u64,
    success_rate: Option<f64>,
}

impl serde::Serialize for Outcomes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Figures are shown to people; a program reads them back whole.
        if !serializer.is_human_readable() {
            return Whole::from(*self).serialize(serializer);
        }
        let Self { success, failure, error, undetermined } = *self;
        let (attacks, success_rate) = (self.count(), self.success_rate());
        Shown { attacks, success, failure, error, undetermined, success_rate }.serialize(serializer)
    }
}

/// All of them, in the order of the fields.
#[derive(serde::Serialize, serde::Deserialize)]
struct Whole([u64; 4]);

impl From<Outcomes> for Whole {
    fn from(all: Outcomes) -> Self {
        Self([all.success, all.failure, all.error, all.undetermined])
    }
}

impl From<Whole> for Outcomes {
    fn from(Whole([success, failure, error, undetermined]): Whole) -> Self {
        Self { success, failure, error, undetermined }
    }
}

impl<'de> serde::Deserialize<'de> for Outcomes {
    /// From a binary format alone: what people are shown is not the whole.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Err(serde::de::Error::custom("what is shown of figures can't be read back"));
        }
        Whole::deserialize(deserializer).map(Outcomes::from)
    }
}

/// Which attacks are wanted, grouped by what: by [`Label`](Dimension::Label), [`LabelNamed`](Dimension::LabelNamed),
/// [`HarmCategory`](Dimension::HarmCategory) and [`AttackClass`](Dimension::AttackClass) of the result itself, or by the
/// [time](Dimension::Time) at which it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRequest {
    /// Of which results.
    pub filter: AttackResultFilter,
    /// Grouped by what.
    pub by: Dimension,
    /// Which groups.
    pub groups: GroupChoice,
}

impl OutcomeRequest {
    /// Of all results, by this.
    pub fn by(by: Dimension) -> Self {
        Self { filter: AttackResultFilter::default(), by, groups: GroupChoice::default() }
    }

    /// Whether results of attacks can be grouped so.
    pub fn can_be_by(dimension: &Dimension) -> bool {
        matches!(
            dimension,
            Dimension::Label
                | Dimension::LabelNamed(_)
                | Dimension::HarmCategory
                | Dimension::AttackClass
                | Dimension::Time(_)
        )
    }

    /// # Errors
    /// [`ErrorKind::Invalid`] for a dimension that results don't have, too many groups, or too long a filter.
    pub fn check(&self, operation: &str) -> Result<()> {
        self.filter.validate()?;
        self.groups.check(operation)?;
        if Self::can_be_by(&self.by) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Invalid, operation)
            .context(format!("an attack's result has no {}", self.by))
            .hint("group by label, label:NAME, harm-category, attack, hour, day, week or month"))
    }
}

/// A group and how its attacks ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeGroup {
    /// What they have in common.
    pub key: GroupKey,
    /// How they ended.
    pub outcomes: Outcomes,
}

#[derive(serde::Serialize)]
struct ShownOutcomeGroup<'a> {
    #[serde(flatten)]
    key: &'a GroupKey,
    #[serde(flatten)]
    outcomes: &'a Outcomes,
}

impl serde::Serialize for OutcomeGroup {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, outcomes } = self;
        match serializer.is_human_readable() {
            true => ShownOutcomeGroup { key, outcomes }.serialize(serializer),
            false => (key, outcomes).serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for OutcomeGroup {
    /// As for [`Outcomes`].
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(|(key, outcomes)| Self { key, outcomes })
    }
}

/// How attacks ended, in all and by group.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct GroupedOutcomes {
    /// All of them, each counted once.
    pub total: Outcomes,
    /// The groups that were chosen, in the order of their keys.
    pub groups: Vec<OutcomeGroup>,
    /// How many groups are left. Over several tenants, of each tenant's own.
    pub other_groups: u64,
    /// The attacks in the groups that are left, each counted once.
    pub others: Outcomes,
}

impl GroupedOutcomes {
    /// Adds those of another tenant, by the same dimension, filter and choice of [`GroupChoice::These`] groups.
    pub fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        self.others.merge(&other.others);
        self.other_groups += other.other_groups;
        let mut all: BTreeMap<GroupKey, Outcomes> =
            std::mem::take(&mut self.groups).into_iter().map(|group| (group.key, group.outcomes)).collect();
        for group in &other.groups {
            all.entry(group.key.clone()).or_default().merge(&group.outcomes);
        }
        self.groups = all.into_iter().map(|(key, outcomes)| OutcomeGroup { key, outcomes }).collect();
    }
}
