//! Counts of pieces and what hangs on them, in all and by group.

use std::collections::BTreeMap;

use super::distribution::rate;
use super::{Dimension, Distribution, GroupKey, MOST_GROUPS, check_most};
use crate::Result;
use crate::model::conversation::{PieceFilter, ScoreType};

/// The scorers that say of an answer whether it is a refusal, unless others are named: PyRIT's.
pub const REFUSAL_SCORERS: [&str; 1] = ["SelfAskRefusalScorer"];

/// What pieces come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// How many pieces.
    pub pieces: u64,
    /// How many messages have such a piece.
    pub messages: u64,
    /// How many conversations have one.
    pub conversations: u64,
    /// How many messages are answers: have such a piece of the role `assistant`. Simulated ones are none.
    pub answers: u64,
    /// How many answers are refusals: have such a piece with the error `blocked`, or one that a refusal scorer calls true.
    pub refused: u64,
    /// The scores of the pieces, each once. A duplicate has the scores of its original.
    pub scores: Distribution,
    /// Those of type `true_false` that were given for an objective.
    pub objectives: Distribution,
}

impl Figures {
    /// What part of the answers are refusals.
    pub fn refusal_rate(&self) -> Option<f64> {
        rate(self.refused, self.answers)
    }

    /// What part of the verdicts on objectives says that it was met.
    pub fn objective_rate(&self) -> Option<f64> {
        self.objectives.true_rate()
    }

    /// Counts scores of this type and value.
    pub fn add_scores(
        &mut self,
        score_type: ScoreType,
        value: Option<&str>,
        has_objective: bool,
        times: u64,
    ) {
        self.scores.add(score_type, value, times);
        if has_objective && score_type == ScoreType::TrueFalse {
            self.objectives.add(score_type, value, times);
        }
    }

    /// Counts what the other one counted, too. They must have no piece in common: be of different tenants, say.
    pub fn merge(&mut self, other: &Self) {
        self.pieces += other.pieces;
        self.messages += other.messages;
        self.conversations += other.conversations;
        self.answers += other.answers;
        self.refused += other.refused;
        self.scores.merge(&other.scores);
        self.objectives.merge(&other.objectives);
    }
}

#[derive(serde::Serialize)]
struct Shown<'a> {
    pieces: u64,
    messages: u64,
    conversations: u64,
    answers: u64,
    refused: u64,
    refusal_rate: Option<f64>,
    objective_rate: Option<f64>,
    scores: &'a Distribution,
    objectives: &'a Distribution,
}

impl serde::Serialize for Figures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Figures are shown to people; a program reads them back whole.
        if !serializer.is_human_readable() {
            return Whole::from(self.clone()).serialize(serializer);
        }
        let Self { pieces, messages, conversations, answers, refused, ref scores, ref objectives } = *self;
        let (refusal_rate, objective_rate) = (self.refusal_rate(), self.objective_rate());
        Shown {
            pieces,
            messages,
            conversations,
            answers,
            refused,
            refusal_rate,
            objective_rate,
            scores,
            objectives,
        }
        .serialize(serializer)
    }
}

/// All of them, in the order of the fields.
#[derive(serde::Serialize, serde::Deserialize)]
struct Whole([u64; 5], [Distribution; 2]);

impl From<Figures> for Whole {
    fn from(all: Figures) -> Self {
        let Figures { pieces, messages, conversations, answers, refused, scores, objectives } = all;
        Self([pieces, messages, conversations, answers, refused], [scores, objectives])
    }
}

impl From<Whole> for Figures {
    fn from(Whole([pieces, messages, conversations, answers, refused], [scores, objectives]): Whole) -> Self {
        Self { pieces, messages, conversations, answers, refused, scores, objectives }
    }
}

impl<'de> serde::Deserialize<'de> for Figures {
    /// From a binary format alone: what people are shown is not the whole.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Err(serde::de::Error::custom("what is shown of figures can't be read back"));
        }
        Whole::deserialize(deserializer).map(Figures::from)
    }
}

