//! Datasets and their prompts.

use std::fmt::Debug;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::id::{DatasetId, DatasetPromptId};
use crate::model::{Dataset, DatasetPrompt, NewDataset, NewDatasetPrompt, PromptPlace};
use crate::repository::{not_found, sealed};
use crate::{Page, PageRequest, Result};

/// Datasets of one tenant. What holds for every call is said in [the module](crate::repository).
///
/// A dataset's prompts stand in an order. Their positions are whole numbers with gaps, so that moving one changes one row; only
/// when a gap is used up are all of the dataset's positions given anew.
#[async_trait]
pub trait Datasets: Debug + Send + Sync {
    /// Creates a dataset, without prompts.
    ///
    /// # Errors
    /// `Conflict` if another dataset has the name; `Invalid` as for [`NewDataset::validate`].
    async fn create(&self, dataset: NewDataset) -> Result<Dataset>;

    /// The dataset of this id.
    async fn find(&self, id: DatasetId) -> Result<Option<Dataset>>;

    /// The dataset of this name, byte for byte.
    async fn find_by_name(&self, name: &str) -> Result<Option<Dataset>>;

    /// Writes name, source type, configuration, metadata and status of `dataset`, and returns it as it is now.
    ///
    /// # Errors
    /// `Conflict` if the stored version isn't `dataset.version` any more (read it again, apply the change again), or if
    /// another dataset has the name; `NotFound` if there is no such dataset; `Invalid` as for [`NewDataset::validate`].
    async fn update(&self, dataset: &Dataset) -> Result<Dataset>;

    /// Removes the dataset and its prompts; says whether there was one.
    async fn delete(&self, id: DatasetId) -> Result<bool>;

    /// A page of all datasets.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, page: &PageRequest) -> Result<Page<Dataset>>;

    /// A dataset of another name with copies of all prompts, in the same order.
    ///
    /// # Errors
    /// `NotFound` if there is no such dataset; `Conflict` if another dataset has the name; `Invalid` if the name is empty or
    /// too long.
    async fn copy(&self, id: DatasetId, name: &str) -> Result<Dataset>;

    /// Puts prompts at the dataset's end, in this order; gives their ids, in the same.
    ///
    /// # Errors
    /// `NotFound` if there is no such dataset; `Invalid` as for [`NewDatasetPrompt::validate`].
    async fn append_prompts(
        &self,
        id: DatasetId,
        prompts: Vec<NewDatasetPrompt>,
    ) -> Result<Vec<DatasetPromptId>>;

    /// Puts all prompts of a stream at the dataset's end: all, or none if one can't be had or kept. Takes little memory however
    /// many there are; holds a transaction until the stream ends. Says how many there were.
    ///
    /// # Errors
    /// The stream's; `NotFound` if there is no such dataset; `Invalid`, saying which prompt, as for
    /// [`NewDatasetPrompt::validate`].
    async fn import_prompts(
        &self,
        id: DatasetId,
        prompts: BoxStream<'_, Result<NewDatasetPrompt>>,
    ) -> Result<u64>;

    /// How many prompts the dataset has; 0 if there is no such dataset.
    async fn count_prompts(&self, id: DatasetId) -> Result<u64>;

    /// A page of the dataset's prompts, in their order. A prompt that is moved between two pages may be on both or on none; all others
    /// are on exactly one.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list; `Conflict` if all positions were given anew since the page before:
    /// begin at the first page.
    async fn prompts(&self, id: DatasetId, page: &PageRequest) -> Result<Page<DatasetPrompt>>;

    /// The prompt of this id.
    async fn find_prompt(&self, id: DatasetPromptId) -> Result<Option<DatasetPrompt>>;

    /// Writes another text and metadata; id and place stay.
    ///
    /// # Errors
    /// `NotFound` if there is no such prompt; `Invalid` as for [`NewDatasetPrompt::validate`].
    async fn replace_prompt(&self, id: DatasetPromptId, prompt: NewDatasetPrompt) -> Result<DatasetPrompt>;

    /// Removes the prompt; says whether there was one.
    async fn delete_prompt(&self, id: DatasetPromptId) -> Result<bool>;

    /// Moves the prompt to a place in its dataset, and returns it as it is now.
    ///
    /// # Errors
    /// `NotFound` if there is no such prompt, or none in the same dataset that it is to stand beside.
    async fn move_prompt(&self, id: DatasetPromptId, to: PromptPlace) -> Result<DatasetPrompt>;

    /// Puts all prompts of the dataset into this order.
    ///
    /// # Errors
    /// `NotFound` if there is no such dataset; `Invalid` if `order` names a prompt twice; `Conflict` if it leaves one out or names one
    /// that isn't in the dataset: read it again.
    async fn reorder_prompts(&self, id: DatasetId, order: &[DatasetPromptId]) -> Result<()>;
}

sealed!(Datasets);

/// Conveniences over [`Datasets`].
#[async_trait]
pub trait DatasetsExt: sealed::Sealed {
    /// The dataset of this id, which must be there.
    ///
    /// # Errors
    /// `NotFound` if it isn't.
    async fn require(&self, id: DatasetId) -> Result<Dataset>;
}

#[async_trait]
impl<T: Datasets + ?Sized> DatasetsExt for T {
    async fn require(&self, id: DatasetId) -> Result<Dataset> {
        self.find(id).await?.ok_or_else(|| not_found("find the dataset", "dataset", id))
    }
}
