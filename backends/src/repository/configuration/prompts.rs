//! The prompts of datasets: put in, read, changed, removed.

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sea_orm::ActiveModelTrait as _;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};
use trimaran_core::id::{DatasetId, DatasetPromptId};
use trimaran_core::model::{DatasetPrompt, NewDatasetPrompt};
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};
use uuid::Uuid;

use super::datasets::SqlDatasets;
use super::{json, missing, order};
use crate::Transaction;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::configuration::dataset_prompt;
use crate::fetch::Fetch as _;
use crate::repository::retried::retried;
use crate::repository::text::Place;
use crate::repository::{paging, time};

const IMPORT: &str = "import prompts into the dataset";

/// How many prompts an import puts in at once, and how many bytes of them at most: the memory that it takes.
const IMPORTED_AT_ONCE: usize = 2_000;
const BYTES_AT_ONCE: usize = 8 << 20;
/// How many rows are copied at once.
const COPIED_AT_ONCE: u64 = 2_000;

impl SqlDatasets {
    pub(super) fn loaded_prompt(&self, row: dataset_prompt::Model) -> Result<DatasetPrompt> {
        let at = |column| Place { table: "dataset_prompt", column, key: row.id };
        Ok(DatasetPrompt {
            id: DatasetPromptId(row.id),
            dataset: DatasetId(row.dataset_id),
            position: row.position,
            text: self.resources().text().load(at("text"), row.text)?,
            metadata: json(at("metadata"), &row.metadata)?,
            created_at: time::loaded(row.created_at),
        })
    }

    /// The tenant's prompts of this dataset.
    pub(super) fn of_dataset(&self, id: DatasetId) -> Condition {
        Condition::all()
            .add(self.resources().own(dataset_prompt::Column::TenantId))
            .add(dataset_prompt::Column::DatasetId.eq(id.0))
    }

    /// The tenant's prompt of this id.
    pub(super) fn this_prompt(&self, id: DatasetPromptId) -> Condition {
        Condition::all()
            .add(self.resources().own(dataset_prompt::Column::TenantId))
            .add(dataset_prompt::Column::Id.eq(id.0))
    }

    pub(super) async fn prompt_row(
        &self,
        executor: &impl ConnectionTrait,
        operation: &str,
        id: DatasetPromptId,
    ) -> Result<Option<dataset_prompt::Model>> {
        dataset_prompt::Entity::find().filter(self.this_prompt(id)).one(executor).await.doing(operation)
    }

    /// Rows at the positions that were reserved.
    fn rows(
        &self,
        id: DatasetId,
        reserved: order::Reserved,
        prompts: &[NewDatasetPrompt],
    ) -> Vec<dataset_prompt::ActiveModel> {
        let (resources, text) = (self.resources(), self.resources().text());
        let now = time::stored(resources.shared.clock.now());
        reserved
            .positions()
            .zip(prompts)
            .map(|(position, prompt)| dataset_prompt::ActiveModel {
                tenant_id: Set(resources.tenant.0),
                dataset_id: Set(id.0),
                position: Set(position),
                id: Set(resources.shared.ids.next()),
                text: Set(text.store(&prompt.text)),
                metadata: Set(prompt.metadata.to_string()),
                created_at: Set(now),
            })
            .collect()
    }

    async fn append(
        &self,
        transaction: &Transaction,
        operation: &str,
        id: DatasetId,
        prompts: &[NewDatasetPrompt],
    ) -> Result<Vec<DatasetPromptId>> {
        let reserved = self.reserve(transaction, operation, id, prompts.len()).await?;
        let rows = self.rows(id, reserved, prompts);
        let ids = rows.iter().map(|row| DatasetPromptId(*row.id.as_ref())).collect();
        append_rows(transaction, rows, operation).await?;
        Ok(ids)
    }

    pub(super) async fn append_once(
        &self,
        id: DatasetId,
        prompts: &[NewDatasetPrompt],
    ) -> Result<Vec<DatasetPromptId>> {
        let transaction = self.resources().executor().begin().await?;
        let ids = self.append(&transaction, "append prompts to the dataset", id, prompts).await?;
        transaction.commit().await?;
        Ok(ids)
    }

    /// Appends chunk by chunk in one transaction. A stream can't be read twice, so that only what comes before it is tried
    /// again: whoever has the dataset by then keeps it until the end.
    pub(super) async fn import(
        &self,
        id: DatasetId,
        prompts: BoxStream<'_, Result<NewDatasetPrompt>>,
    ) -> Result<u64> {
        let executor = self.resources().executor();
        let begun = retried(executor, || async {
            let transaction = executor.begin().await?;
            self.reserve(&transaction, IMPORT, id, 1).await?;
            Ok(transaction)
        });
        let transaction = begun.await?;
        match self.import_all(&transaction, id, prompts).await {
            Ok(imported) => {
                transaction.commit().await?;
                Ok(imported)
            }
            // Not left to the drop, which doesn't wait: the next call is to find the dataset free.
            Err(error) => {
                if let Err(rollback) = transaction.rollback().await {
                    tracing::warn!(error = %rollback, "a rollback failed; the connection's end rolls back");
                }
                Err(error)
            }
        }
    }

