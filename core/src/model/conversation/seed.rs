//! Seeds: prompts, objectives and simulated conversations that attacks begin with.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::term::terms;
use super::{ChatRole, DataType, Metadata, filter_size};
use crate::id::{SeedGroupId, SeedId};
use crate::model::Sha256;
use crate::{Error, ErrorKind, Result, Timestamp};

terms! {
    /// What a seed is for.
    SeedType, "a seed type" {
        /// It is sent.
        Prompt = "prompt",
        /// It says what an attack is to achieve.
        Objective = "objective",
        /// It says how a conversation is to be made up.
        SimulatedConversation = "simulated_conversation",
    }
}

/// What a seed says. Its data, if not text, lies elsewhere: the value is where.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SeedDetails {
    /// The prompt, or the template of one.
    pub value: String,
    /// What kind of data the value is.
    pub data_type: DataType,
    /// What it is for.
    pub seed_type: SeedType,
    /// The dataset it belongs to.
    pub dataset: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Where it is from.
    pub source: Option<String>,
    /// Who added it.
    pub added_by: Option<String>,
    /// Which harms it is about, in order.
    pub harm_categories: Vec<String>,
    /// Who wrote it, in order.
    pub authors: Vec<String>,
    /// The groups of people who wrote it, in order.
    pub author_groups: Vec<String>,
    /// The parameters of a template, in order.
    pub parameters: Vec<String>,
    /// What else is known of it.
    pub metadata: Metadata,
    /// Its turn among those it is sent with.
    pub sequence: Option<i32>,
    /// Who is to say it.
    pub role: Option<ChatRole>,
}

impl SeedDetails {
    /// A text to be sent, of this dataset.
    pub fn prompt(dataset: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            data_type: DataType::Text,
            seed_type: SeedType::Prompt,
            dataset: Some(dataset.into()),
            name: None,
            description: None,
            source: None,
            added_by: None,
            harm_categories: Vec::new(),
            authors: Vec::new(),
            author_groups: Vec::new(),
            parameters: Vec::new(),
            metadata: Metadata::new(),
            sequence: None,
            role: None,
        }
    }
}

/// A seed.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Seed {
    /// Its id.
    pub id: SeedId,
    /// The group it is sent with.
    pub group: Option<SeedGroupId>,
    /// The SHA-256 of what it says: of the value's UTF-8, unless it was given.
    pub sha256: Sha256,
    /// When it was added.
    pub added_at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub details: SeedDetails,
}

/// A seed to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSeed {
    /// Its id, if it brings one; else it is given one.
    pub id: Option<SeedId>,
    /// The SHA-256 of what the value stands for, where that is no text; else it is that of the value's UTF-8.
    pub sha256: Option<Sha256>,
    /// When it was added, if that was before.
    pub added_at: Option<Timestamp>,
    /// What it says.
    pub details: SeedDetails,
}

impl From<SeedDetails> for NewSeed {
    fn from(details: SeedDetails) -> Self {
        Self { id: None, sha256: None, added_at: None, details }
    }
}

/// What became of a seed that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedSeed {
    /// The seed: the one that was added, or the one that was there.
    pub id: SeedId,
    /// Whether it was added.
    pub is_new: bool,
}

/// What became of a group that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedSeedGroup {
    /// The group: the one that was added, or the one that was there.
    pub id: SeedGroupId,
    /// Whether it was added.
    pub is_new: bool,
}

/// Seeds that are sent together: in the order of their sequences; those without one first.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SeedGroup {
    /// Its id.
    pub id: SeedGroupId,
    /// Its seeds.
    pub seeds: Vec<Seed>,
}

/// Seeds to be added as a group.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSeedGroup {
    /// Its id, if it brings one; else it is given one.
    pub id: Option<SeedGroupId>,
    /// Its seeds.
    pub seeds: Vec<NewSeed>,
}

impl NewSeedGroup {
    /// A group of these.
    pub fn of(seeds: impl IntoIterator<Item = impl Into<NewSeed>>) -> Self {
        Self { id: None, seeds: seeds.into_iter().map(Into::into).collect() }
    }

    /// # Errors
    /// [`ErrorKind::Invalid`] if there is no seed, if the seeds are of different datasets, if there are two objectives or
    /// two simulated conversations, if one sequence has prompts of different roles, or if a sequence of several has no role.
    pub fn validate(&self) -> Result<()> {
        let wrong = |why: &str, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, "accept a group of seeds").context(why).hint(hint))
        };
        let Some(first) = self.seeds.first() else {
            return wrong("it has no seed", "give at least one");
        };
        if self.seeds.iter().any(|seed| seed.details.dataset != first.details.dataset) {
            return wrong("its seeds are of different datasets", "give a group to one dataset");
        }
        for kind in [SeedType::Objective, SeedType::SimulatedConversation] {
            if self.seeds.iter().filter(|seed| seed.details.seed_type == kind).count() > 1 {
                return wrong(&format!("it has more than one {kind}"), "give each a group of its own");
            }
        }
        let mut turns: BTreeMap<Option<i32>, BTreeSet<ChatRole>> = BTreeMap::new();
        for seed in self.seeds.iter().filter(|seed| seed.details.seed_type == SeedType::Prompt) {
            turns.entry(seed.details.sequence).or_default().extend(seed.details.role);
        }
        if turns.values().any(|roles| roles.len() > 1) {
            return wrong(
                "prompts of one sequence have different roles",
                "give each role a sequence of its own",
            );
        }
        if turns.len() > 1 && turns.values().any(BTreeSet::is_empty) {
            return wrong("a sequence has no role", "say for each sequence who speaks");
        }
        Ok(())
    }
}

