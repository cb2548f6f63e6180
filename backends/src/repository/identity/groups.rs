//! Groups and their members.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use trimaran_core::id::{GroupId, UserId};
use trimaran_core::model::{Group, NewGroup};
use trimaran_core::repository::Groups;
use trimaran_core::{Page, PageRequest, Result};

use super::names;
use crate::db_error::Doing as _;
use crate::entity::identity::{group_member, group_role, user_account, user_group};
use crate::fetch::Fetch as _;
use crate::repository::resources::repository;
use crate::repository::text::Place;
use crate::repository::{paging, parent, time};

repository! {
    /// [`Groups`] over SQL.
    SqlGroups
}

impl SqlGroups {
    fn loaded(&self, row: user_group::Model) -> Result<Group> {
        let text = self.resources.text();
        let at = |column| Place { table: "user_group", column, key: row.id };
        Ok(Group {
            id: GroupId(row.id),
            name: text.load(at("name"), row.name)?,
            description: text.load_option(at("description"), row.description)?,
            version: row.version,
            created_at: time::loaded(row.created_at),
            updated_at: time::loaded(row.updated_at),
        })
    }
}

#[async_trait]
impl Groups for SqlGroups {
    async fn create(&self, group: NewGroup) -> Result<Group> {
        group.validate()?;
        let (text, now) = (self.resources.text(), self.resources.clock.now());
        let id = self.resources.ids.next();
        let row = user_group::ActiveModel {
            id: Set(id),
            name: Set(text.store(&group.name)),
            description: Set(text.store_option(group.description.as_deref())),
            version: Set(1),
            created_at: Set(time::stored(now)),
            updated_at: Set(time::stored(now)),
        };
        user_group::Entity::insert(row)
            .exec_without_returning(&self.resources.executor)
            .await
            .doing("create the group")
            .map_err(|error| names::taken("group", error))?;
        let NewGroup { name, description } = group;
        Ok(Group { id: GroupId(id), name, description, version: 1, created_at: now, updated_at: now })
    }

    async fn find(&self, id: GroupId) -> Result<Option<Group>> {
        let row = user_group::Entity::find_by_id(id.0)
            .fetch_one(&self.resources.executor, "find the group")
            .await?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Group>> {
        let row = user_group::Entity::find()
            .filter(user_group::Column::Name.eq(self.resources.text().store(name)))
            .fetch_one(&self.resources.executor, "find the group by name")
            .await?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn update(&self, group: &Group) -> Result<Group> {
        const OPERATION: &str = "update the group";
        NewGroup::named(group.name.clone()).validate()?;
        let text = self.resources.text();
        let values = user_group::ActiveModel {
            name: Set(text.store(&group.name)),
            description: Set(text.store_option(group.description.as_deref())),
            updated_at: Set(time::stored(self.resources.clock.now())),
            ..Default::default()
        };
        let changed = user_group::Entity::update_many()
            .set(values)
            .col_expr(user_group::Column::Version, Expr::col(user_group::Column::Version).add(1))
            .filter(user_group::Column::Id.eq(group.id.0))
            .filter(user_group::Column::Version.eq(group.version))
            .exec_with_returning(&self.resources.executor)
            .await
            .doing(OPERATION)
            .map_err(|error| names::taken("group", error))?;
        match changed.into_iter().next() {
            Some(row) => self.loaded(row),
            None => Err(match self.find(group.id).await? {
                Some(stored) => names::outdated("group", OPERATION, group.version, stored.version),
                None => names::missing("group", OPERATION, group.id),
            }),
        }
    }

    async fn delete(&self, id: GroupId) -> Result<bool> {
        const OPERATION: &str = "delete the group";
        let transaction = self.resources.executor.begin().await?;
        let (key, touched) = (user_group::Column::Id, user_group::Column::Version);
        parent::claim::<user_group::Entity>(&transaction, key, touched, id.0).await?;
        group_member::Entity::delete_many()
            .filter(group_member::Column::GroupId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        group_role::Entity::delete_many()
            .filter(group_role::Column::GroupId.eq(id.0))
            .exec(&transaction)
            .await
            .doing(OPERATION)?;
        let deleted =
            user_group::Entity::delete_by_id(id.0).exec(&transaction).await.doing(OPERATION)?.rows_affected;
        transaction.commit().await?;
        Ok(deleted > 0)
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Group>> {
        let mut query = user_group::Entity::find();
        if let Some(after) = paging::after(page)? {
            query = query.filter(user_group::Column::Id.gt(after));
        }
        let rows = query
            .order_by_asc(user_group::Column::Id)
            .limit(paging::one_more(page))
            .fetch_all(&self.resources.executor, "list the groups")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    async fn add_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        const OPERATION: &str = "add a member to the group";
        use user_account::Column as U;
        use user_group::Column as G;
        let transaction = self.resources.executor.begin().await?;
        if !parent::hold::<user_group::Entity>(&transaction, G::Id, G::Version, group.0).await? {
            return Err(names::missing("group", OPERATION, group));
        }
        if !parent::hold::<user_account::Entity>(&transaction, U::Id, U::Version, user.0).await? {
            return Err(names::missing("user", OPERATION, user));
        }
        let key = [group_member::Column::GroupId, group_member::Column::UserId];
        let row = group_member::ActiveModel { group_id: Set(group.0), user_id: Set(user.0) };
        let inserted = group_member::Entity::insert(row)
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .doing(OPERATION)?;
        transaction.commit().await?;
        Ok(inserted > 0)
    }

    async fn remove_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        let deleted = group_member::Entity::delete_by_id((group.0, user.0))
            .exec(&self.resources.executor)
            .await
            .doing("remove a member from the group")?;
        Ok(deleted.rows_affected > 0)
    }

    async fn members_of(&self, group: GroupId, page: &PageRequest) -> Result<Page<UserId>> {
        let mut query = group_member::Entity::find().filter(group_member::Column::GroupId.eq(group.0));
        if let Some(after) = paging::after(page)? {
            query = query.filter(group_member::Column::UserId.gt(after));
        }
        let rows = query
            .order_by_asc(group_member::Column::UserId)
            .limit(paging::one_more(page))
            .fetch_all(&self.resources.executor, "list the group's members")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.user_id.to_string())
            .try_map(|row| Ok(UserId(row.user_id)))
    }

    async fn groups_of(&self, user: UserId) -> Result<Vec<GroupId>> {
        let rows = group_member::Entity::find()
            .filter(group_member::Column::UserId.eq(user.0))
            .order_by_asc(group_member::Column::GroupId)
            .fetch_all(&self.resources.executor, "list the user's groups")
            .await?;
        Ok(rows.into_iter().map(|row| GroupId(row.group_id)).collect())
    }
}
