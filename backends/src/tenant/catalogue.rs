//! Which user's data is where.

mod row;

use std::sync::Arc;

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, FromQueryResult, JoinType, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select, Set,
};
use trimaran_core::config::{Placement, places::DEFAULT};
use trimaran_core::model::name;
use trimaran_core::{Clock, Error, ErrorKind, IdSource, Page, PageRequest, Result, TenantId, Timestamp};
use uuid::Uuid;

use self::row::{Row, home, select};
use super::entity::{tenant, tenant_home, tenant_operation};
use super::naming::{NAMING, NamingKey, is_place};
use super::operation::{Operation, OperationKind, under_way};
use crate::db_error::Doing as _;
use crate::fixed::Fixed;
use crate::repository::text::{Place, TextCodec};
use crate::{Executor, Retry, Transaction};

/// A tenant, as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// The user whose data it is, exactly.
    pub user_name: String,
    /// The stem of its files' names on SQLite and DuckDB.
    pub place: String,
    /// How the stem was made.
    pub naming: String,
    /// Which key the stem was made with.
    pub key_id: String,
    /// The name of the place in the configuration where its data is: one of `tenants.places`, or `default`, which is where
    /// `stores` says.
    pub home: String,
    /// What is being done to it and is not finished. Meanwhile its data can't be used.
    pub operation: Option<Operation>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The catalogue of tenants, in the application store.
#[derive(Debug, Clone)]
pub struct TenantCatalogue {
    pub(super) executor: Executor,
    pub(super) clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    key: Option<NamingKey>,
    placement: Placement,
    places: Arc<[String]>,
}

/// How many tenants something holds of.
#[derive(Debug, FromQueryResult)]
struct Count {
    what: Option<String>,
    tenants: i64,
}

impl TenantCatalogue {
    /// The catalogue in the application store behind `executor`; new tenants are put where `stores` says.
    pub fn new(executor: Executor, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, key: NamingKey) -> Self {
        Self::maybe_with(executor, clock, ids, Some(key))
    }

    /// The same without a key, for who makes and renames no tenant.
    pub(crate) fn maybe_with(
        executor: Executor,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        key: Option<NamingKey>,
    ) -> Self {
        Self { executor, clock, ids, key, placement: Placement::Default, places: Arc::new([]) }
    }

    /// The same, whose new tenants are put where `placement` says, of the places of these names besides the default.
    #[must_use]
    pub fn placing(self, placement: Placement, places: impl IntoIterator<Item = String>) -> Self {
        Self { placement, places: places.into_iter().collect(), ..self }
    }

    /// The tenant of this id; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for a row that was never written so; else the engine's.
    pub async fn find(&self, id: TenantId) -> Result<Option<TenantRecord>> {
        self.one(select().filter(tenant::Column::Id.eq(id.0)), "find a tenant").await
    }

    /// The tenant of the user called exactly so; `None` if the user has no data yet. Nothing is done to the name: whoever is
    /// called otherwise by a single byte is somebody else.
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub async fn find_by_user_name(&self, user_name: &str) -> Result<Option<TenantRecord>> {
        static FOUND: Fixed = Fixed::new();
        let stored = self.text().store(user_name);
        let query = || select().filter(tenant::Column::UserName.eq(stored.as_str()));
        let values = vec![stored.as_str().into()];
        let rows = row::fetch_fixed(&self.executor, &FOUND, values, query, "find a user's tenant").await?;
        rows.into_iter().next().map(|row| self.loaded(row)).transpose()
    }

    /// The tenant of the user that was called exactly so until it was begun to rename it, which is not finished.
    ///
    /// # Errors
    /// As for [`Self::find`].
    pub async fn find_being_renamed(&self, user_name: &str) -> Result<Option<TenantRecord>> {
        let stored = self.text().store(user_name);
        let query = select().filter(tenant_operation::Column::FromUserName.eq(stored));
        self.one(query, "find a tenant that is being renamed").await
    }

    /// Makes a tenant for the user called exactly so, in the place that the configuration says. Files come to be when the
    /// tenant is first opened.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if the user has one; [`ErrorKind::Invalid`] for a user without a name, or with one of more than
    /// 1,000 bytes; [`ErrorKind::Locked`] if a tenant's files are just being renamed away from the names of this user's.
    pub async fn create(&self, user_name: &str) -> Result<TenantRecord> {
        let home = match &self.placement {
            Placement::Default => DEFAULT.to_owned(),
            Placement::Named(name) => name.clone(),
            Placement::LeastLoaded => self.least_loaded().await?,
        };
        self.create_in(user_name, &home).await
    }

