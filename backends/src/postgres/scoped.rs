//! One tenant's view of a database: what row-level security lets through.
//!
//! Policies compare `tenant_id` with `NULLIF(current_setting('trimaran.tenant', true), '')::uuid`. The setting is local to
//! a transaction, so that no session keeps it, neither ours nor a pooler's; where it is missing no row is seen. It comes
//! with BEGIN in one message, so that a statement on its own costs two round trips more than it does without a tenant, and
//! a transaction none.

use trimaran_core::id::TenantId;

use super::PostgresConnection;

impl PostgresConnection {
    /// The same pool, on behalf of `tenant`: every statement and transaction of the result runs with `trimaran.tenant` set.
    #[must_use]
    pub fn scoped(&self, tenant: TenantId) -> Self {
        Self { pool: std::sync::Arc::clone(&self.pool), tenant: Some(tenant) }
    }

    /// On whose behalf, if it is somebody's.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// The statement that begins a transaction, and what sets its tenant.
    pub(super) fn with_tenant(&self, begin: String) -> String {
        match self.tenant {
            // An id is hexadecimal digits and hyphens, whatever its value.
            Some(tenant) => format!("{begin}; SET LOCAL trimaran.tenant = '{tenant}'"),
            None => begin,
        }
    }
}
