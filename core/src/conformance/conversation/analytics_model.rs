//! What the figures must be, counted in plain Rust over everything that there is.

use std::collections::{BTreeMap, BTreeSet};

use super::analytics_given::Given;
use crate::id::{ConversationId, PieceId};
use crate::model::Sha256;
use crate::model::conversation::analytics::{
    Dimension, Figures, FiguresRequest, Group, GroupChoice, GroupKey, GroupedFigures, GroupedOutcomes,
    LongPrompt, OutcomeGroup, OutcomeRequest, Outcomes, PREVIEW_CHARS, RankedGroup, RepeatedPrompt,
};
use crate::model::conversation::{
    AttackResult, AttackResultFilter, ChatRole, DataType, Labels, Piece, PieceFilter, ResponseError, Score,
    ScoreValue,
};

/// Where a key stands among equals.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Number(i64),
    Digest([u8; 16]),
}

/// Kind and name of the tag that a dimension is by.
type TagName<'a> = Option<(&'a str, Option<&'a str>)>;

fn tag_of_pieces(by: &Dimension) -> TagName<'_> {
    match by {
        Dimension::Label => Some(("piece.label", None)),
        Dimension::LabelNamed(name) => Some(("piece.label", Some(name))),
        Dimension::AttackClass => Some(("piece.attack", Some("class_name"))),
        Dimension::Scorer => Some(("score.scorer", Some(""))),
        Dimension::ScoreCategory => Some(("score.category", Some(""))),
        Dimension::HarmCategory => Some(("attack.harm", Some(""))),
        _ => None,
    }
}

fn tag_of_attacks(by: &Dimension) -> TagName<'_> {
    match by {
        Dimension::Label => Some(("attack.label", None)),
        Dimension::LabelNamed(name) => Some(("attack.label", Some(name))),
        Dimension::AttackClass => Some(("attack.identifier", Some("class"))),
        Dimension::HarmCategory => Some(("attack.harm", Some(""))),
        _ => None,
    }
}

fn digest(kind: &str, name: &str, value: &str) -> [u8; 16] {
    let mut bytes = Vec::new();
    for part in [kind, name, value] {
        bytes.extend(u64::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    Sha256::of(&bytes).0[..16].try_into().unwrap()
}

fn standing(tag: TagName<'_>, key: &GroupKey, all: &BTreeSet<&GroupKey>) -> Standing {
    match (tag, key) {
        (Some(_), GroupKey::Absent) => Standing::Digest([0; 16]),
        (Some((kind, _)), GroupKey::Label { name, value }) => Standing::Digest(digest(kind, name, value)),
        (Some((kind, Some(name))), GroupKey::Text(value)) => Standing::Digest(digest(kind, name, value)),
        (None, GroupKey::Time(time)) => Standing::Number(time.timestamp_micros()),
        // Words and models: their own order, the absent first.
        _ => Standing::Number(all.iter().position(|other| *other == key).unwrap().try_into().unwrap()),
    }
}

/// What is counted of a group.
#[derive(Default)]
struct Tally<'g> {
    pieces: BTreeSet<PieceId>,
    messages: BTreeSet<(ConversationId, i64)>,
    conversations: BTreeSet<ConversationId>,
    answers: BTreeSet<(ConversationId, i64)>,
    refused: BTreeSet<(ConversationId, i64)>,
    scores: BTreeMap<crate::id::ScoreId, &'g Score>,
}

impl<'g> Tally<'g> {
    fn add(&mut self, given: &'g Given, request: &FiguresRequest, piece: &'g Piece, scores: &[&'g Score]) {
        let message = (piece.conversation, piece.sequence);
        self.pieces.insert(piece.id);
        self.messages.insert(message);
        self.conversations.insert(piece.conversation);
        self.scores.extend(scores.iter().map(|score| (score.id, *score)));
        if piece.role == ChatRole::Assistant {
            self.answers.insert(message);
            let is_refusal = |score: &&Score| {
                let scorer = score.details.scorer.as_ref().map(|scorer| scorer.class_name.as_str());
                score.details.parsed() == Some(ScoreValue::TrueFalse(true))
                    && request.refusal_scorers.iter().any(|class| Some(class.as_str()) == scorer)
            };
            if piece.error == ResponseError::Blocked || scores_of(given, piece).iter().any(is_refusal) {
                self.refused.insert(message);
            }
        }
    }

    fn figures(&self) -> Figures {
        let count = |length: usize| u64::try_from(length).unwrap();
        let mut figures = Figures {
            pieces: count(self.pieces.len()),
            messages: count(self.messages.len()),
            conversations: count(self.conversations.len()),
            answers: count(self.answers.len()),
            refused: count(self.refused.len()),
            ..Figures::default()
        };
        for score in self.scores.values() {
            let details = &score.details;
            figures.add_scores(details.score_type, details.value.as_deref(), details.objective.is_some(), 1);
        }
        figures
    }
}

/// The scores of a piece: those kept under it or under its original.
fn scores_of<'g>(given: &'g Given, piece: &Piece) -> Vec<&'g Score> {
    let homes = [Some(piece.id), Some(piece.original_piece)];
    given.scores.iter().filter(|score| score.piece.is_some() && homes.contains(&score.piece)).collect()
}

