//! Datasets and their prompts, asking before each call. Prompts are part of their dataset: changing them is updating it.

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{DatasetId, DatasetPromptId};
use crate::model::{Dataset, DatasetPrompt, NewDataset, NewDatasetPrompt, PromptPlace};
use crate::repository::Datasets;
use crate::{Page, PageRequest, Result};

guarded!(Datasets, Datasets);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Datasets for Guarded {
    async fn create(&self, dataset: NewDataset) -> Result<Dataset> {
        self.check(Verb::Create, Target::All)?;
        self.inner.create(dataset).await
    }

    async fn find(&self, id: DatasetId) -> Result<Option<Dataset>> {
        self.check(Verb::Read, Target::Dataset(id))?;
        self.inner.find(id).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Dataset>> {
        self.check(Verb::Read, Target::Named(name))?;
        self.inner.find_by_name(name).await
    }

    async fn update(&self, dataset: &Dataset) -> Result<Dataset> {
        self.check(Verb::Update, Target::Dataset(dataset.id))?;
        self.inner.update(dataset).await
    }

    async fn delete(&self, id: DatasetId) -> Result<bool> {
        self.check(Verb::Delete, Target::Dataset(id))?;
        self.inner.delete(id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Dataset>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(page).await
    }

    async fn copy(&self, id: DatasetId, name: &str) -> Result<Dataset> {
        self.check(Verb::Read, Target::Dataset(id))?;
        self.check(Verb::Create, Target::All)?;
        self.inner.copy(id, name).await
    }

    async fn append_prompts(
        &self,
        id: DatasetId,
        prompts: Vec<NewDatasetPrompt>,
    ) -> Result<Vec<DatasetPromptId>> {
        self.check(Verb::Update, Target::Dataset(id))?;
        self.inner.append_prompts(id, prompts).await
    }

    async fn import_prompts(
        &self,
        id: DatasetId,
        prompts: BoxStream<'_, Result<NewDatasetPrompt>>,
    ) -> Result<u64> {
        self.check(Verb::Update, Target::Dataset(id))?;
        self.inner.import_prompts(id, prompts).await
    }

    async fn count_prompts(&self, id: DatasetId) -> Result<u64> {
        self.check(Verb::Read, Target::Dataset(id))?;
        self.inner.count_prompts(id).await
    }

    async fn prompts(&self, id: DatasetId, page: &PageRequest) -> Result<Page<DatasetPrompt>> {
        self.check(Verb::Read, Target::Dataset(id))?;
        self.inner.prompts(id, page).await
    }

    async fn find_prompt(&self, id: DatasetPromptId) -> Result<Option<DatasetPrompt>> {
        self.check(Verb::Read, Target::DatasetPrompt(id))?;
        self.inner.find_prompt(id).await
    }

    async fn replace_prompt(&self, id: DatasetPromptId, prompt: NewDatasetPrompt) -> Result<DatasetPrompt> {
        self.check(Verb::Update, Target::DatasetPrompt(id))?;
        self.inner.replace_prompt(id, prompt).await
    }

    async fn delete_prompt(&self, id: DatasetPromptId) -> Result<bool> {
        self.check(Verb::Update, Target::DatasetPrompt(id))?;
        self.inner.delete_prompt(id).await
    }

    async fn move_prompt(&self, id: DatasetPromptId, to: PromptPlace) -> Result<DatasetPrompt> {
        self.check(Verb::Update, Target::DatasetPrompt(id))?;
        self.inner.move_prompt(id, to).await
    }

    async fn reorder_prompts(&self, id: DatasetId, order: &[DatasetPromptId]) -> Result<()> {
        self.check(Verb::Update, Target::Dataset(id))?;
        self.inner.reorder_prompts(id, order).await
    }
}