    /// The same in the place of this name.
    ///
    /// # Errors
    /// As for [`Self::create`]; [`ErrorKind::Configuration`] if no place is called so.
    pub async fn create_in(&self, user_name: &str, home: &str) -> Result<TenantRecord> {
        let operation = "make a tenant";
        name::check("the user's name", user_name).map_err(|error| error.within(operation))?;
        if home != DEFAULT && !self.places.iter().any(|place| place == home) {
            return Err(Error::new(ErrorKind::Configuration, operation)
                .context(format!("no place is called {home:?}"))
                .hint("add it to tenants.places in the configuration, or name one that is there"));
        }
        let key = self.key()?;
        let row = tenant::ActiveModel {
            id: Set(self.ids.next()),
            user_name: Set(self.text().store(user_name)),
            place: Set(key.place_of(user_name)),
            naming: Set(NAMING.to_owned()),
            key_id: Set(key.id().to_owned()),
            created_at: Set(self.clock.now().fixed_offset()),
        };
        let transaction = self.executor.begin().await?;
        let row = row.insert(&transaction).await.doing(operation)?;
        self.nobody_leaves(&transaction, &row.place, operation).await?;
        if home != DEFAULT {
            let home = tenant_home::ActiveModel { id: Set(row.id), place: Set(home.to_owned()) };
            home.insert(&transaction).await.doing(operation)?;
        }
        transaction.commit().await?;
        self.loaded(Row {
            id: row.id,
            user_name: row.user_name,
            place: row.place,
            naming: row.naming,
            key_id: row.key_id,
            created_at: row.created_at,
            home: (home != DEFAULT).then(|| home.to_owned()),
            kind: None,
            step: None,
            from_user_name: None,
            from_place: None,
            started_at: None,
        })
    }

