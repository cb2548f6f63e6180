//! Who has which role, and what follows from it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait as _, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use trimaran_core::Result;
use trimaran_core::id::{RoleId, UserId};
use trimaran_core::model::{Permission, Subject};
use trimaran_core::repository::Assignments;

use super::names;
use super::roles::permission as loaded;
use crate::db_error::Doing as _;
use crate::entity::identity::{
    group_member, group_role, role, role_permission, user_account, user_group, user_role,
};
use crate::fetch::Fetch as _;
use crate::fixed::Fixed;
use crate::repository::parent;
use crate::repository::resources::repository;

repository! {
    /// [`Assignments`] over SQL.
    SqlAssignments
}

/// One way to a permission is as good as several.
const ENOUGH: u64 = 1;

/// The permissions that a user has, by itself and by its groups, if it is enabled: one query over five tables.
fn held_by(user: UserId) -> Select<role_permission::Entity> {
    let own: SelectStatement = Query::select()
        .column(user_role::Column::RoleId)
        .from(user_role::Entity)
        .and_where(Expr::col(user_role::Column::UserId).eq(user.0))
        .take();
    let groups: SelectStatement = Query::select()
        .column(group_member::Column::GroupId)
        .from(group_member::Entity)
        .and_where(Expr::col(group_member::Column::UserId).eq(user.0))
        .take();
    let through_groups: SelectStatement = Query::select()
        .column(group_role::Column::RoleId)
        .from(group_role::Entity)
        .and_where(Expr::col(group_role::Column::GroupId).in_subquery(groups))
        .take();
    let enabled: SelectStatement = Query::select()
        .expr_as(Expr::val(1), Alias::new("enabled"))
        .from(user_account::Entity)
        .and_where(Expr::col(user_account::Column::Id).eq(user.0))
        .and_where(Expr::col(user_account::Column::Enabled).eq(true))
        .take();
    role_permission::Entity::find().filter(Expr::exists(enabled)).filter(
        Condition::any()
            .add(role_permission::Column::RoleId.in_subquery(own))
            .add(role_permission::Column::RoleId.in_subquery(through_groups)),
    )
}

#[async_trait]
impl Assignments for SqlAssignments {
    async fn assign(&self, role: RoleId, subject: Subject) -> Result<bool> {
        const OPERATION: &str = "assign the role";
        use role::Column as R;
        use user_account::Column as U;
        use user_group::Column as G;
        let transaction = self.resources.executor.begin().await?;
        if !parent::hold::<role::Entity>(&transaction, R::Id, R::Version, role.0).await? {
            return Err(names::missing("role", OPERATION, role));
        }
        let inserted = match subject {
            Subject::User(user) => {
                if !parent::hold::<user_account::Entity>(&transaction, U::Id, U::Version, user.0).await? {
                    return Err(names::missing("user", OPERATION, user));
                }
                let key = [user_role::Column::UserId, user_role::Column::RoleId];
                let row = user_role::ActiveModel { user_id: Set(user.0), role_id: Set(role.0) };
                user_role::Entity::insert(row)
                    .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
                    .exec_without_returning(&transaction)
                    .await
            }
            Subject::Group(group) => {
                if !parent::hold::<user_group::Entity>(&transaction, G::Id, G::Version, group.0).await? {
                    return Err(names::missing("group", OPERATION, group));
                }
                let key = [group_role::Column::GroupId, group_role::Column::RoleId];
                let row = group_role::ActiveModel { group_id: Set(group.0), role_id: Set(role.0) };
                group_role::Entity::insert(row)
                    .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
                    .exec_without_returning(&transaction)
                    .await
            }
        }
        .doing(OPERATION)?;
        transaction.commit().await?;
        Ok(inserted > 0)
    }

    async fn unassign(&self, role: RoleId, subject: Subject) -> Result<bool> {
        let executor = &self.resources.executor;
        let deleted = match subject {
            Subject::User(user) => user_role::Entity::delete_by_id((user.0, role.0)).exec(executor).await,
            Subject::Group(group) => group_role::Entity::delete_by_id((group.0, role.0)).exec(executor).await,
        };
        Ok(deleted.doing("take the role away")?.rows_affected > 0)
    }

    async fn roles_of(&self, subject: Subject) -> Result<Vec<RoleId>> {
        const OPERATION: &str = "list the subject's roles";
        let executor = &self.resources.executor;
        match subject {
            Subject::User(user) => {
                let rows = user_role::Entity::find()
                    .filter(user_role::Column::UserId.eq(user.0))
                    .order_by_asc(user_role::Column::RoleId)
                    .fetch_all(executor, OPERATION)
                    .await?;
                Ok(rows.into_iter().map(|row| RoleId(row.role_id)).collect())
            }
            Subject::Group(group) => {
                let rows = group_role::Entity::find()
                    .filter(group_role::Column::GroupId.eq(group.0))
                    .order_by_asc(group_role::Column::RoleId)
                    .fetch_all(executor, OPERATION)
                    .await?;
                Ok(rows.into_iter().map(|row| RoleId(row.role_id)).collect())
            }
        }
    }

    async fn permissions_of(&self, user: UserId) -> Result<BTreeSet<Permission>> {
        let rows =
            held_by(user).fetch_all(&self.resources.executor, "look up the user's permissions").await?;
        rows.into_iter().map(|row| loaded(row.role_id, row.permission)).collect()
    }

    async fn is_permitted(&self, user: UserId, permission: &Permission) -> Result<bool> {
        static HELD: Fixed = Fixed::new();
        let query = || {
            held_by(user).filter(role_permission::Column::Permission.eq(permission.as_str())).limit(ENOUGH)
        };
        // As they stand in the query: the parameters of `held_by`, then these.
        let mut values = vec![1.into(), user.0.into(), true.into(), user.0.into(), user.0.into()];
        values.extend([permission.as_str().into(), ENOUGH.into()]);
        let rows = HELD.models(&self.resources.executor, values, query, "look up the user's permission");
        Ok(!rows.await?.is_empty())
    }
}
