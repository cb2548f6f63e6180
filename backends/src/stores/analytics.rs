//! Figures over all tenants of an installation.
//!
//! Each tenant is asked through its own handle, on Postgres under its own setting: nothing here reaches past what keeps tenants apart.
//! Some are asked at a time, and their figures are merged as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use trimaran_core::config::Area;
use trimaran_core::model::PieceFilter;
use trimaran_core::model::conversation::analytics::{
    FiguresRequest, GroupChoice, GroupKey, GroupedFigures, GroupedOutcomes, LongPrompt, MOST_PROMPTS,
    OutcomeRequest, Ranking, RepeatedPrompt, check_most,
};
use trimaran_core::repository::Analytics;
use trimaran_core::{Error, ErrorKind, PageRequest, Result, TenantId};

use super::buffers::Buffers;
use super::tenant::stores_of;
use super::{Stores, Tenant};
use crate::tenant::TenantRecord;

/// What one tenant's repository is asked.
type Question<'q, T> = &'q (dyn Fn(Arc<dyn Analytics>) -> BoxFuture<'static, Result<T>> + Send + Sync);

/// How many tenants are asked at a time, at most; fewer if fewer of their files may be open.
const AT_A_TIME: usize = 8;

/// How many of its groups a tenant names, at most, when those with the most pieces are sought among all tenants'.
pub const RANKED_PER_TENANT: usize = 10_000;

/// The right to figures over all tenants of one installation: see [`Stores::assume_administration_of_all_tenants`].
#[derive(Debug)]
pub struct AdministratorCapability {
    installation: Arc<Buffers>,
}

/// Figures over all tenants of an installation.
#[derive(Debug, Clone)]
pub struct AnalyticsOfAll {
    stores: Stores,
}

/// Something of all tenants, and what is not in it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OfAll<T> {
    /// What all others have come to.
    pub found: T,
    /// How many tenants are in it.
    pub tenants: u64,
    /// The tenants that are not in it, for what was asked of them failed, and why.
    pub missing: Vec<MissingTenant>,
    /// The tenants that have no file: those who never kept anything, and those whose file is gone.
    pub without_file: Vec<TenantId>,
    /// Whether a tenant has more groups than [`RANKED_PER_TENANT`], so that one of the greatest may have been overlooked. The figures of
    /// those that are told of are exact all the same.
    pub is_choice_cut: bool,
}

/// A tenant that is not in the figures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct MissingTenant {
    /// Which.
    pub tenant: TenantId,
    /// What kind of error it was.
    pub kind: &'static str,
    /// The error. It says nothing of what the tenant keeps.
    pub error: String,
}

/// Something of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OfTenant<T> {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    #[serde(flatten)]
    pub found: T,
}

/// Who is not in it.
#[derive(Debug, Default)]
struct Absent {
    missing: BTreeMap<TenantId, MissingTenant>,
    without_file: BTreeSet<TenantId>,
    tenants: u64,
}

impl Absent {
    fn into_of_all<T>(self, found: T, is_choice_cut: bool) -> OfAll<T> {
        OfAll {
            found,
            tenants: self.tenants,
            missing: self.missing.into_values().collect(),
            without_file: self.without_file.into_iter().collect(),
            is_choice_cut,
        }
    }
}

impl Stores {
    /// Gives the right to figures over all tenants, to whoever runs this program where the configuration allows it
    /// (`tenants.administration`). Ask for it where an administrator has said that this is what he wants, and nowhere else.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] if the configuration doesn't allow it.
    pub fn assume_administration_of_all_tenants(&self) -> Result<AdministratorCapability> {
        if self.tenants.administration {
            return Ok(AdministratorCapability { installation: Arc::clone(&self.tenants.buffers) });
        }
        Err(Error::new(ErrorKind::Forbidden, "administer all tenants")
            .context("the configuration doesn't allow it")
            .hint("set tenants.administration = true where an administrator's programs run, and only there"))
    }

    /// Figures over all tenants.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] if the right is to another installation's.
    pub fn analytics_of_all(&self, capability: &AdministratorCapability) -> Result<AnalyticsOfAll> {
        if Arc::ptr_eq(&capability.installation, &self.tenants.buffers) {
            return Ok(AnalyticsOfAll { stores: self.clone() });
        }
        Err(Error::new(ErrorKind::Forbidden, "administer all tenants")
            .context("the right that was shown is to other stores")
            .hint("ask these stores for it"))
    }
}

