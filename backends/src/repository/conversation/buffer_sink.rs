//! From a buffer into the tables.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use trimaran_core::Result;

use super::appending::{self, Draft};
use super::buffer::Sink;
use super::piece_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::prompt_piece::{self, Column};
use crate::repository::TenantResources;

/// Opens the tenant's store: a file that nobody uses may have been closed meanwhile.
pub(crate) type Open = Box<dyn Fn() -> BoxFuture<'static, Result<TenantResources>> + Send + Sync>;

/// The tenant's tables.
pub(crate) struct Tables(pub(crate) Open);

#[async_trait]
impl Sink for Tables {
    async fn append(&self, drafts: &[Draft]) -> Result<()> {
        let resources = (self.0)().await?;
        appending::append_alone(&resources, drafts).await.map(drop)
    }

    async fn has(&self, draft: &Draft) -> Result<bool> {
        let resources = (self.0)().await?;
        let rows = prompt_piece::Entity::find()
            .filter(resources.own(Column::TenantId))
            .filter(Column::Id.is_in(draft.pieces.iter().map(|piece| piece.id.0)))
            .all(resources.executor())
            .await
            .doing("look whether a message was appended")?;
        let mut there = piece_rows::load(&resources, rows).await?;
        there.sort_by_key(|piece| piece.position);
        Ok(there.len() == draft.pieces.len()
            && there.iter_mut().zip(&draft.pieces).all(|(there, wanted)| {
                there.sequence = wanted.sequence;
                there == wanted
            }))
    }
}