/// Which groups have figures of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChoice {
    /// The so many with the most pieces, 1 to [`MOST_GROUPS`]. Of equals at the end some, the same on every engine: times, words of
    /// closed sets and models by their order, texts by a digest.
    Most(usize),
    /// These, at most [`MOST_GROUPS`]; one that no piece is in is left out.
    These(Vec<GroupKey>),
}

impl Default for GroupChoice {
    fn default() -> Self {
        Self::Most(MOST_GROUPS)
    }
}

impl GroupChoice {
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if it chooses no group, or too many.
    pub fn check(&self, operation: &str) -> Result<()> {
        match self {
            Self::Most(most) => check_most(operation, "groups", *most, MOST_GROUPS),
            // None at all: everything is in the remainder.
            Self::These(keys) if keys.is_empty() => Ok(()),
            Self::These(keys) => check_most(operation, "groups", keys.len(), MOST_GROUPS),
        }
    }
}

/// Which figures are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct FiguresRequest {
    /// Of which pieces.
    pub filter: PieceFilter,
    /// Grouped by what.
    pub by: Dimension,
    /// Which groups.
    pub groups: GroupChoice,
    /// The classes of the scorers that say of an answer whether it is a refusal: whose `true` means that it is one.
    pub refusal_scorers: Vec<String>,
}

impl FiguresRequest {
    /// Of all pieces, by this.
    pub fn by(by: Dimension) -> Self {
        Self {
            filter: PieceFilter::default(),
            by,
            groups: GroupChoice::default(),
            refusal_scorers: REFUSAL_SCORERS.map(str::to_owned).into(),
        }
    }
}

/// A group and its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What its pieces have in common.
    pub key: GroupKey,
    /// What they come to.
    pub figures: Figures,
}

#[derive(serde::Serialize)]
struct ShownGroup<'a> {
    #[serde(flatten)]
    key: &'a GroupKey,
    #[serde(flatten)]
    figures: &'a Figures,
}

impl serde::Serialize for Group {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, figures } = self;
        match serializer.is_human_readable() {
            true => ShownGroup { key, figures }.serialize(serializer),
            false => (key, figures).serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Group {
    /// As for [`Figures`].
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(|(key, figures)| Self { key, figures })
    }
}

/// Figures in all and by group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GroupedFigures {
    /// Of all pieces that the filter lets through: each counted once, in however many groups it is.
    pub total: Figures,
    /// Of the groups that were chosen, in the order of their keys.
    pub groups: Vec<Group>,
    /// How many groups are left. Over several tenants, of each tenant's own.
    pub other_groups: u64,
    /// Of the pieces in the groups that are left: each counted once. A piece that is in one of [`groups`](Self::groups), too,
    /// is counted there and here.
    pub others: Figures,
}

impl GroupedFigures {
    /// Of no piece.
    pub fn empty() -> Self {
        Self { total: Figures::default(), groups: Vec::new(), other_groups: 0, others: Figures::default() }
    }

    /// Adds those of another tenant, by the same dimension, filter and choice of [`GroupChoice::These`] groups.
    pub fn merge(&mut self, other: &Self) {
        self.total.merge(&other.total);
        self.others.merge(&other.others);
        self.other_groups += other.other_groups;
        let mut all: BTreeMap<GroupKey, Figures> =
            std::mem::take(&mut self.groups).into_iter().map(|group| (group.key, group.figures)).collect();
        for group in &other.groups {
            all.entry(group.key.clone()).or_default().merge(&group.figures);
        }
        self.groups = all.into_iter().map(|(key, figures)| Group { key, figures }).collect();
    }
}

/// A group and how many pieces are in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RankedGroup {
    /// What its pieces have in common.
    #[serde(flatten)]
    pub key: GroupKey,
    /// How many they are.
    pub pieces: u64,
}

/// The groups with the most members.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ranking {
    /// Those with the most first.
    pub groups: Vec<RankedGroup>,
    /// Whether there are more.
    pub is_cut: bool,
}