/// The keys that a piece has, each with the scores that count there.
fn keys_of<'g>(given: &'g Given, by: &Dimension, piece: &'g Piece) -> Vec<(GroupKey, Vec<&'g Score>)> {
    let scores = scores_of(given, piece);
    let texts = |texts: BTreeSet<String>| match texts.is_empty() {
        true => vec![GroupKey::Absent],
        false => texts.into_iter().map(GroupKey::Text).collect(),
    };
    let keys = match by {
        Dimension::Scorer | Dimension::ScoreCategory => {
            let mut rows = Vec::new();
            for score in &scores {
                let said: BTreeSet<String> = match by {
                    Dimension::Scorer => score.details.scorer.iter().map(|s| s.class_name.clone()).collect(),
                    _ => score.details.categories.iter().cloned().collect(),
                };
                rows.extend(texts(said).into_iter().map(|key| (key, vec![*score])));
            }
            if rows.is_empty() {
                rows.push((GroupKey::Absent, Vec::new()));
            }
            return rows;
        }
        Dimension::Label | Dimension::LabelNamed(_) => label_keys(by, &piece.labels),
        Dimension::Role => vec![GroupKey::Role(piece.role)],
        Dimension::Error => vec![GroupKey::Error(piece.error)],
        Dimension::DataType => vec![GroupKey::DataType(piece.converted.data_type)],
        Dimension::AttackClass => {
            texts(piece.attack.iter().map(|attack| attack.class_name.clone()).collect())
        }
        Dimension::Model => {
            let model = piece.target.as_ref().and_then(|target| target.text_member("model_name"));
            texts(model.filter(|model| !model.is_empty()).map(str::to_owned).into_iter().collect())
        }
        Dimension::HarmCategory => {
            let attacks = given.attacks.iter().filter(|attack| attack.conversation == piece.conversation);
            texts(attacks.flat_map(|attack| attack.details.targeted_harm_categories.clone()).collect())
        }
        Dimension::Time(bucket) => vec![GroupKey::Time(bucket.start(piece.created_at))],
    };
    keys.into_iter().map(|key| (key, scores.clone())).collect()
}

fn label_keys(by: &Dimension, labels: &Labels) -> Vec<GroupKey> {
    let keys: Vec<_> = labels
        .iter()
        .filter_map(|(name, value)| match by {
            Dimension::LabelNamed(wanted) if wanted == name => Some(GroupKey::Text(value.clone())),
            Dimension::LabelNamed(_) => None,
            _ => Some(GroupKey::Label { name: name.clone(), value: value.clone() }),
        })
        .collect();
    if keys.is_empty() { vec![GroupKey::Absent] } else { keys }
}

fn passes(filter: &PieceFilter, piece: &Piece) -> bool {
    fn within<T: PartialEq>(list: &Option<Vec<T>>, one: &T) -> bool {
        list.as_ref().is_none_or(|list| list.contains(one))
    }
    let labelled = filter
        .labels
        .iter()
        .all(|(name, values)| piece.labels.get(name).is_some_and(|value| values.contains(value)));
    let attacked = filter.attack_classes.as_ref().is_none_or(|classes| {
        piece.attack.as_ref().is_some_and(|attack| classes.contains(&attack.class_name))
    });
    labelled
        && attacked
        && within(&filter.conversations, &piece.conversation)
        && within(&filter.roles, &piece.role)
        && within(&filter.errors, &piece.error)
        && within(&filter.data_types, &piece.converted.data_type)
        && filter.created_from.is_none_or(|from| piece.created_at >= from)
        && filter.created_before.is_none_or(|before| piece.created_at < before)
}