/// Which seeds: those that meet every condition. The default is all. A list that says "one of these" and is empty lets
/// nothing through; one that says "all of these" and is empty, everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeedFilter {
    /// One of these.
    pub ids: Option<Vec<SeedId>>,
    /// With exactly this value.
    pub value: Option<String>,
    /// With this text somewhere in the value, character for character.
    pub value_contains: Option<String>,
    /// With one of these hashes.
    pub sha256s: Option<Vec<Sha256>>,
    /// Of one of these datasets.
    pub datasets: Option<Vec<String>>,
    /// Of a dataset whose name is like this: see [`NamePattern`](super::NamePattern).
    pub dataset_pattern: Option<super::NamePattern>,
    /// With one of these names.
    pub names: Option<Vec<String>>,
    /// Of one of these kinds of data.
    pub data_types: Option<Vec<DataType>>,
    /// For one of these purposes.
    pub seed_types: Option<Vec<SeedType>>,
    /// About all of these harms.
    pub harm_categories: Vec<String>,
    /// About one of these harms.
    pub any_harm_category: Option<Vec<String>>,
    /// By all of these authors.
    pub authors: Vec<String>,
    /// By all of these groups of authors.
    pub author_groups: Vec<String>,
    /// With all of these parameters.
    pub parameters: Vec<String>,
    /// With every one of these metadata, each with one of its values. Values are equal if their JSON is.
    pub metadata: BTreeMap<String, Vec<Value>>,
    /// Added by one of these.
    pub added_by: Option<Vec<String>>,
    /// From one of these sources.
    pub sources: Option<Vec<String>>,
    /// In one of these groups.
    pub group_ids: Option<Vec<SeedGroupId>>,
    /// In a group, or in none.
    pub in_a_group: Option<bool>,
    /// To be said by one of these.
    pub roles: Option<Vec<ChatRole>>,
    /// With one of these sequences.
    pub sequences: Option<Vec<i32>>,
    /// Added at this time or later.
    pub created_from: Option<Timestamp>,
    /// Added before this time.
    pub created_before: Option<Timestamp>,
}

impl SeedFilter {
    /// Those of this dataset.
    pub fn of_dataset(name: impl Into<String>) -> Self {
        Self { datasets: Some(vec![name.into()]), ..Self::default() }
    }

    /// Whether it lets everything through because it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// # Errors
    /// [`ErrorKind::Invalid`] if the lists have more values than [`MOST_VALUES`](super::MOST_VALUES).
    pub fn validate(&self) -> Result<()> {
        filter_size::check(
            "choose seeds",
            [
                filter_size::length(&self.ids),
                filter_size::length(&self.sha256s),
                filter_size::length(&self.datasets),
                filter_size::length(&self.names),
                filter_size::length(&self.data_types),
                filter_size::length(&self.seed_types),
                self.harm_categories.len(),
                filter_size::length(&self.any_harm_category),
                self.authors.len(),
                self.author_groups.len(),
                self.parameters.len(),
                filter_size::values(&self.metadata),
                filter_size::length(&self.added_by),
                filter_size::length(&self.sources),
                filter_size::length(&self.group_ids),
                filter_size::length(&self.roles),
                filter_size::length(&self.sequences),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(sequence: Option<i32>, role: Option<ChatRole>) -> SeedDetails {
        SeedDetails { sequence, role, ..SeedDetails::prompt("d", "v") }
    }

    #[test]
    fn a_group_is_of_one_dataset_and_each_of_its_turns_of_one_role() {
        let (user, assistant) = (Some(ChatRole::User), Some(ChatRole::Assistant));
        let good = [
            vec![turn(None, None)],
            vec![turn(Some(0), None), turn(Some(0), user)],
            vec![turn(Some(0), user), turn(Some(1), assistant)],
        ];
        for seeds in good {
            NewSeedGroup::of(seeds).validate().unwrap();
        }
        let objective = SeedDetails { seed_type: SeedType::Objective, ..turn(None, None) };
        let wrong = [
            vec![],
            vec![turn(None, None), SeedDetails::prompt("other", "v")],
            vec![turn(Some(0), user), turn(Some(0), assistant)],
            vec![turn(Some(0), user), turn(Some(1), None)],
            vec![objective.clone(), objective],
        ];
        for seeds in wrong {
            assert_eq!(NewSeedGroup::of(seeds).validate().unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
