//! A row of the catalogue, with all that is said of the tenant besides, in one statement: each request begins with it.

use sea_orm::entity::prelude::DateTimeWithTimeZone;
use sea_orm::{
    ConnectionTrait as _, EntityTrait as _, JoinType, QuerySelect as _, QueryTrait as _, RelationDef, Select,
    Value,
};
use trimaran_core::Result;
use uuid::Uuid;

use crate::Executor;
use crate::fetch::{CellType, FetchedRow};
use crate::fixed::Fixed;
use crate::tenant::entity::{tenant, tenant_home, tenant_operation};

/// What [`select`] reads.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) user_name: String,
    pub(super) place: String,
    pub(super) naming: String,
    pub(super) key_id: String,
    pub(super) created_at: DateTimeWithTimeZone,
    pub(super) home: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) step: Option<String>,
    pub(super) from_user_name: Option<String>,
    pub(super) from_place: Option<String>,
    pub(super) started_at: Option<DateTimeWithTimeZone>,
}

/// The types of the columns of [`select`], in their order.
const TYPES: [CellType; 12] = [
    CellType::Uuid,
    CellType::Text,
    CellType::Text,
    CellType::Text,
    CellType::Text,
    CellType::DateTime,
    CellType::Text,
    CellType::Text,
    CellType::Text,
    CellType::Text,
    CellType::Text,
    CellType::DateTime,
];

/// Where a tenant's data is, if not in the default place.
pub(super) fn home() -> RelationDef {
    tenant::Entity::belongs_to(tenant_home::Entity)
        .from(tenant::Column::Id)
        .to(tenant_home::Column::Id)
        .into()
}

/// Rows of the catalogue.
pub(super) fn select() -> Select<tenant::Entity> {
    let operation: RelationDef = tenant::Entity::belongs_to(tenant_operation::Entity)
        .from(tenant::Column::Id)
        .to(tenant_operation::Column::Id)
        .into();
    tenant::Entity::find()
        .select_only()
        .columns([
            tenant::Column::Id,
            tenant::Column::UserName,
            tenant::Column::Place,
            tenant::Column::Naming,
            tenant::Column::KeyId,
            tenant::Column::CreatedAt,
        ])
        .join(JoinType::LeftJoin, home())
        .join(JoinType::LeftJoin, operation)
        .column_as(tenant_home::Column::Place, "home")
        .columns([
            tenant_operation::Column::Kind,
            tenant_operation::Column::Step,
            tenant_operation::Column::FromUserName,
            tenant_operation::Column::FromPlace,
            tenant_operation::Column::StartedAt,
        ])
}

/// The rows that a query made by [`select`] finds.
///
/// # Errors
/// `Corrupt` for a cell of another type; else the engine's.
pub(super) async fn fetch(
    executor: &Executor,
    query: Select<tenant::Entity>,
    operation: &str,
) -> Result<Vec<Row>> {
    let statement = query.build(executor.get_database_backend());
    let fetched = executor.fetch(statement, TYPES.to_vec()).await.map_err(|error| error.within(operation))?;
    fetched.into_rows().map(|row| Row::read(row, operation)).collect()
}

/// As [`fetch`], by a query whose text does not change.
pub(super) async fn fetch_fixed(
    executor: &Executor,
    fixed: &Fixed,
    values: Vec<Value>,
    query: impl FnOnce() -> Select<tenant::Entity>,
    operation: &str,
) -> Result<Vec<Row>> {
    let build = || Ok((query().build(executor.get_database_backend()), TYPES.to_vec()));
    let fetched = fixed.fetch(executor, values, build, operation).await?;
    fetched.into_rows().map(|row| Row::read(row, operation)).collect()
}

impl Row {
    fn read(mut row: FetchedRow, operation: &str) -> Result<Self> {
        Ok(Self {
            id: row.take(0, operation)?,
            user_name: row.take(1, operation)?,
            place: row.take(2, operation)?,
            naming: row.take(3, operation)?,
            key_id: row.take(4, operation)?,
            created_at: row.take(5, operation)?,
            home: row.take(6, operation)?,
            kind: row.take(7, operation)?,
            step: row.take(8, operation)?,
            from_user_name: row.take(9, operation)?,
            from_place: row.take(10, operation)?,
            started_at: row.take(11, operation)?,
        })
    }
}
