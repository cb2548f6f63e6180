//! Results of attacks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::AttackResultId;
use crate::model::conversation::{AttackResult, AttackResultFilter, NewAttackResult};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Results of attacks. What holds for every call is said in [the module](crate::repository).
///
/// They are findings: they stay when the conversation, the pieces or the scores that they refer to are deleted. With a
/// scenario's result goes what says that they belong to it, and nothing else.
#[async_trait]
pub trait AttackResults: Debug + Send + Sync {
    /// Adds results, all or none, and returns them as they are kept, in the order given.
    ///
    /// # Errors
    /// `NotFound` for a scenario that isn't there; `Conflict` for an id that is taken; `Invalid` for an identifier that would not
    /// come back as it is.
    async fn add(&self, results: Vec<NewAttackResult>) -> Result<Vec<AttackResult>>;

    /// The result of this id.
    async fn find(&self, id: AttackResultId) -> Result<Option<AttackResult>>;

    /// Writes the details of `result` if its version is the one that is kept, and returns it as it is then. Conversation, scenario
    /// and time stay as they are.
    ///
    /// # Errors
    /// `NotFound` if there is no such result; `Conflict` if it was updated since it was read, on engines that find conflicts late
    /// also `Aborted`, of two at the same moment; `Invalid` as for [`add`](Self::add).
    async fn update(&self, result: &AttackResult) -> Result<AttackResult>;

    /// A page of the results that the filter lets through.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list, or the filter has too many values.
    async fn list(&self, filter: &AttackResultFilter, page: &PageRequest) -> Result<Page<AttackResult>>;

    /// Removes the result; says whether there was one.
    async fn delete(&self, id: AttackResultId) -> Result<bool>;

    /// The different classes of strategies, in the order of their characters' code points.
    async fn attack_classes(&self) -> Result<Vec<String>>;

    /// The different classes of converters, in the same order.
    async fn converter_classes(&self) -> Result<Vec<String>>;

    /// The different labels with their different values, in the same order.
    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>>;
}

sealed!(AttackResults);

/// Conveniences over [`AttackResults`].
#[async_trait]
pub trait AttackResultsExt: sealed::Sealed {
    /// Adds one.
    ///
    /// # Errors
    /// As for [`AttackResults::add`].
    async fn add_one(&self, result: NewAttackResult) -> Result<AttackResult>;
}

#[async_trait]
impl<T: AttackResults + ?Sized> AttackResultsExt for T {
    async fn add_one(&self, result: NewAttackResult) -> Result<AttackResult> {
        let added = self.add(vec![result]).await?;
        added.into_iter().next().ok_or_else(|| not_found("add the attack result", "result", "that was added"))
    }
}
