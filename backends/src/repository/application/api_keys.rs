//! API keys.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use secrecy::SecretString;
use trimaran_core::id::{ApiKeyId, UserId};
use trimaran_core::model::{ApiKey, IssuedApiKey, NewApiKey, Permission};
use trimaran_core::repository::ApiKeys;
use trimaran_core::repository::application::LAST_USE_GRANULARITY;
use trimaran_core::secret::token;
use trimaran_core::{Error, ErrorKind, Result, Timestamp};

use super::last_use::{Recorded, judge};
use crate::db_error::Doing as _;
use crate::entity::application::api_key;
use crate::fetch::Fetch as _;
use crate::fixed::Fixed;
use crate::repository::resources::repository;
use crate::repository::text::Place;
use crate::repository::time;

repository! {
    /// [`ApiKeys`] over SQL.
    SqlApiKeys
}

impl SqlApiKeys {
    fn loaded(&self, row: api_key::Model) -> Result<ApiKey> {
        let at = |column| Place { table: "api_key", column, key: row.id };
        let scopes = row
            .scopes
            .split_ascii_whitespace()
            .map(|name| {
                Permission::new(name).map_err(|_| at("scopes").corrupt("there is what is no permission"))
            })
            .collect::<Result<BTreeSet<_>>>()?;
        Ok(ApiKey {
            id: ApiKeyId(row.id),
            owner: UserId(row.owner),
            name: self.resources.text().load(at("name"), row.name)?,
            prefix: row.prefix,
            scopes,
            created_at: time::loaded(row.created_at),
            expires_at: row.expires_at.map(time::loaded),
            last_used_at: row.last_used_at.map(time::loaded),
            rotated_at: row.rotated_at.map(time::loaded),
            revoked_at: row.revoked_at.map(time::loaded),
        })
    }

    async fn row(&self, operation: &str, id: ApiKeyId) -> Result<Option<api_key::Model>> {
        static FOUND: Fixed = Fixed::new();
        let query = || api_key::Entity::find_by_id(id.0);
        Ok(FOUND.models(&self.resources.executor, vec![id.0.into()], query, operation).await?.pop())
    }

    async fn used(&self, id: ApiKeyId, now: Timestamp) -> Result<Recorded> {
        let changed = api_key::Entity::update_many()
            .set(api_key::ActiveModel { last_used_at: Set(Some(time::stored(now))), ..Default::default() })
            .filter(api_key::Column::Id.eq(id.0))
            .filter(api_key::Column::RevokedAt.is_null())
            .exec(&self.resources.executor)
            .await
            .doing("record the API key's use");
        judge(&self.resources.executor, changed.map(|changed| changed.rows_affected))
    }

    async fn revoke_where(&self, operation: &str, which: sea_orm::Condition) -> Result<u64> {
        let now = time::stored(self.resources.clock.now());
        let changed = api_key::Entity::update_many()
            .set(api_key::ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
            .filter(which)
            .filter(api_key::Column::RevokedAt.is_null())
            .exec(&self.resources.executor)
            .await
            .doing(operation)?;
        Ok(changed.rows_affected)
    }
}

#[async_trait]
impl ApiKeys for SqlApiKeys {
    async fn create(&self, key: NewApiKey) -> Result<IssuedApiKey> {
        key.validate()?;
        let now = self.resources.clock.now();
        let id = self.resources.ids.next();
        let issued = token::issue(&key.prefix, id)?;
        let scopes: Vec<_> = key.scopes.iter().map(Permission::as_str).collect();
        let row = api_key::ActiveModel {
            id: Set(id),
            owner: Set(key.owner.0),
            name: Set(self.resources.text().store(&key.name)),
            prefix: Set(key.prefix.clone()),
            scopes: Set(scopes.join(" ")),
            secret_hash: Set(issued.hash.to_bytes()),
            created_at: Set(time::stored(now)),
            expires_at: Set(key.expires_at.map(time::stored)),
            last_used_at: Set(None),
            rotated_at: Set(None),
            revoked_at: Set(None),
        };
        api_key::Entity::insert(row)
            .exec_without_returning(&self.resources.executor)
            .await
            .doing("create the API key")?;
        let NewApiKey { owner, name, prefix, scopes, expires_at } = key;
        let key = ApiKey {
            id: ApiKeyId(id),
            owner,
            name,
            prefix,
            scopes,
            created_at: now,
            expires_at,
            last_used_at: None,
            rotated_at: None,
            revoked_at: None,
        };
        Ok(IssuedApiKey { key, secret: issued.text })
    }

