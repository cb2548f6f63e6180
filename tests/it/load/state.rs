//! What one user has, as the test knows it, and how it changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Everything of one user's. Nobody else writes it, so that it is known exactly.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    pub(super) pieces: BTreeMap<Uuid, PieceFact>,
    /// The piece of each score.
    pub(super) scores: BTreeMap<Uuid, Uuid>,
    pub(super) seeds: BTreeMap<Uuid, String>,
    /// The status of each component, by its name.
    pub(super) components: BTreeMap<String, String>,
    pub(super) settings: BTreeMap<String, i64>,
    pub(super) content: BTreeMap<String, String>,
    /// Whether each attack achieved its objective.
    pub(super) attacks: BTreeMap<Uuid, bool>,
    /// The first number of each piece's embedding.
    pub(super) embeddings: BTreeMap<Uuid, u16>,
    /// The prompts of each dataset, in their order, by its name.
    pub(super) datasets: BTreeMap<String, Vec<String>>,
    /// Sessions that were not revoked.
    pub(super) sessions: usize,
    /// Whether the user has been given a role.
    pub(super) has_role: bool,
    /// Whether the user is in a group, which has another.
    pub(super) is_member: bool,
    /// How often the user has counted up the number that all share. It can't be seen in what is the user's.
    pub(super) counted: i64,
}

/// What is known of a piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PieceFact {
    pub(super) conversation: Uuid,
    pub(super) sequence: i64,
    pub(super) text: String,
    pub(super) label: String,
}

/// A change that takes effect as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Change {
    /// Messages are appended, all pieces of one conversation and sequence being one.
    Append(Vec<(Uuid, PieceFact)>),
    /// A conversation's pieces get another label.
    Label {
        conversation: Uuid,
        label: String,
    },
    /// What comes after a sequence goes, with its scores.
    Forget {
        conversation: Uuid,
        after: i64,
    },
    Score {
        id: Uuid,
        piece: Uuid,
    },
    Seed {
        id: Uuid,
        text: String,
    },
    Component {
        name: String,
        status: String,
        is_new: bool,
    },
    Setting {
        key: String,
        value: Option<i64>,
    },
    Content {
        name: String,
        text: Option<String>,
    },
    Attack {
        id: Uuid,
        conversation: Uuid,
        achieved: bool,
    },
    /// It is seen now that an attack ended otherwise.
    Judge {
        id: Uuid,
        achieved: bool,
    },
    /// A piece is given its embedding, or another.
    Embed {
        piece: Uuid,
        number: u16,
    },
    /// A dataset is made, without prompts.
    Dataset {
        name: String,
    },
    Prompts {
        dataset: String,
        texts: Vec<String>,
    },
    DropDataset {
        name: String,
    },
    LogIn,
    LogOut,
    /// A role is given or taken away.
    Role {
        given: bool,
    },
    /// A group is joined or left.
    Member {
        joined: bool,
    },
    /// The number that all share is one more.
    Count,
    /// Several in one unit of work.
    Unit(Vec<Change>),
}

impl State {
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Append(pieces) => self.pieces.extend(pieces.iter().cloned()),
            Change::Label { conversation, label } => {
                for piece in self.pieces.values_mut().filter(|piece| piece.conversation == *conversation) {
                    piece.label.clone_from(label);
                }
            }
            Change::Forget { conversation, after } => {
                self.pieces
                    .retain(|_, piece| piece.conversation != *conversation || piece.sequence <= *after);
                self.scores.retain(|_, piece| self.pieces.contains_key(piece));
                self.embeddings.retain(|piece, _| self.pieces.contains_key(piece));
            }
            Change::Score { id, piece } => {
                self.scores.insert(*id, *piece);
            }
            Change::Seed { id, text } => {
                self.seeds.insert(*id, text.clone());
            }
            Change::Component { name, status, .. } => {
                self.components.insert(name.clone(), status.clone());
            }
            Change::Setting { key, value } => put(&mut self.settings, key, *value),
            Change::Content { name, text } => put(&mut self.content, name, text.clone()),
            Change::Attack { id, achieved, .. } | Change::Judge { id, achieved } => {
                self.attacks.insert(*id, *achieved);
            }
            Change::Embed { piece, number } => {
                self.embeddings.insert(*piece, *number);
            }
            Change::Dataset { name } => {
                self.datasets.insert(name.clone(), Vec::new());
            }
            Change::Prompts { dataset, texts } => {
                self.datasets.entry(dataset.clone()).or_default().extend(texts.iter().cloned());
            }
            Change::DropDataset { name } => {
                self.datasets.remove(name);
            }
            Change::LogIn => self.sessions += 1,
            Change::LogOut => self.sessions = 0,
            Change::Role { given } => self.has_role = *given,
            Change::Member { joined } => self.is_member = *joined,
            Change::Count => self.counted += 1,
            Change::Unit(changes) => changes.iter().for_each(|change| self.apply(change)),
        }
    }

    /// Which of these changes, each of which may have taken effect, have, if `found` is what there is; `None` if that is explained by
    /// none of them, some or all.
    pub(super) fn explained(&self, pending: &[Change], found: &State) -> Option<Vec<Change>> {
        (0..1_u32 << pending.len()).find_map(|chosen| {
            let chosen = |number: &usize| chosen & (1 << number) != 0;
            let applied: Vec<_> =
                (0..pending.len()).filter(chosen).map(|number| pending[number].clone()).collect();
            let mut state = self.clone();
            applied.iter().for_each(|change| state.apply(change));
            state.counted = found.counted;
            (state == *found).then_some(applied)
        })
    }

    /// The sequence that the next message of a conversation gets.
    pub(super) fn next_sequence(&self, conversation: Uuid) -> i64 {
        let sequences = self.pieces.values().filter(|piece| piece.conversation == conversation);
        sequences.map(|piece| piece.sequence + 1).max().unwrap_or(0)
    }
}

fn put<T>(map: &mut BTreeMap<String, T>, key: &str, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(key.to_owned(), value)),
        None => drop(map.remove(key)),
    }
}
