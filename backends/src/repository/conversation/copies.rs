//! Duplicates of conversations.

use sea_orm::{ActiveValue::Set, EntityTrait as _};
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::model::{ChatRole, ConversationRecord, Piece};
use trimaran_core::{Error, ErrorKind, Result};

use super::piece_rows::{self, Rows};
use super::{appending, conversations, holding, messages};
use crate::db_error::Doing as _;
use crate::entity::conversation::conversation;
use crate::repository::{TenantResources, time};

/// How much of a conversation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// What came before the last turn.
    WithoutLastTurn,
}

/// Makes a new conversation that says the same.
///
/// # Errors
/// `NotFound` if there is no such conversation; else the engine's.
pub(super) async fn copy(
    resources: &TenantResources,
    id: ConversationId,
    extent: Extent,
) -> Result<ConversationRecord> {
    const OPERATION: &str = "duplicate a conversation";
    let transaction = resources.executor().begin().await?;
    let within = resources.within(&transaction);
    // What is read by several statements must not change in between.
    holding::hold(&within, &transaction, id).await?;
    let Some(source) = conversations::find(&within, id).await? else {
        return Err(
            Error::new(ErrorKind::NotFound, OPERATION).context(format!("there is no conversation {id}"))
        );
    };
    let rows = messages::of_conversation(&within, id).all(&transaction).await.doing(OPERATION)?;
    let mut pieces = piece_rows::load(&within, rows).await?;
    if extent == Extent::WithoutLastTurn {
        cut_last_turn(&mut pieces);
    }
    let record = ConversationRecord {
        id: ConversationId(resources.shared.ids.next()),
        target: source.target,
        created_at: resources.shared.clock.now(),
        next_sequence: pieces.last().map_or(0, |piece| piece.sequence + 1),
    };
    let row = conversation::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        id: Set(record.id.0),
        next_sequence: Set(record.next_sequence),
        target_identifier: Set(piece_rows::identifier(record.target.as_ref())?),
        created_at: Set(time::stored(record.created_at)),
    };
    conversation::Entity::insert(row).exec_without_returning(&transaction).await.doing(OPERATION)?;
    let mut copied = Rows::default();
    for mut piece in pieces {
        // What it is a duplicate of stays: a duplicate's duplicate is one of the first, and has its scores.
        piece.id = PieceId(resources.shared.ids.next());
        piece.conversation = record.id;
        piece.created_at = record.created_at;
        copied.add(resources, &piece, piece.sequence)?;
    }
    appending::insert(&transaction, copied).await?;
    transaction.commit().await?;
    Ok(record)
}

/// Takes the last turn away: the last message, if it is the user's or the system's; else it and the one before. As PyRIT's
/// `duplicate_conversation_excluding_last_turn`, but by messages that are there: a gap among the sequences is no message.
fn cut_last_turn(pieces: &mut Vec<Piece>) {
    let cut = |pieces: &mut Vec<Piece>| {
        if let Some(last) = pieces.last().map(|piece| piece.sequence) {
            pieces.retain(|piece| piece.sequence != last);
        }
    };
    let is_half = pieces.last().is_none_or(|last| matches!(last.role, ChatRole::User | ChatRole::System));
    cut(pieces);
    if !is_half {
        cut(pieces);
    }
}
