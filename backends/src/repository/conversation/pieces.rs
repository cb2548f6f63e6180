//! Prompt pieces and messages.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _,
};
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::model::{
    Appended, ChatRole, ExportFormat, Labels, Message, Metadata, NewMessage, Piece, PieceFilter,
    PieceSelection,
};
use trimaran_core::repository::Pieces;
use trimaran_core::repository::conversation::Export;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};
use uuid::Uuid;

use super::appending::{self, Draft};
use super::holding::{hold, hold_those_of};
use super::tags::{self, Kind};
use super::{belongings, export, messages, piece_conditions, piece_rows};
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::prompt_piece::{self, Column};
use crate::entity::conversation::tag;
use crate::fixed::Fixed;
use crate::repository::repetition::repeat;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::{TenantResources, paging};
use crate::{Transaction, fetch};

tenant_repository! {
    /// [`Pieces`] over SQL.
    SqlPieces
}

impl SqlPieces {
    /// Puts rows of one kind in the place of what the selected pieces have of it.
    async fn replace_tags(
        &self,
        selection: &PieceSelection,
        kind: Kind,
        rows: &(dyn Fn(Uuid) -> Vec<tag::ActiveModel> + Sync),
    ) -> Result<u64> {
        self.resources.settle(conversation_of(selection)).await?;
        repeat(self.resources.executor(), || self.replace_tags_once(selection, kind, rows)).await
    }

    async fn replace_tags_once(
        &self,
        selection: &PieceSelection,
        kind: Kind,
        rows: &(dyn Fn(Uuid) -> Vec<tag::ActiveModel> + Sync),
    ) -> Result<u64> {
        const OPERATION: &str = "change labels or metadata";
        let transaction = self.resources.executor().begin().await?;
        self.hold_selected(&transaction, selection).await?;
        let selected = prompt_piece::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(self.resources.own(Column::TenantId))
            .filter(piece_conditions::of_selection(selection));
        let owners: Vec<Uuid> = selected.clone().into_tuple().all(&transaction).await.doing(OPERATION)?;
        tags::delete_kind(&self.resources, &transaction, selected.into_query(), kind).await?;
        append_rows(&transaction, owners.iter().flat_map(|owner| rows(*owner)).collect(), OPERATION).await?;
        transaction.commit().await?;
        Ok(u64::try_from(owners.len()).unwrap_or(u64::MAX))
    }

    async fn hold_selected(&self, transaction: &Transaction, selection: &PieceSelection) -> Result<()> {
        match selection {
            PieceSelection::Pieces(ids) => hold_those_of(&self.resources, transaction, ids).await,
            PieceSelection::Conversation(id) => hold(&self.resources, transaction, *id).await.map(drop),
        }
    }

    async fn delete_once(&self, pieces: &[PieceId]) -> Result<u64> {
        let transaction = self.resources.executor().begin().await?;
        hold_those_of(&self.resources, &transaction, pieces).await?;
        let condition = Condition::all().add(Column::Id.is_in(pieces.iter().map(|piece| piece.0)));
        let deleted = belongings::delete_pieces(&self.resources, &transaction, condition).await?;
        transaction.commit().await?;
        Ok(deleted)
    }
}

async fn found(resources: &TenantResources, id: PieceId) -> Result<Option<prompt_piece::Model>> {
    static FOUND: Fixed = Fixed::new();
    let query =
        || prompt_piece::Entity::find().filter(resources.own(Column::TenantId)).filter(Column::Id.eq(id.0));
    let values = vec![resources.tenant.0.into(), id.0.into()];
    Ok(FOUND.models(resources.executor(), values, query, "find a prompt piece").await?.pop())
}

fn conversation_of(selection: &PieceSelection) -> Option<&[ConversationId]> {
    match selection {
        PieceSelection::Conversation(id) => Some(std::slice::from_ref(id)),
        PieceSelection::Pieces(_) => None,
    }
}

/// A page of the pieces that meet the filter; what was put aside must be settled.
///
/// # Errors
/// As for [`Pieces::list`].
pub(super) async fn page(
    resources: &TenantResources,
    condition: Condition,
    page: &PageRequest,
) -> Result<Page<Piece>> {
    let mut query = prompt_piece::Entity::find().filter(condition);
    if let Some(after) = paging::after(page)? {
        query = query.filter(Column::Id.gt(after));
    }
    let query = query.order_by_asc(Column::Id).limit(paging::one_more(page));
    let state = resources.executor().begin_reading().await?;
    let within = resources.within(&state);
    let rows = fetch::models(within.executor(), query, "list prompt pieces").await?;
    let page = Page::from_one_more(rows, page.limit(), |row| row.id.to_string());
    let items = piece_rows::load(&within, page.items).await?;
    state.commit().await?;
    Ok(Page { items, next: page.next })
}

