//! Components.

use async_trait::async_trait;
use sea_orm::ActiveModelTrait as _;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use trimaran_core::id::ComponentId;
use trimaran_core::model::configuration::document;
use trimaran_core::model::{
    Component, ComponentFilter, ComponentKind, NewComponent, Parameters, TestOutcome, TestResult, name,
};
use trimaran_core::repository::Components;
use trimaran_core::{Page, PageRequest, Result};
use uuid::Uuid;

use super::{json, missing, outdated, sealing, taken};
use crate::db_error::Doing as _;
use crate::entity::configuration::component;
use crate::fetch::Fetch as _;
use crate::repository::retried::retried;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{paging, time};

tenant_repository! {
    /// [`Components`] over SQL.
    SqlComponents
}

const WHAT: &str = "component";

/// How many components' secrets are encrypted anew between two looks for more.
const ROTATED_AT_ONCE: u64 = 100;

impl SqlComponents {
    fn loaded(&self, row: component::Model) -> Result<Component> {
        let at = |column| Place { table: "component", column, key: row.id };
        let text = self.resources.text();
        let unknown = || at("kind").corrupt(format!("there is an unknown kind, {:?}", row.kind));
        let last_test = match (row.tested_at, row.test_passed) {
            (Some(tested_at), Some(passed)) => Some(TestResult {
                tested_at: time::loaded(tested_at),
                passed,
                message: text.load_option(at("test_message"), row.test_message.clone())?,
                details: row
                    .test_details
                    .as_deref()
                    .map(|details| json(at("test_details"), details))
                    .transpose()?,
            }),
            (None, None) => None,
            _ => return Err(at("tested_at").corrupt("there is half a test result")),
        };
        Ok(Component {
            id: ComponentId(row.id),
            kind: ComponentKind::from_name(&row.kind).ok_or_else(unknown)?,
            name: text.load(at("name"), row.name.clone())?,
            type_name: text.load(at("type_name"), row.type_name.clone())?,
            parameters: sealing::redacted(&row)?,
            status: text.load(at("status"), row.status.clone())?,
            last_test,
            version: row.version,
            created_at: time::loaded(row.created_at),
            updated_at: time::loaded(row.updated_at),
        })
    }

    /// The tenant's row of this id.
    fn this(&self, id: ComponentId) -> Condition {
        Condition::all()
            .add(self.resources.own(component::Column::TenantId))
            .add(component::Column::Id.eq(id.0))
    }

    async fn row(&self, operation: &str, id: ComponentId) -> Result<Option<component::Model>> {
        component::Entity::find().filter(self.this(id)).fetch_one(self.resources.executor(), operation).await
    }

    /// Writes `values` where `condition` holds, and counts the change if `counts`.
    async fn write(
        &self,
        operation: &str,
        values: component::ActiveModel,
        condition: Condition,
        counts: bool,
    ) -> Result<Option<component::Model>> {
        let mut update = component::Entity::update_many().set(values).filter(condition);
        if counts {
            update =
                update.col_expr(component::Column::Version, Expr::col(component::Column::Version).add(1));
        }
        let rows = update.exec_with_returning(self.resources.executor()).await.doing(operation)?;
        Ok(rows.into_iter().next())
    }

    async fn set_status_once(&self, id: ComponentId, status: &str) -> Result<Component> {
        const OPERATION: &str = "set the component's status";
        let stored = self.resources.text().store(status);
        let values = component::ActiveModel {
            status: Set(stored.clone()),
            updated_at: Set(time::stored(self.resources.shared.clock.now())),
            ..Default::default()
        };
        let another = self.this(id).add(component::Column::Status.ne(stored));
        match self.write(OPERATION, values, another, true).await? {
            Some(row) => self.loaded(row),
            None => self.find(id).await?.ok_or_else(|| missing(WHAT, OPERATION, id)),
        }
    }

