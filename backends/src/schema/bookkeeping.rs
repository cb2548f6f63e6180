//! What a store remembers of its migrations: the table `trimaran_migration`, in it itself.
//!
//! On Postgres it is in the first schema of the search path, as all tables are that a migration makes.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, Index, Table};
use sea_orm::{ConnectionTrait, QueryOrder as _, Set, Statement};
use trimaran_core::{Engine, LogicalType, Result, Timestamp};

use super::{Migration, columns};
use crate::db_error::Doing as _;

/// The table's name.
pub const TABLE: &str = "trimaran_migration";

/// Tables that the migrator keeps its own records in begin so; they are nobody's data.
const JOURNAL_PREFIX: &str = "_trimaran_";

mod entity {
    use sea_orm::entity::prelude::*;

    /// A migration that was applied.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "trimaran_migration")]
    pub struct Model {
        /// Its name.
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// The how-manieth it was, from 1: the order in which migrations are undone.
        pub position: i64,
        /// When.
        pub applied_at: DateTimeWithTimeZone,
        /// The migration that code must know to use the store.
        pub readable_from: String,
        /// The digest of its statements.
        pub checksum: String,
        /// The version of Trimaran that applied it.
        pub applied_by: String,
    }

    /// It refers to nothing.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub use entity::{ActiveModel, Column, Entity, Model, Relation};

/// The version of Trimaran that this is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The names of all tables and views where migrations make theirs, sorted; the engine's own and the migrator's left out.
pub(super) async fn tables(db: &impl ConnectionTrait, engine: Engine) -> Result<Vec<String>> {
    let sql = match engine {
        Engine::Postgres => {
            "SELECT relname::text AS name FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') \
             AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())"
        }
        Engine::Sqlite => {
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        Engine::Duckdb => {
            "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal \
             AND database_name = current_database() AND schema_name = current_schema() \
             UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal \
             AND database_name = current_database() AND schema_name = current_schema()"
        }
    };
    let operation = "list the tables of the store";
    let rows =
        db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.doing(operation)?;
    let names = rows.iter().map(|row| row.try_get::<String>("", "name"));
    let mut names = names.collect::<Result<Vec<_>, _>>().doing(operation)?;
    names.retain(|name| !name.starts_with(JOURNAL_PREFIX));
    names.sort_unstable();
    Ok(names)
}

/// What was applied, in the order in which it was.
pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Entity::find().order_by_asc(Column::Position).all(db).await.doing("read which migrations were applied")
}

/// The statement that makes the table.
pub(super) fn create(engine: Engine) -> String {
    let required = |name, logical| columns::required(engine, name, &logical);
    let table = Table::create()
        .table(TABLE)
        .col(required("name", LogicalType::Text))
        .col(required("position", LogicalType::Int64))
        .col(required("applied_at", LogicalType::TimestampTz))
        .col(required("readable_from", LogicalType::Text))
        .col(required("checksum", LogicalType::Text))
        .col(required("applied_by", LogicalType::Text))
        .primary_key(Index::create().col("name"))
        .take();
    columns::sql(engine, &table)
}

/// Remembers that `migration` was applied.
pub(super) async fn remember(
    db: &impl ConnectionTrait,
    migration: &Migration,
    position: i64,
    now: Timestamp,
) -> Result<()> {
    let row = ActiveModel {
        name: Set(migration.name.to_owned()),
        position: Set(position),
        applied_at: Set(now.fixed_offset()),
        readable_from: Set(migration.readable_from.to_owned()),
        checksum: Set(migration.checksum()),
        applied_by: Set(VERSION.to_owned()),
    };
    row.insert(db).await.doing("remember that a migration was applied").map(drop)
}

/// Forgets a migration that was undone.
pub(super) async fn forget(db: &impl ConnectionTrait, name: &str) -> Result<()> {
    Entity::delete_many()
        .filter(Expr::col(Column::Name).eq(name))
        .exec(db)
        .await
        .doing("forget a migration that was undone")
        .map(drop)
}