impl AnalyticsOfAll {
    /// Counts of pieces, messages and conversations, refusals and score distributions. Which groups have the most pieces is found out
    /// first, over all tenants; what comes or goes meanwhile may change that choice, but no figure.
    ///
    /// # Errors
    /// As for [`Analytics::figures`], and the catalogue's. A tenant that can't be asked is no error, but is named in the result.
    pub async fn figures(&self, request: &FiguresRequest) -> Result<OfAll<GroupedFigures>> {
        const OPERATION: &str = "count the conversations of all tenants";
        request.groups.check(OPERATION)?;
        let mut absent = Absent::default();
        let (choice, is_cut) = match &request.groups {
            GroupChoice::These(keys) => (keys.clone(), false),
            GroupChoice::Most(most) => {
                let ask = |analytics: Arc<dyn Analytics>| {
                    let (filter, by) = (request.filter.clone(), request.by.clone());
                    async move { analytics.groups(&filter, &by, RANKED_PER_TENANT).await }.boxed()
                };
                self.greatest(&mut absent, *most, OPERATION, &ask).await?
            }
        };
        let request = FiguresRequest { groups: GroupChoice::These(choice), ..request.clone() };
        let mut found = GroupedFigures::empty();
        let ask = |analytics: Arc<dyn Analytics>| {
            let request = request.clone();
            async move { analytics.figures(&request).await }.boxed()
        };
        self.each(&mut absent, OPERATION, &ask, |_, figures| found.merge(&figures)).await?;
        Ok(absent.into_of_all(found, is_cut))
    }

    /// How attacks ended.
    ///
    /// # Errors
    /// As for [`Analytics::outcomes`], and [`Self::figures`].
    pub async fn outcomes(&self, request: &OutcomeRequest) -> Result<OfAll<GroupedOutcomes>> {
        const OPERATION: &str = "count the outcomes of all tenants' attacks";
        request.check(OPERATION)?;
        let mut absent = Absent::default();
        let (choice, is_cut) = match &request.groups {
            GroupChoice::These(keys) => (keys.clone(), false),
            GroupChoice::Most(most) => {
                let ask = |analytics: Arc<dyn Analytics>| {
                    let request = request.clone();
                    async move { analytics.outcome_groups(&request, RANKED_PER_TENANT).await }.boxed()
                };
                self.greatest(&mut absent, *most, OPERATION, &ask).await?
            }
        };
        let request = OutcomeRequest { groups: GroupChoice::These(choice), ..request.clone() };
        let mut found = GroupedOutcomes::default();
        let ask = |analytics: Arc<dyn Analytics>| {
            let request = request.clone();
            async move { analytics.outcomes(&request).await }.boxed()
        };
        self.each(&mut absent, OPERATION, &ask, |_, outcomes| found.merge(&outcomes)).await?;
        Ok(absent.into_of_all(found, is_cut))
    }

    /// The longest prompts of all tenants, each with whose it is.
    ///
    /// # Errors
    /// As for [`Analytics::longest_prompts`], and [`Self::figures`].
    pub async fn longest_prompts(
        &self,
        filter: &PieceFilter,
        most: u32,
    ) -> Result<OfAll<Vec<OfTenant<LongPrompt>>>> {
        let ask = |analytics: Arc<dyn Analytics>| {
            let filter = filter.clone();
            async move { analytics.longest_prompts(&filter, most).await }.boxed()
        };
        let key = |prompt: &LongPrompt| (std::cmp::Reverse(prompt.characters), prompt.piece);
        self.prompts("find the longest prompts of all tenants", most, &ask, key).await
    }

    /// The prompts that one tenant sent most often, each with whose it is: what several tenants sent is not added up.
    ///
    /// # Errors
    /// As for [`Analytics::repeated_prompts`], and [`Self::figures`].
    pub async fn repeated_prompts(
        &self,
        filter: &PieceFilter,
        most: u32,
    ) -> Result<OfAll<Vec<OfTenant<RepeatedPrompt>>>> {
        let ask = |analytics: Arc<dyn Analytics>| {
            let filter = filter.clone();
            async move { analytics.repeated_prompts(&filter, most).await }.boxed()
        };
        let key = |prompt: &RepeatedPrompt| (std::cmp::Reverse(prompt.pieces), prompt.sha256);
        self.prompts("find the most repeated prompts of all tenants", most, &ask, key).await
    }

