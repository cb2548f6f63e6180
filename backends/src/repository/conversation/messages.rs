//! Messages of a conversation, a page at a time.

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use trimaran_core::id::ConversationId;
use trimaran_core::model::Message;
use trimaran_core::{Cursor, Error, ErrorKind, Page, PageRequest, Result};

use super::piece_rows;
use crate::entity::conversation::prompt_piece::{self, Column};
use crate::fetch;
use crate::fixed::Fixed;
use crate::repository::TenantResources;

/// A page of a conversation's messages.
///
/// # Errors
/// `Invalid` if the cursor isn't one of this list; `Corrupt` for a row that can't be decoded; else the engine's.
pub(super) async fn page(
    resources: &TenantResources,
    conversation: ConversationId,
    page: &PageRequest,
) -> Result<Page<Message>> {
    static READ: Fixed = Fixed::new();
    let after = after(page)?;
    let state = resources.executor().begin_reading().await?;
    let resources = &resources.within(&state);
    let wanted = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    // Most messages have one part or two. Where the rows end within a message, or before enough of them, more are read.
    let mut most = u64::from(page.limit()) * 2 + 2;
    loop {
        let query =
            || of_conversation(resources, conversation).filter(Column::Sequence.gt(after)).limit(most);
        let values = vec![resources.tenant.0.into(), conversation.0.into(), after.into(), most.into()];
        let rows = READ.models(resources.executor(), values, query, "read a conversation").await?;
        let is_all = u64::try_from(rows.len()).unwrap_or(u64::MAX) < most;
        let mut whole = rows;
        if !is_all {
            let last = whole.last().map(|row| row.sequence);
            whole.retain(|row| Some(row.sequence) != last);
        }
        let mut sequences: Vec<i64> = whole.iter().map(|row| row.sequence).collect();
        sequences.dedup();
        if !is_all && sequences.len() <= wanted {
            most = most.saturating_mul(4);
            continue;
        }
        let next = match sequences.len() > wanted {
            true => sequences.get(wanted - 1).copied(),
            false => None,
        };
        if let Some(last) = next {
            whole.retain(|row| row.sequence <= last);
        }
        let items = grouped(conversation, piece_rows::load(resources, whole).await?);
        state.commit().await?;
        return Ok(Page { items, next: next.map(|sequence| Cursor::new(sequence.to_string())) });
    }
}

/// The message before this sequence; `None` if there is none. Both its statements see what the caller's transaction does.
///
/// # Errors
/// `Corrupt` for a row that can't be decoded; else the engine's.
pub(super) async fn before(
    resources: &TenantResources,
    conversation: ConversationId,
    sequence: i64,
) -> Result<Option<Message>> {
    const OPERATION: &str = "find the request of a response";
    let query = prompt_piece::Entity::find()
        .select_only()
        .column(Column::Sequence)
        .filter(resources.own(Column::TenantId))
        .filter(Column::ConversationId.eq(conversation.0))
        .filter(Column::Sequence.lt(sequence))
        .order_by_desc(Column::Sequence)
        .limit(1);
    let found = fetch::columns_of(resources.executor(), query, &[Column::Sequence], OPERATION).await?;
    let Some(mut last) = found.into_rows().next() else { return Ok(None) };
    let last: i64 = last.take(0, OPERATION)?;
    let query = of_conversation(resources, conversation).filter(Column::Sequence.eq(last));
    let rows = fetch::models(resources.executor(), query, OPERATION).await?;
    Ok(grouped(conversation, piece_rows::load(resources, rows).await?).into_iter().next())
}

/// A conversation's pieces in order.
pub(super) fn of_conversation(
    resources: &TenantResources,
    conversation: ConversationId,
) -> sea_orm::Select<prompt_piece::Entity> {
    prompt_piece::Entity::find()
        .filter(resources.own(Column::TenantId))
        .filter(Column::ConversationId.eq(conversation.0))
        .order_by_asc(Column::Sequence)
        .order_by_asc(Column::Position)
}

fn grouped(conversation: ConversationId, pieces: Vec<trimaran_core::model::Piece>) -> Vec<Message> {
    piece_rows::by_sequence(pieces)
        .into_iter()
        .map(|(sequence, pieces)| Message { conversation, sequence, pieces })
        .collect()
}

/// The sequence that the page begins after.
fn after(page: &PageRequest) -> Result<i64> {
    // No sequence is negative.
    let Some(cursor) = page.cursor() else { return Ok(-1) };
    cursor.as_str().parse().map_err(|_| {
        Error::new(ErrorKind::Invalid, "read a page")
            .context("its cursor is not one of this list")
            .hint("hand back the cursor that came with the page before, unchanged")
    })
}