    async fn record_test_once(&self, id: ComponentId, outcome: &TestOutcome) -> Result<Component> {
        const OPERATION: &str = "record the component's test";
        let values = component::ActiveModel {
            tested_at: Set(Some(time::stored(self.resources.shared.clock.now()))),
            test_passed: Set(Some(outcome.passed)),
            test_message: Set(self.resources.text().store_option(outcome.message.as_deref())),
            test_details: Set(outcome.details.as_ref().map(ToString::to_string)),
            ..Default::default()
        };
        match self.write(OPERATION, values, self.this(id), false).await? {
            Some(row) => self.loaded(row),
            None => Err(missing(WHAT, OPERATION, id)),
        }
    }

    /// Encrypts one component's secrets anew, unless they have been changed since they were read; says whether it did.
    async fn rotate(&self, row: &component::Model) -> Result<bool> {
        let (keyring, tenant) = (&self.resources.keyring, self.resources.tenant);
        let parameters = sealing::revealed(keyring, tenant, row)?;
        let sealed = sealing::seal(keyring, tenant, row.id, &parameters)?;
        let values = component::ActiveModel {
            secrets: Set(sealed.secrets),
            key_id: Set(sealed.key_id),
            ..Default::default()
        };
        let unchanged = self
            .this(ComponentId(row.id))
            .add(component::Column::Version.eq(row.version))
            .add(component::Column::KeyId.eq(row.key_id.clone()));
        Ok(self.write("encrypt the component's secrets anew", values, unchanged, false).await?.is_some())
    }
}

