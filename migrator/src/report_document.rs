//! What a report on conversations says, before it is written in one form or another.

use std::sync::Arc;

use serde::Serialize;
use trimaran_backends::stores::{AnalyticsOfAll, MissingTenant, OfAll, OfTenant};
use trimaran_core::model::PieceFilter;
use trimaran_core::model::conversation::AttackResultFilter;
use trimaran_core::model::conversation::analytics::{
    Dimension, Figures, FiguresRequest, GroupChoice, GroupedFigures, GroupedOutcomes, LongPrompt,
    OutcomeRequest, Outcomes, RepeatedPrompt,
};
use trimaran_core::repository::Analytics;
use trimaran_core::{Error, ErrorKind, Result, TenantId, Timestamp};

/// Counted up when a field changes its meaning or goes; new fields may come.
const VERSION: u32 = 1;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) pieces: PieceFilter,
    pub(crate) attacks: AttackResultFilter,
    pub(crate) by: Vec<Dimension>,
    pub(crate) groups: GroupChoice,
    pub(crate) refusal_scorers: Vec<String>,
    /// How many prompts are shown, if any.
    pub(crate) prompts: Option<u32>,
}

/// Who is asked.
#[derive(Debug)]
pub(crate) enum Source {
    Tenant(TenantId, Arc<dyn Analytics>),
    All(Box<AnalyticsOfAll>),
}

/// The report.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    report: &'static str,
    version: u32,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// Whose conversations it is about.
    pub(crate) scope: Scope,
    /// The earliest time, if there is one.
    pub(crate) from: Option<Timestamp>,
    /// The time before which all was said, if there is one.
    pub(crate) to: Option<Timestamp>,
    /// Which scorers say what is a refusal.
    pub(crate) refusal_scorers: Vec<String>,
    /// All pieces together.
    pub(crate) total: Figures,
    /// The same by each dimension.
    pub(crate) by: Vec<Grouped<GroupedFigures>>,
    /// How attacks ended, all together.
    pub(crate) attacks: Outcomes,
    /// The same by those of the dimensions that attacks have.
    pub(crate) attacks_by: Vec<Grouped<GroupedOutcomes>>,
    /// The longest prompts, if they were asked for.
    pub(crate) longest_prompts: Option<Vec<Owned<LongPrompt>>>,
    /// The most repeated ones.
    pub(crate) repeated_prompts: Option<Vec<Owned<RepeatedPrompt>>>,
}

/// Whose conversations a report is about.
#[derive(Debug, Serialize)]
pub(crate) struct Scope {
    /// The tenant, if it is one.
    pub(crate) tenant: Option<TenantId>,
    /// How many tenants it is about.
    pub(crate) tenants: u64,
    /// Those that it should be about and is not.
    pub(crate) missing: Vec<MissingTenant>,
    /// Those that have no file.
    pub(crate) without_file: Vec<TenantId>,
}

/// Figures by one dimension.
#[derive(Debug, Serialize)]
pub(crate) struct Grouped<T> {
    /// The dimension, as it is asked for.
    pub(crate) dimension: String,
    /// Whether a group with more pieces may have been overlooked among so many tenants' groups.
    pub(crate) is_choice_cut: bool,
    #[serde(flatten)]
    pub(crate) figures: T,
}

/// A prompt, and whose it is where that isn't said yet.
#[derive(Debug, Serialize)]
pub(crate) struct Owned<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantId>,
    #[serde(flatten)]
    pub(crate) prompt: T,
}

impl Scope {
    /// Takes what is known of who is not in a part of the report.
    fn take<T>(&mut self, of_all: OfAll<T>) -> (T, bool) {
        for missing in of_all.missing {
            if !self.missing.iter().any(|known| known.tenant == missing.tenant) {
                self.missing.push(missing);
            }
        }
        self.tenants = of_all.tenants;
        self.without_file = of_all.without_file;
        (of_all.found, of_all.is_choice_cut)
    }

