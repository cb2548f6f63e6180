//! The order of a dataset's prompts.
//!
//! Each prompt has a position, a whole number, and the gaps between them are [`GAP`] wide at first: a prompt moves into the middle of
//! a gap, which changes one row. When a gap is used up, after twenty moves into its middle at the least, or when a whole order is
//! given, all prompts get new positions, greater than any that the dataset has had. So a position is never given
//! twice, and a page's cursor tells whether it is from before.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use trimaran_core::id::{DatasetId, DatasetPromptId};
use trimaran_core::model::{DatasetPrompt, PromptPlace};
use trimaran_core::{Error, ErrorKind, PageRequest, Result};

use super::datasets::SqlDatasets;
use super::missing;
use crate::Transaction;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::configuration::{dataset, dataset_prompt};

/// How far apart positions are at first. 2⁶³ leaves room for 2⁴³ of them in the life of a dataset.
pub(super) const GAP: i64 = 1 << 20;

/// How many rows are given new positions at once.
const MOVED_AT_ONCE: usize = 1_000;

const MOVE: &str = "move the prompt";
const REORDER: &str = "put the dataset's prompts into another order";

/// Positions that belong to a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reserved {
    /// The first of them.
    pub(super) first: i64,
    /// All positions in the dataset are greater.
    pub(super) ordered_from: i64,
}

impl Reserved {
    /// One after the other.
    pub(super) fn positions(self) -> impl Iterator<Item = i64> {
        (0..).map(move |step: i64| self.first + step * GAP)
    }
}

/// How much room `count` positions take.
///
/// # Errors
/// `Invalid` if it is more than there is.
pub(super) fn span(operation: &str, count: usize) -> Result<i64> {
    i64::try_from(count).ok().and_then(|count| count.checked_mul(GAP)).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, operation)
            .context(format!("{count} prompts are too many for a dataset"))
    })
}

const CURSOR: &str = "position:";

/// The cursor of the page that begins after this position.
pub(super) fn cursor(position: i64) -> String {
    format!("{CURSOR}{position}")
}

/// The position that a page begins after.
///
/// # Errors
/// `Invalid` if the cursor says none.
pub(super) fn after(page: &PageRequest) -> Result<Option<i64>> {
    let Some(text) = page.cursor() else { return Ok(None) };
    let position = text.as_str().strip_prefix(CURSOR).and_then(|position| position.parse().ok());
    position.map(Some).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "read a page")
            .context("its cursor is not one of this list")
            .hint("hand back the cursor that came with the page before, unchanged")
    })
}

/// Makes sure that no prompt is named twice.
///
/// # Errors
/// `Invalid`, naming one that is.
pub(super) fn check(order: &[DatasetPromptId]) -> Result<()> {
    let mut seen = HashSet::with_capacity(order.len());
    match order.iter().find(|id| !seen.insert(**id)) {
        None => Ok(()),
        Some(twice) => Err(Error::new(ErrorKind::Invalid, REORDER)
            .context(format!("the prompt {twice} is named twice"))
            .hint("name every prompt of the dataset once")),
    }
}

impl SqlDatasets {
    pub(super) async fn move_once(&self, id: DatasetPromptId, to: PromptPlace) -> Result<DatasetPrompt> {
        let transaction = self.resources().executor().begin().await?;
        let Some(found) = self.prompt_row(&transaction, MOVE, id).await? else {
            return Err(missing("prompt", MOVE, id));
        };
        let dataset = DatasetId(found.dataset_id);
        let reserved = self.reserve(&transaction, MOVE, dataset, 1).await?;
        let position = match self.place(&transaction, dataset, id, to, reserved).await? {
            Place::Free(position) => position,
            Place::AsItIs => found.position,
            Place::Crowded => {
                self.respace(&transaction, dataset, id, to).await?;
                transaction.commit().await?;
                let row = self.prompt_row(self.resources().executor(), MOVE, id).await?;
                return self.loaded_prompt(row.ok_or_else(|| missing("prompt", MOVE, id))?);
            }
        };
        if position != found.position {
            let moved = dataset_prompt::Entity::update_many()
                .col_expr(dataset_prompt::Column::Position, Expr::value(position))
                .filter(self.this_prompt(id))
                .exec(&transaction)
                .await
                .doing(MOVE)?;
            if moved.rows_affected == 0 {
                return Err(missing("prompt", MOVE, id));
            }
        }
        transaction.commit().await?;
        self.loaded_prompt(dataset_prompt::Model { position, ..found })
    }

    /// Where a prompt has to go.
    async fn place(
        &self,
        transaction: &Transaction,
        dataset: DatasetId,
        id: DatasetPromptId,
        to: PromptPlace,
        reserved: Reserved,
    ) -> Result<Place> {
        let others = || {
            dataset_prompt::Entity::find()
                .select_only()
                .column(dataset_prompt::Column::Position)
                .filter(self.of_dataset(dataset))
                .filter(dataset_prompt::Column::Id.ne(id.0))
        };
        let first = |query: sea_orm::Select<dataset_prompt::Entity>| async move {
            query.limit(1).into_tuple::<i64>().one(transaction).await.doing(MOVE)
        };
        let position = dataset_prompt::Column::Position;
        let (before, after) = match to {
            PromptPlace::Last => return Ok(Place::Free(reserved.first)),
            PromptPlace::Before(beside) | PromptPlace::After(beside) if beside == id => {
                return Ok(Place::AsItIs);
            }
            PromptPlace::First => {
                let Some(least) = first(others().order_by_asc(position)).await? else {
                    return Ok(Place::AsItIs);
                };
                (reserved.ordered_from, least)
            }
            PromptPlace::Before(beside) => {
                let beside = self.beside(transaction, dataset, beside).await?;
                let lower = first(others().filter(position.lt(beside)).order_by_desc(position)).await?;
                (lower.unwrap_or(reserved.ordered_from), beside)
            }
            PromptPlace::After(beside) => {
                let beside = self.beside(transaction, dataset, beside).await?;
                match first(others().filter(position.gt(beside)).order_by_asc(position)).await? {
                    Some(upper) => (beside, upper),
                    None => return Ok(Place::Free(reserved.first)),
                }
            }
        };
        let middle = before + (after - before) / 2;
        Ok(if middle > before { Place::Free(middle) } else { Place::Crowded })
    }

