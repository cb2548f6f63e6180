//! Sessions of a pool, none of which goes back in the middle of a query.
//!
//! Whoever drops a future in the middle of a statement leaves a session with unread answers. Reading them to their end
//! could take hours, and the session's next user must not get them; so such a session is not given back but cut off,
//! and the server ends the query within [`CHECK_INTERVAL`].

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use sea_orm::{ExecResult, QueryResult, Statement};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Postgres, Row as _,
};
use tokio::runtime::Handle;
use trimaran_core::config::PoolSettings;
use trimaran_core::{Error, ErrorKind, Result};

use super::connect::{Reach, check_version, connect_options};
use super::error;
use super::idle::{IdleConnections, Kept};
use crate::Location;
use crate::bind::arguments;
use crate::connection::RowStream;
use crate::slots::{LONGEST, Slot, Slots, closed, runtime};

/// How often the server looks, during a query, whether its client is still there.
const CHECK_INTERVAL: &str = "SET client_connection_check_interval = '1s'";

/// A connection that was idle for as long is tried before it is used: the server may have gone meanwhile.
pub(super) const TRUSTED: Duration = Duration::from_secs(1);

/// How long a rollback or the search for a cause may take, once nobody waits for more.
const FAREWELL: Duration = Duration::from_secs(2);

/// COMMIT of a failed transaction rolls back without an error: the query before it fails then, in one message. SQL that names
/// a tenant for the session (`SET`, without `LOCAL`) does so for the transaction alone: the session's next user may be another's,
/// or nobody's.
const COMMIT: &str = "SELECT 1; COMMIT; RESET trimaran.tenant";

/// As [`COMMIT`].
const ROLLBACK: &str = "ROLLBACK; RESET trimaran.tenant";

/// A setting that a session begins with, and that no pooler passes on: where it is missing, one stands in between.
const MARK: (&str, &str) = ("trimaran.direct", "on");

/// How statements reach the server.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// Each statement has to stand in a transaction, or its parts may reach different sessions.
    shared_sessions: bool,
    /// The server ends the query of a client that is gone.
    interrupts: bool,
}

/// A pool that was proven to reach a server.
pub(super) struct PostgresPool {
    /// Makes connections, and closes them.
    pool: PgPool,
    idle: Arc<IdleConnections>,
    slots: Slots,
    options: PgConnectOptions,
    way: Way,
    place: String,
    runtime: Handle,
}

