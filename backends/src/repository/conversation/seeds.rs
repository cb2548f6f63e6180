//! Seeds and groups of them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, sea_query::Query,
};
use trimaran_core::id::{SeedGroupId, SeedId};
use trimaran_core::model::conversation::{
    AddedSeed, AddedSeedGroup, NewSeed, NewSeedGroup, Seed, SeedFilter, SeedGroup,
};
use trimaran_core::repository::Seeds;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};
use uuid::Uuid;

use super::conditions::Conditions;
use super::seed_rows::KINDS;
use super::tags::{self, Kind};
use super::{seed_additions, seed_rows};
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::seed;
use crate::fetch;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{self, paging, repetition};

tenant_repository! {
    /// [`Seeds`] over SQL.
    SqlSeeds
}

const ADD: &str = "add seeds";
const ADD_GROUPS: &str = "add groups of seeds";
const REPLACE: &str = "replace a dataset's seeds";
const REMOVE: &str = "remove seeds";

impl SqlSeeds {
    async fn conditions(&self, filter: &SeedFilter) -> Result<Condition> {
        filter.validate()?;
        let resources = &self.resources;
        let id = seed::Column::Id;
        let mut conditions = Conditions::own(resources, seed::Column::TenantId);
        conditions.one_of(id, filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.0)));
        if let Some(value) = &filter.value {
            conditions.add(seed::Column::Value.eq(resources.text().store(value)));
        }
        conditions.contains(seed::Column::Value, &filter.value_contains);
        let hashes = filter.sha256s.as_ref();
        conditions.one_of(
            seed::Column::Sha256,
            hashes.map(|hashes| hashes.iter().map(|hash| hash.as_bytes().to_vec())),
        );
        conditions.one_of_texts(seed::Column::Dataset, &filter.datasets);
        if let Some(pattern) = &filter.dataset_pattern {
            // Engines disagree on LIKE, and there are few datasets.
            let mut names = self.dataset_names().await?;
            names.retain(|name| pattern.matches(name));
            conditions.one_of_texts(seed::Column::Dataset, &Some(names));
        }
        conditions.one_of_texts(seed::Column::Name, &filter.names);
        let data_types = filter.data_types.as_ref();
        conditions.one_of(seed::Column::DataType, data_types.map(|types| types.iter().map(|one| one.name())));
        let seed_types = filter.seed_types.as_ref();
        conditions.one_of(seed::Column::SeedType, seed_types.map(|types| types.iter().map(|one| one.name())));
        conditions.all_tags(id, Kind::SeedHarm, "", &filter.harm_categories);
        conditions.one_tag(id, Kind::SeedHarm, "", &filter.any_harm_category);
        conditions.all_tags(id, Kind::SeedAuthor, "", &filter.authors);
        conditions.all_tags(id, Kind::SeedAuthorGroup, "", &filter.author_groups);
        conditions.all_tags(id, Kind::SeedParameter, "", &filter.parameters);
        conditions.metadata(id, Kind::SeedMetadata, &filter.metadata);
        conditions.one_of_texts(seed::Column::AddedBy, &filter.added_by);
        conditions.one_of_texts(seed::Column::Source, &filter.sources);
        let groups = filter.group_ids.as_ref();
        conditions.one_of(seed::Column::GroupId, groups.map(|ids| ids.iter().map(|id| id.0)));
        conditions.is_null(seed::Column::GroupId, filter.in_a_group.map(|wanted| !wanted));
        let roles = filter.roles.as_ref();
        conditions.one_of(seed::Column::Role, roles.map(|roles| roles.iter().map(|role| role.name())));
        let sequences = filter.sequences.as_ref();
        conditions.one_of(seed::Column::Sequence, sequences.map(|sequences| sequences.iter().copied()));
        conditions.within(seed::Column::AddedAt, filter.created_from, filter.created_before);
        Ok(conditions.all())
    }

    async fn loaded(&self, rows: Vec<seed::Model>) -> Result<Vec<Seed>> {
        let owners: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut tags = tags::load_kinds(&self.resources, &owners, &KINDS).await?;
        rows.into_iter()
            .map(|row| {
                let own = tags.remove(&row.id).unwrap_or_default();
                seed_rows::loaded(&self.resources, row, &own)
            })
            .collect()
    }

    /// Whole groups, in the order of their ids.
    async fn groups(&self, ids: &[Uuid]) -> Result<Vec<SeedGroup>> {
        let executor = self.resources.executor();
        let query = seed::Entity::find()
            .filter(self.resources.own(seed::Column::TenantId))
            .filter(repository::ids::among(executor.engine(), seed::Column::GroupId, ids))
            .order_by_asc(seed::Column::Id);
        let rows = fetch::models(executor, query, "read groups of seeds").await?;
        let mut groups: BTreeMap<SeedGroupId, Vec<Seed>> = BTreeMap::new();
        for seed in self.loaded(rows).await? {
            if let Some(group) = seed.group {
                groups.entry(group).or_default().push(seed);
            }
        }
        let in_order = |(id, mut seeds): (SeedGroupId, Vec<Seed>)| {
            // Stable: seeds of one sequence stay in the order in which they were added.
            seeds.sort_by_key(|seed| seed.details.sequence);
            SeedGroup { id, seeds }
        };
        Ok(groups.into_iter().map(in_order).collect())
    }

    /// Removes the rows that the condition lets through, and their tags.
    async fn remove_where(
        &self,
        transaction: &Transaction,
        operation: &str,
        which: Condition,
    ) -> Result<u64> {
        let ids: Vec<Uuid> = seed::Entity::find()
            .select_only()
            .column(seed::Column::Id)
            .filter(which)
            .into_tuple()
            .all(transaction)
            .await
            .doing(operation)?;
        tags::delete_of(&self.resources, transaction, &KINDS, &ids).await?;
        let mut removed = 0;
        for some in ids.chunks(super::hold::AT_A_TIME) {
            removed += seed::Entity::delete_many()
                .filter(self.resources.own(seed::Column::TenantId))
                .filter(seed::Column::Id.is_in(some.iter().copied()))
                .exec(transaction)
                .await
                .doing(operation)?
                .rows_affected;
        }
        Ok(removed)
    }

    async fn remove_all(&self, which: &Condition) -> Result<u64> {
        repetition::repeat(self.resources.executor(), || async move {
            let transaction = self.resources.executor().begin().await?;
            let removed = self.remove_where(&transaction, REMOVE, which.clone()).await?;
            transaction.commit().await?;
            Ok(removed)
        })
        .await
    }

    async fn replace_once(&self, dataset: &str, seeds: &[NewSeed], groups: &[NewSeedGroup]) -> Result<u64> {
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        let mut all = Conditions::own(resources, seed::Column::TenantId);
        all.add(seed::Column::Dataset.eq(resources.text().store(dataset)));
        let removed = self.remove_where(&transaction, REPLACE, all.all()).await?;
        seed_additions::seeds(resources, &transaction, REPLACE, seeds).await?;
        seed_additions::groups(resources, &transaction, REPLACE, groups).await?;
        transaction.commit().await?;
        Ok(removed)
    }
}

