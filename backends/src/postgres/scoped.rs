//! One tenant's view of a database: what row-level security lets through.
//!
//! Policies compare `tenant_id` with the setting `trimaran.tenant`, or with what is signed in it
//! ([`crate::schema::row_security`]). The setting is local to a transaction, so that no session keeps it, neither ours nor a
//! pooler's; where it is missing no row is seen. It comes with BEGIN in one message, so that a statement on its own costs two
//! round trips more than it does without a tenant, and a transaction none. A signed one goes by itself, as a parameter, which takes
//! one more: other sessions of the same role see the text of statements in `pg_stat_activity`, but no parameters.

use std::sync::Arc;

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use trimaran_core::id::TenantId;
use trimaran_core::{Error, ErrorKind, Result};

use super::PostgresConnection;
use super::pool::PooledSession;
use crate::tenant::signing::TenantSigner;

const SIGNED: &str = "say on which tenant's behalf a transaction is";

impl PostgresConnection {
    /// The same pool, on behalf of `tenant`: every statement and transaction of the result runs with `trimaran.tenant` set.
    #[must_use]
    pub fn scoped(&self, tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), ..self.clone() }
    }

    /// The same pool, whose tenants' settings are signed.
    #[must_use]
    pub fn signed_by(&self, signer: TenantSigner) -> Self {
        Self { signer: Some(Arc::new(signer)), ..self.clone() }
    }

    /// On whose behalf, if it is somebody's.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// Begins a transaction with `begin`, on the tenant's behalf if there is one.
    pub(super) async fn begin_on_behalf(&self, session: &mut PooledSession, begin: String) -> Result<()> {
        let Some(tenant) = self.tenant else { return session.begin(&begin).await };
        let Some(signer) = &self.signer else {
            // An id is hexadecimal digits and hyphens, whatever its value.
            return session.begin(&format!("{begin}; SET LOCAL trimaran.tenant = '{tenant}'")).await;
        };
        session.begin(&begin).await?;
        let mut arguments = PgArguments::default();
        arguments
            .add(signer.setting(tenant))
            .map_err(|error| Error::new(ErrorKind::Invalid, SIGNED).context(error.to_string()))?;
        let sql = "SELECT pg_catalog.set_config('trimaran.tenant', $1, true)".to_owned();
        session.execute_arguments(sql, arguments, SIGNED).await.map(drop)
    }
}
