//! Seeds, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::{SeedGroupId, SeedId};
use crate::model::conversation::{
    AddedSeed, AddedSeedGroup, NewSeed, NewSeedGroup, Seed, SeedFilter, SeedGroup,
};
use crate::repository::conversation::Seeds;
use crate::{Page, PageRequest, Result};

guarded!(Seeds, Seeds);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Seeds for Guarded {
    async fn add(&self, seeds: Vec<NewSeed>) -> Result<Vec<AddedSeed>> {
        self.check(Verb::Create, Target::All)?;
        self.inner.add(seeds).await
    }

    async fn add_groups(&self, groups: Vec<NewSeedGroup>) -> Result<Vec<AddedSeedGroup>> {
        self.check(Verb::Create, Target::All)?;
        self.inner.add_groups(groups).await
    }

    async fn replace_dataset(
        &self,
        dataset: &str,
        seeds: Vec<NewSeed>,
        groups: Vec<NewSeedGroup>,
    ) -> Result<u64> {
        // It removes as much as it adds.
        self.check(Verb::Create, Target::Named(dataset))?;
        self.check(Verb::Delete, Target::Named(dataset))?;
        self.inner.replace_dataset(dataset, seeds, groups).await
    }

    async fn find(&self, id: SeedId) -> Result<Option<Seed>> {
        self.check(Verb::Read, Target::Seed(id))?;
        self.inner.find(id).await
    }

    async fn list(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<Seed>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(filter, page).await
    }

    async fn find_group(&self, id: SeedGroupId) -> Result<Option<SeedGroup>> {
        self.check(Verb::Read, Target::SeedGroup(id))?;
        self.inner.find_group(id).await
    }

    async fn list_groups(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<SeedGroup>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list_groups(filter, page).await
    }

    async fn remove(&self, filter: &SeedFilter) -> Result<u64> {
        self.check(Verb::Delete, Target::All)?;
        self.inner.remove(filter).await
    }

    async fn remove_groups(&self, filter: &SeedFilter) -> Result<u64> {
        self.check(Verb::Delete, Target::All)?;
        self.inner.remove_groups(filter).await
    }

    async fn dataset_names(&self) -> Result<Vec<String>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.dataset_names().await
    }
}
