//! What belongs to pieces, and goes with them; and all that a tenant has in the area.
//!
//! Tables without a foreign key that cascades (and on DuckDB there is none) are named here, each in the functions that fit: a table
//! that isn't named keeps its rows for ever.

use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _};
use trimaran_core::Result;

use super::tags;
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::{
    attack_result, conversation, embedding, prompt_piece, scenario_result, score, seed, tag,
};
use crate::repository::TenantResources;

/// Deletes the pieces that `condition` holds for, and whatever belongs to them. Their conversations must be held:
/// [`hold`](super::holding::hold). Returns how many pieces there were.
///
/// # Errors
/// The engine's.
pub(super) async fn delete_pieces(
    resources: &TenantResources,
    transaction: &Transaction,
    condition: sea_orm::Condition,
) -> Result<u64> {
    let ids = || {
        prompt_piece::Entity::find()
            .select_only()
            .column(prompt_piece::Column::Id)
            .filter(resources.own(prompt_piece::Column::TenantId))
            .filter(condition.clone())
            .into_query()
    };
    delete_of_pieces(resources, transaction, &ids).await?;
    let deleted = prompt_piece::Entity::delete_many()
        .filter(resources.own(prompt_piece::Column::TenantId))
        .filter(condition.clone())
        .exec(transaction)
        .await
        .doing("delete prompt pieces")?;
    Ok(deleted.rows_affected)
}

/// Deletes what belongs to the pieces whose ids the queries that `pieces` makes give, while the pieces are still there.
///
/// # Errors
/// The engine's.
async fn delete_of_pieces(
    resources: &TenantResources,
    transaction: &Transaction,
    pieces: &(dyn Fn() -> SelectStatement + Sync),
) -> Result<()> {
    const OPERATION: &str = "delete what belongs to pieces";
    let scores = score::Entity::find()
        .select_only()
        .column(score::Column::Id)
        .filter(resources.own(score::Column::TenantId))
        .filter(score::Column::PieceId.in_subquery(pieces()))
        .into_query();
    tags::delete(resources, transaction, scores).await?;
    score::Entity::delete_many()
        .filter(resources.own(score::Column::TenantId))
        .filter(score::Column::PieceId.in_subquery(pieces()))
        .exec(transaction)
        .await
        .doing(OPERATION)?;
    embedding::Entity::delete_many()
        .filter(resources.own(embedding::Column::TenantId))
        .filter(embedding::Column::PieceId.in_subquery(pieces()))
        .exec(transaction)
        .await
        .doing(OPERATION)?;
    tags::delete(resources, transaction, pieces()).await
}

/// Deletes all that the tenant has in the area, children before their parents.
///
/// # Errors
/// The engine's.
pub(super) async fn delete_everything(resources: &TenantResources, transaction: &Transaction) -> Result<()> {
    const OPERATION: &str = "delete a tenant's conversations";
    macro_rules! delete_all {
        ($($table:ident),*) => {$(
            $table::Entity::delete_many()
                .filter($table::Column::TenantId.eq(resources.tenant.0))
                .exec(transaction)
                .await
                .doing(OPERATION)?;
        )*};
    }
    delete_all!(tag, score, embedding, seed, attack_result, scenario_result, prompt_piece, conversation);
    Ok(())
}
