//! Scores, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::ScoreId;
use crate::model::conversation::{NewScore, Score, ScoreFilter};
use crate::repository::conversation::Scores;
use crate::{Page, PageRequest, Result};

guarded!(Scores, Scores);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Scores for Guarded {
    async fn add(&self, scores: Vec<NewScore>) -> Result<Vec<Score>> {
        self.check(Verb::Create, Target::All)?;
        self.inner.add(scores).await
    }

    async fn find(&self, id: ScoreId) -> Result<Option<Score>> {
        self.check(Verb::Read, Target::Score(id))?;
        self.inner.find(id).await
    }

    async fn list(&self, filter: &ScoreFilter, page: &PageRequest) -> Result<Page<Score>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(filter, page).await
    }

    async fn delete(&self, id: ScoreId) -> Result<bool> {
        self.check(Verb::Delete, Target::Score(id))?;
        self.inner.delete(id).await
    }

    async fn scorer_classes(&self) -> Result<Vec<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.scorer_classes().await
    }
}