/// Refuses a filter that would remove everything.
fn require_filter(filter: &SeedFilter) -> Result<()> {
    if filter.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, REMOVE)
            .context("the filter says nothing: it would remove all")
            .hint("say which seeds; to remove all of a dataset, name the dataset"));
    }
    Ok(())
}

/// Refuses what can't take a dataset's place.
fn check_replacement(dataset: &str, seeds: &[NewSeed], groups: &[NewSeedGroup]) -> Result<()> {
    let wrong = |why: &str, hint: &str| Err(Error::new(ErrorKind::Invalid, REPLACE).context(why).hint(hint));
    let mut all = seeds.iter().chain(groups.iter().flat_map(|group| &group.seeds)).peekable();
    if all.peek().is_none() {
        return wrong("there are no seeds to put in", "remove the dataset's seeds, if that is meant");
    }
    if all.any(|seed| seed.details.dataset.as_deref() != Some(dataset)) {
        return wrong("a seed is of another dataset", "give every seed the dataset that is replaced");
    }
    Ok(())
}

#[async_trait]
impl Seeds for SqlSeeds {
    async fn add(&self, seeds: Vec<NewSeed>) -> Result<Vec<AddedSeed>> {
        repetition::repeat(self.resources.executor(), || async {
            let transaction = self.resources.executor().begin().await?;
            let said = seed_additions::seeds(&self.resources, &transaction, ADD, &seeds).await?;
            transaction.commit().await?;
            Ok(said)
        })
        .await
    }

    async fn add_groups(&self, groups: Vec<NewSeedGroup>) -> Result<Vec<AddedSeedGroup>> {
        groups.iter().try_for_each(NewSeedGroup::validate)?;
        repetition::repeat(self.resources.executor(), || async {
            let transaction = self.resources.executor().begin().await?;
            let said = seed_additions::groups(&self.resources, &transaction, ADD_GROUPS, &groups).await?;
            transaction.commit().await?;
            Ok(said)
        })
        .await
    }

