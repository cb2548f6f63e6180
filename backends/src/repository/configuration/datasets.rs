//! Datasets. Their prompts are in [`super::prompts`], the order of these in [`super::order`].

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use sea_orm::ActiveModelTrait as _;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use trimaran_core::id::{DatasetId, DatasetPromptId};
use trimaran_core::model::{Dataset, DatasetPrompt, NewDataset, NewDatasetPrompt, PromptPlace, name};
use trimaran_core::repository::Datasets;
use trimaran_core::{Page, PageRequest, Result};

use super::{json, missing, order, outdated, taken};
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::configuration::{dataset, dataset_prompt};
use crate::fetch::Fetch as _;
use crate::repository::retried::retried;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{paging, time};

tenant_repository! {
    /// [`Datasets`] over SQL.
    SqlDatasets
}

const WHAT: &str = "dataset";

impl SqlDatasets {
    /// What it works with.
    pub(super) fn resources(&self) -> &crate::repository::TenantResources {
        &self.resources
    }

    fn loaded(&self, row: dataset::Model) -> Result<Dataset> {
        let at = |column| Place { table: "dataset", column, key: row.id };
        let text = self.resources.text();
        Ok(Dataset {
            id: DatasetId(row.id),
            name: text.load(at("name"), row.name.clone())?,
            source_type: text.load(at("source_type"), row.source_type.clone())?,
            configuration: json(at("configuration"), &row.configuration)?,
            metadata: json(at("metadata"), &row.metadata)?,
            status: text.load(at("status"), row.status.clone())?,
            version: row.version,
            created_at: time::loaded(row.created_at),
            updated_at: time::loaded(row.updated_at),
        })
    }

    /// The tenant's row of this id.
    fn this(&self, id: DatasetId) -> Condition {
        Condition::all().add(self.resources.own(dataset::Column::TenantId)).add(dataset::Column::Id.eq(id.0))
    }

    pub(super) async fn row(&self, operation: &str, id: DatasetId) -> Result<Option<dataset::Model>> {
        dataset::Entity::find().filter(self.this(id)).fetch_one(self.resources.executor(), operation).await
    }

    /// Gives the dataset's next `count` positions to this transaction: the first of them, and the lower end of the order.
    /// Until the transaction ends nobody else gives any, nor moves a prompt, nor deletes the dataset: all of these write
    /// the same column first. On DuckDB, where nobody waits, one of them fails.
    ///
    /// # Errors
    /// `NotFound` if there is no such dataset; else the engine's.
    pub(super) async fn reserve(
        &self,
        transaction: &Transaction,
        operation: &str,
        id: DatasetId,
        count: usize,
    ) -> Result<order::Reserved> {
        let span = order::span(operation, count)?;
        let rows = dataset::Entity::update_many()
            .col_expr(dataset::Column::NextPosition, Expr::col(dataset::Column::NextPosition).add(span))
            .filter(self.this(id))
            .exec_with_returning(transaction)
            .await
            .doing(operation)?;
        let row = rows.into_iter().next().ok_or_else(|| missing(WHAT, operation, id))?;
        Ok(order::Reserved { first: row.next_position - span, ordered_from: row.ordered_from })
    }

