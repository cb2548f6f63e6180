//! Whole conversations that bring their own ids and sequences.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, EntityTrait as _};
use trimaran_core::model::{Identifier, Piece, WholeConversation};
use trimaran_core::{Error, ErrorKind, Result};

use super::piece_rows::{self, Rows};
use super::{appending, conversations, messages};
use crate::db_error::Doing as _;
use crate::entity::conversation::conversation;
use crate::repository::{TenantResources, time};

const OPERATION: &str = "add a conversation";

/// Finds what is wrong with a conversation by itself.
///
/// # Errors
/// `Invalid` as said of [`add`](trimaran_core::repository::Conversations::add).
pub(super) fn check(conversation: &WholeConversation) -> Result<()> {
    let wrong = |context: String, hint: &str| {
        Err(Error::new(ErrorKind::Invalid, OPERATION).context(context).hint(hint))
    };
    let mut places = BTreeSet::new();
    let mut ids = BTreeSet::new();
    conversation.target.iter().try_for_each(Identifier::check)?;
    for piece in &conversation.pieces {
        piece.target.iter().chain(&piece.attack).chain(&piece.converters).try_for_each(Identifier::check)?;
        if piece.conversation != conversation.id {
            return wrong(
                format!("the piece {} is of another one, {}", piece.id, piece.conversation),
                "add each conversation with its own pieces",
            );
        }
        // The greatest is left free: the next message follows it.
        if piece.sequence < 0 || piece.sequence == i64::MAX || piece.position < 0 {
            return wrong(
                format!("the piece {} has a sequence or a position that can't be", piece.id),
                "count sequences and positions from 0",
            );
        }
        if !places.insert((piece.sequence, piece.position)) {
            return wrong(
                format!("the place of the piece {} is another's, too", piece.id),
                "give the parts of a message positions of their own",
            );
        }
        if !ids.insert(piece.id) {
            return wrong(format!("the piece {} is there twice", piece.id), "give each an id of its own");
        }
    }
    Ok(())
}

/// Adds it, or makes sure that it is there as it is given.
///
/// # Errors
/// `Conflict` if another one is; else the engine's.
pub(super) async fn add(resources: &TenantResources, given: &WholeConversation) -> Result<bool> {
    let transaction = resources.executor().begin().await?;
    let within = resources.within(&transaction);
    if let Some(record) = conversations::find(&within, given.id).await? {
        let rows = messages::of_conversation(&within, given.id)
            .all(&transaction)
            .await
            .doing("read a conversation")?;
        let pieces = piece_rows::load(&within, rows).await?;
        transaction.commit().await?;
        return match difference(record.target.as_ref(), &pieces, given) {
            None => Ok(false),
            Some(difference) => Err(Error::new(ErrorKind::Conflict, OPERATION)
                .context(format!("there is another conversation {}: {difference}", given.id))
                .hint("delete the one that is there, or add this one under another id")),
        };
    }
    let last = given.pieces.iter().map(|piece| piece.sequence).max();
    let row = conversation::ActiveModel {
        tenant_id: Set(resources.tenant.0),
        id: Set(given.id.0),
        next_sequence: Set(last.map_or(0, |last| last + 1)),
        target_identifier: Set(piece_rows::identifier(given.target.as_ref())?),
        created_at: Set(time::stored(resources.shared.clock.now())),
    };
    conversation::Entity::insert(row).exec_without_returning(&transaction).await.doing(OPERATION)?;
    let mut rows = Rows::default();
    for piece in &given.pieces {
        rows.add(resources, &kept(piece), piece.sequence)?;
    }
    appending::insert(&transaction, rows).await?;
    transaction.commit().await?;
    Ok(true)
}

/// The piece as it is when it is read again.
fn kept(piece: &Piece) -> Piece {
    Piece { created_at: time::truncated(piece.created_at), ..piece.clone() }
}

/// In what they differ first; `pieces` are in order.
fn difference(target: Option<&Identifier>, pieces: &[Piece], given: &WholeConversation) -> Option<String> {
    if target != given.target.as_ref() {
        return Some("it is held with another target".to_owned());
    }
    if pieces.len() != given.pieces.len() {
        return Some(format!("it has {} pieces and not {}", pieces.len(), given.pieces.len()));
    }
    let mut wanted: Vec<Piece> = given.pieces.iter().map(kept).collect();
    wanted.sort_by_key(|piece| (piece.sequence, piece.position));
    let (other, _) = pieces.iter().zip(&wanted).find(|(there, wanted)| there != wanted)?;
    Some(format!("its piece {} is not as it was given", other.id))
}
