//! Roles and their permissions.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    QueryTrait as _, Select,
};
use trimaran_core::id::RoleId;
use trimaran_core::model::{NewRole, Permission, Role};
use trimaran_core::repository::Roles;
use trimaran_core::{Page, PageRequest, Result};

use super::names;
use crate::db_error::Doing as _;
use crate::entity::identity::{group_role, role, role_permission, user_role};
use crate::repository::resources::repository;
use crate::repository::text::Place;
use crate::repository::{paging, parent, time};

repository! {
    /// [`Roles`] over SQL.
    SqlRoles
}

/// A permission as read from a role's row.
pub(super) fn permission(role: uuid::Uuid, name: String) -> Result<Permission> {
    Permission::new(name).map_err(|_| {
        Place { table: "role_permission", column: "permission", key: role }.corrupt("there is no permission")
    })
}

impl SqlRoles {
    fn loaded(&self, row: role::Model, permissions: Vec<role_permission::Model>) -> Result<Role> {
        let text = self.resources.text();
        let at = |column| Place { table: "role", column, key: row.id };
        Ok(Role {
            id: RoleId(row.id),
            name: text.load(at("name"), row.name)?,
            description: text.load_option(at("description"), row.description)?,
            permissions: permissions
                .into_iter()
                .map(|row| permission(row.role_id, row.permission))
                .collect::<Result<_>>()?,
            version: row.version,
            created_at: time::loaded(row.created_at),
            updated_at: time::loaded(row.updated_at),
        })
    }

    /// The roles that `query` selects, by id, with their permissions, in one round trip: read in two, a role might come with
    /// the permissions of another version.
    async fn with_permissions(
        &self,
        connection: &impl ConnectionTrait,
        operation: &str,
        query: Select<role::Entity>,
    ) -> Result<Vec<Role>> {
        let chosen = query.select_only().column(role::Column::Id).into_query();
        let rows = role::Entity::find()
            .filter(role::Column::Id.in_subquery(chosen))
            .order_by_asc(role::Column::Id)
            .find_with_related(role_permission::Entity)
            .all(connection)
            .await
            .doing(operation)?;
        rows.into_iter().map(|(row, permissions)| self.loaded(row, permissions)).collect()
    }

    async fn one(
        &self,
        connection: &impl ConnectionTrait,
        operation: &str,
        query: Select<role::Entity>,
    ) -> Result<Option<Role>> {
        Ok(self.with_permissions(connection, operation, query).await?.pop())
    }
}

async fn grant(
    connection: &impl ConnectionTrait,
    operation: &str,
    role: RoleId,
    permissions: impl Iterator<Item = &Permission> + Send,
) -> Result<()> {
    let rows: Vec<_> = permissions
        .map(|permission| role_permission::ActiveModel {
            role_id: Set(role.0),
            permission: Set(permission.as_str().to_owned()),
        })
        .collect();
    // Two parameters a row: far below the 65,535 of a Postgres statement and the 32,766 of SQLite's.
    for rows in rows.chunks(1_000) {
        role_permission::Entity::insert_many(rows.to_vec())
            .exec_without_returning(connection)
            .await
            .doing(operation)?;
    }
    Ok(())
}

#[async_trait]
impl Roles for SqlRoles {
    async fn create(&self, role: NewRole) -> Result<Role> {
        const OPERATION: &str = "create the role";
        role.validate()?;
        let (text, now) = (self.resources.text(), self.resources.clock.now());
        let id = RoleId(self.resources.ids.next());
        let row = role::ActiveModel {
            id: Set(id.0),
            name: Set(text.store(&role.name)),
            description: Set(text.store_option(role.description.as_deref())),
            version: Set(1),
            created_at: Set(time::stored(now)),
            updated_at: Set(time::stored(now)),
        };
        let transaction = self.resources.executor.begin().await?;
        role::Entity::insert(row)
            .exec_without_returning(&transaction)
            .await
            .doing(OPERATION)
            .map_err(|error| names::taken("role", error))?;
        grant(&transaction, OPERATION, id, role.permissions.iter()).await?;
        // A name that was taken at the same moment may show only now.
        transaction.commit().await.map_err(|error| names::taken("role", error.within(OPERATION)))?;
        let NewRole { name, description, permissions } = role;
        Ok(Role { id, name, description, permissions, version: 1, created_at: now, updated_at: now })
    }

