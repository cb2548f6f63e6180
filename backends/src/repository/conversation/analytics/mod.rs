//! Figures about conversations: grouped and counted by the engine, put together here.
//!
//! - [`keys`]: what is grouped by, as a number or a digest, and back;
//! - [`relation`]: the rows that are counted, each with its key;
//! - [`tallies`]: the queries that count them;
//! - [`prompts`]: prompts that stand out.

mod keys;
mod prompts;
mod relation;
mod tallies;

use async_trait::async_trait;
use trimaran_core::Result;
use trimaran_core::model::PieceFilter;
use trimaran_core::model::conversation::analytics::{
    Dimension, Figures, FiguresRequest, Group, GroupChoice, GroupedFigures, GroupedOutcomes, LongPrompt,
    MOST_RANKED, OutcomeGroup, OutcomeRequest, Outcomes, RankedGroup, Ranking, RepeatedPrompt, check_most,
};
use trimaran_core::repository::Analytics;

use self::keys::{Key, Keys};
use self::relation::Relation;
use self::tallies::Part;
use super::{attack_conditions, piece_conditions};
use crate::repository::TenantResources;
use crate::repository::tenant_resources::tenant_repository;

tenant_repository! {
    /// [`Analytics`] over SQL.
    SqlAnalytics
}

const GROUPS: &str = "rank groups of conversations";
const FIGURES: &str = "count conversations";
const OUTCOMES: &str = "count the outcomes of attacks";

/// Which groups were chosen, and whether there may be others.
struct Chosen {
    keys: Vec<Key>,
    has_rest: bool,
}

async fn chosen(relation: &Relation<'_>, choice: &GroupChoice, operation: &str) -> Result<Chosen> {
    match choice {
        GroupChoice::Most(most) => {
            let mut ranked = tallies::rank(relation, most.saturating_add(1), operation).await?;
            let has_rest = ranked.len() > *most;
            ranked.truncate(*most);
            Ok(Chosen { keys: ranked.into_iter().map(|ranked| ranked.key).collect(), has_rest })
        }
        GroupChoice::These(keys) => {
            let keys = keys.iter().filter_map(|key| relation.keys.encode(key)).collect();
            Ok(Chosen { keys, has_rest: true })
        }
    }
}

async fn ranking(relation: &Relation<'_>, most: usize, operation: &str) -> Result<Ranking> {
    let mut ranked = tallies::rank(relation, most.saturating_add(1), operation).await?;
    let is_cut = ranked.len() > most;
    ranked.truncate(most);
    let groups = ranked.into_iter().map(|ranked| {
        let key = relation.keys.decode(relation.resources, ranked.key, ranked.said)?;
        Ok(RankedGroup { key, pieces: ranked.members })
    });
    Ok(Ranking { groups: groups.collect::<Result<_>>()?, is_cut })
}

impl SqlAnalytics {
    async fn figures_within(
        &self,
        within: &TenantResources,
        request: &FiguresRequest,
    ) -> Result<GroupedFigures> {
        let condition = piece_conditions::of_filter(within, &request.filter)?;
        let all = Relation::of_pieces(within, Keys::None, condition.clone(), &request.refusal_scorers);
        let total = figures(&all, &Part::All).await?;
        let keys = Keys::of_pieces(within, &condition, &request.by, FIGURES).await?;
        let grouped = Relation::of_pieces(within, keys, condition, &request.refusal_scorers);
        let chosen = chosen(&grouped, &request.groups, FIGURES).await?;
        let mut found = GroupedFigures { total, ..GroupedFigures::empty() };
        let part = match chosen.has_rest {
            true => Part::Of(chosen.keys.clone()),
            false => Part::All,
        };
        let mut scores = tallies::scores(&grouped, &part, true, FIGURES).await?;
        for counts in tallies::counts(&grouped, &part, true, FIGURES).await? {
            let mut figures = counts.figures;
            for score in scores.remove(&counts.key).unwrap_or_default() {
                score.add_to(&mut figures);
            }
            let key = grouped.keys.decode(within, counts.key, counts.said)?;
            found.groups.push(Group { key, figures });
        }
        found.groups.sort_by(|a, b| a.key.cmp(&b.key));
        if chosen.has_rest {
            let rest = Part::NotOf(chosen.keys);
            found.others = figures(&grouped, &rest).await?;
            found.other_groups = tallies::count_keys(&grouped, &rest, FIGURES).await?;
        }
        Ok(found)
    }

