//! What several processes share: each tenant's version, and answers.

use std::fmt::Debug;

use async_trait::async_trait;
use trimaran_core::{Result, TenantId};

/// What answers are found by, together with the tenant: a digest of the question and its parameters.
pub(super) type QuestionId = [u8; 32];

/// A place that all processes of an installation reach. It holds nothing that could not be computed again.
///
/// A write is announced before it can take effect, and ended when it has: between the two [`version`](Self::version) gives none,
/// and afterwards another one than before. A process that dies in between leaves its announcement, which runs out after twice
/// the time that answers live, when none from before is left.
#[async_trait]
pub(super) trait SharedLayer: Debug + Send + Sync {
    /// The tenant's version; `None` while a write is in hand, or where the place can't be reached.
    async fn version(&self, tenant: TenantId) -> Option<String>;

    /// The answer to a question at a version, if one is there.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` if the place can't be reached.
    async fn get(&self, tenant: TenantId, question: &QuestionId, version: &str) -> Result<Option<Vec<u8>>>;

    /// Keeps an answer.
    ///
    /// # Errors
    /// As for [`Self::get`].
    async fn put(
        &self,
        tenant: TenantId,
        question: &QuestionId,
        version: &str,
        answer: Vec<u8>,
    ) -> Result<()>;

    /// Announces a write; gives what [`end_write`](Self::end_write) wants. Where the place can't be reached the write goes on
    /// all the same: what other processes kept lives on until its time is over.
    async fn begin_write(&self, tenant: TenantId) -> String;

    /// Ends a write: what was kept before is worthless. Where the place can't be reached it is tried again in the
    /// background, until all that was kept has outlived its time.
    async fn end_write(&self, tenant: TenantId, write: &str);
}
