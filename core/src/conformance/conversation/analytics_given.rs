//! Conversations made from a seed, as awkward to count as any: hostile labels, times at the borders of hours, days, weeks, months and years,
//! duplicates, pieces without a score, scores without a verdict.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use crate::conformance::text::HOSTILE;
use crate::id::{AttackResultId, ConversationId, PieceId, ScoreId};
use crate::model::conversation::{
    AttackDetails, AttackOutcome, AttackResult, ChatRole, DataType, Identifier, Labels, NewAttackResult,
    NewMessage, NewPiece, NewScore, Piece, PieceFilter, PieceValue, ResponseError, Score, ScoreDetails,
    ScoreType,
};
use crate::{Conversation, PageRequest, Timestamp};

/// What is there to be counted.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) pieces: Vec<Piece>,
    pub(super) scores: Vec<Score>,
    pub(super) attacks: Vec<AttackResult>,
}

impl Given {
    /// What both have.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self.scores.extend(other.scores);
        self.attacks.extend(other.attacks);
        self
    }
}

/// Where calendars go wrong: ends of years, leap days, weeks that belong to two years, times before 1970.
const BORDERS: [&str; 10] = [
    "2024-12-30T00:00:00Z",
    "2025-01-01T00:00:00Z",
    "2027-01-01T00:00:00Z",
    "2026-12-28T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2024-03-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "1969-12-29T00:00:00Z",
    "2023-03-26T01:00:00Z",
    "1900-03-01T00:00:00Z",
];

/// Off the border by so many microseconds.
const OFFSETS: [i64; 6] = [-1, 0, 1, -3_600_000_000, 59_999_999, 86_399_999_999];

/// Numbers that follow from a seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(super) fn one_of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn time(&mut self) -> Timestamp {
        let border: Timestamp = self.one_of(&BORDERS).parse().unwrap();
        border + TimeDelta::microseconds(self.one_of(&OFFSETS))
    }

    fn text(&mut self) -> String {
        match self.below(3) {
            0 => self.one_of(HOSTILE).to_owned(),
            1 => format!("{}{}", self.one_of(HOSTILE).repeat(self.below(90)), self.below(4)),
            _ => format!("prompt {}", self.below(9)),
        }
    }

    /// Words of which some are hostile and many come again.
    fn word(&mut self) -> String {
        self.one_of(&["a", "b", "A", "", "in\0side", "\u{1a}0", "\u{1a}", "é", "e\u{301}", "<script>"])
            .to_owned()
    }

    fn target(&mut self) -> Option<Identifier> {
        let model = match self.below(6) {
            0 => return None,
            1 => None,
            2 => Some(json!("")),
            3 => Some(json!(7)),
            _ => Some(json!(self.word())),
        };
        let mut target = Identifier::of_class(self.one_of(&["OpenAIChatTarget", "TextTarget"]));
        target.details.extend(model.map(|model| ("model_name".to_owned(), model)));
        // The same model by several identifiers.
        target.details.insert("endpoint".to_owned(), json!(self.word()));
        Some(target)
    }

    fn piece(&mut self, id: PieceId, role: ChatRole, before: &[PieceId]) -> NewPiece {
        let labels: Labels = (0..self.below(4)).map(|_| (self.word(), self.word())).collect();
        let original_piece = match self.below(5) {
            0 if !before.is_empty() => Some(self.one_of(before)),
            1 if self.chance(4) => Some(PieceId(Uuid::from_u128(0xdead))),
            _ => None,
        };
        NewPiece {
            id: Some(id),
            original_piece,
            labels,
            original: PieceValue::text("before"),
            converted: Some(PieceValue::new(
                self.text(),
                self.one_of(&[DataType::Text, DataType::Text, DataType::Url]),
            )),
            target: self.target(),
            attack: self.chance(2).then(|| Identifier::of_class(self.word())),
            error: self.one_of(&[ResponseError::None, ResponseError::None, ResponseError::Blocked]),
            created_at: Some(self.time()),
            ..NewPiece::text(role, "")
        }
    }

    fn score(&mut self, id: ScoreId, piece: PieceId) -> NewScore {
        let (score_type, value) = match self.below(4) {
            0 => (ScoreType::Unknown, self.text()),
            1 => (
                ScoreType::FloatScale,
                self.one_of(&["0", "1", "0.1", "1e-1", " 0.3 ", "0.7000000000000001", "-0"]).to_owned(),
            ),
            _ => (ScoreType::TrueFalse, self.one_of(&["true", "True", "false"]).to_owned()),
        };
        let value = (!self.chance(5)).then_some(value);
        let scorer = match self.below(4) {
            0 => None,
            1 => Some("SelfAskRefusalScorer".to_owned()),
            _ => Some(self.word()),
        };
        let details = ScoreDetails {
            value,
            categories: (0..self.below(4)).map(|_| self.word()).collect(),
            scorer: scorer.map(Identifier::of_class),
            objective: self.chance(2).then(|| self.text()),
            ..ScoreDetails::of(score_type, "")
        };
        let piece = (!self.chance(9)).then_some(piece);
        NewScore { id: Some(id), piece, created_at: None, details }
    }

    fn attack(&mut self, id: AttackResultId, conversation: ConversationId) -> NewAttackResult {
        let details = AttackDetails {
            identifier: self.chance(2).then(|| Identifier::of_class(self.word())),
            labels: (0..self.below(3)).map(|_| (self.word(), self.word())).collect(),
            targeted_harm_categories: (0..self.below(4)).map(|_| self.word()).collect(),
            ..AttackDetails::of("objective", self.one_of(AttackOutcome::ALL))
        };
        NewAttackResult {
            id: Some(id),
            created_at: Some(self.time()),
            ..NewAttackResult::of(conversation, details)
        }
    }
}

