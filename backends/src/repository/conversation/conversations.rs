//! Conversations.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use trimaran_core::id::ConversationId;
use trimaran_core::model::{
    ConversationRecord, ConversationStatistics, Identifier, Message, WholeConversation,
};
use trimaran_core::repository::Conversations;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};
use uuid::Uuid;

use super::copies::{self, Extent};
use super::holding::hold;
use super::{belongings, facets, messages, piece_rows, statistics, whole};
use crate::Transaction;
use crate::db_error::Doing as _;
use crate::entity::conversation::{conversation, prompt_piece};
use crate::repository::repetition::repeat;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{TenantResources, paging, time};

tenant_repository! {
    /// [`Conversations`] over SQL.
    SqlConversations
}

/// The record of a row.
///
/// # Errors
/// `Corrupt`, naming the row, if it can't be decoded.
pub(super) fn record(row: conversation::Model) -> Result<ConversationRecord> {
    let place: Place<'_, Uuid> = Place { table: "conversation", column: "target_identifier", key: row.id };
    Ok(ConversationRecord {
        id: ConversationId(row.id),
        target: piece_rows::optional(place, row.target_identifier.as_deref())?,
        created_at: time::loaded(row.created_at),
        next_sequence: row.next_sequence,
    })
}

/// The record of a conversation, read where the resources say.
///
/// # Errors
/// As for [`record`]; else the engine's.
pub(super) async fn find(
    resources: &TenantResources,
    id: ConversationId,
) -> Result<Option<ConversationRecord>> {
    let row = conversation::Entity::find()
        .filter(resources.own(conversation::Column::TenantId))
        .filter(conversation::Column::Id.eq(id.0))
        .one(resources.executor())
        .await
        .doing("find a conversation")?;
    row.map(record).transpose()
}

impl SqlConversations {
    async fn register_once(
        &self,
        id: ConversationId,
        target: Option<&Identifier>,
    ) -> Result<ConversationRecord> {
        const OPERATION: &str = "register a conversation";
        let written = piece_rows::identifier(target)?;
        let transaction = self.resources.executor().begin().await?;
        let within = self.resources.within(&transaction);
        let row = conversation::ActiveModel {
            tenant_id: Set(self.resources.tenant.0),
            id: Set(id.0),
            next_sequence: Set(0),
            target_identifier: Set(written.clone()),
            created_at: Set(time::stored(self.resources.shared.clock.now())),
        };
        let key = [conversation::Column::TenantId, conversation::Column::Id];
        conversation::Entity::insert(row)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .doing(OPERATION)?;
        hold(&within, &transaction, id).await?;
        let Some(mut found) = find(&within, id).await? else {
            return Err(Error::new(ErrorKind::Aborted, OPERATION)
                .context(format!("the conversation {id} was deleted meanwhile")));
        };
        match (&found.target, target) {
            (_, None) => {}
            (Some(held), Some(target)) if held == target => {}
            (None, Some(target)) => {
                self.set_target(&transaction, id, written).await?;
                found.target = Some(target.clone());
            }
            (Some(_), Some(_)) => {
                return Err(Error::new(ErrorKind::Conflict, OPERATION)
                    .context(format!("the conversation {id} is held with another target"))
                    .hint("begin another conversation: one is held with one target"));
            }
        }
        transaction.commit().await?;
        Ok(found)
    }

    async fn set_target(
        &self,
        transaction: &Transaction,
        id: ConversationId,
        target: Option<String>,
    ) -> Result<()> {
        conversation::Entity::update_many()
            .col_expr(conversation::Column::TargetIdentifier, Expr::value(target))
            .filter(self.resources.own(conversation::Column::TenantId))
            .filter(conversation::Column::Id.eq(id.0))
            .exec(transaction)
            .await
            .doing("register a conversation")?;
        Ok(())
    }

