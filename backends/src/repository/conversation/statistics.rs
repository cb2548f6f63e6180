//! What conversations amount to.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Select,
};
use trimaran_core::Result;
use trimaran_core::id::ConversationId;
use trimaran_core::model::conversation::record::PREVIEW_CHARS;
use trimaran_core::model::{ConversationStatistics, Piece};
use uuid::Uuid;

use super::piece_rows;
use super::tags::Kind;
use crate::db_error::Doing as _;
use crate::entity::conversation::prompt_piece::{self, Column};
use crate::entity::conversation::tag;
use crate::repository::TenantResources;
use crate::repository::text::Place;

const OPERATION: &str = "count what conversations amount to";

/// How many conversations are asked for at once.
const CONVERSATIONS: usize = 200;

/// What each of these conversations amounts to.
///
/// # Errors
/// `Corrupt` for a row that can't be decoded; else the engine's.
pub(super) async fn of(
    resources: &TenantResources,
    ids: &[ConversationId],
) -> Result<BTreeMap<ConversationId, ConversationStatistics>> {
    let mut all = BTreeMap::new();
    for chunk in ids.chunks(CONVERSATIONS) {
        some(resources, chunk, &mut all).await?;
    }
    Ok(all)
}

async fn some(
    resources: &TenantResources,
    ids: &[ConversationId],
    all: &mut BTreeMap<ConversationId, ConversationStatistics>,
) -> Result<()> {
    let extents: Vec<(Uuid, i64, i64, i64, i64)> = grouped(resources, ids)
        .expr_as(Expr::col(Column::Id).count(), "pieces")
        .expr_as(Expr::col(Column::Sequence).count_distinct(), "messages")
        .expr_as(Expr::col(Column::Sequence).min(), "first")
        .expr_as(Expr::col(Column::Sequence).max(), "last")
        .into_tuple()
        .all(resources.executor())
        .await
        .doing(OPERATION)?;
    let labelled: BTreeMap<Uuid, i64> = labelled(resources, ids).await?;
    // Of each conversation the messages that something is told of, whole.
    let mut places = Condition::any();
    for (conversation, .., first, last) in &extents {
        let told = [Some(first), Some(last), labelled.get(conversation)].into_iter().flatten().copied();
        places = places.add(Column::ConversationId.eq(*conversation).and(Column::Sequence.is_in(told)));
    }
    if extents.is_empty() {
        return Ok(());
    }
    let rows = prompt_piece::Entity::find()
        .filter(resources.own(Column::TenantId))
        .filter(places)
        .order_by_asc(Column::ConversationId)
        .order_by_asc(Column::Sequence)
        .order_by_asc(Column::Position)
        .all(resources.executor())
        .await
        .doing(OPERATION)?;
    let mut told: BTreeMap<ConversationId, Vec<Piece>> = BTreeMap::new();
    for piece in piece_rows::load(resources, rows).await? {
        told.entry(piece.conversation).or_default().push(piece);
    }
    for (conversation, pieces, messages, ..) in extents {
        let id = ConversationId(conversation);
        let Some(told) = told.remove(&id) else { continue };
        let (Some(first), Some(last)) = (told.first(), told.last()) else { continue };
        let beginning = told.iter().find(|piece| piece.sequence == last.sequence).unwrap_or(last);
        all.insert(
            id,
            ConversationStatistics {
                messages: u64::try_from(messages).unwrap_or_default(),
                pieces: u64::try_from(pieces).unwrap_or_default(),
                by_role: BTreeMap::new(),
                first_at: first.created_at,
                last_at: last.created_at,
                labels: told
                    .iter()
                    .map(|piece| &piece.labels)
                    .find(|labels| !labels.is_empty())
                    .cloned()
                    .unwrap_or_default(),
                preview: beginning.converted.value.chars().take(PREVIEW_CHARS).collect(),
            },
        );
    }
    by_role(resources, ids, all).await
}

/// The tenant's pieces of these conversations, by conversation.
fn grouped(resources: &TenantResources, ids: &[ConversationId]) -> Select<prompt_piece::Entity> {
    prompt_piece::Entity::find()
        .select_only()
        .column(Column::ConversationId)
        .filter(resources.own(Column::TenantId))
        .filter(Column::ConversationId.is_in(ids.iter().map(|id| id.0)))
        .group_by(Column::ConversationId)
}

/// The first message of each conversation that has a label.
async fn labelled(resources: &TenantResources, ids: &[ConversationId]) -> Result<BTreeMap<Uuid, i64>> {
    let labels = Query::select()
        .expr(Expr::val(1))
        .from(tag::Entity)
        .and_where(resources.own(tag::Column::TenantId))
        .and_where(Expr::col((tag::Entity, tag::Column::OwnerId)).equals((prompt_piece::Entity, Column::Id)))
        .and_where(tag::Column::Kind.eq(Kind::PieceLabel.name()))
        .take();
    let rows: Vec<(Uuid, i64)> = grouped(resources, ids)
        .expr_as(Expr::col(Column::Sequence).min(), "first")
        .filter(Expr::exists(labels))
        .into_tuple()
        .all(resources.executor())
        .await
        .doing(OPERATION)?;
    Ok(rows.into_iter().collect())
}

async fn by_role(
    resources: &TenantResources,
    ids: &[ConversationId],
    all: &mut BTreeMap<ConversationId, ConversationStatistics>,
) -> Result<()> {
    let rows: Vec<(Uuid, String, i64)> = grouped(resources, ids)
        .column(Column::Role)
        .expr_as(Expr::col(Column::Id).count(), "pieces")
        .group_by(Column::Role)
        .into_tuple()
        .all(resources.executor())
        .await
        .doing(OPERATION)?;
    for (conversation, role, pieces) in rows {
        let at =
            Place { table: "prompt_piece", column: "role", key: format!("of conversation {conversation}") };
        let role = trimaran_core::model::ChatRole::from_name(&role)
            .ok_or_else(|| at.corrupt("there is an unknown role"))?;
        if let Some(statistics) = all.get_mut(&ConversationId(conversation)) {
            statistics.by_role.insert(role, u64::try_from(pieces).unwrap_or_default());
        }
    }
    Ok(())
}
