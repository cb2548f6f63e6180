//! The rows of one tenant on a server.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use trimaran_core::{Error, ErrorKind, Result, TenantId};

use crate::db_error::Doing as _;
use crate::schema::row_security::POLICY;
use crate::{Connection, Transaction};

const OPERATION: &str = "remove a tenant's rows";

/// Removes all rows of the tenant that `scoped` works for, from every table under the policy that keeps tenants apart: a
/// consumer's own tables, too. In one transaction, children before their parents.
///
/// # Errors
/// The server's.
pub(super) async fn remove(scoped: &Connection, tenant: TenantId) -> Result<()> {
    let transaction = scoped.transaction().await?;
    for table in tables(&transaction).await? {
        let sql = format!("DELETE FROM {table} WHERE tenant_id = $1");
        let statement =
            Statement::from_sql_and_values(transaction.get_database_backend(), sql, [tenant.0.into()]);
        transaction.execute_raw(statement).await.doing(OPERATION)?;
    }
    transaction.commit().await
}

/// The tables with the policy, in quotes; whatever refers to another one comes before it.
async fn tables(transaction: &Transaction) -> Result<Vec<String>> {
    let query = async |sql: String| {
        let statement = Statement::from_string(transaction.get_database_backend(), sql);
        transaction.query_all_raw(statement).await.doing(OPERATION)
    };
    let text = |row: &QueryResult, column: &str| row.try_get::<String>("", column).doing(OPERATION);
    let protected = format!(
        "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid \
         WHERE p.polname = '{POLICY}' \
         AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())"
    );
    let rows = query(format!("SELECT o.oid::regclass::text AS name FROM ({protected}) o ORDER BY 1")).await?;
    let mut left: BTreeSet<String> = rows.iter().map(|row| text(row, "name")).collect::<Result<_>>()?;
    let rows = query(format!(
        "SELECT k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent \
         FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid <> k.confrelid \
         AND k.conrelid IN ({protected}) AND k.confrelid IN ({protected})"
    ))
    .await?;
    let references = rows.iter().map(|row| Ok((text(row, "child")?, text(row, "parent")?)));
    let references: Vec<(String, String)> = references.collect::<Result<_>>()?;
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_referred_to =
            |table: &String| references.iter().any(|(child, parent)| parent == table && left.contains(child));
        let free: Vec<String> = left.iter().filter(|table| !is_referred_to(table)).cloned().collect();
        if free.is_empty() {
            return Err(Error::new(ErrorKind::Unsupported, OPERATION)
                .context("tables refer to one another in a circle")
                .hint("remove the tenant's rows from your own tables first"));
        }
        left.retain(|table| !free.contains(table));
        order.extend(free);
    }
    Ok(order)
}
