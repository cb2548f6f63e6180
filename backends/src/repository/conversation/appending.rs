//! Messages on their way into the tables.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, EntityTrait as _, Iterable as _,
    QueryTrait as _, Statement,
};
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::model::{Identifier, NewMessage, NewPiece, Piece};
use trimaran_core::{Error, ErrorKind, Result, Timestamp};
use uuid::Uuid;

use super::piece_rows::Rows;
use crate::append::{append_rows, rows_of};
use crate::entity::conversation::conversation;
use crate::fetch::CellType;
use crate::fixed::Fixed;
use crate::repository::repetition::repeat;
use crate::repository::{TenantResources, time};
use crate::{Executor, Transaction, fetch};

/// What it is called in errors.
pub(super) const OPERATION: &str = "append prompt pieces";

/// How many conversations get their sequences in one statement.
const CONVERSATIONS: usize = 1_000;

/// How many messages are inserted together with the commit, for which all their rows are held at once.
const FEW: usize = 1_000;

/// A message that has everything but its place in the conversation: parts have 0 for a sequence.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) conversation: ConversationId,
    pub(crate) pieces: Vec<Piece>,
}

/// Makes a draft of a message: gives ids and times, and finds what is wrong with it by itself.
///
/// # Errors
/// `Invalid` as said of [`append`](trimaran_core::repository::Pieces::append).
pub(super) fn draft(resources: &TenantResources, message: NewMessage) -> Result<Draft> {
    let wrong = |context: &str, hint: &str| {
        Err(Error::new(ErrorKind::Invalid, OPERATION)
            .context(format!("a message for conversation {} {context}", message.conversation))
            .hint(hint))
    };
    let Some(first) = message.pieces.first() else {
        return wrong("has no parts", "give it at least one piece");
    };
    if message.pieces.iter().any(|piece| piece.role != first.role) {
        return wrong("has parts of different roles", "append a message for each role");
    }
    let now = resources.shared.clock.now();
    let conversation = message.conversation;
    let mut pieces = Vec::with_capacity(message.pieces.len());
    for (position, new) in (0..).zip(message.pieces) {
        new.target.iter().chain(&new.attack).chain(&new.converters).try_for_each(Identifier::check)?;
        pieces.push(piece(resources, conversation, position, new, now));
    }
    Ok(Draft { conversation, pieces })
}

fn piece(
    resources: &TenantResources,
    conversation: ConversationId,
    position: i32,
    new: NewPiece,
    now: Timestamp,
) -> Piece {
    let id = new.id.unwrap_or_else(|| PieceId(resources.shared.ids.next()));
    Piece {
        id,
        conversation,
        sequence: 0,
        position,
        role: new.role,
        converted: new.converted.unwrap_or_else(|| new.original.clone()),
        original: new.original,
        original_piece: new.original_piece.unwrap_or(id),
        labels: new.labels,
        metadata: new.metadata,
        target: new.target,
        attack: new.attack,
        converters: new.converters,
        error: new.error,
        created_at: new.created_at.map_or(now, time::truncated),
    }
}

/// Appends drafts in a transaction of their own, again if others were before it; returns their sequences.
///
/// # Errors
/// `Conflict` if a piece's id is taken, on DuckDB perhaps at the commit; else the engine's.
pub(super) async fn append_alone(resources: &TenantResources, drafts: &[Draft]) -> Result<Vec<i64>> {
    repeat(resources.executor(), || async move {
        let transaction = resources.executor().begin_writing().await?;
        let next = reserve(resources, &transaction, drafts).await?;
        let (rows, sequences) = rows(resources, next, drafts)?;
        if drafts.len() > FEW {
            insert(&transaction, rows).await?;
            transaction.commit().await?;
        } else {
            let backend = transaction.get_database_backend();
            let rows =
                vec![rows_of(backend, rows.pieces, OPERATION)?, rows_of(backend, rows.tags, OPERATION)?];
            transaction.commit_with(rows).await.map_err(|error| error.within(OPERATION))?;
        }
        Ok(sequences)
    })
    .await
}