    async fn authenticate(&self, text: &SecretString) -> Result<Option<ApiKey>> {
        let Some(given) = token::parse(text) else { return Ok(None) };
        let now = self.resources.clock.now();
        let Some(row) = self.row("authenticate the API key", ApiKeyId(given.id)).await? else {
            return Ok(None);
        };
        let known = given.hash.matches(&row.secret_hash) && given.prefix == row.prefix;
        let mut key = self.loaded(row)?;
        if !known || !key.is_good_at(now) {
            return Ok(None);
        }
        if key.last_used_at.is_some_and(|last| now < last + LAST_USE_GRANULARITY) {
            return Ok(Some(key));
        }
        Ok(match self.used(key.id, now).await? {
            Recorded::Gone => None,
            Recorded::Kept | Recorded::Overtaken => {
                key.last_used_at = Some(now);
                Some(key)
            }
        })
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        self.row("find the API key", id).await?.map(|row| self.loaded(row)).transpose()
    }

    async fn list_of(&self, owner: UserId) -> Result<Vec<ApiKey>> {
        let rows = api_key::Entity::find()
            .filter(api_key::Column::Owner.eq(owner.0))
            .order_by_asc(api_key::Column::Id)
            .fetch_all(&self.resources.executor, "list the owner's API keys")
            .await?;
        rows.into_iter().map(|row| self.loaded(row)).collect()
    }

    async fn rotate(&self, id: ApiKeyId) -> Result<IssuedApiKey> {
        const OPERATION: &str = "rotate the API key";
        // The prefix never changes, so that it may be read before.
        let Some(row) = self.row(OPERATION, id).await? else {
            return Err(Error::new(ErrorKind::NotFound, OPERATION).context(format!("there is no key {id}")));
        };
        let issued = token::issue(&row.prefix, id.0)?;
        let values = api_key::ActiveModel {
            secret_hash: Set(issued.hash.to_bytes()),
            rotated_at: Set(Some(time::stored(self.resources.clock.now()))),
            ..Default::default()
        };
        let changed = api_key::Entity::update_many()
            .set(values)
            .filter(api_key::Column::Id.eq(id.0))
            .filter(api_key::Column::RevokedAt.is_null())
            .exec_with_returning(&self.resources.executor)
            .await
            .doing(OPERATION)?;
        let Some(row) = changed.into_iter().next() else {
            return Err(Error::new(ErrorKind::Conflict, OPERATION)
                .context("it is revoked")
                .hint("create another one"));
        };
        Ok(IssuedApiKey { key: self.loaded(row)?, secret: issued.text })
    }

    async fn revoke(&self, id: ApiKeyId) -> Result<bool> {
        let this = sea_orm::Condition::all().add(api_key::Column::Id.eq(id.0));
        Ok(self.revoke_where("revoke the API key", this).await? > 0)
    }

    async fn revoke_all(&self, owner: UserId) -> Result<u64> {
        let theirs = sea_orm::Condition::all().add(api_key::Column::Owner.eq(owner.0));
        self.revoke_where("revoke the owner's API keys", theirs).await
    }

    async fn delete(&self, id: ApiKeyId) -> Result<bool> {
        let deleted = api_key::Entity::delete_by_id(id.0)
            .exec(&self.resources.executor)
            .await
            .doing("delete the API key")?;
        Ok(deleted.rows_affected > 0)
    }
}