    async fn outcomes_within(
        &self,
        within: &TenantResources,
        request: &OutcomeRequest,
    ) -> Result<GroupedOutcomes> {
        let condition = attack_conditions::conditions(within, &request.filter);
        let all = Relation::of_attacks(within, Keys::None, condition.clone());
        let keys = Keys::of_attacks(&request.by, OUTCOMES)?;
        let grouped = Relation::of_attacks(within, keys, condition);
        let chosen = chosen(&grouped, &request.groups, OUTCOMES).await?;
        let mut found =
            GroupedOutcomes { total: outcomes(&all, &Part::All).await?, ..GroupedOutcomes::default() };
        let part = match chosen.has_rest {
            true => Part::Of(chosen.keys.clone()),
            false => Part::All,
        };
        for (key, said, outcomes) in tallies::outcomes(&grouped, &part, true, OUTCOMES).await? {
            let key = grouped.keys.decode(within, key, said)?;
            found.groups.push(OutcomeGroup { key, outcomes });
        }
        found.groups.sort_by(|a, b| a.key.cmp(&b.key));
        if chosen.has_rest {
            let rest = Part::NotOf(chosen.keys);
            found.others = outcomes(&grouped, &rest).await?;
            found.other_groups = tallies::count_keys(&grouped, &rest, OUTCOMES).await?;
        }
        Ok(found)
    }
}

/// What a part of the relation comes to, ungrouped.
async fn figures(relation: &Relation<'_>, part: &Part) -> Result<Figures> {
    let counts = tallies::counts(relation, part, false, FIGURES).await?;
    let mut figures = counts.into_iter().next().map(|counts| counts.figures).unwrap_or_default();
    for score in tallies::scores(relation, part, false, FIGURES).await?.into_values().flatten() {
        score.add_to(&mut figures);
    }
    Ok(figures)
}

async fn outcomes(relation: &Relation<'_>, part: &Part) -> Result<Outcomes> {
    let found = tallies::outcomes(relation, part, false, OUTCOMES).await?;
    Ok(found.into_iter().next().map(|(_, _, outcomes)| outcomes).unwrap_or_default())
}

#[async_trait]
impl Analytics for SqlAnalytics {
    async fn groups(&self, filter: &PieceFilter, by: &Dimension, most: usize) -> Result<Ranking> {
        check_most(GROUPS, "groups", most, MOST_RANKED)?;
        self.resources.settle(None).await?;
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let condition = piece_conditions::of_filter(&within, filter)?;
        let keys = Keys::of_pieces(&within, &condition, by, GROUPS).await?;
        let found = ranking(&Relation::of_pieces(&within, keys, condition, &[]), most, GROUPS).await?;
        state.commit().await?;
        Ok(found)
    }

    async fn figures(&self, request: &FiguresRequest) -> Result<GroupedFigures> {
        request.groups.check(FIGURES)?;
        self.resources.settle(None).await?;
        let state = self.resources.executor().begin_reading().await?;
        let found = self.figures_within(&self.resources.within(&state), request).await?;
        state.commit().await?;
        Ok(found)
    }

    async fn outcome_groups(&self, request: &OutcomeRequest, most: usize) -> Result<Ranking> {
        request.check(GROUPS)?;
        check_most(GROUPS, "groups", most, MOST_RANKED)?;
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let condition = attack_conditions::conditions(&within, &request.filter);
        let relation = Relation::of_attacks(&within, Keys::of_attacks(&request.by, GROUPS)?, condition);
        let found = ranking(&relation, most, GROUPS).await?;
        state.commit().await?;
        Ok(found)
    }

    async fn outcomes(&self, request: &OutcomeRequest) -> Result<GroupedOutcomes> {
        request.check(OUTCOMES)?;
        let state = self.resources.executor().begin_reading().await?;
        let found = self.outcomes_within(&self.resources.within(&state), request).await?;
        state.commit().await?;
        Ok(found)
    }

    async fn longest_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<LongPrompt>> {
        self.resources.settle(None).await?;
        prompts::longest(&self.resources, filter, most).await
    }

    async fn repeated_prompts(&self, filter: &PieceFilter, most: u32) -> Result<Vec<RepeatedPrompt>> {
        self.resources.settle(None).await?;
        prompts::repeated(&self.resources, filter, most).await
    }
}
