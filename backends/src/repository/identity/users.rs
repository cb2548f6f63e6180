//! Users and their passwords.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use secrecy::SecretString;
use trimaran_core::id::UserId;
use trimaran_core::model::{NewUser, User};
use trimaran_core::repository::Users;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};

use super::names;
use crate::db_error::Doing as _;
use crate::entity::identity::{group_member, user_account, user_role};
use crate::fetch::Fetch as _;
use crate::repository::resources::repository;
use crate::repository::text::{Place, TextCodec};
use crate::repository::{paging, parent, time};

repository! {
    /// [`Users`] over SQL.
    SqlUsers
}

fn loaded(text: TextCodec, row: user_account::Model) -> Result<User> {
    let at = |column| Place { table: "user_account", column, key: row.id };
    Ok(User {
        id: UserId(row.id),
        name: text.load(at("name"), row.name)?,
        email: text.load_option(at("email"), row.email)?,
        display_name: text.load_option(at("display_name"), row.display_name)?,
        enabled: row.enabled,
        version: row.version,
        created_at: time::loaded(row.created_at),
        updated_at: time::loaded(row.updated_at),
    })
}

impl SqlUsers {
    fn loaded(&self, row: user_account::Model) -> Result<User> {
        loaded(self.resources.text(), row)
    }

    async fn row_named(&self, name: &str) -> Result<Option<user_account::Model>> {
        user_account::Entity::find()
            .filter(user_account::Column::Name.eq(self.resources.text().store(name)))
            .fetch_one(&self.resources.executor, "find the user by name")
            .await
    }

    async fn set_enabled(&self, operation: &str, id: UserId, enabled: bool) -> Result<User> {
        let now = time::stored(self.resources.clock.now());
        let changed = user_account::Entity::update_many()
            .set(user_account::ActiveModel {
                enabled: Set(enabled),
                updated_at: Set(now),
                ..Default::default()
            })
            .col_expr(user_account::Column::Version, Expr::col(user_account::Column::Version).add(1))
            .filter(user_account::Column::Id.eq(id.0))
            .filter(user_account::Column::Enabled.eq(!enabled))
            .exec_with_returning(&self.resources.executor)
            .await
            .doing(operation)?;
        match changed.into_iter().next() {
            Some(row) => self.loaded(row),
            None => self.find(id).await?.ok_or_else(|| names::missing("user", operation, id)),
        }
    }
}

