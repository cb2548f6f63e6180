//! What is grouped by: each row's key is a number or a digest, never a text, for engines order texts differently.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait as _, IntoSimpleExpr as _};
use trimaran_core::model::conversation::analytics::{Dimension, GroupKey, OutcomeRequest, TimeBucket};
use trimaran_core::model::{ChatRole, DataType, Identifier, ResponseError};
use trimaran_core::{Error, ErrorKind, Result, Timestamp};
use uuid::Uuid;

use super::super::attack_rows;
use super::super::documents;
use super::super::tags::{CLASS_NAME, Kind, digest_of};
use crate::entity::conversation::prompt_piece;
use crate::fetch::CellType;
use crate::repository::TenantResources;
use crate::repository::text::Place;

/// The most different identifiers of targets that pieces are grouped by: they become parameters.
const MOST_TARGETS: u64 = 2_000;

/// The member of a target's identifier that says the model, as PyRIT writes it.
const MODEL: &str = "model_name";

/// A group's key in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Number(i64),
    Digest(Uuid),
}

/// What the tags of a group say, whose key is a digest. `None`: they have no tag.
pub(super) type Said = Option<(String, String)>;

/// The key of what has no tag: no digest is so.
pub(super) const NO_TAG: Uuid = Uuid::nil();

/// What rows are grouped by.
#[derive(Debug, Clone)]
pub(super) enum Keys {
    /// By nothing.
    None,
    /// By a column's term: the key is its place in the list.
    Terms(prompt_piece::Column, Vec<(&'static str, GroupKey)>),
    /// By the model of the target: the key is its place in the list, from 1.
    Models(Vec<(String, Vec<String>)>),
    /// By the time at which it was made.
    Time(TimeBucket),
    /// By a tag of this kind on something: of every name, or of this one.
    Tag(TagOwner, Kind, Option<String>),
}

/// What the tags are on that rows are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagOwner {
    /// The rows themselves.
    Row,
    /// The scores of a piece.
    Score,
    /// The results of attacks in a piece's conversation.
    Attack,
}

impl Keys {
    /// What pieces are grouped by.
    pub(super) async fn of_pieces(
        within: &TenantResources,
        condition: &Condition,
        by: &Dimension,
        operation: &str,
    ) -> Result<Self> {
        use prompt_piece::Column;
        let row = |kind, name: Option<&str>| Self::Tag(TagOwner::Row, kind, name.map(str::to_owned));
        Ok(match by {
            Dimension::Label => row(Kind::PieceLabel, None),
            Dimension::LabelNamed(name) => row(Kind::PieceLabel, Some(name)),
            Dimension::AttackClass => row(Kind::PieceAttack, Some(CLASS_NAME)),
            Dimension::Scorer => Self::Tag(TagOwner::Score, Kind::ScoreScorer, Some(String::new())),
            Dimension::ScoreCategory => Self::Tag(TagOwner::Score, Kind::ScoreCategory, Some(String::new())),
            Dimension::HarmCategory => Self::Tag(TagOwner::Attack, Kind::AttackHarm, Some(String::new())),
            Dimension::Role => {
                let roles = ChatRole::ALL.iter().map(|one| (one.name(), GroupKey::Role(*one)));
                Self::Terms(Column::Role, roles.collect())
            }
            Dimension::Error => {
                let errors = ResponseError::ALL.iter().map(|one| (one.name(), GroupKey::Error(*one)));
                Self::Terms(Column::Error, errors.collect())
            }
            Dimension::DataType => {
                let types = DataType::ALL.iter().map(|one| (one.name(), GroupKey::DataType(*one)));
                Self::Terms(Column::ConvertedDataType, types.collect())
            }
            Dimension::Time(bucket) => Self::Time(*bucket),
            Dimension::Model => Self::Models(models(within, condition, operation).await?),
        })
    }

    /// What results of attacks are grouped by.
    pub(super) fn of_attacks(by: &Dimension, operation: &str) -> Result<Self> {
        let row = |kind, name: Option<&str>| Self::Tag(TagOwner::Row, kind, name.map(str::to_owned));
        Ok(match by {
            Dimension::Label => row(Kind::AttackLabel, None),
            Dimension::LabelNamed(name) => row(Kind::AttackLabel, Some(name)),
            Dimension::AttackClass => row(Kind::AttackIdentifier, Some(attack_rows::CLASS)),
            Dimension::HarmCategory => row(Kind::AttackHarm, Some("")),
            Dimension::Time(bucket) => Self::Time(*bucket),
            other => {
                OutcomeRequest::by(other.clone()).check(operation)?;
                return Err(Error::new(ErrorKind::Unsupported, operation)
                    .context(format!("attacks are not grouped by {other}")));
            }
        })
    }

    /// The type of the key's column.
    pub(super) fn cell(&self) -> CellType {
        match self {
            Self::Tag(..) => CellType::Uuid,
            _ => CellType::I64,
        }
    }

    /// Whether what the tags say comes with the key.
    pub(super) fn has_tags(&self) -> bool {
        matches!(self, Self::Tag(..))
    }

