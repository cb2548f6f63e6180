//! Seeds and groups of them.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::{SeedGroupId, SeedId};
use crate::model::conversation::{
    AddedSeed, AddedSeedGroup, NewSeed, NewSeedGroup, Seed, SeedFilter, SeedGroup,
};
use crate::{Page, PageRequest, Result};

/// Seeds, alone and in groups. What holds for every call is said in [the module](crate::repository).
///
/// A dataset has a seed once: one with a hash that the dataset has already is not added again. Seeds without a dataset count as
/// of one. A group is one thing: a group that a dataset has already, with the same hashes, sequences and roles in the same
/// order, is not added again, but a value may be in many groups, and in one group many times (PyRIT drops the second, and
/// with it a turn).
#[async_trait]
pub trait Seeds: Debug + Send + Sync {
    /// Adds seeds, all or none, and says of each in turn whether it is new. Of two alike in the same call the first is added.
    ///
    /// # Errors
    /// `Conflict` for an id that is taken by another seed.
    async fn add(&self, seeds: Vec<NewSeed>) -> Result<Vec<AddedSeed>>;

    /// Adds groups, all or none, and says of each in turn whether it is new.
    ///
    /// # Errors
    /// `Invalid` for a group that is none: see [`NewSeedGroup::validate`]. `Conflict` for an id that is taken.
    async fn add_groups(&self, groups: Vec<NewSeedGroup>) -> Result<Vec<AddedSeedGroup>>;

    /// Puts seeds and groups in the place of all that the dataset has, at once: whoever reads sees the dataset of before or that
    /// of after. Says how many seeds were removed.
    ///
    /// # Errors
    /// `Invalid` if a seed is of another dataset, or if there is none at all ([`remove`](Self::remove) empties a dataset);
    /// else as for [`add`](Self::add) and [`add_groups`](Self::add_groups).
    async fn replace_dataset(
        &self,
        dataset: &str,
        seeds: Vec<NewSeed>,
        groups: Vec<NewSeedGroup>,
    ) -> Result<u64>;

    /// The seed of this id.
    async fn find(&self, id: SeedId) -> Result<Option<Seed>>;

    /// A page of the seeds that the filter lets through, those of groups included.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list, or the filter has too many values.
    async fn list(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<Seed>>;

    /// The group of this id.
    async fn find_group(&self, id: SeedGroupId) -> Result<Option<SeedGroup>>;

    /// A page of the groups of which the filter lets a seed through, each group whole.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    async fn list_groups(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<SeedGroup>>;

    /// Removes the seeds that the filter lets through; says how many. A group may lose some of its seeds so.
    ///
    /// # Errors
    /// `Invalid` for a filter that says nothing, or has too many values.
    async fn remove(&self, filter: &SeedFilter) -> Result<u64>;

    /// Removes the groups of which the filter lets a seed through, each group whole; says how many seeds that were.
    ///
    /// # Errors
    /// As for [`remove`](Self::remove).
    async fn remove_groups(&self, filter: &SeedFilter) -> Result<u64>;

    /// The names of the datasets, in the order of their characters' code points.
    async fn dataset_names(&self) -> Result<Vec<String>>;
}
