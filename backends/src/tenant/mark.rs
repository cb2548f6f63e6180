//! Whose a file is. It says so inside, so that a file under another's name is noticed before anything is read from it.

use std::path::Path;

use sea_orm::{ActiveModelTrait as _, ConnectionTrait, EntityTrait as _, Set, Statement};
use trimaran_core::config::Area;
use trimaran_core::{Clock, Error, ErrorKind, Result, TenantId};
use uuid::Uuid;

use super::entity::tenant_mark;
use crate::Connection;
use crate::db_error::Doing as _;
use crate::schema::{Book, Status};

/// The migration that makes the table.
const MIGRATION: &str = "0004_tenant_mark";
/// The table.
const TABLE: &str = "tenant_mark";

/// Refuses a file that says that it is another tenant's. Reads only.
///
/// # Errors
/// [`ErrorKind::Corrupt`], naming both; else the engine's.
pub(super) async fn check(
    connection: &Connection,
    status: &Status,
    tenant: TenantId,
    path: &Path,
) -> Result<()> {
    if !status.applied.iter().any(|applied| applied.name == MIGRATION) {
        return Ok(());
    }
    match read(connection).await?.as_slice() {
        [] => Ok(()),
        [owner] if *owner == tenant.0 => Ok(()),
        owners => Err(misplaced(owners, tenant, path)),
    }
}

/// Writes into a new file whose it is.
///
/// # Errors
/// [`ErrorKind::Corrupt`] for a file that has rows but no mark, for nobody knows whose they are; else the engine's.
pub(super) async fn set(
    connection: &Connection,
    book: &Book,
    areas: &[Area],
    tenant: TenantId,
    path: &Path,
    clock: &dyn Clock,
) -> Result<()> {
    let operation = "mark a tenant's file";
    // Most files have been marked long ago: no transaction is begun for those, which would wait for a writer.
    if read(connection).await? == [tenant.0] {
        return Ok(());
    }
    let transaction = connection.transaction().await?;
    // Another program may have marked it meanwhile.
    match read(&transaction).await?.as_slice() {
        [] => {}
        [owner] if *owner == tenant.0 => return transaction.rollback().await,
        owners => return Err(misplaced(owners, tenant, path)),
    }
    for table in book.of(areas).flat_map(|migration| migration.tables).filter(|table| **table != TABLE) {
        let sql = format!("SELECT 1 AS found FROM \"{table}\" LIMIT 1");
        let query = Statement::from_string(transaction.get_database_backend(), sql);
        if transaction.query_one_raw(query).await.doing(operation)?.is_some() {
            return Err(Error::new(ErrorKind::Corrupt, format!("open the tenant's file {}", path.display()))
                .context(format!(
                    "it has rows (in {table}), but does not say whose they are; expected tenant {tenant}"
                ))
                .hint("restore a backup of it; nothing was changed"));
        }
    }
    let row =
        tenant_mark::ActiveModel { tenant_id: Set(tenant.0), created_at: Set(clock.now().fixed_offset()) };
    row.insert(&transaction).await.doing(operation)?;
    transaction.commit().await
}

async fn read(db: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let rows = tenant_mark::Entity::find().all(db).await.doing("read whose a tenant's file is")?;
    Ok(rows.into_iter().map(|row| row.tenant_id).collect())
}

fn misplaced(owners: &[Uuid], tenant: TenantId, path: &Path) -> Error {
    let owners = owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::Corrupt, format!("open the tenant's file {}", path.display()))
        .context(format!(
            "it is the file of tenant {owners}, and stands where that of tenant {tenant} should be"
        ))
        .hint("files were swapped or restored to a wrong name: put each back; nothing was changed")
}