#[async_trait]
impl Pieces for SqlPieces {
    async fn append(&self, message: NewMessage) -> Result<Message> {
        let conversation = message.conversation;
        let draft = appending::draft(&self.resources, message)?;
        self.resources.settle(Some(&[conversation])).await?;
        let given = appending::append_alone(&self.resources, std::slice::from_ref(&draft)).await?;
        let sequence = given.first().copied().unwrap_or_default();
        let mut pieces = draft.pieces;
        for piece in &mut pieces {
            piece.sequence = sequence;
        }
        Ok(Message { conversation, sequence, pieces })
    }

    async fn append_all(&self, messages: Vec<NewMessage>) -> Result<Vec<Appended>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let conversations: Vec<_> = messages.iter().map(|message| message.conversation).collect();
        let drafts: Vec<Draft> = messages
            .into_iter()
            .map(|message| appending::draft(&self.resources, message))
            .collect::<Result<_>>()?;
        self.resources.settle(Some(&conversations)).await?;
        let given = appending::append_alone(&self.resources, &drafts).await?;
        let appended = |(draft, sequence): (Draft, i64)| Appended {
            conversation: draft.conversation,
            sequence,
            pieces: draft.pieces.iter().map(|piece| piece.id).collect(),
        };
        Ok(drafts.into_iter().zip(given).map(appended).collect())
    }

    async fn append_buffered(&self, message: NewMessage) -> Result<Vec<PieceId>> {
        let buffer = self.buffer("put a message aside")?;
        let draft = appending::draft(&self.resources, message)?;
        let ids = draft.pieces.iter().map(|piece| piece.id).collect();
        buffer.put(draft).await?;
        Ok(ids)
    }

    async fn flush(&self) -> Result<()> {
        self.buffer("append what was put aside")?.flush().await
    }

    async fn find(&self, id: PieceId) -> Result<Option<Piece>> {
        self.resources.settle(None).await?;
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let found = match found(&within, id).await? {
            Some(row) => piece_rows::load(&within, vec![row]).await?.pop(),
            None => None,
        };
        state.commit().await?;
        Ok(found)
    }

    async fn list(&self, filter: &PieceFilter, page: &PageRequest) -> Result<Page<Piece>> {
        let condition = piece_conditions::of_filter(&self.resources, filter)?;
        self.resources.settle(filter.conversations.as_deref()).await?;
        self::page(&self.resources, condition, page).await
    }

    async fn request_of(&self, response: PieceId) -> Result<Option<Message>> {
        const OPERATION: &str = "find the request of a response";
        self.resources.settle(None).await?;
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let row = found(&within, response).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, OPERATION).context(format!("there is no prompt piece {response}"))
        })?;
        if !ChatRole::from_name(&row.role).is_some_and(ChatRole::is_answer) {
            return Err(Error::new(ErrorKind::Invalid, OPERATION)
                .context(format!("the piece {response} is no answer"))
                .hint("ask with a piece whose role is assistant or simulated_assistant"));
        }
        let request = messages::before(&within, ConversationId(row.conversation_id), row.sequence).await?;
        state.commit().await?;
        Ok(request)
    }

    async fn set_labels(&self, pieces: &PieceSelection, labels: &Labels) -> Result<u64> {
        let rows = |owner| piece_rows::labels(&self.resources, owner, labels).collect();
        self.replace_tags(pieces, Kind::PieceLabel, &rows).await
    }

    async fn set_metadata(&self, pieces: &PieceSelection, metadata: &Metadata) -> Result<u64> {
        let rows = |owner| piece_rows::metadata(&self.resources, owner, metadata);
        self.replace_tags(pieces, Kind::PieceMetadata, &rows).await
    }

    async fn delete(&self, pieces: &[PieceId]) -> Result<u64> {
        if pieces.is_empty() {
            return Ok(0);
        }
        self.resources.settle(None).await?;
        repeat(self.resources.executor(), || self.delete_once(pieces)).await
    }

    async fn export(&self, filter: &PieceFilter, format: ExportFormat) -> Result<Export> {
        let condition = piece_conditions::of_filter(&self.resources, filter)?;
        self.resources.settle(filter.conversations.as_deref()).await?;
        Ok(export::stream(self.resources.clone(), condition, format))
    }
}

impl SqlPieces {
    fn buffer(&self, operation: &str) -> Result<&std::sync::Arc<super::Buffer>> {
        self.resources.buffer.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Invalid, operation)
                .context("it would outlive the unit of work that it belongs to")
                .hint("append within the unit, or put it aside with the store's own repositories")
        })
    }
}
