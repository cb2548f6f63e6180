//! Figures about conversations, asking before each call. Whoever may read them may not, for that, read what was said: but for
//! previews of prompts, which are asked for under a verb of their own.

use async_trait::async_trait;

use crate::Result;
use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::model::conversation::PieceFilter;
use crate::model::conversation::analytics::{
    Dimension, FiguresRequest, GroupedFigures, GroupedOutcomes, LongPrompt, OutcomeRequest, Ranking,
    RepeatedPrompt,
};
use crate::repository::conversation::Analytics;

guarded!(Analytics, Analytics);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Analytics for Guarded {
    async fn groups(&self, filter: &PieceFilter, by: &Dimension, most: usize) -> Result<Ranking> {
        self.check(Verb::Read, Target::All)?;
        self.inner.groups(filter, by, most).await
    }

    async fn figures(&self, request: &FiguresRequest) -> Result<GroupedFigures> {
        self.check(Verb::Read, Target::All)?;
        self.inner.figures(request).await
    }

    async fn outcome_groups(&self, request: &OutcomeRequest, most: usize) -> Result<Ranking> {
        self.check(Verb::Read, Target::All)?;
        self.inner.outcome_groups(request, most).await
    }

    async fn outcomes(&self, request: &OutcomeRequest) -> Result<GroupedOutcomes> {
        self.check(Verb::Read, Target::All)?;
        self.inner.outcomes(request).await
    }

    async fn longest_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<LongPrompt>> {
        self.check(Verb::Reveal, Target::All)?;
        self.inner.longest_prompts(filter, most).await
    }

    async fn repeated_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<RepeatedPrompt>> {
        self.check(Verb::Reveal, Target::All)?;
        self.inner.repeated_prompts(filter, most).await
    }
}
