//! Pieces that must stay while something is added that belongs to them.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{Expr, ExprTrait as _, LockType, Order, Query};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use trimaran_core::id::PieceId;
use trimaran_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::{conversation, prompt_piece};
use crate::repository::TenantResources;

/// How many ids are asked for at a time.
pub(super) const AT_A_TIME: usize = 4_000;

/// A piece as it was found.
#[derive(Debug, Clone, Copy)]
struct Found {
    original: Uuid,
    conversation: Uuid,
}

/// Of each of the pieces the one that its scores are kept under: the original, or itself if the original is gone. Those stay
/// until the transaction ends.
///
/// # Errors
/// `NotFound` for a piece that isn't there; else the engine's.
pub(super) async fn originals(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    pieces: &BTreeSet<PieceId>,
) -> Result<HashMap<PieceId, Uuid>> {
    let asked = find(resources, transaction, operation, pieces.iter().map(|piece| piece.0)).await?;
    require(operation, pieces, &asked)?;
    let elsewhere =
        asked.values().map(|found| found.original).filter(|original| !asked.contains_key(original));
    let originals = find(resources, transaction, operation, elsewhere.collect::<BTreeSet<_>>()).await?;
    let mut homes = HashMap::new();
    let mut conversations = BTreeSet::new();
    for piece in pieces {
        let Some(found) = asked.get(&piece.0) else { continue };
        let (home, home_found) = match originals.get(&found.original).or_else(|| asked.get(&found.original)) {
            Some(original) => (found.original, original),
            None => (piece.0, found),
        };
        homes.insert(*piece, home);
        conversations.insert(home_found.conversation);
    }
    let kept: BTreeSet<Uuid> = homes.values().copied().collect();
    stay(resources, transaction, operation, &kept, &conversations).await?;
    Ok(homes)
}

/// Sees to it that the pieces stay until the transaction ends.
///
/// # Errors
/// `NotFound` for a piece that isn't there; else the engine's.
pub(super) async fn pieces(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    pieces: &BTreeSet<PieceId>,
) -> Result<()> {
    let found = find(resources, transaction, operation, pieces.iter().map(|piece| piece.0)).await?;
    require(operation, pieces, &found)?;
    let ids = found.keys().copied().collect();
    let conversations = found.values().map(|found| found.conversation).collect();
    stay(resources, transaction, operation, &ids, &conversations).await
}

fn require(operation: &str, wanted: &BTreeSet<PieceId>, found: &HashMap<Uuid, Found>) -> Result<()> {
    match wanted.iter().find(|piece| !found.contains_key(&piece.0)) {
        None => Ok(()),
        Some(missing) => Err(no_such_piece(operation, missing)),
    }
}

fn no_such_piece(operation: &str, piece: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::NotFound, operation)
        .context(format!("there is no piece {piece}"))
        .hint("append the piece first; what belongs to a piece goes with it")
}

/// The error for an id that is taken.
pub(super) fn taken(operation: &str, what: &str, id: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Conflict, operation)
        .context(format!("the id {id} is another {what}'s"))
        .hint("give none, and one is made")
}

async fn find(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Found>> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for some in ids.chunks(AT_A_TIME) {
        let rows: Vec<(Uuid, Uuid, Uuid)> = prompt_piece::Entity::find()
            .select_only()
            .column(prompt_piece::Column::Id)
            .column(prompt_piece::Column::OriginalPieceId)
            .column(prompt_piece::Column::ConversationId)
            .filter(resources.own(prompt_piece::Column::TenantId))
            .filter(prompt_piece::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(transaction)
            .await
            .doing(operation)?;
        for (id, original, conversation) in rows {
            found.insert(id, Found { original, conversation });
        }
    }
    Ok(found)
}

/// Where the engine locks rows, the conversations are locked first, so that whoever deletes pieces, and holds their conversation for
/// it, comes before or after: he must find what is added here, tags included, which no foreign key takes away. The lock is shared:
/// others may add, too. Then the pieces are looked at again, as they are now. Where the engine has no locks, the conversations are
/// written, as whoever deletes pieces writes them: then one of the two fails.
async fn stay(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    pieces: &BTreeSet<Uuid>,
    conversations: &BTreeSet<Uuid>,
) -> Result<()> {
    if !transaction.handle().capabilities().foreign_keys {
        return touch(resources, transaction, operation, conversations).await;
    }
    let conversations: Vec<Uuid> = conversations.iter().copied().collect();
    for some in conversations.chunks(AT_A_TIME) {
        let query = Query::select()
            .column(conversation::Column::Id)
            .from(conversation::Entity)
            .and_where(resources.own(conversation::Column::TenantId))
            .and_where(conversation::Column::Id.is_in(some.iter().copied()))
            // Always in the same order, so that two that lock several don't wait for one another.
            .order_by(conversation::Column::Id, Order::Asc)
            .lock(LockType::Share)
            .take();
        transaction.query_all(&query).await.doing(operation)?;
    }
    let pieces: Vec<Uuid> = pieces.iter().copied().collect();
    for some in pieces.chunks(AT_A_TIME) {
        let query = Query::select()
            .column(prompt_piece::Column::Id)
            .from(prompt_piece::Entity)
            .and_where(resources.own(prompt_piece::Column::TenantId))
            .and_where(prompt_piece::Column::Id.is_in(some.iter().copied()))
            .lock(LockType::KeyShare)
            .take();
        let mut locked = HashSet::new();
        for row in transaction.query_all(&query).await.doing(operation)? {
            locked.insert(row.try_get::<Uuid>("", "id").doing(operation)?);
        }
        if let Some(gone) = some.iter().find(|piece| !locked.contains(piece)) {
            return Err(no_such_piece(operation, gone));
        }
    }
    Ok(())
}

/// Writes another value and then the one of before: see [`parent::hold`](crate::repository::parent::hold).
async fn touch(
    resources: &TenantResources,
    transaction: &Transaction,
    operation: &str,
    conversations: &BTreeSet<Uuid>,
) -> Result<()> {
    let conversations: Vec<Uuid> = conversations.iter().copied().collect();
    for some in conversations.chunks(AT_A_TIME) {
        for step in [1_i64, -1] {
            let column = conversation::Column::NextSequence;
            let write = Query::update()
                .table(conversation::Entity)
                .value(column, Expr::col(column).add(step))
                .and_where(resources.own(conversation::Column::TenantId))
                .and_where(conversation::Column::Id.is_in(some.iter().copied()))
                .take();
            transaction.execute(&write).await.doing(operation)?;
        }
    }
    Ok(())
}
