//! Figures about conversations.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::Result;
use crate::model::conversation::PieceFilter;
use crate::model::conversation::analytics::{
    Dimension, FiguresRequest, GroupedFigures, GroupedOutcomes, LongPrompt, OutcomeRequest, Ranking,
    RepeatedPrompt,
};

/// Figures about conversations. What holds for every call is said in [the module](crate::repository).
///
/// Grouping and counting are the engine's; what comes back is bounded. All numbers of one call are of one state, and the same on every
/// engine. Scores of what was never a piece are not counted.
#[async_trait]
pub trait Analytics: Debug + Send + Sync {
    /// The groups that the pieces are in, those with the most pieces first; at most `most`.
    ///
    /// # Errors
    /// `Invalid` if `most` isn't between 1 and [`MOST_RANKED`](crate::model::conversation::analytics::MOST_RANKED), or for a filter of too
    /// many values; as for [`figures`](Self::figures) by model.
    async fn groups(&self, filter: &PieceFilter, by: &Dimension, most: usize) -> Result<Ranking>;

    /// Counts of pieces, messages and conversations, refusals and score distributions, in all and by group.
    ///
    /// # Errors
    /// `Invalid` for too many groups, or a filter of too many values; by model, if the pieces have more than 2,000 different identifiers of
    /// targets.
    async fn figures(&self, request: &FiguresRequest) -> Result<GroupedFigures>;

    /// The groups that attacks' results are in, those with the most results first; at most `most`.
    ///
    /// # Errors
    /// As for [`outcomes`](Self::outcomes) and [`groups`](Self::groups).
    async fn outcome_groups(&self, request: &OutcomeRequest, most: usize) -> Result<Ranking>;

    /// How attacks ended, in all and by group.
    ///
    /// # Errors
    /// `Invalid` for a dimension that results of attacks don't have, for too many groups, or a filter of too many values.
    async fn outcomes(&self, request: &OutcomeRequest) -> Result<GroupedOutcomes>;

    /// The `most` longest prompts that are text, by their characters; of equals those with the lower ids.
    ///
    /// # Errors
    /// `Invalid` if `most` isn't between 1 and [`MOST_PROMPTS`](crate::model::conversation::analytics::MOST_PROMPTS), or for a filter of too many
    /// values.
    async fn longest_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<LongPrompt>>;

    /// The `most` prompts that were sent most often, and more than once; of equals those with the lower SHA-256.
    ///
    /// # Errors
    /// As for [`longest_prompts`](Self::longest_prompts).
    async fn repeated_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<RepeatedPrompt>>;
}