/// Fills an empty store from a seed. Of different seeds all ids are different.
pub(super) async fn given(area: &Conversation, seed: u64, conversations: u128) -> Given {
    let space = u128::from(seed) << 32;
    let mut dice = Dice::of(seed);
    let (mut ids, mut messages) = (Vec::new(), Vec::new());
    for number in 0..conversations {
        let conversation = ConversationId(Uuid::from_u128(0xa1 << 64 | space | number));
        for _ in 0..1 + dice.below(5) {
            let role = dice.one_of(&[ChatRole::User, ChatRole::Assistant, ChatRole::SimulatedAssistant]);
            let mut parts = Vec::new();
            for _ in 0..1 + dice.below(3) {
                let id = PieceId(Uuid::from_u128(0xb1 << 64 | space | u128::try_from(ids.len()).unwrap()));
                parts.push(dice.piece(id, role, &ids));
                ids.push(id);
            }
            messages.push(NewMessage::new(conversation, parts));
        }
    }
    area.pieces.append_all(messages).await.unwrap();
    let scores = (0..ids.len() * 2).map(|number| {
        let piece = dice.one_of(&ids);
        dice.score(ScoreId(Uuid::from_u128(0xc1 << 64 | space | u128::try_from(number).unwrap())), piece)
    });
    let scores = area.scores.add(scores.collect()).await.unwrap();
    let attacks = (0..conversations * 2).map(|number| {
        let conversation = ConversationId(Uuid::from_u128(0xa1 << 64 | space | (number * 2 / 3)));
        dice.attack(AttackResultId(Uuid::from_u128(0xd1 << 64 | space | number)), conversation)
    });
    let attacks = area.attack_results.add(attacks.collect()).await.unwrap();
    Given { pieces: pieces(area).await, scores, attacks }
}

/// All pieces as they are kept.
async fn pieces(area: &Conversation) -> Vec<Piece> {
    let (mut all, mut request) = (Vec::new(), PageRequest::first(PageRequest::MAX_LIMIT).unwrap());
    loop {
        let page = area.pieces.list(&PieceFilter::default(), &request).await.unwrap();
        all.extend(page.items);
        let Some(next) = page.next else { return all };
        request = PageRequest::first(PageRequest::MAX_LIMIT).unwrap().after(next);
    }
}