    async fn import_all(
        &self,
        transaction: &Transaction,
        id: DatasetId,
        mut prompts: BoxStream<'_, Result<NewDatasetPrompt>>,
    ) -> Result<u64> {
        let (mut imported, mut bytes, mut chunk) = (0u64, 0, Vec::new());
        while let Some(prompt) = prompts.next().await {
            let prompt = prompt?;
            prompt
                .validate()
                .map_err(|error| error.context(format!("prompt {} of the import", imported + 1)))?;
            imported += 1;
            bytes += prompt.text.len();
            chunk.push(prompt);
            if chunk.len() >= IMPORTED_AT_ONCE || bytes >= BYTES_AT_ONCE {
                self.append(transaction, IMPORT, id, &chunk).await?;
                chunk.clear();
                bytes = 0;
            }
        }
        if !chunk.is_empty() {
            self.append(transaction, IMPORT, id, &chunk).await?;
        }
        Ok(imported)
    }

    /// Copies of all prompts, at the same positions.
    pub(super) async fn copy_prompts(
        &self,
        transaction: &Transaction,
        operation: &str,
        from: DatasetId,
        to: DatasetId,
    ) -> Result<()> {
        let now = time::stored(self.resources().shared.clock.now());
        let mut after = i64::MIN;
        loop {
            let rows = dataset_prompt::Entity::find()
                .filter(self.of_dataset(from))
                .filter(dataset_prompt::Column::Position.gt(after))
                .order_by_asc(dataset_prompt::Column::Position)
                .limit(COPIED_AT_ONCE)
                .all(transaction)
                .await
                .doing(operation)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.position;
            let ids = &self.resources().shared.ids;
            let copy = |row: dataset_prompt::Model| {
                let row = dataset_prompt::Model { id: ids.next(), dataset_id: to.0, created_at: now, ..row };
                dataset_prompt::ActiveModel::from(row).reset_all()
            };
            append_rows(transaction, rows.into_iter().map(copy).collect(), operation).await?;
        }
    }

    pub(super) async fn count(&self, id: DatasetId) -> Result<u64> {
        dataset_prompt::Entity::find()
            .filter(self.of_dataset(id))
            .count(self.resources().executor())
            .await
            .doing("count the dataset's prompts")
    }

    pub(super) async fn page(&self, id: DatasetId, page: &PageRequest) -> Result<Page<DatasetPrompt>> {
        const OPERATION: &str = "list the dataset's prompts";
        let mut query = dataset_prompt::Entity::find().filter(self.of_dataset(id));
        if let Some(after) = order::after(page)? {
            // Positions from before they were given anew say nothing of the order that is in force.
            let stale = self.row(OPERATION, id).await?.is_some_and(|dataset| after <= dataset.ordered_from);
            if stale {
                return Err(Error::new(ErrorKind::Conflict, OPERATION)
                    .context("the prompts were put into another order since the page before")
                    .hint("begin again at the first page"));
            }
            query = query.filter(dataset_prompt::Column::Position.gt(after));
        }
        let rows = query
            .order_by_asc(dataset_prompt::Column::Position)
            .limit(paging::one_more(page))
            .fetch_all(self.resources().executor(), OPERATION)
            .await?;
        Page::from_one_more(rows, page.limit(), |row| order::cursor(row.position))
            .try_map(|row| self.loaded_prompt(row))
    }

    pub(super) async fn replace_once(
        &self,
        id: DatasetPromptId,
        prompt: &NewDatasetPrompt,
    ) -> Result<DatasetPrompt> {
        const OPERATION: &str = "replace the prompt";
        let values = dataset_prompt::ActiveModel {
            text: Set(self.resources().text().store(&prompt.text)),
            metadata: Set(prompt.metadata.to_string()),
            ..Default::default()
        };
        loop {
            let rows = dataset_prompt::Entity::update_many()
                .set(values.clone())
                .filter(self.this_prompt(id))
                .exec_with_returning(self.resources().executor())
                .await
                .doing(OPERATION)?;
            if let Some(row) = rows.into_iter().next() {
                return self.loaded_prompt(row);
            }
            self.missed(OPERATION, id).await?.ok_or_else(|| missing("prompt", OPERATION, id))?;
        }
    }

    pub(super) async fn delete_prompt_once(&self, id: DatasetPromptId) -> Result<bool> {
        const OPERATION: &str = "delete the prompt";
        loop {
            let deleted = dataset_prompt::Entity::delete_many()
                .filter(self.this_prompt(id))
                .exec(self.resources().executor())
                .await
                .doing(OPERATION)?;
            if deleted.rows_affected > 0 {
                return Ok(true);
            }
            if self.missed(OPERATION, id).await?.is_none() {
                return Ok(false);
            }
        }
    }

    /// Whether a prompt that a statement didn't find is there after all. On Postgres a statement that waited for
    /// another order to be written finds the old row gone, and doesn't see the new one: it has to be run again.
    async fn missed(&self, operation: &str, id: DatasetPromptId) -> Result<Option<()>> {
        Ok(self.prompt_row(self.resources().executor(), operation, id).await?.map(drop))
    }

    /// The ids of all prompts of a dataset, in their order.
    pub(super) async fn ids(
        &self,
        transaction: &Transaction,
        operation: &str,
        id: DatasetId,
    ) -> Result<Vec<DatasetPromptId>> {
        let ids: Vec<Uuid> = dataset_prompt::Entity::find()
            .select_only()
            .column(dataset_prompt::Column::Id)
            .filter(self.of_dataset(id))
            .order_by_asc(dataset_prompt::Column::Position)
            .into_tuple()
            .all(transaction)
            .await
            .doing(operation)?;
        Ok(ids.into_iter().map(DatasetPromptId).collect())
    }
}