    async fn beside(
        &self,
        transaction: &Transaction,
        dataset: DatasetId,
        id: DatasetPromptId,
    ) -> Result<i64> {
        let row = self.prompt_row(transaction, MOVE, id).await?.filter(|row| row.dataset_id == dataset.0);
        let error = || missing("prompt", MOVE, id).context("none that it could stand beside in its dataset");
        Ok(row.ok_or_else(error)?.position)
    }

    /// Gives all prompts new positions, with `id` at its new place.
    async fn respace(
        &self,
        transaction: &Transaction,
        dataset: DatasetId,
        id: DatasetPromptId,
        to: PromptPlace,
    ) -> Result<()> {
        let mut order = self.ids(transaction, MOVE, dataset).await?;
        order.retain(|other| *other != id);
        let at = |beside: DatasetPromptId| order.iter().position(|other| *other == beside);
        let place = match to {
            PromptPlace::First => Some(0),
            PromptPlace::Last => Some(order.len()),
            PromptPlace::Before(beside) => at(beside),
            PromptPlace::After(beside) => at(beside).map(|place| place + 1),
        };
        order.insert(place.ok_or_else(|| missing("prompt", MOVE, id))?, id);
        self.write_order(transaction, MOVE, dataset, &order).await
    }

    pub(super) async fn reorder_once(&self, id: DatasetId, order: &[DatasetPromptId]) -> Result<()> {
        let transaction = self.resources().executor().begin().await?;
        self.reserve(&transaction, REORDER, id, 1).await?;
        let present: HashSet<_> = self.ids(&transaction, REORDER, id).await?.into_iter().collect();
        let strangers = order.iter().filter(|prompt| !present.contains(prompt)).count();
        let left_out = present.len() + strangers - order.len();
        if strangers > 0 || left_out > 0 {
            return Err(Error::new(ErrorKind::Conflict, REORDER)
                .context(format!("{left_out} prompts are left out, and {strangers} are not in the dataset"))
                .hint("read the dataset's prompts again, and name every one once"));
        }
        self.write_order(&transaction, REORDER, id, order).await?;
        transaction.commit().await
    }

    /// Gives the prompts positions in this order, which must be all there are: new rows beyond the end, then the old ones go.
    async fn write_order(
        &self,
        transaction: &Transaction,
        operation: &str,
        id: DatasetId,
        order: &[DatasetPromptId],
    ) -> Result<()> {
        // One more than there are prompts: the lower end itself is nobody's.
        let reserved = self.reserve(transaction, operation, id, order.len() + 1).await?;
        let base = reserved.first;
        let mut positions = reserved.positions().skip(1);
        for chunk in order.chunks(MOVED_AT_ONCE) {
            let rows = dataset_prompt::Entity::find()
                .filter(self.of_dataset(id))
                .filter(dataset_prompt::Column::Id.is_in(chunk.iter().map(|prompt| prompt.0)))
                .filter(dataset_prompt::Column::Position.lt(base))
                .all(transaction)
                .await
                .doing(operation)?;
            let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
            let mut moved = Vec::with_capacity(chunk.len());
            for (prompt, position) in chunk.iter().zip(&mut positions) {
                let row = rows.remove(&prompt.0).ok_or_else(|| {
                    Error::new(ErrorKind::Aborted, operation)
                        .context(format!("the prompt {prompt} was deleted meanwhile"))
                })?;
                let row = dataset_prompt::Model { position, ..row };
                moved.push(dataset_prompt::ActiveModel::from(row).reset_all());
            }
            append_rows(transaction, moved, operation).await?;
        }
        dataset_prompt::Entity::delete_many()
            .filter(self.of_dataset(id))
            .filter(dataset_prompt::Column::Position.lt(base))
            .exec(transaction)
            .await
            .doing(operation)?;
        dataset::Entity::update_many()
            .col_expr(dataset::Column::OrderedFrom, Expr::value(base))
            .filter(self.resources().own(dataset::Column::TenantId))
            .filter(dataset::Column::Id.eq(id.0))
            .exec(transaction)
            .await
            .doing(operation)?;
        Ok(())
    }
}

/// A place for a prompt.
enum Place {
    /// This position.
    Free(i64),
    /// Where it is.
    AsItIs,
    /// Between two prompts with no position between them.
    Crowded,
}

#[cfg(test)]
mod tests {
    use trimaran_core::Cursor;

    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_position_and_no_other_text_does() {
        let after = |text: &str| after(&PageRequest::first(1).unwrap().after(Cursor::new(text)));
        assert_eq!(after(&cursor(-7)).unwrap(), Some(-7));
        for wrong in ["", "7", "position:", "position:x", "Position:7"] {
            assert_eq!(after(wrong).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn more_prompts_than_there_are_positions_are_refused() {
        assert_eq!(span("count", 2).unwrap(), 2 * GAP);
        assert_eq!(span("count", usize::MAX).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