    async fn delete_after_once(&self, id: ConversationId, sequence: i64) -> Result<u64> {
        const OPERATION: &str = "delete the end of a conversation";
        let transaction = self.resources.executor().begin().await?;
        if !hold(&self.resources, &transaction, id).await? {
            transaction.commit().await?;
            return Ok(0);
        }
        let condition = Condition::all()
            .add(prompt_piece::Column::ConversationId.eq(id.0))
            .add(prompt_piece::Column::Sequence.gt(sequence));
        let deleted = belongings::delete_pieces(&self.resources, &transaction, condition).await?;
        let last: Option<i64> = prompt_piece::Entity::find()
            .select_only()
            .column(prompt_piece::Column::Sequence)
            .filter(self.resources.own(prompt_piece::Column::TenantId))
            .filter(prompt_piece::Column::ConversationId.eq(id.0))
            .order_by_desc(prompt_piece::Column::Sequence)
            .limit(1)
            .into_tuple()
            .one(&transaction)
            .await
            .doing(OPERATION)?;
        conversation::Entity::update_many()
            .col_expr(conversation::Column::NextSequence, Expr::value(last.map_or(0, |last| last + 1)))
            .filter(self.resources.own(conversation::Column::TenantId))
            .filter(conversation::Column::Id.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        transaction.commit().await?;
        Ok(deleted)
    }

    async fn delete_once(&self, id: ConversationId) -> Result<bool> {
        let transaction = self.resources.executor().begin().await?;
        if !hold(&self.resources, &transaction, id).await? {
            transaction.commit().await?;
            return Ok(false);
        }
        let condition = Condition::all().add(prompt_piece::Column::ConversationId.eq(id.0));
        belongings::delete_pieces(&self.resources, &transaction, condition).await?;
        conversation::Entity::delete_many()
            .filter(self.resources.own(conversation::Column::TenantId))
            .filter(conversation::Column::Id.eq(id.0))
            .exec(&transaction)
            .await
            .doing("delete a conversation")?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn delete_everything_once(&self) -> Result<()> {
        let transaction = self.resources.executor().begin().await?;
        belongings::delete_everything(&self.resources, &transaction).await?;
        transaction.commit().await
    }

    async fn copy(&self, id: ConversationId, extent: Extent) -> Result<ConversationRecord> {
        self.resources.settle(Some(&[id])).await?;
        repeat(self.resources.executor(), || copies::copy(&self.resources, id, extent)).await
    }
}

#[async_trait]
impl Conversations for SqlConversations {
    async fn find(&self, id: ConversationId) -> Result<Option<ConversationRecord>> {
        self.resources.settle(Some(&[id])).await?;
        find(&self.resources, id).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<ConversationRecord>> {
        self.resources.settle(None).await?;
        let mut query =
            conversation::Entity::find().filter(self.resources.own(conversation::Column::TenantId));
        if let Some(after) = paging::after(page)? {
            query = query.filter(conversation::Column::Id.gt(after));
        }
        let rows = query
            .order_by_asc(conversation::Column::Id)
            .limit(paging::one_more(page))
            .all(self.resources.executor())
            .await
            .doing("list conversations")?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(record)
    }

    async fn register(&self, id: ConversationId, target: Option<Identifier>) -> Result<ConversationRecord> {
        self.resources.settle(Some(&[id])).await?;
        repeat(self.resources.executor(), || self.register_once(id, target.as_ref())).await
    }

    async fn add(&self, conversation: &WholeConversation) -> Result<bool> {
        whole::check(conversation)?;
        self.resources.settle(Some(&[conversation.id])).await?;
        repeat(self.resources.executor(), || whole::add(&self.resources, conversation)).await
    }

    async fn messages(&self, id: ConversationId, page: &PageRequest) -> Result<Page<Message>> {
        self.resources.settle(Some(&[id])).await?;
        messages::page(&self.resources, id, page).await
    }

    async fn duplicate(&self, id: ConversationId) -> Result<ConversationRecord> {
        self.copy(id, Extent::Whole).await
    }

    async fn duplicate_without_last_turn(&self, id: ConversationId) -> Result<ConversationRecord> {
        self.copy(id, Extent::WithoutLastTurn).await
    }

    async fn delete_after(&self, id: ConversationId, sequence: i64) -> Result<u64> {
        self.resources.settle(Some(&[id])).await?;
        repeat(self.resources.executor(), || self.delete_after_once(id, sequence)).await
    }

    async fn delete(&self, id: ConversationId) -> Result<bool> {
        self.resources.settle(Some(&[id])).await?;
        repeat(self.resources.executor(), || self.delete_once(id)).await
    }

    async fn delete_everything(&self) -> Result<()> {
        self.resources.settle(None).await?;
        repeat(self.resources.executor(), || self.delete_everything_once()).await
    }

    async fn statistics(
        &self,
        ids: &[ConversationId],
    ) -> Result<BTreeMap<ConversationId, ConversationStatistics>> {
        self.resources.settle(Some(ids)).await?;
        self.resources.kept("conversation statistics", ids, statistics::of(&self.resources, ids)).await
    }

    async fn labels(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.resources.settle(None).await?;
        self.resources.kept("labels of pieces", &(), facets::labels(&self.resources)).await
    }

    async fn converter_classes(&self) -> Result<BTreeSet<String>> {
        self.resources.settle(None).await?;
        self.resources
            .kept("converter classes of pieces", &(), facets::converter_classes(&self.resources))
            .await
    }

    async fn attack_classes(&self) -> Result<BTreeSet<String>> {
        self.resources.settle(None).await?;
        self.resources.kept("attack classes of pieces", &(), facets::attack_classes(&self.resources)).await
    }
}