    async fn replace_dataset(
        &self,
        dataset: &str,
        seeds: Vec<NewSeed>,
        groups: Vec<NewSeedGroup>,
    ) -> Result<u64> {
        groups.iter().try_for_each(NewSeedGroup::validate)?;
        check_replacement(dataset, &seeds, &groups)?;
        repetition::repeat(self.resources.executor(), || self.replace_once(dataset, &seeds, &groups)).await
    }

    async fn find(&self, id: SeedId) -> Result<Option<Seed>> {
        let filter = SeedFilter { ids: Some(vec![id]), ..SeedFilter::default() };
        let page = self.list(&filter, &PageRequest::first(1)?).await?;
        Ok(page.items.into_iter().next())
    }

    async fn list(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<Seed>> {
        let mut query = seed::Entity::find().filter(self.conditions(filter).await?);
        if let Some(after) = paging::after(page)? {
            query = query.filter(seed::Column::Id.gt(after));
        }
        let query = query.order_by_asc(seed::Column::Id).limit(paging::one_more(page));
        let state = self.resources.executor().begin_reading().await?;
        let there = Self::new(self.resources.within(&state));
        let rows = fetch::models(there.resources.executor(), query, "list the seeds").await?;
        let page = Page::from_one_more(rows, page.limit(), |row| row.id.to_string());
        let items = there.loaded(page.items).await?;
        state.commit().await?;
        Ok(Page { items, next: page.next })
    }

    async fn find_group(&self, id: SeedGroupId) -> Result<Option<SeedGroup>> {
        let state = self.resources.executor().begin_reading().await?;
        let found = Self::new(self.resources.within(&state)).groups(&[id.0]).await?.pop();
        state.commit().await?;
        Ok(found)
    }

    async fn list_groups(&self, filter: &SeedFilter, page: &PageRequest) -> Result<Page<SeedGroup>> {
        const LIST_GROUPS: &str = "list the groups of seeds";
        let mut query = seed::Entity::find()
            .select_only()
            .column(seed::Column::GroupId)
            .distinct()
            .filter(self.conditions(filter).await?)
            .filter(seed::Column::GroupId.is_not_null());
        if let Some(after) = paging::after(page)? {
            query = query.filter(seed::Column::GroupId.gt(after));
        }
        let query = query.order_by(seed::Column::GroupId, Order::Asc).limit(paging::one_more(page));
        let state = self.resources.executor().begin_reading().await?;
        let there = Self::new(self.resources.within(&state));
        let found =
            fetch::columns_of(there.resources.executor(), query, &[seed::Column::GroupId], LIST_GROUPS)
                .await?;
        let ids =
            found.into_rows().map(|mut row| row.take::<Uuid>(0, LIST_GROUPS)).collect::<Result<Vec<_>>>()?;
        let page = Page::from_one_more(ids, page.limit(), ToString::to_string);
        let items = there.groups(&page.items).await?;
        state.commit().await?;
        Ok(Page { items, next: page.next })
    }

    async fn remove(&self, filter: &SeedFilter) -> Result<u64> {
        require_filter(filter)?;
        self.remove_all(&self.conditions(filter).await?).await
    }

    async fn remove_groups(&self, filter: &SeedFilter) -> Result<u64> {
        require_filter(filter)?;
        let groups = Query::select()
            .column(seed::Column::GroupId)
            .from(seed::Entity)
            .cond_where(self.conditions(filter).await?)
            .and_where(seed::Column::GroupId.is_not_null())
            .take();
        let whole = Condition::all()
            .add(self.resources.own(seed::Column::TenantId))
            .add(seed::Column::GroupId.in_subquery(groups));
        self.remove_all(&whole).await
    }

    async fn dataset_names(&self) -> Result<Vec<String>> {
        let names: Vec<String> = seed::Entity::find()
            .select_only()
            .column(seed::Column::Dataset)
            .distinct()
            .filter(self.resources.own(seed::Column::TenantId))
            .filter(seed::Column::Dataset.is_not_null())
            .into_tuple()
            .all(self.resources.executor())
            .await
            .doing("list the names of datasets")?;
        let at = Place { table: "seed", column: "dataset", key: "of a name" };
        let names: BTreeSet<String> =
            names.into_iter().map(|name| self.resources.text().load(at, name)).collect::<Result<_>>()?;
        Ok(names.into_iter().collect())
    }
}