/// The keys in the order of their ranks.
fn ranked<'k>(
    members: impl IntoIterator<Item = (&'k GroupKey, usize)>,
    tag: TagName<'_>,
) -> Vec<RankedGroup> {
    let members: Vec<_> = members.into_iter().collect();
    let all: BTreeSet<&GroupKey> = members.iter().map(|(key, _)| *key).collect();
    let mut ranked: Vec<_> = members;
    ranked.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), standing(tag, key, &all)));
    let group = |(key, count): (&GroupKey, usize)| RankedGroup {
        key: key.clone(),
        pieces: u64::try_from(count).unwrap(),
    };
    ranked.into_iter().map(group).collect()
}

fn kept(ranking: &[RankedGroup], choice: &GroupChoice) -> BTreeSet<GroupKey> {
    match choice {
        GroupChoice::Most(most) => ranking.iter().take(*most).map(|group| group.key.clone()).collect(),
        GroupChoice::These(keys) => keys.iter().cloned().collect(),
    }
}

/// What [`groups`](crate::repository::Analytics::groups) must give, uncut.
pub(super) fn groups(given: &Given, filter: &PieceFilter, by: &Dimension) -> Vec<RankedGroup> {
    let mut members: BTreeMap<GroupKey, BTreeSet<PieceId>> = BTreeMap::new();
    for piece in given.pieces.iter().filter(|piece| passes(filter, piece)) {
        for (key, _) in keys_of(given, by, piece) {
            members.entry(key).or_default().insert(piece.id);
        }
    }
    ranked(members.iter().map(|(key, pieces)| (key, pieces.len())), tag_of_pieces(by))
}