impl fmt::Debug for PostgresPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPool")
            .field("place", &self.place)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl PostgresPool {
    /// See [`PostgresConnection::open`](super::PostgresConnection::open).
    pub(super) async fn open(location: &Location, settings: &PoolSettings) -> Result<Self> {
        let (runtime, slots) = (runtime()?, Slots::new(settings)?);
        let Reach { options, timeout, statements } = connect_options(location)?;
        let timeout = timeout.unwrap_or(settings.connect_timeout).min(LONGEST);
        let way = find_way(&options, timeout, statements, &format!("open {location}")).await?;
        let pool = PgPoolOptions::new()
            .max_connections(settings.max_connections)
            .min_connections(settings.min_connections)
            // A slot is had before: what the pool is waited for is a connection to be made.
            .acquire_timeout(timeout)
            .idle_timeout(settings.idle_timeout)
            .max_lifetime(settings.max_lifetime)
            .test_before_acquire(false)
            .before_acquire(|connection, state| {
                Box::pin(async move {
                    if state.idle_for >= TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if way.interrupts {
                        connection.execute(CHECK_INTERVAL).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone());
        let idle = IdleConnections::new(settings.idle_timeout, settings.max_lifetime);
        Ok(Self { pool, idle, slots, options, way, place: location.to_string(), runtime })
    }

    /// Whether the server ends the query of a client that is gone.
    pub(super) fn interrupts(&self) -> bool {
        self.way.interrupts
    }

    /// Whether each statement has to stand in a transaction.
    pub(super) fn shares_sessions(&self) -> bool {
        self.way.shared_sessions
    }

    /// A session for one statement or transaction.
    ///
    /// # Errors
    /// `Timeout` if all are in use, `Unavailable` (or the server's reason) if none can be made.
    pub(super) async fn session(self: &Arc<Self>) -> Result<PooledSession> {
        let slot = self.slots.take().await?;
        let mut slot = Some(slot);
        while let Some((kept, idle_for)) = self.idle.take() {
            let mut session = self.with(kept, slot.take());
            if idle_for < TRUSTED || session.ping().await.is_ok() {
                return Ok(session);
            }
            // The server has gone meanwhile, or has ended the session: others may be good.
            slot = session.slot.take();
        }
        let connection = match self.pool.acquire().await {
            Ok(connection) => connection,
            Err(sqlx::Error::PoolTimedOut) => return Err(self.why_none().await),
            Err(sqlx::Error::PoolClosed) => return Err(closed()),
            Err(error) => return Err(error::classify(error, format!("connect to {}", self.place))),
        };
        Ok(self.with(Kept { connection, since: Instant::now() }, slot))
    }

    fn with(self: &Arc<Self>, kept: Kept, slot: Option<Slot>) -> PooledSession {
        let pool = Arc::clone(self);
        PooledSession { kept: Some(kept), settled: true, in_transaction: false, pool, slot }
    }

    /// Why no connection could be made in time: the pool has tried again and again, and kept no reason.
    async fn why_none(&self) -> Error {
        let operation = format!("connect to {}", self.place);
        match connect(&self.options, FAREWELL, &operation).await {
            Err(error) => error,
            Ok(connection) => {
                drop(connection);
                Error::new(ErrorKind::Unavailable, operation)
                    .context("no connection could be made in time, although one can be made now")
                    .hint("try again; if it happens often, raise connect_timeout of the store")
            }
        }
    }

    /// Ends all sessions once they are idle.
    pub(super) async fn close(&self) {
        self.slots.close();
        self.idle.close();
        self.pool.close().await;
    }
}

/// Connects once: whether there is a server that will do, and what stands before it.
async fn find_way(
    options: &PgConnectOptions,
    timeout: Duration,
    statements: Option<usize>,
    operation: &str,
) -> Result<Way> {
    let marked = options.clone().options([MARK]);
    let mut connection = match try_connect(&marked, timeout).await {
        Ok(connection) => connection,
        // Most poolers refuse to begin a session with a setting that they don't know.
        Err(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("0A")) =>
        {
            connect(options, timeout, operation).await?
        }
        Err(error) => return Err(connect_failed(error, timeout, operation)),
    };
    let failed = |error: sqlx::Error| error::classify(error, operation);
    let row = connection
        .fetch_one(sqlx::raw_sql(
            "SELECT current_setting('server_version_num'), current_setting('server_version'), \
             current_setting('server_encoding'), coalesce(current_setting('trimaran.direct', true), '')",
        ))
        .await
        .map_err(failed)?;
    let text = |index: usize| row.try_get_unchecked::<String, _>(index).map_err(failed);
    let number = text(0)?.parse().unwrap_or_default();
    check_version(number, &text(1)?, &text(2)?, operation)?;
    let direct = text(3)? == MARK.1;
    let way = Way {
        // Whoever names a number of statements to keep has a pooler that keeps them apart.
        shared_sessions: statements == Some(0) || (!direct && statements.is_none()),
        // Not every system can look after a client; and behind a pooler a setting would stay with others' sessions.
        interrupts: direct && connection.execute(CHECK_INTERVAL).await.is_ok(),
    };
    if !direct {
        tracing::info!(shared_sessions = way.shared_sessions, "a pooler stands before the Postgres server");
    }
    // Nothing depends on how the server takes leave.
    let _parted = tokio::time::timeout(FAREWELL, connection.close()).await;
    Ok(way)
}

async fn connect(options: &PgConnectOptions, timeout: Duration, operation: &str) -> Result<PgConnection> {
    try_connect(options, timeout).await.map_err(|error| connect_failed(error, timeout, operation))
}

async fn try_connect(options: &PgConnectOptions, timeout: Duration) -> Result<PgConnection, sqlx::Error> {
    tokio::time::timeout(timeout, options.connect()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

fn connect_failed(error: sqlx::Error, timeout: Duration, operation: &str) -> Error {
    match error {
        sqlx::Error::PoolTimedOut => Error::new(ErrorKind::Timeout, operation)
            .context(format!("no answer within {timeout:?}"))
            .hint("check host and port and the firewall between, or raise connect_timeout"),
        error => error::classify(error, operation),
    }
}

/// One of the pool's sessions, in use.
pub(super) struct PooledSession {
    // `None` only while it is dropped.
    kept: Option<Kept>,
    /// No statement is running: every answer has been read.
    settled: bool,
    in_transaction: bool,
    pool: Arc<PostgresPool>,
    slot: Option<Slot>,
}

impl PooledSession {
    /// The connection, for one statement; [`leave`](Self::leave) says how it went. Whoever doesn't come back loses it.
    pub(super) fn enter(&mut self) -> Result<&mut PgConnection> {
        match &mut self.kept {
            Some(kept) if self.settled => {
                self.settled = false;
                Ok(&mut kept.connection)
            }
            _ => Err(Error::new(ErrorKind::Aborted, "run a statement")
                .context("an earlier one on the same session was cut off, or its connection is lost")),
        }
    }

    /// What a statement's outcome means for the session and for the caller.
    pub(super) fn leave<T>(&mut self, outcome: Result<T, sqlx::Error>, operation: &str) -> Result<T> {
        self.settled = outcome.as_ref().err().is_none_or(|e| !error::ends_pooled_session(e));
        outcome.map_err(|error| error::shared(operation.to_owned(), Arc::new(error)))
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult> {
        let query = self.query(statement)?;
        let outcome = query.execute(self.enter()?).await;
        self.leave(outcome, "run a statement").map(ExecResult::from)
    }

    pub(super) async fn execute_text(&mut self, sql: &str, operation: &str) -> Result<ExecResult> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let outcome = query.execute(self.enter()?).await;
        self.leave(outcome, operation).map(ExecResult::from)
    }

    /// Runs a statement of ours, prepared where statements are kept.
    pub(super) async fn execute_arguments(
        &mut self,
        sql: String,
        arguments: PgArguments,
        operation: &str,
    ) -> Result<ExecResult> {
        let query =
            sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(!self.pool.way.shared_sessions);
        let outcome = query.execute(self.enter()?).await;
        self.leave(outcome, operation).map(ExecResult::from)
    }

    pub(super) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        let query = self.query(statement)?;
        let outcome = query.fetch_all(self.enter()?).await;
        let rows = self.leave(outcome, "run a query")?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub(super) fn stream(&mut self, statement: Statement) -> RowStream<'_> {
        Box::pin(async_stream::try_stream! {
            let query = self.query(statement)?;
            let mut failed = None;
            {
                let mut rows = query.fetch(self.enter()?);
                while let Some(row) = rows.next().await {
                    match row {
                        Ok(row) => yield QueryResult::from(row),
                        Err(error) => {
                            failed = Some(error);
                            break;
                        }
                    }
                }
            }
            self.leave(failed.map_or(Ok(()), Err), "run a query")?;
        })
    }

    pub(super) async fn ping(&mut self) -> Result<()> {
        let outcome = self.enter()?.ping().await;
        self.leave(outcome, "reach the server")
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    pub(super) async fn begin(&mut self, sql: &str) -> Result<()> {
        self.in_transaction = true;
        self.execute_text(sql, "begin a transaction").await.map(drop)
    }

    /// Commits; nothing else may follow.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let outcome = sqlx::raw_sql(COMMIT).execute(self.enter()?).await;
        if let Err(error) = &outcome
            && error::ends_connection(error)
        {
            return outcome.map(drop).map_err(|error| {
                error::classify(error, "commit")
                    .context("it can't be known whether the commit took effect")
                    .hint("look whether the rows are there before you try again")
            });
        }
        self.leave(outcome, "commit")?;
        self.in_transaction = false;
        Ok(())
    }

    pub(super) async fn roll_back(&mut self) -> Result<()> {
        self.execute_text(ROLLBACK, "roll back").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// The statement as the driver takes it. Where sessions are shared it is not kept: its name would mean another
    /// statement in the next session.
    fn query(&self, statement: Statement) -> Result<Query<'static, Postgres, PgArguments>> {
        let values = arguments::<Postgres>(statement.values, true)?;
        Ok(sqlx::query_with(AssertSqlSafe(statement.sql), values).persistent(!self.pool.way.shared_sessions))
    }
}

impl Drop for PooledSession {
    fn drop(&mut self) {
        let Some(mut kept) = self.kept.take() else { return };
        // The driver's pool starts tasks, and so does a rollback; whoever drops a session may be on any thread.
        let _runtime = self.pool.runtime.enter();
        if !self.settled {
            // Without a farewell, which would wait behind the answers that nobody reads.
            drop(kept.connection.detach());
        } else if self.in_transaction {
            let (slot, idle) = (self.slot.take(), Arc::clone(&self.pool.idle));
            self.pool.runtime.spawn(async move {
                let rollback = sqlx::raw_sql(ROLLBACK).execute(&mut *kept.connection);
                if matches!(tokio::time::timeout(FAREWELL, rollback).await, Ok(Ok(_))) {
                    idle.put(kept);
                } else {
                    drop(kept.connection.detach());
                }
                drop(slot);
            });
        } else {
            self.pool.idle.put(kept);
        }
    }
}