    async fn find(&self, id: RoleId) -> Result<Option<Role>> {
        self.one(&self.resources.executor, "find the role", role::Entity::find_by_id(id.0)).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Role>> {
        let named = role::Entity::find().filter(role::Column::Name.eq(self.resources.text().store(name)));
        self.one(&self.resources.executor, "find the role by name", named).await
    }

    async fn update(&self, role: &Role) -> Result<Role> {
        const OPERATION: &str = "update the role";
        NewRole::named(role.name.clone(), []).validate()?;
        let (text, now) = (self.resources.text(), self.resources.clock.now());
        let values = role::ActiveModel {
            name: Set(text.store(&role.name)),
            description: Set(text.store_option(role.description.as_deref())),
            updated_at: Set(time::stored(now)),
            ..Default::default()
        };
        let transaction = self.resources.executor.begin().await?;
        let changed = role::Entity::update_many()
            .set(values)
            .col_expr(role::Column::Version, Expr::col(role::Column::Version).add(1))
            .filter(role::Column::Id.eq(role.id.0))
            .filter(role::Column::Version.eq(role.version))
            .exec(&transaction)
            .await
            .doing(OPERATION)
            .map_err(|error| names::taken("role", error))?;
        // What was just changed is held until the commit: nobody else changes its permissions meanwhile.
        let Some(stored) = self.one(&transaction, OPERATION, role::Entity::find_by_id(role.id.0)).await?
        else {
            return Err(names::missing("role", OPERATION, role.id));
        };
        if changed.rows_affected == 0 {
            return Err(names::outdated("role", OPERATION, role.version, stored.version));
        }
        // Only the difference is written: DuckDB can't delete a key and insert it again in one transaction.
        let dropped: BTreeSet<_> = stored.permissions.difference(&role.permissions).collect();
        for permission in dropped {
            role_permission::Entity::delete_by_id((role.id.0, permission.as_str().to_owned()))
                .exec(&transaction)
                .await
                .doing(OPERATION)?;
        }
        grant(&transaction, OPERATION, role.id, role.permissions.difference(&stored.permissions)).await?;
        transaction.commit().await.map_err(|error| names::taken("role", error.within(OPERATION)))?;
        Ok(Role { permissions: role.permissions.clone(), ..stored })
    }

    async fn delete(&self, id: RoleId) -> Result<bool> {
        const OPERATION: &str = "delete the role";
        let transaction = self.resources.executor.begin().await?;
        let (key, touched) = (role::Column::Id, role::Column::Version);
        parent::claim::<role::Entity>(&transaction, key, touched, id.0).await?;
        user_role::Entity::delete_many()
            .filter(user_role::Column::RoleId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        group_role::Entity::delete_many()
            .filter(group_role::Column::RoleId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        role_permission::Entity::delete_many()
            .filter(role_permission::Column::RoleId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        let deleted =
            role::Entity::delete_by_id(id.0).exec(&transaction).await.doing(OPERATION)?.rows_affected;
        transaction.commit().await?;
        Ok(deleted > 0)
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Role>> {
        let mut query = role::Entity::find();
        if let Some(after) = paging::after(page)? {
            query = query.filter(role::Column::Id.gt(after));
        }
        let query = query.order_by_asc(role::Column::Id).limit(paging::one_more(page));
        let roles = self.with_permissions(&self.resources.executor, "list the roles", query).await?;
        Ok(Page::from_one_more(roles, page.limit(), |role| role.id.to_string()))
    }
}