#[async_trait]
impl Users for SqlUsers {
    async fn create(&self, user: NewUser) -> Result<User> {
        user.validate()?;
        let (text, now) = (self.resources.text(), self.resources.clock.now());
        let id = self.resources.ids.next();
        let row = user_account::ActiveModel {
            id: Set(id),
            name: Set(text.store(&user.name)),
            email: Set(text.store_option(user.email.as_deref())),
            display_name: Set(text.store_option(user.display_name.as_deref())),
            password_hash: Set(None),
            enabled: Set(true),
            version: Set(1),
            created_at: Set(time::stored(now)),
            updated_at: Set(time::stored(now)),
        };
        user_account::Entity::insert(row)
            .exec_without_returning(&self.resources.executor)
            .await
            .doing("create the user")
            .map_err(|error| names::taken("user", error))?;
        let NewUser { name, email, display_name } = user;
        Ok(User {
            id: UserId(id),
            name,
            email,
            display_name,
            enabled: true,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    async fn find(&self, id: UserId) -> Result<Option<User>> {
        let row = user_account::Entity::find_by_id(id.0)
            .fetch_one(&self.resources.executor, "find the user")
            .await?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<User>> {
        self.row_named(name).await?.map(|row| self.loaded(row)).transpose()
    }

    async fn update(&self, user: &User) -> Result<User> {
        const OPERATION: &str = "update the user";
        let User { id, name, email, display_name, .. } = user.clone();
        NewUser { name: name.clone(), email: None, display_name: None }.validate()?;
        let text = self.resources.text();
        let values = user_account::ActiveModel {
            name: Set(text.store(&name)),
            email: Set(text.store_option(email.as_deref())),
            display_name: Set(text.store_option(display_name.as_deref())),
            updated_at: Set(time::stored(self.resources.clock.now())),
            ..Default::default()
        };
        let changed = user_account::Entity::update_many()
            .set(values)
            .col_expr(user_account::Column::Version, Expr::col(user_account::Column::Version).add(1))
            .filter(user_account::Column::Id.eq(id.0))
            .filter(user_account::Column::Version.eq(user.version))
            .exec_with_returning(&self.resources.executor)
            .await
            .doing(OPERATION)
            .map_err(|error| names::taken("user", error))?;
        match (changed.into_iter().next(), id) {
            (Some(row), _) => self.loaded(row),
            (None, id) => Err(match self.find(id).await? {
                Some(stored) => names::outdated("user", OPERATION, user.version, stored.version),
                None => names::missing("user", OPERATION, id),
            }),
        }
    }

    async fn enable(&self, id: UserId) -> Result<User> {
        self.set_enabled("enable the user", id, true).await
    }

    async fn disable(&self, id: UserId) -> Result<User> {
        self.set_enabled("disable the user", id, false).await
    }

    async fn delete(&self, id: UserId) -> Result<bool> {
        const OPERATION: &str = "delete the user";
        let transaction = self.resources.executor.begin().await?;
        let (key, touched) = (user_account::Column::Id, user_account::Column::Version);
        parent::claim::<user_account::Entity>(&transaction, key, touched, id.0).await?;
        group_member::Entity::delete_many()
            .filter(group_member::Column::UserId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        user_role::Entity::delete_many()
            .filter(user_role::Column::UserId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        let deleted =
            user_account::Entity::delete_by_id(id.0).exec(&transaction).await.doing(OPERATION)?.rows_affected;
        transaction.commit().await?;
        Ok(deleted > 0)
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<User>> {
        let mut query = user_account::Entity::find();
        if let Some(after) = paging::after(page)? {
            query = query.filter(user_account::Column::Id.gt(after));
        }
        let rows = query
            .order_by_asc(user_account::Column::Id)
            .limit(paging::one_more(page))
            .fetch_all(&self.resources.executor, "list the users")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    async fn set_password(&self, id: UserId, password: &SecretString) -> Result<()> {
        const OPERATION: &str = "set the user's password";
        let (hasher, password) = (self.resources.passwords.clone(), password.clone());
        let hash = off_the_worker(OPERATION, move || hasher.hash(&password)).await?;
        let changed = user_account::Entity::update_many()
            .set(user_account::ActiveModel { password_hash: Set(Some(hash)), ..Default::default() })
            .filter(user_account::Column::Id.eq(id.0))
            .exec(&self.resources.executor)
            .await
            .doing(OPERATION)?;
        match changed.rows_affected {
            0 => Err(names::missing("user", OPERATION, id)),
            _ => Ok(()),
        }
    }

    async fn verify_password(&self, name: &str, password: &SecretString) -> Result<Option<User>> {
        const OPERATION: &str = "verify the user's password";
        let mut row = self.row_named(name).await?;
        // A disabled user's hash is compared, too: it must take as long.
        let hash = row.as_mut().and_then(|row| row.password_hash.take());
        let (hasher, password) = (self.resources.passwords.clone(), password.clone());
        let verified = off_the_worker(OPERATION, move || hasher.verify(&password, hash.as_deref())).await;
        let verified = verified.map_err(|error| match &row {
            Some(row) if error.kind() == ErrorKind::Corrupt => {
                Place { table: "user_account", column: "password_hash", key: row.id }
                    .corrupt("there is no password hash")
                    .source(error)
            }
            _ => error,
        })?;
        row.filter(|row| verified && row.enabled).map(|row| self.loaded(row)).transpose()
    }
}

/// Runs what computes for long on a thread where blocking is allowed.
async fn off_the_worker<T: Send + 'static>(
    operation: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::new(ErrorKind::Unavailable, operation)
            .context("the thread that computed it ended")
            .source(error)),
    }
}
