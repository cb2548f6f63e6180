//! The pool that SeaORM's queries run on.
//!
//! **Sessions.** Each statement runs on whichever session is free, and commits by itself. No session setting of the
//! application's outlives its transaction: set what you need with `SET LOCAL` in one. Dates, times and encoding are the
//! driver's business (it asks for UTC and UTF8).
//!
//! **A pooler in between.** PgBouncer in transaction mode, and its like, give each transaction to another session of the
//! server, where a prepared statement of the same name may be another one. Opening notices a pooler; then each statement
//! is wrapped in a transaction and prepared anew in it. That costs three round trips more per statement, so use
//! transactions, or a pool in this process alone. The parameter `statement-cache-capacity` of the URL decides by hand:
//! `0` says that sessions are shared so; any other number says that statements may be kept, as behind PgBouncer 1.21 or
//! later with `max_prepared_statements`, or in its session mode. Types that the database defines itself (enums, domains,
//! composites) are not for parameters and results behind shared sessions: cast them to text.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use sea_orm::{ExecResult, QueryResult, Statement, TransactionOptions};
use trimaran_core::config::PoolSettings;
use trimaran_core::id::TenantId;
use trimaran_core::{Capabilities, Engine, Result};

use super::pool::{PooledSession, PostgresPool};
use super::transaction::{PostgresTransaction, begin_sql};
use crate::Location;
use crate::connection::{EngineConnection, EngineTransaction, RowStream};
use crate::tenant::signing::TenantSigner;

/// A pool of connections to a Postgres database, or one tenant's view of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PostgresConnection {
    pub(super) pool: Arc<PostgresPool>,
    pub(super) tenant: Option<TenantId>,
    pub(super) signer: Option<Arc<TenantSigner>>,
}

impl PostgresConnection {
    /// Connects once, checks version and encoding, and makes the pool. What the URL leaves out is taken from the `PG…`
    /// variables and then as libpq does; the password is the one of `location`, else `PGPASSWORD`, else that of
    /// `~/.pgpass`. `connect_timeout` in the URL wins over the setting.
    ///
    /// Must be called within a tokio runtime, which the pool lives in from then on.
    ///
    /// # Errors
    /// `Configuration` for a URL or settings that can't be, `Unavailable` or `Timeout` if the server can't be reached,
    /// `Forbidden` if it does not let the user in, `NotFound` without such a database, `Unsupported` for a server older
    /// than 14 or a database that is not in UTF8.
    pub async fn open(location: &Location, pool: &PoolSettings) -> Result<Self> {
        Ok(Self { pool: Arc::new(PostgresPool::open(location, pool).await?), tenant: None, signer: None })
    }

    /// A session for one statement: within a transaction if there must be one.
    async fn session(&self) -> Result<PooledSession> {
        let mut session = self.pool.session().await?;
        if self.tenant.is_some() || self.pool.shares_sessions() {
            self.begin_on_behalf(&mut session, "BEGIN".to_owned()).await?;
        }
        Ok(session)
    }
}

/// Ends the transaction of one statement, if there is one.
async fn finish(session: &mut PooledSession) -> Result<()> {
    if session.is_in_transaction() { session.commit().await } else { Ok(()) }
}

#[async_trait]
impl EngineConnection for PostgresConnection {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::LEAST;
        can.foreign_keys = true;
        can.savepoints = true;
        can.concurrent_writers = true;
        can.serializable = true;
        can.many_processes = true;
        can.row_level_security = true;
        // Behind a pooler the server is not told that the client is gone.
        can.interrupts = self.pool.interrupts();
        can
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult> {
        let mut session = self.session().await?;
        let done = session.execute(statement).await?;
        finish(&mut session).await?;
        Ok(done)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        // One message to the server is one transaction, even behind a pooler.
        let mut session = match self.tenant {
            Some(_) => self.session().await?,
            None => self.pool.session().await?,
        };
        let done = session.execute_text(sql, "run SQL").await?;
        finish(&mut session).await?;
        Ok(done)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        let mut session = self.session().await?;
        let rows = session.query_all(statement).await?;
        finish(&mut session).await?;
        Ok(rows)
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        let mut session = self.session().await?;
        Ok(Box::pin(async_stream::try_stream! {
            {
                let mut rows = session.stream(statement);
                while let Some(row) = rows.next().await {
                    yield row?;
                }
            }
            finish(&mut session).await?;
        }))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        let mut session = self.pool.session().await?;
        self.begin_on_behalf(&mut session, begin_sql(options)).await?;
        Ok(Box::new(PostgresTransaction::new(session)))
    }

    async fn ping(&self) -> Result<()> {
        self.pool.session().await?.ping().await
    }

    async fn close(&self) {
        self.pool.close().await;
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