/// What [`figures`](crate::repository::Analytics::figures) must give.
pub(super) fn figures(given: &Given, request: &FiguresRequest) -> GroupedFigures {
    let kept = kept(&groups(given, &request.filter, &request.by), &request.groups);
    let (mut total, mut others) = (Tally::default(), Tally::default());
    let (mut groups, mut other_keys) = (BTreeMap::<GroupKey, Tally<'_>>::new(), BTreeSet::new());
    for piece in given.pieces.iter().filter(|piece| passes(&request.filter, piece)) {
        total.add(given, request, piece, &scores_of(given, piece));
        for (key, scores) in keys_of(given, &request.by, piece) {
            if kept.contains(&key) {
                groups.entry(key).or_default().add(given, request, piece, &scores);
            } else {
                others.add(given, request, piece, &scores);
                other_keys.insert(key);
            }
        }
    }
    GroupedFigures {
        total: total.figures(),
        groups: groups.into_iter().map(|(key, tally)| Group { key, figures: tally.figures() }).collect(),
        other_groups: u64::try_from(other_keys.len()).unwrap(),
        others: others.figures(),
    }
}

fn attack_keys(by: &Dimension, attack: &AttackResult) -> BTreeSet<GroupKey> {
    let texts: BTreeSet<GroupKey> = match by {
        Dimension::HarmCategory => {
            attack.details.targeted_harm_categories.iter().cloned().map(GroupKey::Text).collect()
        }
        Dimension::AttackClass => {
            let class = attack.details.identifier.as_ref().map(|one| one.attack_class().to_owned());
            class.map(GroupKey::Text).into_iter().collect()
        }
        Dimension::Time(bucket) => [GroupKey::Time(bucket.start(attack.created_at))].into(),
        _ => label_keys(by, &attack.details.labels).into_iter().collect(),
    };
    if texts.is_empty() { [GroupKey::Absent].into() } else { texts }
}

fn attack_passes(filter: &AttackResultFilter, attack: &AttackResult) -> bool {
    filter.conversations.as_ref().is_none_or(|list| list.contains(&attack.conversation))
        && filter.created_from.is_none_or(|from| attack.created_at >= from)
        && filter.created_before.is_none_or(|before| attack.created_at < before)
        && filter
            .labels
            .iter()
            .all(|(name, values)| attack.details.labels.get(name).is_some_and(|value| values.contains(value)))
}

/// What [`outcome_groups`](crate::repository::Analytics::outcome_groups) must give, uncut.
pub(super) fn outcome_groups(given: &Given, request: &OutcomeRequest) -> Vec<RankedGroup> {
    let mut members: BTreeMap<GroupKey, usize> = BTreeMap::new();
    for attack in given.attacks.iter().filter(|attack| attack_passes(&request.filter, attack)) {
        for key in attack_keys(&request.by, attack) {
            *members.entry(key).or_default() += 1;
        }
    }
    ranked(members.iter().map(|(key, count)| (key, *count)), tag_of_attacks(&request.by))
}

/// What [`outcomes`](crate::repository::Analytics::outcomes) must give.
pub(super) fn outcomes(given: &Given, request: &OutcomeRequest) -> GroupedOutcomes {
    let kept = kept(&outcome_groups(given, request), &request.groups);
    let mut found = GroupedOutcomes::default();
    let (mut groups, mut other_keys) = (BTreeMap::<GroupKey, Outcomes>::new(), BTreeSet::new());
    for attack in given.attacks.iter().filter(|attack| attack_passes(&request.filter, attack)) {
        let outcome = attack.details.outcome;
        found.total.add(outcome, 1);
        let (own, others): (BTreeSet<_>, BTreeSet<_>) =
            attack_keys(&request.by, attack).into_iter().partition(|key| kept.contains(key));
        for key in own {
            groups.entry(key).or_default().add(outcome, 1);
        }
        if !others.is_empty() {
            found.others.add(outcome, 1);
        }
        other_keys.extend(others);
    }
    found.groups = groups.into_iter().map(|(key, outcomes)| OutcomeGroup { key, outcomes }).collect();
    found.other_groups = u64::try_from(other_keys.len()).unwrap();
    found
}

fn prompts<'g>(given: &'g Given, filter: &'g PieceFilter) -> impl Iterator<Item = &'g Piece> {
    let is_prompt = |piece: &&Piece| filter.roles.is_some() || piece.role == ChatRole::User;
    given.pieces.iter().filter(|piece| passes(filter, piece)).filter(is_prompt)
}

fn preview(text: &str) -> String {
    text.chars().take(PREVIEW_CHARS).collect()
}

/// What [`longest_prompts`](crate::repository::Analytics::longest_prompts) must give.
pub(super) fn longest(given: &Given, filter: &PieceFilter, most: usize) -> Vec<LongPrompt> {
    let mut all: Vec<_> = prompts(given, filter)
        .filter(|piece| piece.converted.data_type == DataType::Text)
        .map(|piece| LongPrompt {
            piece: piece.id,
            conversation: piece.conversation,
            characters: u64::try_from(piece.converted.value.chars().count()).unwrap(),
            preview: preview(&piece.converted.value),
            created_at: piece.created_at,
        })
        .collect();
    all.sort_by_key(|prompt| (std::cmp::Reverse(prompt.characters), prompt.piece));
    all.truncate(most);
    all
}

/// What [`repeated_prompts`](crate::repository::Analytics::repeated_prompts) must give.
pub(super) fn repeated(given: &Given, filter: &PieceFilter, most: usize) -> Vec<RepeatedPrompt> {
    let mut by_hash: BTreeMap<Sha256, Vec<&Piece>> = BTreeMap::new();
    for piece in prompts(given, filter) {
        by_hash.entry(piece.converted.sha256).or_default().push(piece);
    }
    let mut all: Vec<_> = by_hash
        .into_iter()
        .filter(|(_, pieces)| pieces.len() > 1)
        .map(|(sha256, pieces)| {
            let first = pieces.iter().min_by_key(|piece| piece.id).unwrap();
            let conversations: BTreeSet<_> = pieces.iter().map(|piece| piece.conversation).collect();
            RepeatedPrompt {
                sha256,
                pieces: u64::try_from(pieces.len()).unwrap(),
                conversations: u64::try_from(conversations.len()).unwrap(),
                first: first.id,
                preview: preview(&first.converted.value),
            }
        })
        .collect();
    all.sort_by_key(|prompt| (std::cmp::Reverse(prompt.pieces), prompt.sha256));
    all.truncate(most);
    all
}