    fn owned<T>(&mut self, of_all: OfAll<Vec<OfTenant<T>>>) -> Vec<Owned<T>> {
        let (prompts, _) = self.take(of_all);
        prompts.into_iter().map(|one| Owned { tenant: Some(one.tenant), prompt: one.found }).collect()
    }
}

fn unowned<T>(prompts: Vec<T>) -> Vec<Owned<T>> {
    prompts.into_iter().map(|prompt| Owned { tenant: None, prompt }).collect()
}

impl Document {
    /// Asks for all of it.
    ///
    /// # Errors
    /// The first that is no single tenant's.
    pub(crate) async fn gather(source: &Source, asked: Asked) -> Result<Self> {
        let mut scope = Scope { tenant: None, tenants: 1, missing: Vec::new(), without_file: Vec::new() };
        if let Source::Tenant(id, _) = source {
            scope.tenant = Some(*id);
        }
        let (mut by, mut attacks_by) = (Vec::new(), Vec::new());
        let (mut total, mut attacks) = (Figures::default(), Outcomes::default());
        for dimension in &asked.by {
            let request = FiguresRequest {
                filter: asked.pieces.clone(),
                by: dimension.clone(),
                groups: asked.groups.clone(),
                refusal_scorers: asked.refusal_scorers.clone(),
            };
            let (figures, is_choice_cut) = match source {
                Source::Tenant(_, analytics) => (analytics.figures(&request).await?, false),
                Source::All(all) => scope.take(all.figures(&request).await?),
            };
            total = figures.total.clone();
            by.push(Grouped { dimension: dimension.to_string(), is_choice_cut, figures });
        }
        let of_attacks: Vec<_> =
            asked.by.iter().filter(|by| OutcomeRequest::can_be_by(by)).cloned().collect();
        // The total comes with the groups of any.
        let needed = if of_attacks.is_empty() { vec![Dimension::AttackClass] } else { of_attacks.clone() };
        for dimension in needed {
            let request = OutcomeRequest {
                filter: asked.attacks.clone(),
                by: dimension.clone(),
                groups: asked.groups.clone(),
            };
            let (figures, is_choice_cut) = match source {
                Source::Tenant(_, analytics) => (analytics.outcomes(&request).await?, false),
                Source::All(all) => scope.take(all.outcomes(&request).await?),
            };
            attacks = figures.total;
            if !of_attacks.is_empty() {
                attacks_by.push(Grouped { dimension: dimension.to_string(), is_choice_cut, figures });
            }
        }
        let (mut longest_prompts, mut repeated_prompts) = (None, None);
        if let Some(most) = asked.prompts {
            let (longest, repeated) = match source {
                Source::Tenant(_, analytics) => (
                    unowned(analytics.longest_prompts(&asked.pieces, most).await?),
                    unowned(analytics.repeated_prompts(&asked.pieces, most).await?),
                ),
                Source::All(all) => (
                    scope.owned(all.longest_prompts(&asked.pieces, most).await?),
                    scope.owned(all.repeated_prompts(&asked.pieces, most).await?),
                ),
            };
            (longest_prompts, repeated_prompts) = (Some(longest), Some(repeated));
        }
        Ok(Self {
            report: "conversations",
            version: VERSION,
            made_at: trimaran_core::Clock::now(&trimaran_core::clock::SystemClock),
            scope,
            from: asked.pieces.created_from,
            to: asked.pieces.created_before,
            refusal_scorers: asked.refusal_scorers,
            total,
            by,
            attacks,
            attacks_by,
            longest_prompts,
            repeated_prompts,
        })
    }

    /// Whether every tenant that it should be about is in it.
    pub(crate) fn is_whole(&self) -> bool {
        self.scope.missing.is_empty()
    }

    /// For programs.
    ///
    /// # Errors
    /// If it can't be written as JSON.
    pub(crate) fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|e| Error::new(ErrorKind::Invalid, "write the report").source(e))
    }
}
