//! How a logical type is declared on each engine.
//!
//! | logical type | Postgres | SQLite | DuckDB | Rust |
//! |---|---|---|---|---|
//! | `Bool` | `boolean` | `BOOLEAN` | `BOOLEAN` | `bool` |
//! | `Int32` | `integer` | `INT32` | `INTEGER` | `i32` |
//! | `Int64` | `bigint` | `BIGINT` | `BIGINT` | `i64` |
//! | `Float64` | `double precision` | `DOUBLE` | `DOUBLE` | `f64` |
//! | `Text` | `text` | `TEXT` | `VARCHAR` | `String` |
//! | `Bytes` | `bytea` | `BLOB` | `BLOB` | `Vec<u8>` |
//! | `Json` | `json` | `JSON TEXT` | `JSON` | `Json` |
//! | `Uuid` | `uuid` | `UUID TEXT` | `UUID` | `Uuid` |
//! | `TimestampTz` | `timestamp with time zone` | `TIMESTAMPTZ TEXT` | `TIMESTAMPTZ` | `DateTimeWithTimeZone`, in UTC |
//!
//! Two things decide the names. An entity must read and write the column through its driver: SQLite's affinity, which goes by the
//! declared name, must leave a document `123` text and a UUID's 16 bytes bytes, and text in the name gives text affinity.
//! And the migrator must find in the name exactly the type that the schema itself declares on Postgres, so that a store that
//! moved there is the store that would have been made there. On SQLite any integer may have 64 bits and `INTEGER` is read so;
//! `INT32` says less.

use sea_orm::sea_query::{
    ColumnDef, ForeignKeyCreateStatement, PostgresQueryBuilder, SchemaStatementBuilder, SqliteQueryBuilder,
    Table, TableCreateStatement,
};
use trimaran_core::{Engine, LogicalType};

/// A column that is never NULL.
pub fn required(engine: Engine, name: &'static str, logical: &LogicalType) -> ColumnDef {
    let mut column = optional(engine, name, logical);
    column.not_null();
    column
}

/// A column that may be NULL.
pub fn optional(engine: Engine, name: &'static str, logical: &LogicalType) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.custom(type_name(engine, logical));
    column
}

/// The name that a type is declared by in Trimaran's schema.
pub fn type_name(engine: Engine, logical: &LogicalType) -> String {
    match (engine, logical) {
        (Engine::Sqlite, LogicalType::Int32) => "INT32".to_owned(),
        _ => logical.stored_as(engine),
    }
}

/// Declares a foreign key, except on DuckDB, whose foreign keys forbid to update a row that is referred to.
pub fn references(engine: Engine, table: &mut TableCreateStatement, key: &mut ForeignKeyCreateStatement) {
    if engine != Engine::Duckdb {
        table.foreign_key(key);
    }
}

/// A statement in an engine's SQL. DuckDB takes Postgres'.
pub fn sql(engine: Engine, statement: &impl SchemaStatementBuilder) -> String {
    match engine {
        Engine::Postgres | Engine::Duckdb => statement.to_string(PostgresQueryBuilder),
        Engine::Sqlite => statement.to_string(SqliteQueryBuilder),
    }
}

/// The statement that drops a table and its indexes.
pub fn drop_table(engine: Engine, name: &'static str) -> String {
    sql(engine, &Table::drop().table(name).take())
}
