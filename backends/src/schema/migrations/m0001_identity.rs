//! Users, roles, groups, and who has which role.

use sea_orm::sea_query::{ForeignKey, ForeignKeyAction, Index, Table, TableCreateStatement};
use trimaran_core::config::Area;
use trimaran_core::{Engine, LogicalType};

use crate::schema::{Migration, columns};

const NAME: &str = "0001_identity";
const TABLES: &[&str] =
    &["user_account", "role", "role_permission", "user_group", "group_member", "user_role", "group_role"];

/// `user_account`, `role`, `user_group`, and what joins them.
pub(super) const MIGRATION: Migration = Migration {
    name: NAME,
    areas: &[Area::Identity],
    tables: TABLES,
    readable_from: NAME,
    up,
    down: |engine| TABLES.iter().rev().map(|table| columns::drop_table(engine, table)).collect(),
    backfill: None,
};

fn up(engine: Engine) -> Vec<String> {
    let user_account = named(engine, "user_account")
        .col(columns::optional(engine, "email", &LogicalType::Text))
        .col(columns::optional(engine, "display_name", &LogicalType::Text))
        .col(columns::optional(engine, "password_hash", &LogicalType::Text))
        .col(columns::required(engine, "enabled", &LogicalType::Bool))
        .take();
    let role = named(engine, "role").col(columns::optional(engine, "description", &LogicalType::Text)).take();
    let user_group =
        named(engine, "user_group").col(columns::optional(engine, "description", &LogicalType::Text)).take();
    let role_permission = Table::create()
        .table("role_permission")
        .col(columns::required(engine, "role_id", &LogicalType::Uuid))
        .col(columns::required(engine, "permission", &LogicalType::Text))
        .primary_key(Index::create().col("role_id").col("permission"))
        .take();
    let role_permission = child(engine, role_permission, "role_permission", "role_id", "role");
    let mut statements = vec![
        columns::sql(engine, &user_account),
        columns::sql(engine, &role),
        columns::sql(engine, &role_permission),
        columns::sql(engine, &user_group),
        columns::sql(
            engine,
            &pair(engine, "group_member", ("group_id", "user_group"), ("user_id", "user_account")),
        ),
        columns::sql(engine, &pair(engine, "user_role", ("user_id", "user_account"), ("role_id", "role"))),
        columns::sql(engine, &pair(engine, "group_role", ("group_id", "user_group"), ("role_id", "role"))),
    ];
    for table in ["user_account", "role", "user_group"] {
        let unique = Index::create().unique().name(format!("{table}_name")).table(table).col("name").take();
        statements.push(columns::sql(engine, &unique));
    }
    // The primary keys serve look-ups by their first column; these serve the other direction.
    for (table, column) in [("group_member", "user_id"), ("user_role", "role_id"), ("group_role", "role_id")]
    {
        let index = Index::create().name(format!("{table}_{column}")).table(table).col(column).take();
        statements.push(columns::sql(engine, &index));
    }
    statements
}

/// A table of what has an id, a unique name and a version.
fn named(engine: Engine, table: &'static str) -> TableCreateStatement {
    Table::create()
        .table(table)
        .col(columns::required(engine, "id", &LogicalType::Uuid))
        .col(columns::required(engine, "name", &LogicalType::Text))
        .col(columns::required(engine, "version", &LogicalType::Int64))
        .col(columns::required(engine, "created_at", &LogicalType::TimestampTz))
        .col(columns::required(engine, "updated_at", &LogicalType::TimestampTz))
        .primary_key(Index::create().col("id"))
        .take()
}

/// A table that joins two others, given as column and table.
fn pair(
    engine: Engine,
    table: &'static str,
    left: (&'static str, &'static str),
    right: (&'static str, &'static str),
) -> TableCreateStatement {
    let statement = Table::create()
        .table(table)
        .col(columns::required(engine, left.0, &LogicalType::Uuid))
        .col(columns::required(engine, right.0, &LogicalType::Uuid))
        .primary_key(Index::create().col(left.0).col(right.0))
        .take();
    let statement = child(engine, statement, table, left.0, left.1);
    child(engine, statement, table, right.0, right.1)
}

/// The same table, referring to a parent and deleted with it, where the engine can.
fn child(
    engine: Engine,
    mut statement: TableCreateStatement,
    table: &'static str,
    column: &'static str,
    parent: &'static str,
) -> TableCreateStatement {
    let mut key = ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(table, column)
        .to(parent, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    columns::references(engine, &mut statement, &mut key);
    statement
}
