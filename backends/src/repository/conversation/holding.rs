//! Conversations that stay as they are while something is done to them or to their pieces.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::{Engine, Result};
use uuid::Uuid;

use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::{conversation, prompt_piece};
use crate::repository::TenantResources;

/// Keeps others from appending to the conversation, changing its pieces or deleting it until the transaction ends; says whether there
/// is one. To be called before its pieces, or what belongs to them, are changed, deleted, or read to be written elsewhere.
///
/// A write of its row that changes nothing does it, on every engine. DuckDB takes a write of the same value for none, and finds no
/// conflict between a row's update and its deletion: there it is written twice, and whoever deletes holds it first.
///
/// # Errors
/// The engine's; `Aborted` where another one holds it and the engine doesn't wait.
pub(crate) async fn hold(
    resources: &TenantResources,
    transaction: &Transaction,
    id: ConversationId,
) -> Result<bool> {
    let steps: &[i64] = match resources.executor().engine() {
        Engine::Duckdb => &[1, -1],
        _ => &[0],
    };
    let mut rows = 0;
    for step in steps {
        let next = conversation::Column::NextSequence;
        let write = Query::update()
            .table(conversation::Entity)
            .value(next, Expr::col(next).add(*step))
            .and_where(resources.own(conversation::Column::TenantId))
            .and_where(conversation::Column::Id.eq(id.0))
            .take();
        rows = transaction.execute(&write).await.doing("hold a conversation")?.rows_affected();
    }
    Ok(rows > 0)
}

/// The same for the conversations of these pieces, in the order of their ids, so that two that hold several don't wait for one another.
///
/// # Errors
/// As for [`hold`].
pub(crate) async fn hold_those_of(
    resources: &TenantResources,
    transaction: &Transaction,
    pieces: &[PieceId],
) -> Result<()> {
    let mut conversations: Vec<Uuid> = prompt_piece::Entity::find()
        .select_only()
        .column(prompt_piece::Column::ConversationId)
        .distinct()
        .filter(resources.own(prompt_piece::Column::TenantId))
        .filter(prompt_piece::Column::Id.is_in(pieces.iter().map(|piece| piece.0)))
        .into_tuple()
        .all(transaction)
        .await
        .doing("find the conversations of pieces")?;
    conversations.sort_unstable();
    for conversation in conversations {
        hold(resources, transaction, ConversationId(conversation)).await?;
    }
    Ok(())
}
