//! Scores.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::ScoreId;
use crate::model::conversation::{NewScore, Score, ScoreFilter};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Scores. What holds for every call is said in [the module](crate::repository).
///
/// A score of a duplicate is kept under the original piece, so that all duplicates share it; under the duplicate itself only if
/// the original is gone. Scores go with the piece that they are kept under.
#[async_trait]
pub trait Scores: Debug + Send + Sync {
    /// Adds scores, all or none, and returns them as they are kept, in the order given.
    ///
    /// # Errors
    /// `NotFound` for a piece that isn't there; `Conflict` for an id that is taken; `Invalid` for a value that isn't what the
    /// score's type says.
    async fn add(&self, scores: Vec<NewScore>) -> Result<Vec<Score>>;

    /// The score of this id.
    async fn find(&self, id: ScoreId) -> Result<Option<Score>>;

    /// A page of the scores that the filter lets through.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list, or the filter has too many values.
    async fn list(&self, filter: &ScoreFilter, page: &PageRequest) -> Result<Page<Score>>;

    /// Removes the score; says whether there was one.
    async fn delete(&self, id: ScoreId) -> Result<bool>;

    /// The different classes of scorers that gave scores, in the order of their characters' code points.
    async fn scorer_classes(&self) -> Result<Vec<String>>;
}

sealed!(Scores);

/// Conveniences over [`Scores`].
#[async_trait]
pub trait ScoresExt: sealed::Sealed {
    /// Adds one.
    ///
    /// # Errors
    /// As for [`Scores::add`].
    async fn add_one(&self, score: NewScore) -> Result<Score>;
}

#[async_trait]
impl<T: Scores + ?Sized> ScoresExt for T {
    async fn add_one(&self, score: NewScore) -> Result<Score> {
        let added = self.add(vec![score]).await?;
        added.into_iter().next().ok_or_else(|| not_found("add the score", "score", "that was added"))
    }
}