/// The rows of messages, from the next sequences of their conversations on, and the sequence of each.
fn rows(
    resources: &TenantResources,
    mut next: BTreeMap<ConversationId, i64>,
    drafts: &[Draft],
) -> Result<(Rows, Vec<i64>)> {
    let mut rows = Rows::default();
    let mut given = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let Some(sequence) = next.get_mut(&draft.conversation) else {
            return Err(Error::new(ErrorKind::Corrupt, OPERATION)
                .context(format!("the engine gave conversation {} no sequence", draft.conversation)));
        };
        for piece in &draft.pieces {
            rows.add(resources, piece, *sequence)?;
        }
        given.push(*sequence);
        *sequence += 1;
    }
    Ok((rows, given))
}

/// Inserts rows of pieces, and then of what they are found by.
///
/// # Errors
/// As for [`append_alone`].
pub(super) async fn insert(transaction: &Transaction, rows: Rows) -> Result<()> {
    append_rows(transaction, rows.pieces, OPERATION).await?;
    append_rows(transaction, rows.tags, OPERATION).await
}

/// Takes as many sequences of each conversation as it has drafts, making conversations that aren't there: the first that was taken
/// of each. Until the transaction ends no other one takes any of these conversations.
async fn reserve(
    resources: &TenantResources,
    transaction: &Transaction,
    drafts: &[Draft],
) -> Result<BTreeMap<ConversationId, i64>> {
    // In the order of ids, so that two that take several don't wait for one another.
    let mut wanted: BTreeMap<ConversationId, i64> = BTreeMap::new();
    for draft in drafts {
        *wanted.entry(draft.conversation).or_default() += 1;
    }
    let now = time::stored(resources.shared.clock.now());
    let mut wanting = wanted.iter();
    let mut first = BTreeMap::new();
    loop {
        let chunk: Vec<_> = wanting
            .by_ref()
            .take(CONVERSATIONS)
            .map(|(id, count)| conversation::ActiveModel {
                tenant_id: Set(resources.tenant.0),
                id: Set(id.0),
                next_sequence: Set(*count),
                target_identifier: Set(None),
                created_at: Set(now),
            })
            .collect();
        if chunk.is_empty() {
            return Ok(first);
        }
        let executor = Executor::Transaction(transaction.handle());
        let taken = match <[conversation::ActiveModel; 1]>::try_from(chunk) {
            Ok([one]) => {
                static ONE: Fixed = Fixed::new();
                let values = conversation::Column::iter().filter_map(|column| one.get(column).into_value());
                let (values, query) = (values.collect(), || taking(&executor, [one]));
                ONE.fetch(&executor, values, query, OPERATION).await?
            }
            Err(several) => {
                let (statement, types) = taking(&executor, several)?;
                executor.fetch(statement, types).await.map_err(|error| error.within(OPERATION))?
            }
        };
        for mut row in taken.into_rows() {
            let id: Uuid = row.take(0, OPERATION)?;
            let count = wanted.get(&ConversationId(id)).copied().unwrap_or_default();
            first.insert(ConversationId(id), row.take::<i64>(1, OPERATION)? - count);
        }
    }
}

/// Inserts conversations, or counts up those that are there, and returns the next sequence of each.
fn taking(
    executor: &Executor,
    rows: impl IntoIterator<Item = conversation::ActiveModel>,
) -> Result<(Statement, Vec<CellType>)> {
    let next = conversation::Column::NextSequence;
    let count_up = OnConflict::columns([conversation::Column::TenantId, conversation::Column::Id])
        .value(next, Expr::col((conversation::Entity, next)).add(Expr::col(("excluded", next))))
        .to_owned();
    let query = conversation::Entity::insert_many(rows).on_conflict(count_up);
    fetch::returning(executor, query.into_query(), &[conversation::Column::Id, next], OPERATION)
}