    fn new_row(&self, new: &NewDataset) -> dataset::Model {
        let (text, now) = (self.resources.text(), time::stored(self.resources.shared.clock.now()));
        dataset::Model {
            tenant_id: self.resources.tenant.0,
            id: self.resources.shared.ids.next(),
            name: text.store(&new.name),
            source_type: text.store(&new.source_type),
            configuration: new.configuration.to_string(),
            metadata: new.metadata.to_string(),
            status: text.store(&new.status),
            next_position: order::GAP,
            ordered_from: 0,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    async fn delete_once(&self, id: DatasetId) -> Result<bool> {
        const OPERATION: &str = "delete the dataset";
        let transaction = self.resources.executor().begin().await?;
        match self.reserve(&transaction, OPERATION, id, 1).await {
            Ok(_) => {}
            Err(error) if error.kind() == trimaran_core::ErrorKind::NotFound => {
                transaction.commit().await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        dataset_prompt::Entity::delete_many()
            .filter(self.resources.own(dataset_prompt::Column::TenantId))
            .filter(dataset_prompt::Column::DatasetId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        let deleted =
            dataset::Entity::delete_many().filter(self.this(id)).exec(&transaction).await.doing(OPERATION)?;
        transaction.commit().await?;
        Ok(deleted.rows_affected > 0)
    }

    async fn copy_once(&self, id: DatasetId, name: &str) -> Result<Dataset> {
        const OPERATION: &str = "copy the dataset";
        let transaction = self.resources.executor().begin().await?;
        // Whoever wants to change the original's prompts meanwhile waits, or one of the two fails.
        let reserved = self.reserve(&transaction, OPERATION, id, 1).await?;
        let Some(original) =
            dataset::Entity::find().filter(self.this(id)).one(&transaction).await.doing(OPERATION)?
        else {
            return Err(missing(WHAT, OPERATION, id));
        };
        let original = self.loaded(original)?;
        let Dataset { source_type, configuration, metadata, status, .. } = original;
        let new = NewDataset { name: name.to_owned(), source_type, configuration, metadata, status };
        // The same positions: whatever was free in the original is free in the copy.
        let row = dataset::Model {
            next_position: reserved.first,
            ordered_from: reserved.ordered_from,
            ..self.new_row(&new)
        };
        dataset::Entity::insert(dataset::ActiveModel::from(row.clone()).reset_all())
            .exec_without_returning(&transaction)
            .await
            .doing(OPERATION)
            .map_err(|error| taken(WHAT, error))?;
        self.copy_prompts(&transaction, OPERATION, id, DatasetId(row.id)).await?;
        transaction.commit().await?;
        self.loaded(row)
    }
}

#[async_trait]
impl Datasets for SqlDatasets {
    async fn create(&self, dataset: NewDataset) -> Result<Dataset> {
        dataset.validate()?;
        let row = self.new_row(&dataset);
        dataset::Entity::insert(dataset::ActiveModel::from(row.clone()).reset_all())
            .exec_without_returning(self.resources.executor())
            .await
            .doing("create the dataset")
            .map_err(|error| taken(WHAT, error))?;
        self.loaded(row)
    }

    async fn find(&self, id: DatasetId) -> Result<Option<Dataset>> {
        self.row("find the dataset", id).await?.map(|row| self.loaded(row)).transpose()
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Dataset>> {
        let row = dataset::Entity::find()
            .filter(self.resources.own(dataset::Column::TenantId))
            .filter(dataset::Column::Name.eq(self.resources.text().store(name)))
            .fetch_one(self.resources.executor(), "find the dataset by its name")
            .await?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn update(&self, dataset: &Dataset) -> Result<Dataset> {
        const OPERATION: &str = "update the dataset";
        let Dataset { id, name, source_type, configuration, metadata, status, version, .. } = dataset.clone();
        let new = NewDataset { name, source_type, configuration, metadata, status };
        new.validate()?;
        let Some(stored) = self.row(OPERATION, id).await? else { return Err(missing(WHAT, OPERATION, id)) };
        let text = self.resources.text();
        let name = text.store(&new.name);
        let mut values = dataset::ActiveModel {
            source_type: Set(text.store(&new.source_type)),
            configuration: Set(new.configuration.to_string()),
            metadata: Set(new.metadata.to_string()),
            status: Set(text.store(&new.status)),
            updated_at: Set(time::stored(self.resources.shared.clock.now())),
            ..Default::default()
        };
        // An index stands on the name: where it stays as it is, DuckDB had better not write it.
        if name != stored.name {
            values.name = Set(name);
        }
        let changed = dataset::Entity::update_many()
            .set(values)
            .col_expr(dataset::Column::Version, Expr::col(dataset::Column::Version).add(1))
            .filter(self.this(id))
            .filter(dataset::Column::Version.eq(version))
            .exec_with_returning(self.resources.executor())
            .await
            .doing(OPERATION)
            .map_err(|error| taken(WHAT, error))?;
        match changed.into_iter().next() {
            Some(row) => self.loaded(row),
            None => Err(match self.row(OPERATION, id).await? {
                Some(stored) => outdated(WHAT, OPERATION, version, stored.version),
                None => missing(WHAT, OPERATION, id),
            }),
        }
    }

    async fn delete(&self, id: DatasetId) -> Result<bool> {
        retried(self.resources.executor(), || self.delete_once(id)).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Dataset>> {
        let mut query = dataset::Entity::find().filter(self.resources.own(dataset::Column::TenantId));
        if let Some(after) = paging::after(page)? {
            query = query.filter(dataset::Column::Id.gt(after));
        }
        let rows = query
            .order_by_asc(dataset::Column::Id)
            .limit(paging::one_more(page))
            .fetch_all(self.resources.executor(), "list the datasets")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    async fn copy(&self, id: DatasetId, name: &str) -> Result<Dataset> {
        name::check("the dataset's name", name)?;
        retried(self.resources.executor(), || self.copy_once(id, name)).await
    }

    async fn append_prompts(
        &self,
        id: DatasetId,
        prompts: Vec<NewDatasetPrompt>,
    ) -> Result<Vec<DatasetPromptId>> {
        prompts.iter().try_for_each(NewDatasetPrompt::validate)?;
        retried(self.resources.executor(), || self.append_once(id, &prompts)).await
    }

    async fn import_prompts(
        &self,
        id: DatasetId,
        prompts: BoxStream<'_, Result<NewDatasetPrompt>>,
    ) -> Result<u64> {
        self.import(id, prompts).await
    }

    async fn count_prompts(&self, id: DatasetId) -> Result<u64> {
        self.count(id).await
    }

    async fn prompts(&self, id: DatasetId, page: &PageRequest) -> Result<Page<DatasetPrompt>> {
        self.page(id, page).await
    }

    async fn find_prompt(&self, id: DatasetPromptId) -> Result<Option<DatasetPrompt>> {
        let row = self.prompt_row(self.resources.executor(), "find the prompt", id).await?;
        row.map(|row| self.loaded_prompt(row)).transpose()
    }

    async fn replace_prompt(&self, id: DatasetPromptId, prompt: NewDatasetPrompt) -> Result<DatasetPrompt> {
        prompt.validate()?;
        retried(self.resources.executor(), || self.replace_once(id, &prompt)).await
    }

    async fn delete_prompt(&self, id: DatasetPromptId) -> Result<bool> {
        retried(self.resources.executor(), || self.delete_prompt_once(id)).await
    }

    async fn move_prompt(&self, id: DatasetPromptId, to: PromptPlace) -> Result<DatasetPrompt> {
        retried(self.resources.executor(), || self.move_once(id, to)).await
    }

    async fn reorder_prompts(&self, id: DatasetId, order: &[DatasetPromptId]) -> Result<()> {
        order::check(order)?;
        retried(self.resources.executor(), || self.reorder_once(id, order)).await
    }
}
