//! The catalogue's part in what is done to tenants: it is begun, comes on, and is finished.
//!
//! From the beginning on the catalogue has the tenant's new name and place, so that no two tenants ever want the same; where its
//! files still may be is in the operation's row.

use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use trimaran_core::model::name;
use trimaran_core::{Error, ErrorKind, Result};

use super::catalogue::{TenantCatalogue, TenantRecord};
use super::entity::{tenant, tenant_home, tenant_operation};
use super::naming::NamingKey;
use super::operation::{OperationKind, Step, under_way};
use crate::Transaction;
use crate::db_error::Doing as _;

impl TenantCatalogue {
    /// Begins to call the tenant's user otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another tenant is called so; [`ErrorKind::Locked`] if something is being done to the tenant;
    /// [`ErrorKind::Configuration`] if its files are named by another key.
    pub(super) async fn begin_rename(&self, tenant: &TenantRecord, user_name: &str) -> Result<TenantRecord> {
        let operation = "rename a tenant";
        name::check("the user's name", user_name).map_err(|error| error.within(operation))?;
        let key = self.key()?;
        if key.id() != tenant.key_id {
            return Err(Error::new(ErrorKind::Configuration, operation)
                .context(format!(
                    "its files are named by key {}, and the one in use is {}",
                    tenant.key_id,
                    key.id()
                ))
                .hint(
                    "name the key that is in use in tenants.key_file, or run `trimaran tenant rekey` first",
                ));
        }
        let change = tenant::ActiveModel {
            id: Set(tenant.id.0),
            user_name: Set(self.text().store(user_name)),
            place: Set(key.place_of(user_name)),
            ..Default::default()
        };
        self.begin(tenant, OperationKind::Rename, Some(change), operation).await
    }

    /// Begins to name the tenant's files by `key`.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if something is being done to the tenant.
    pub(super) async fn begin_rekey(&self, tenant: &TenantRecord, key: &NamingKey) -> Result<TenantRecord> {
        let change = tenant::ActiveModel {
            id: Set(tenant.id.0),
            place: Set(key.place_of(&tenant.user_name)),
            key_id: Set(key.id().to_owned()),
            ..Default::default()
        };
        self.begin(tenant, OperationKind::Rekey, Some(change), "put a tenant under another key").await
    }

    /// Begins to remove the tenant.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if something is being done to it.
    pub(super) async fn begin_delete(&self, tenant: &TenantRecord) -> Result<TenantRecord> {
        self.begin(tenant, OperationKind::Delete, None, "delete a tenant").await
    }

    async fn begin(
        &self,
        tenant: &TenantRecord,
        kind: OperationKind,
        change: Option<tenant::ActiveModel>,
        operation: &str,
    ) -> Result<TenantRecord> {
        if let Some(other) = &tenant.operation {
            return Err(under_way(tenant.id, other.kind).within(operation));
        }
        let text = self.text();
        let renamed = change.as_ref().is_some_and(|change| change.user_name.is_set());
        let row = tenant_operation::ActiveModel {
            id: Set(tenant.id.0),
            kind: Set(kind.name().to_owned()),
            step: Set(Step::Begun.name().to_owned()),
            from_user_name: Set(renamed.then(|| text.store(&tenant.user_name))),
            from_place: Set(change.is_some().then(|| tenant.place.clone())),
            started_at: Set(self.clock.now().fixed_offset()),
        };
        let transaction = self.executor.begin().await?;
        match row.insert(&transaction).await.doing(operation) {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                // Another program began something since this one looked.
                return Err(under_way(tenant.id, kind).within(operation).source(error));
            }
            other => other.map(drop)?,
        }
        self.unchanged(&transaction, tenant, operation).await?;
        if let Some(change) = change {
            let place = change.place.clone().take().unwrap_or_default();
            change.update(&transaction).await.doing(operation).map_err(|error| match error.kind() {
                ErrorKind::Conflict => error.hint("another tenant has this name: choose one that nobody has"),
                _ => error,
            })?;
            if place != tenant.place {
                self.nobody_leaves(&transaction, &place, operation).await?;
            }
        }
        transaction.commit().await?;
        self.reloaded(tenant, operation).await
    }

    /// Makes sure that the row is still the one that was looked at.
    async fn unchanged(
        &self,
        transaction: &Transaction,
        tenant: &TenantRecord,
        operation: &str,
    ) -> Result<()> {
        let now = tenant::Entity::find_by_id(tenant.id.0).one(transaction).await.doing(operation)?;
        if now.is_some_and(|now| now.place == tenant.place && now.key_id == tenant.key_id) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Aborted, operation)
            .context(format!("tenant {} was changed meanwhile", tenant.id))
            .hint("look at it again"))
    }

    /// Notes how far the tenant's operation has come.
    pub(super) async fn advance(&self, tenant: &TenantRecord, step: Step) -> Result<()> {
        tenant_operation::Entity::update_many()
            .set(tenant_operation::ActiveModel { step: Set(step.name().to_owned()), ..Default::default() })
            .filter(tenant_operation::Column::Id.eq(tenant.id.0))
            .exec(&self.executor)
            .await
            .doing("note how far a tenant's operation has come")
            .map(drop)
    }

    /// Ends the tenant's operation: its data can be used again.
    pub(super) async fn finish(&self, tenant: &TenantRecord) -> Result<TenantRecord> {
        let operation = "finish a tenant's operation";
        tenant_operation::Entity::delete_by_id(tenant.id.0).exec(&self.executor).await.doing(operation)?;
        self.reloaded(tenant, operation).await
    }

    /// Ends the removal of the tenant: it is no more.
    pub(super) async fn forget(&self, tenant: &TenantRecord) -> Result<()> {
        let operation = "remove a tenant from the catalogue";
        let transaction = self.executor.begin().await?;
        tenant_home::Entity::delete_by_id(tenant.id.0).exec(&transaction).await.doing(operation)?;
        tenant::Entity::delete_by_id(tenant.id.0).exec(&transaction).await.doing(operation)?;
        tenant_operation::Entity::delete_by_id(tenant.id.0).exec(&transaction).await.doing(operation)?;
        transaction.commit().await
    }

    async fn reloaded(&self, tenant: &TenantRecord, operation: &str) -> Result<TenantRecord> {
        self.find(tenant.id).await?.ok_or_else(|| {
            Error::new(ErrorKind::Aborted, operation)
                .context(format!("tenant {} was deleted meanwhile", tenant.id))
                .hint("nothing is left to be done")
        })
    }
}
