//! Which user's data is where.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use sea_orm::{QuerySelect as _, Set};
use trimaran_core::{Clock, Error, ErrorKind, IdSource, Page, PageRequest, Result, TenantId, Timestamp};
use uuid::Uuid;

use super::entity::tenant;
use super::naming::{NAMING, NamingKey, is_place};
use crate::Executor;
use crate::db_error::Doing as _;
use crate::repository::text::{Place, TextCodec};

/// A tenant, as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// The user whose data it is, exactly.
    pub user_name: String,
    /// The stem of its files' names on SQLite and DuckDB.
    pub place: String,
    /// Which key the stem was made with.
    pub key_id: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The catalogue of tenants, in the application store.
#[derive(Debug, Clone)]
pub struct TenantCatalogue {
    executor: Executor,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    key: NamingKey,
}

impl TenantCatalogue {
    /// The catalogue in the application store behind `executor`.
    pub fn new(executor: Executor, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, key: NamingKey) -> Self {
        Self { executor, clock, ids, key }
    }

    /// The tenant of this id; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for a row that was never written so; else the engine's.
    pub async fn find(&self, id: TenantId) -> Result<Option<TenantRecord>> {
        let found = tenant::Entity::find_by_id(id.0).one(&self.executor).await.doing("find a tenant")?;
        found.map(|row| self.loaded(row)).transpose()
    }

    /// The tenant of the user called exactly so; `None` if the user has no data yet.
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub async fn find_by_user_name(&self, user_name: &str) -> Result<Option<TenantRecord>> {
        let found = tenant::Entity::find()
            .filter(tenant::Column::UserName.eq(self.text().store(user_name)))
            .one(&self.executor)
            .await
            .doing("find a user's tenant")?;
        found.map(|row| self.loaded(row)).transpose()
    }

    /// Makes a tenant for the user called exactly so. Files come to be when the tenant is first opened.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the user has one; [`ErrorKind::Invalid`] for a user without a name.
    pub async fn create(&self, user_name: &str) -> Result<TenantRecord> {
        let operation = "make a tenant";
        if user_name.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, operation)
                .context("the user's name is empty")
                .hint("give the name that the user signs in with"));
        }
        let row = tenant::ActiveModel {
            id: Set(self.ids.next()),
            user_name: Set(self.text().store(user_name)),
            place: Set(self.key.place_of(user_name)),
            naming: Set(NAMING.to_owned()),
            key_id: Set(self.key.id().to_owned()),
            created_at: Set(self.clock.now().fixed_offset()),
        };
        self.loaded(row.insert(&self.executor).await.doing(operation)?)
    }

    /// The tenant of the user called exactly so; makes one if there is none. Several callers at once get the same one.
    ///
    /// # Errors
    /// As for [`Self::find_by_user_name`] and [`Self::create`].
    pub async fn of_user(&self, user_name: &str) -> Result<TenantRecord> {
        if let Some(found) = self.find_by_user_name(user_name).await? {
            return Ok(found);
        }
        match self.create(user_name).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.find_by_user_name(user_name).await?.ok_or(error)
            }
            made => made,
        }
    }

    /// All tenants by their ids, which is in the order in which they were made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a cursor of another list; else as for [`Self::find`].
    pub async fn list(&self, page: &PageRequest) -> Result<Page<TenantRecord>> {
        let operation = "list tenants";
        let mut query = tenant::Entity::find().order_by_asc(tenant::Column::Id);
        if let Some(cursor) = page.cursor() {
            let after = Uuid::try_parse(cursor.as_str()).map_err(|_| {
                Error::new(ErrorKind::Invalid, operation)
                    .context("the cursor is not one of this list")
                    .hint("hand back the cursor that came with the page before, unchanged")
            })?;
            query = query.filter(tenant::Column::Id.gt(after));
        }
        let rows = query.limit(u64::from(page.limit()) + 1).all(&self.executor).await.doing(operation)?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    fn text(&self) -> TextCodec {
        TextCodec::of(self.executor.capabilities())
    }

    fn loaded(&self, row: tenant::Model) -> Result<TenantRecord> {
        let at = |column| Place { table: "tenant", column, key: row.id };
        if row.naming != NAMING {
            return Err(Error::new(ErrorKind::Unsupported, "read a tenant")
                .context(format!("the files of tenant {} are named by {:?}", row.id, row.naming))
                .hint(format!("this program names them by {NAMING:?}; use a newer one")));
        }
        if !is_place(&row.place) {
            return Err(at("place").corrupt("there is no name of a file"));
        }
        Ok(TenantRecord {
            id: TenantId(row.id),
            user_name: self.text().load(at("user_name"), row.user_name)?,
            place: row.place,
            key_id: row.key_id,
            created_at: row.created_at.to_utc(),
        })
    }
}