    /// The key of a group; `None` if nothing is in it.
    pub(super) fn encode(&self, key: &GroupKey) -> Option<Key> {
        let at = |place: usize| i64::try_from(place).ok().map(Key::Number);
        match (self, key) {
            (Self::Terms(_, terms), key) => at(terms.iter().position(|(_, term)| term == key)?),
            (Self::Models(_), GroupKey::Absent) => Some(Key::Number(0)),
            (Self::Models(models), GroupKey::Text(model)) => {
                at(models.iter().position(|(name, _)| name == model)? + 1)
            }
            (Self::Time(_), GroupKey::Time(time)) => Some(Key::Number(time.timestamp_micros())),
            (Self::Tag(..), GroupKey::Absent) => Some(Key::Digest(NO_TAG)),
            (Self::Tag(_, kind, None), GroupKey::Label { name, value }) => {
                Some(Key::Digest(digest_of(*kind, name, value)))
            }
            (Self::Tag(_, kind, Some(name)), GroupKey::Text(value)) => {
                Some(Key::Digest(digest_of(*kind, name, value)))
            }
            _ => None,
        }
    }

    /// The group of a key.
    ///
    /// # Errors
    /// `Corrupt` for a key that was never written so.
    pub(super) fn decode(&self, within: &TenantResources, key: Key, said: Said) -> Result<GroupKey> {
        let corrupt =
            |column: &str, why: &str| Place { table: "prompt_piece", column, key: "of a group" }.corrupt(why);
        match (self, key) {
            (Self::Terms(column, terms), Key::Number(at)) => {
                let term = usize::try_from(at).ok().and_then(|at| terms.get(at));
                let column = sea_orm::IdenStatic::as_str(column);
                term.map(|(_, key)| key.clone()).ok_or_else(|| corrupt(column, "there is an unknown word"))
            }
            (Self::Models(models), Key::Number(at)) => {
                let model = usize::try_from(at).ok().and_then(|at| models.get(at.checked_sub(1)?));
                Ok(model.map_or(GroupKey::Absent, |(name, _)| GroupKey::Text(name.clone())))
            }
            (Self::Time(_), Key::Number(micros)) => Timestamp::from_timestamp_micros(micros)
                .map(GroupKey::Time)
                .ok_or_else(|| corrupt("created_at", "there is a time out of range")),
            (Self::Tag(_, kind, name), Key::Digest(_)) => {
                let Some((tag, value)) = said else { return Ok(GroupKey::Absent) };
                let at = |column| Place { table: "tag", column, key: kind.name() };
                let value = within.text().load(at("value"), value)?;
                match name {
                    Some(_) => Ok(GroupKey::Text(value)),
                    None => Ok(GroupKey::Label { name: within.text().load(at("name"), tag)?, value }),
                }
            }
            _ => Ok(GroupKey::Absent),
        }
    }
}

/// The models of the pieces' targets, in the order of their names, each with the identifiers that name it.
async fn models(
    within: &TenantResources,
    condition: &Condition,
    operation: &str,
) -> Result<Vec<(String, Vec<String>)>> {
    let query = Query::select()
        .distinct()
        .expr(prompt_piece::Column::TargetIdentifier.into_simple_expr())
        .from(prompt_piece::Entity)
        .cond_where(condition.clone())
        .and_where(prompt_piece::Column::TargetIdentifier.is_not_null())
        .limit(MOST_TARGETS + 1)
        .take();
    let executor = within.executor();
    let statement = executor.get_database_backend().build(&query);
    let mut models: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let rows = executor.fetch(statement, vec![CellType::Text]).await.map_err(|e| e.within(operation))?;
    for (count, mut row) in (1_u64..).zip(rows.into_rows()) {
        if count > MOST_TARGETS {
            return Err(Error::new(ErrorKind::Invalid, operation)
                .context(format!("the pieces have more than {MOST_TARGETS} different targets"))
                .hint("narrow the filter: by time, label or conversation"));
        }
        let text: String = row.take(0, operation)?;
        let place = Place { table: "prompt_piece", column: "target_identifier", key: "of a group" };
        let identifier: Identifier = documents::read(place, &text)?;
        if let Some(model) = identifier.text_member(MODEL).filter(|model| !model.is_empty()) {
            models.entry(model.to_owned()).or_default().push(text);
        }
    }
    Ok(models.into_iter().collect())
}

/// The key as a number, of rows that are not grouped by tags.
pub(super) fn number(keys: &Keys, created_at: Expr) -> Expr {
    match keys {
        Keys::Time(_) => created_at,
        Keys::Terms(column, terms) => {
            let mut places = (0_i64..).zip(terms);
            let none = Expr::val(-1_i64).cast_as("bigint");
            let Some((place, (word, _))) = places.next() else { return none };
            let mut case = Expr::case(column.eq(*word), place);
            for (place, (word, _)) in places {
                case = case.case(column.eq(*word), place);
            }
            Expr::Case(Box::new(case.finally(-1_i64))).cast_as("bigint")
        }
        Keys::Models(models) => {
            let column = prompt_piece::Column::TargetIdentifier;
            let mut places = (1_i64..).zip(models);
            let none = Expr::val(0_i64).cast_as("bigint");
            let Some((place, (_, texts))) = places.next() else { return none };
            let mut case = Expr::case(column.is_in(texts.iter().cloned()), place);
            for (place, (_, texts)) in places {
                case = case.case(column.is_in(texts.iter().cloned()), place);
            }
            Expr::Case(Box::new(case.finally(0_i64))).cast_as("bigint")
        }
        Keys::None | Keys::Tag(..) => Expr::val(0_i64).cast_as("bigint"),
    }
}