#[async_trait]
impl Components for SqlComponents {
    async fn create(&self, component: NewComponent) -> Result<Component> {
        component.validate()?;
        let (text, now) = (self.resources.text(), time::stored(self.resources.shared.clock.now()));
        let (id, tenant) = (self.resources.shared.ids.next(), self.resources.tenant);
        let sealed = sealing::seal(&self.resources.keyring, tenant, id, &component.parameters)?;
        let row = component::Model {
            tenant_id: tenant.0,
            id,
            kind: component.kind.name().to_owned(),
            name: text.store(&component.name),
            type_name: text.store(&component.type_name),
            parameters: sealed.parameters,
            secrets: sealed.secrets,
            key_id: sealed.key_id,
            status: text.store(&component.status),
            tested_at: None,
            test_passed: None,
            test_message: None,
            test_details: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        component::Entity::insert(component::ActiveModel::from(row.clone()).reset_all())
            .exec_without_returning(self.resources.executor())
            .await
            .doing("create the component")
            .map_err(|error| taken(WHAT, error))?;
        self.loaded(row)
    }

    async fn find(&self, id: ComponentId) -> Result<Option<Component>> {
        self.row("find the component", id).await?.map(|row| self.loaded(row)).transpose()
    }

    async fn find_by_name(&self, kind: ComponentKind, name: &str) -> Result<Option<Component>> {
        let row = component::Entity::find()
            .filter(self.resources.own(component::Column::TenantId))
            .filter(component::Column::Kind.eq(kind.name()))
            .filter(component::Column::Name.eq(self.resources.text().store(name)))
            .fetch_one(self.resources.executor(), "find the component by its name")
            .await?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn update(&self, component: &Component) -> Result<Component> {
        const OPERATION: &str = "update the component";
        let Component { id, kind, name, type_name, parameters, status, version, .. } = component.clone();
        let new = NewComponent { kind, name, type_name, parameters, status };
        new.validate()?;
        let Some(row) = self.row(OPERATION, id).await? else { return Err(missing(WHAT, OPERATION, id)) };
        if row.version != version {
            return Err(outdated(WHAT, OPERATION, version, row.version));
        }
        let (keyring, tenant) = (&self.resources.keyring, self.resources.tenant);
        let mut parameters = new.parameters.secret_where(&sealing::redacted(&row)?)?;
        if parameters.keeps_any() {
            parameters = parameters.completed_from(&sealing::revealed(keyring, tenant, &row)?)?;
        }
        let sealed = sealing::seal(keyring, tenant, id.0, &parameters)?;
        let text = self.resources.text();
        let name = text.store(&new.name);
        let mut values = component::ActiveModel {
            type_name: Set(text.store(&new.type_name)),
            parameters: Set(sealed.parameters),
            secrets: Set(sealed.secrets),
            key_id: Set(sealed.key_id),
            status: Set(text.store(&new.status)),
            updated_at: Set(time::stored(self.resources.shared.clock.now())),
            ..Default::default()
        };
        // An index stands on the name: where it stays as it is, DuckDB had better not write it.
        if name != row.name {
            values.name = Set(name);
        }
        let as_read = self.this(id).add(component::Column::Version.eq(version));
        let written =
            self.write(OPERATION, values, as_read, true).await.map_err(|error| taken(WHAT, error))?;
        match written {
            Some(row) => self.loaded(row),
            None => Err(match self.row(OPERATION, id).await? {
                Some(stored) => outdated(WHAT, OPERATION, version, stored.version),
                None => missing(WHAT, OPERATION, id),
            }),
        }
    }

    async fn set_status(&self, id: ComponentId, status: &str) -> Result<Component> {
        name::check("the component's status", status)?;
        retried(self.resources.executor(), || self.set_status_once(id, status)).await
    }

    async fn record_test(&self, id: ComponentId, outcome: TestOutcome) -> Result<Component> {
        if let Some(details) = &outcome.details {
            document::check("the test's details", details)?;
        }
        retried(self.resources.executor(), || self.record_test_once(id, &outcome)).await
    }

    async fn delete(&self, id: ComponentId) -> Result<bool> {
        let deleted = component::Entity::delete_many()
            .filter(self.this(id))
            .exec(self.resources.executor())
            .await
            .doing("delete the component")?;
        Ok(deleted.rows_affected > 0)
    }

    async fn list(&self, filter: &ComponentFilter, page: &PageRequest) -> Result<Page<Component>> {
        let text = self.resources.text();
        let mut condition = Condition::all()
            .add(self.resources.own(component::Column::TenantId))
            .add_option(filter.kind.map(|kind| component::Column::Kind.eq(kind.name())))
            .add_option(
                filter.type_name.as_ref().map(|name| component::Column::TypeName.eq(text.store(name))),
            )
            .add_option(
                filter.status.as_ref().map(|status| component::Column::Status.eq(text.store(status))),
            );
        if let Some(after) = paging::after(page)? {
            condition = condition.add(component::Column::Id.gt(after));
        }
        let rows = component::Entity::find()
            .filter(condition)
            .order_by_asc(component::Column::Id)
            .limit(paging::one_more(page))
            .fetch_all(self.resources.executor(), "list the components")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }

    async fn reveal(&self, id: ComponentId) -> Result<Option<Parameters>> {
        let row = self.row("reveal the component's secrets", id).await?;
        row.map(|row| sealing::revealed(&self.resources.keyring, self.resources.tenant, &row)).transpose()
    }

    async fn rotate_secrets(&self) -> Result<u64> {
        let (mut rotated, mut after, mut left) = (0, Uuid::nil(), false);
        let under_another = Condition::any()
            .add(component::Column::KeyId.ne(self.resources.keyring.active().as_str()))
            .add(component::Column::KeyId.is_null());
        loop {
            let rows = component::Entity::find()
                .filter(self.resources.own(component::Column::TenantId))
                .filter(component::Column::Secrets.is_not_null())
                .filter(under_another.clone())
                .filter(component::Column::Id.gt(after))
                .order_by_asc(component::Column::Id)
                .limit(ROTATED_AT_ONCE)
                .fetch_all(self.resources.executor(), "find secrets under other keys")
                .await?;
            let Some(last) = rows.last() else {
                if !left {
                    return Ok(rotated);
                }
                // Some were changed meanwhile, perhaps by a process that still seals under another key.
                (after, left) = (Uuid::nil(), false);
                continue;
            };
            after = last.id;
            for row in &rows {
                match retried(self.resources.executor(), || self.rotate(row)).await? {
                    true => rotated += 1,
                    false => left = true,
                }
            }
        }
    }
}
