//! Scores: what a scorer says of a piece, or of something that was never one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::term::terms;
use super::{Identifier, Metadata, PieceFilter, filter_size};
use crate::id::{ConversationId, PieceId, ScoreId};
use crate::{Error, ErrorKind, Result, Timestamp};

terms! {
    /// What kind of value a score has.
    ScoreType, "a score type" {
        /// `true` or `false`.
        TrueFalse = "true_false",
        /// A number from 0 to 1.
        FloatScale = "float_scale",
        /// Any text: the scorer didn't say.
        Unknown = "unknown",
    }
}

/// A score's value, read as its type says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScoreValue {
    /// Of a [`ScoreType::TrueFalse`].
    TrueFalse(bool),
    /// Of a [`ScoreType::FloatScale`]: from 0 to 1.
    Float(f64),
}

/// What a scorer says.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScoreDetails {
    /// What kind of value it has.
    pub score_type: ScoreType,
    /// The value, as the scorer wrote it; `None` if no verdict was reachable.
    pub value: Option<String>,
    /// What the value means.
    pub value_description: Option<String>,
    /// What it is about, such as harm categories.
    pub categories: Vec<String>,
    /// Why the scorer thinks so.
    pub rationale: Option<String>,
    /// What else the scorer says.
    pub metadata: Metadata,
    /// The scorer.
    pub scorer: Option<Identifier>,
    /// What the attacker wanted, by which the scorer judged.
    pub objective: Option<String>,
    /// A reference to what was scored where that is no piece: a document of the scorer's own, kept as it is.
    pub scorable: Option<Value>,
}

impl ScoreDetails {
    /// A score of this type and value, and nothing else said.
    pub fn of(score_type: ScoreType, value: impl Into<String>) -> Self {
        Self {
            score_type,
            value: Some(value.into()),
            value_description: None,
            categories: Vec::new(),
            rationale: None,
            metadata: Metadata::new(),
            scorer: None,
            objective: None,
            scorable: None,
        }
    }

    /// The value, read as the type says: `None` if there is no verdict, or the type is [`ScoreType::Unknown`].
    pub fn parsed(&self) -> Option<ScoreValue> {
        let value = self.value.as_deref()?;
        match self.score_type {
            ScoreType::TrueFalse if value.eq_ignore_ascii_case("true") => Some(ScoreValue::TrueFalse(true)),
            ScoreType::TrueFalse if value.eq_ignore_ascii_case("false") => Some(ScoreValue::TrueFalse(false)),
            ScoreType::FloatScale => {
                value.trim().parse().ok().filter(|v| (0.0..=1.0).contains(v)).map(ScoreValue::Float)
            }
            _ => None,
        }
    }

    /// # Errors
    /// [`ErrorKind::Invalid`] if the value isn't what the type says, or the identifier would not come back as it is. The
    /// value isn't shown.
    pub fn validate(&self) -> Result<()> {
        self.scorer.as_ref().map_or(Ok(()), Identifier::check)?;
        let expected = match self.score_type {
            ScoreType::TrueFalse => "\"true\" or \"false\"",
            ScoreType::FloatScale => "a number from 0 to 1",
            ScoreType::Unknown => return Ok(()),
        };
        if self.value.is_some() && self.parsed().is_none() {
            return Err(Error::new(ErrorKind::Invalid, "accept a score")
                .context(format!("its type is {}, and its value is not {expected}", self.score_type))
                .hint("give no value where no verdict was reachable, or the type unknown for any text"));
        }
        Ok(())
    }
}

/// A score.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Its id.
    pub id: ScoreId,
    /// The piece it is kept under: the original of the one that was scored.
    pub piece: Option<PieceId>,
    /// When it was given.
    pub created_at: Timestamp,
    /// What the scorer says.
    #[serde(flatten)]
    pub details: ScoreDetails,
}

/// A score to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewScore {
    /// Its id, if it brings one; else it is given one.
    pub id: Option<ScoreId>,
    /// The piece that was scored; `None` if it is the score of something that was never a piece.
    pub piece: Option<PieceId>,
    /// When it was given, if that was before.
    pub created_at: Option<Timestamp>,
    /// What the scorer says.
    pub details: ScoreDetails,
}

impl NewScore {
    /// A score of the piece, given now.
    pub fn of(piece: PieceId, details: ScoreDetails) -> Self {
        Self { id: None, piece: Some(piece), created_at: None, details }
    }
}

/// Which scores: those that meet every condition. The default is all. A list that says "one of these" and is empty lets
/// nothing through.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoreFilter {
    /// One of these.
    pub ids: Option<Vec<ScoreId>>,
    /// Of one of these pieces, be they originals or duplicates.
    pub pieces: Option<Vec<PieceId>>,
    /// Kept under one of these pieces itself.
    pub original_pieces: Option<Vec<PieceId>>,
    /// Of a piece of this conversation, or of the original of one.
    pub conversation: Option<ConversationId>,
    /// Of a piece that has, for each of these labels, one of the values; or of the original of one.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Of a piece that meets this filter, or of the original of one.
    pub of_pieces: Option<PieceFilter>,
    /// Of one of these types.
    pub score_types: Option<Vec<ScoreType>>,
    /// In one of these categories.
    pub categories: Option<Vec<String>>,
    /// By a scorer of one of these classes.
    pub scorers: Option<Vec<String>>,
    /// Without a verdict, or with one.
    pub undetermined: Option<bool>,
    /// Given at this time or later.
    pub created_from: Option<Timestamp>,
    /// Given before this time.
    pub created_before: Option<Timestamp>,
}

impl ScoreFilter {
    /// # Errors
    /// [`ErrorKind::Invalid`] if the lists have more values than [`MOST_VALUES`](super::MOST_VALUES).
    pub fn validate(&self) -> Result<()> {
        filter_size::check(
            "list the scores",
            [
                filter_size::length(&self.ids),
                filter_size::length(&self.pieces),
                filter_size::length(&self.original_pieces),
                filter_size::length(&self.score_types),
                filter_size::length(&self.categories),
                filter_size::length(&self.scorers),
                filter_size::values(&self.labels),
                self.of_pieces.as_ref().map_or(0, filter_size::of_pieces),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_its_type_says_or_refused() {
        let parsed = |score_type, value: &str| {
            let details = ScoreDetails::of(score_type, value);
            (details.parsed(), details.validate().is_ok())
        };
        assert_eq!(parsed(ScoreType::TrueFalse, "True"), (Some(ScoreValue::TrueFalse(true)), true));
        assert_eq!(parsed(ScoreType::TrueFalse, "yes"), (None, false));
        assert_eq!(parsed(ScoreType::FloatScale, "0.25"), (Some(ScoreValue::Float(0.25)), true));
        for wrong in ["1.01", "-0.1", "NaN", "inf", "", "a"] {
            assert_eq!(parsed(ScoreType::FloatScale, wrong), (None, false), "{wrong}");
        }
        assert_eq!(parsed(ScoreType::Unknown, "whatever"), (None, true));
        let undetermined = ScoreDetails { value: None, ..ScoreDetails::of(ScoreType::TrueFalse, "") };
        assert!(undetermined.validate().is_ok() && undetermined.parsed().is_none());
    }
}