    /// The tenant of the user called exactly so; makes one if there is none. Several callers at once get the same one.
    ///
    /// # Errors
    /// As for [`Self::find_by_user_name`] and [`Self::create`].
    pub async fn of_user(&self, user_name: &str) -> Result<TenantRecord> {
        if let Some(found) = self.find_by_user_name(user_name).await? {
            return Ok(found);
        }
        let faster = match self.create(user_name).await {
            // Somebody else was faster: on DuckDB that shows at the commit.
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Aborted) => error,
            made => return made,
        };
        // DuckDB tells of a key that is being committed before anybody can read its row.
        for delay in Retry::default().delays() {
            if let Some(found) = self.find_by_user_name(user_name).await? {
                return Ok(found);
            }
            tokio::time::sleep(delay).await;
        }
        self.find_by_user_name(user_name).await?.ok_or(faster)
    }

    /// All tenants by their ids, which is in the order in which they were made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a cursor of another list; else as for [`Self::find`].
    pub async fn list(&self, page: &PageRequest) -> Result<Page<TenantRecord>> {
        let operation = "list tenants";
        let mut query = select().order_by_asc(tenant::Column::Id);
        if let Some(cursor) = page.cursor() {
            let after = Uuid::try_parse(cursor.as_str()).map_err(|_| {
                Error::new(ErrorKind::Invalid, operation)
                    .context("the cursor is not one of this list")
                    .hint("hand back the cursor that came with the page before, unchanged")
            })?;
            query = query.filter(tenant::Column::Id.gt(after));
        }
        let query = query.limit(u64::from(page.limit()) + 1);
        let rows = row::fetch(&self.executor, query, operation).await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    /// Makes sure that `tenant` is still what the catalogue says of it, and that nothing is being done to it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if it was deleted, [`ErrorKind::Locked`] while something is done to it,
    /// [`ErrorKind::Aborted`] if it was renamed since it was found.
    pub async fn confirm(&self, tenant: &TenantRecord) -> Result<()> {
        let operation = "use a tenant's data";
        let Some(now) = self.find(tenant.id).await? else {
            return Err(Error::new(ErrorKind::NotFound, operation)
                .context(format!("tenant {} was deleted", tenant.id))
                .hint("let go of what you hold of it"));
        };
        now.usable()?;
        if (&now.place, &now.home) != (&tenant.place, &tenant.home) {
            return Err(Error::new(ErrorKind::Aborted, operation)
                .context(format!("tenant {} was renamed meanwhile", tenant.id))
                .hint("ask stores.tenant(id) for it again"));
        }
        Ok(())
    }

    /// Makes sure that the tenants' files are named by the key in use.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming both keys by their ids, if any is named by another.
    pub async fn check_key(&self) -> Result<()> {
        let key = self.key()?;
        let counts = self.counts(Expr::col((tenant::Entity, tenant::Column::KeyId))).await?;
        let others: Vec<_> = counts.iter().filter(|count| count.what.as_deref() != Some(key.id())).collect();
        if others.is_empty() {
            return Ok(());
        }
        let tenants: i64 = others.iter().map(|count| count.tenants).sum();
        let ids: Vec<_> = others.iter().filter_map(|count| count.what.as_deref()).collect();
        Err(Error::new(ErrorKind::Configuration, "use the key that tenants' files are named by")
            .context(format!(
                "it is key {}, and the files of {tenants} tenants are named by key {}",
                key.id(),
                ids.join(", ")
            ))
            .hint(
                "name the file of the key in use in tenants.key_file; or change to this one with `trimaran tenant rekey \
                 --new-key-file`, which also finishes a change that was interrupted",
            ))
    }

    /// Whether there is no tenant.
    ///
    /// # Errors
    /// The engine's.
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.list(&PageRequest::first(1)?).await?.items.is_empty())
    }

    /// The place with the fewest tenants.
    async fn least_loaded(&self) -> Result<String> {
        let counts = self.counts(Expr::col((tenant_home::Entity, tenant_home::Column::Place))).await?;
        let load = |place: &str| {
            let named = |count: &&Count| count.what.as_deref().unwrap_or(DEFAULT) == place;
            counts.iter().find(named).map_or(0, |count| count.tenants)
        };
        let mut names: Vec<&str> = self.places.iter().map(String::as_str).collect();
        names.push(DEFAULT);
        names.sort_by_key(|place| (load(place), *place));
        Ok(names.first().copied().unwrap_or(DEFAULT).to_owned())
    }

    /// How many tenants there are of each value of something.
    async fn counts(&self, what: Expr) -> Result<Vec<Count>> {
        tenant::Entity::find()
            .select_only()
            .join(JoinType::LeftJoin, home())
            .expr_as(what.clone(), "what")
            .expr_as(Expr::col((tenant::Entity, tenant::Column::Id)).count(), "tenants")
            .group_by(what)
            .into_model()
            .all(&self.executor)
            .await
            .doing("count tenants")
    }

    /// Makes sure that no other tenant's files are under `place` still, of which nobody would know any more whose they are.
    pub(super) async fn nobody_leaves(
        &self,
        transaction: &Transaction,
        place: &str,
        operation: &str,
    ) -> Result<()> {
        let leaving = tenant_operation::Entity::find()
            .filter(tenant_operation::Column::FromPlace.eq(place))
            .one(transaction)
            .await
            .doing(operation)?;
        match leaving {
            None => Ok(()),
            Some(leaving) => {
                let at = Place { table: "tenant_operation", column: "kind", key: leaving.id };
                let kind =
                    OperationKind::parse(&leaving.kind).ok_or_else(|| at.corrupt("there is no operation"))?;
                Err(under_way(TenantId(leaving.id), kind).within(operation))
            }
        }
    }

    /// The key in use.
    pub(super) fn key(&self) -> Result<&NamingKey> {
        self.key.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "use the key that tenants' files are named by")
                .context("there is none")
                .hint("make one with `openssl rand -hex 32`, keep it safe, and name its file in tenants.key_file")
        })
    }

    pub(super) fn text(&self) -> TextCodec {
        TextCodec::of(self.executor.capabilities())
    }

    async fn one(&self, query: Select<tenant::Entity>, operation: &str) -> Result<Option<TenantRecord>> {
        let row = row::fetch(&self.executor, query.limit(1), operation).await?.into_iter().next();
        row.map(|row| self.loaded(row)).transpose()
    }

    fn loaded(&self, row: Row) -> Result<TenantRecord> {
        let at = |column| Place { table: "tenant", column, key: row.id };
        if row.naming != NAMING {
            return Err(Error::new(ErrorKind::Unsupported, "read a tenant")
                .context(format!("the files of tenant {} are named by {:?}", row.id, row.naming))
                .hint(format!("this program names them by {NAMING:?}; use a newer one")));
        }
        if !is_place(&row.place) || row.from_place.as_deref().is_some_and(|place| !is_place(place)) {
            return Err(at("place").corrupt("there is no name of a file"));
        }
        let operation = match row.kind {
            None => None,
            Some(kind) => {
                let at = |column| Place { table: "tenant_operation", column, key: row.id };
                let text = self.text();
                let from =
                    row.from_user_name.map(|name| text.load(at("from_user_name"), name)).transpose()?;
                Some(Operation {
                    kind: OperationKind::parse(&kind)
                        .ok_or_else(|| at("kind").corrupt("there is no operation"))?,
                    step: row.step.unwrap_or_default(),
                    from_user_name: from,
                    from_place: row.from_place,
                    started_at: row
                        .started_at
                        .ok_or_else(|| at("started_at").corrupt("there is no time"))?
                        .to_utc(),
                })
            }
        };
        Ok(TenantRecord {
            id: TenantId(row.id),
            user_name: self.text().load(at("user_name"), row.user_name)?,
            place: row.place,
            naming: row.naming,
            key_id: row.key_id,
            home: row.home.unwrap_or_else(|| DEFAULT.to_owned()),
            operation,
            created_at: row.created_at.to_utc(),
        })
    }
}