    async fn prompts<T: Send + 'static, K: Ord>(
        &self,
        operation: &str,
        most: u32,
        ask: Question<'_, Vec<T>>,
        key: impl Fn(&T) -> K + Send + Sync,
    ) -> Result<OfAll<Vec<OfTenant<T>>>> {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        check_most(operation, "prompts", size(most), size(MOST_PROMPTS))?;
        let (mut absent, mut all) = (Absent::default(), Vec::new());
        self.each(&mut absent, operation, ask, |tenant, prompts| {
            all.extend(prompts.into_iter().map(|found| OfTenant { tenant, found }));
            all.sort_by_key(|one: &OfTenant<T>| (key(&one.found), one.tenant));
            all.truncate(size(most));
        })
        .await?;
        Ok(absent.into_of_all(all, false))
    }

    /// The `most` groups with the most members over all tenants, and whether one may have been overlooked.
    async fn greatest(
        &self,
        absent: &mut Absent,
        most: usize,
        operation: &str,
        ask: Question<'_, Ranking>,
    ) -> Result<(Vec<GroupKey>, bool)> {
        let (mut members, mut is_cut) = (BTreeMap::<GroupKey, u64>::new(), false);
        self.each(absent, operation, ask, |_, ranking| {
            is_cut |= ranking.is_cut;
            for group in ranking.groups {
                *members.entry(group.key).or_default() += group.pieces;
            }
        })
        .await?;
        let mut ranked: Vec<_> = members.into_iter().collect();
        ranked.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
        ranked.truncate(most);
        Ok((ranked.into_iter().map(|(key, _)| key).collect(), is_cut))
    }

    /// Asks every tenant, some at a time, and takes each answer as it comes.
    async fn each<T: Send + 'static>(
        &self,
        absent: &mut Absent,
        operation: &str,
        ask: Question<'_, T>,
        mut take: impl FnMut(TenantId, T) + Send,
    ) -> Result<()> {
        let at_a_time = self.stores.tenants.open_files.clamp(1, AT_A_TIME);
        let mut page = PageRequest::first(PageRequest::MAX_LIMIT)?;
        absent.tenants = 0;
        loop {
            let tenants = self.stores.tenants().list(&page).await.map_err(|e| e.within(operation))?;
            let mut answers = stream::iter(tenants.items)
                .map(|record| {
                    let tenant = record.id;
                    let answer = self.of_tenant(record, ask);
                    async move { (tenant, answer.await) }.boxed()
                })
                .buffer_unordered(at_a_time);
            while let Some((tenant, answer)) = answers.next().await {
                match answer {
                    // It failed before: its part in the choice of groups, say. All of it is missing, or none.
                    _ if absent.missing.contains_key(&tenant) => {}
                    Ok(Some(found)) => {
                        absent.tenants += 1;
                        take(tenant, found);
                    }
                    Ok(None) => {
                        absent.without_file.insert(tenant);
                    }
                    // What was asked is wrong, of whomever.
                    Err(error) if error.kind() == ErrorKind::Invalid => return Err(error),
                    Err(error) => {
                        tracing::warn!(%tenant, %error, "a tenant is missing in figures of all");
                        let kind = error.kind().name();
                        let missing = MissingTenant { tenant, kind, error: error.to_string() };
                        absent.missing.insert(tenant, missing);
                    }
                }
            }
            let Some(next) = tenants.next else { return Ok(()) };
            page = PageRequest::first(PageRequest::MAX_LIMIT)?.after(next);
        }
    }

    /// `None` if the tenant has no file.
    async fn of_tenant<T: Send + 'static>(
        &self,
        record: TenantRecord,
        ask: Question<'_, T>,
    ) -> Result<Option<T>> {
        if !stores_of(&self.stores.tenants.homes, &record, Area::Conversation)?.is_there(&record)? {
            return Ok(None);
        }
        let tenant = Tenant::new(record, self.stores.tenants.clone());
        let analytics = tenant.conversation().await?.analytics;
        ask(analytics).await.map(Some)
    }
}
