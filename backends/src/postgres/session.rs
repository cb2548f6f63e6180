//! One connection that blocks: its small statements, its transaction, its locks.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value, digest};

use super::parts::Part;
use super::{error, query_values, read, write};
use crate::bulk::{Chunk, Interrupter, Read, Session};
use crate::catalog::{Table, TableName};

/// What every session sets, where the server knows the setting (`transaction_timeout` came with 17): no time limits but
/// on locks, so that a copy may take hours yet never waits for ever; SQL and text forms that don't depend on the server's
/// configuration; and an error instead of silently fewer rows where row-level security would hide some.
const SETTINGS: &str = "SELECT pg_catalog.set_config(s.name, v.value, false) FROM (VALUES \
    ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'), \
    ('transaction_timeout', '0'), ('lock_timeout', '30s'), ('row_security', 'off'), ('jit', 'off'), \
    ('standard_conforming_strings', 'on'), ('synchronize_seqscans', 'off'), ('extra_float_digits', '3'), \
    ('default_transaction_isolation', 'read committed'), ('default_transaction_deferrable', 'off'), \
    ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'), ('bytea_output', 'hex')) \
    AS v(name, value) JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(v.name)";

/// How long a session waits when it says goodbye; the server notices a closed socket anyway.
const FAREWELL: Duration = Duration::from_secs(2);

/// How far the session's transaction has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There is none.
    Idle,
    /// Every statement of it has succeeded.
    Open,
    /// A statement of it has failed: Postgres would answer COMMIT with ROLLBACK.
    Failed,
}

/// A connection to Postgres. It brings the runtime that its driver needs, so its methods must not be called on a thread
/// that runs another one.
///
/// A session of a source is inside the snapshot's read-only transaction all the time: `begin`, `commit` and `rollback`
/// change nothing there, and a failed statement does not keep the next from running in the same snapshot.
pub(super) struct PostgresSession {
    runtime: tokio::runtime::Runtime,
    connection: Option<PgConnection>,
    progress: Progress,
    snapshot: Option<String>,
    place: String,
    /// How it was connected, for a second connection that cancels what this one runs.
    reach: (PgConnectOptions, Duration),
    /// The last selection whose columns and rights [`Session::read`] has checked.
    pub(super) checked: Option<String>,
    /// The parts of the partitioned table that was read last.
    pub(super) parts: Option<(TableName, Vec<Part>)>,
}

impl PostgresSession {
    /// Connects within `timeout`; `place` is what errors call the server.
    ///
    /// # Errors
    /// The server's or the network's, classified, with the next step.
    pub(super) fn connect(options: &PgConnectOptions, timeout: Duration, place: String) -> Result<Self> {
        let operation = format!("connect to {place}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Unavailable, operation.clone()).source(e))?;
        let connection = runtime.block_on(async { tokio::time::timeout(timeout, options.connect()).await });
        let connection = match connection {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Err(error::classify(error, operation)),
            Err(_) => {
                return Err(Error::new(ErrorKind::Timeout, operation)
                    .context(format!("no answer within {} seconds", timeout.as_secs()))
                    .hint("check host and port and the firewall between, or add connect_timeout=SECONDS to the URL"));
            }
        };
        let (progress, snapshot, checked) = (Progress::Idle, None, None);
        let reach = (options.clone(), timeout);
        let connection = Some(connection);
        let mut session =
            Self { runtime, connection, progress, snapshot, place, reach, checked, parts: None };
        session.execute(SETTINGS)?;
        Ok(session)
    }

    /// Makes every statement from now on run in the exported snapshot `id`.
    ///
    /// # Errors
    /// The engine's, classified: the snapshot ends with the session that exported it.
    pub(super) fn enter_snapshot(&mut self, id: String) -> Result<()> {
        self.snapshot = Some(id);
        self.prepare()
    }

    /// On a source, enters the snapshot's transaction if this session is not in it (any more).
    fn prepare(&mut self) -> Result<()> {
        let Some(snapshot) = &self.snapshot else { return Ok(()) };
        if self.progress == Progress::Open {
            return Ok(());
        }
        let snapshot = snapshot.replace('\'', "''");
        let leave = if self.progress == Progress::Failed { "ROLLBACK; " } else { "" };
        let sql = format!(
            "{leave}BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'"
        );
        // Until it has succeeded, so that the next attempt begins by leaving a half-made transaction.
        self.progress = Progress::Failed;
        self.run("enter the source's snapshot", async |c| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(c).await.map(drop)
        })
        .map_err(|error| error.hint("the session that held it was lost: try again"))?;
        self.progress = Progress::Open;
        Ok(())
    }

    /// Runs `work` on the connection and keeps account of what its failure means for the session.
    pub(super) fn run<T>(
        &mut self,
        operation: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T> {
        self.run_raw(operation, work)?.map_err(|e| error::classify(e, operation))
    }

    /// As [`PostgresSession::run`], with the driver's own error as the inner result.
    pub(super) fn run_raw<T>(
        &mut self,
        operation: &str,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<Result<T, sqlx::Error>> {
        let Some(connection) = &mut self.connection else {
            return Err(Error::new(ErrorKind::Unavailable, operation.to_owned())
                .context(format!("the connection to {} was lost before", self.place))
                .hint("when the server is up again, try again"));
        };
        let result = self.runtime.block_on(work(connection));
        if let Err(error) = &result {
            self.fail();
            if error::ends_connection(error) {
                self.give_up();
            }
        }
        Ok(result)
    }

    /// Remembers that a statement has failed.
    pub(super) fn fail(&mut self) {
        if self.progress == Progress::Open {
            self.progress = Progress::Failed;
        }
    }

    /// Closes the connection: what is still under way on it can't be told from what comes next.
    pub(super) fn give_up(&mut self) {
        self.fail();
        self.connection = None;
    }

    /// As [`Session::execute`] for statements that a source needs too.
    pub(super) fn statement(&mut self, sql: &str) -> Result<u64> {
        let operation = format!("run {}", leading_words(sql));
        self.run(&operation, async |c| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(c).await.map(|done| done.rows_affected())
        })
    }

    /// Readies the session for [`Session::read`] and its kin.
    pub(super) fn ready(&mut self) -> Result<()> {
        self.prepare()
    }
}

impl Session for PostgresSession {
    fn execute(&mut self, sql: &str) -> Result<u64> {
        self.prepare()?;
        self.statement(sql)
    }

    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
        self.prepare()?;
        let operation = format!("run {}", leading_words(sql));
        let arguments = query_values::bind(parameters, &operation)?;
        let rows = self.run(&operation, async |c| {
            // Unnamed: a statement that outlives a change of its tables would fail.
            sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch_all(c).await
        })?;
        rows.iter().map(|row| query_values::decode_row(row, &operation)).collect()
    }

    fn begin(&mut self) -> Result<()> {
        if self.snapshot.is_some() {
            return self.prepare();
        }
        if self.progress != Progress::Idle {
            return Err(Error::new(ErrorKind::Invalid, "begin a transaction").context("one is open already"));
        }
        self.statement("BEGIN")?;
        self.progress = Progress::Open;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        match self.progress {
            Progress::Open if self.snapshot.is_some() => Ok(()),
            Progress::Idle => {
                Err(Error::new(ErrorKind::Invalid, "commit a transaction").context("none is open"))
            }
            Progress::Failed => {
                self.rollback()?;
                Err(Error::new(ErrorKind::Aborted, "commit a transaction")
                    .context("a statement in it had failed, so it was rolled back"))
            }
            Progress::Open => {
                let committed = self.statement("COMMIT");
                // Whatever COMMIT answers, there is no transaction afterwards.
                self.progress = Progress::Idle;
                committed.map(drop).map_err(|error| match error.kind() {
                    ErrorKind::Unavailable => {
                        error.context("whether the transaction was committed is not known")
                    }
                    _ => error,
                })
            }
        }
    }

    fn rollback(&mut self) -> Result<()> {
        if self.snapshot.is_some() {
            // Its transaction can't write; after a failure the next statement enters the snapshot anew.
            return Ok(());
        }
        let open = self.progress != Progress::Idle;
        self.progress = Progress::Idle;
        // A lost connection has taken its transaction with it.
        if open && self.connection.is_some() { self.statement("ROLLBACK").map(drop) } else { Ok(()) }
    }

    fn try_lock(&mut self, name: &str) -> Result<bool> {
        let hash = digest::sha256(name.as_bytes());
        let key = hash.first_chunk::<8>().map_or(0, |head| i64::from_be_bytes(*head));
        let rows = self.query("SELECT pg_catalog.pg_try_advisory_lock($1)", &[Value::Int(key)])?;
        Ok(rows.first().is_some_and(|row| row.first() == Some(&Value::Bool(true))))
    }

    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
        read::chunks(self, table, rows)
    }

    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
        read::read(self, read, on_row)
    }

    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64> {
        self.prepare()?;
        write::write(self, table, columns, rows)
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[(String, LogicalType)],
        next: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<u64> {
        self.prepare()?;
        write::load(self, table, columns, next)
    }

    /// Cancels through a connection of its own: the server takes a cancellation from the same role.
    fn interrupter(&mut self) -> Result<Interrupter> {
        let rows = self.query("SELECT pg_catalog.pg_backend_pid()::int8", &[])?;
        let Some(Value::Int(process)) = rows.first().and_then(|row| row.first()) else {
            return Err(
                Error::new(ErrorKind::Corrupt, "prepare a cancellation").context("it names no process")
            );
        };
        let ((options, timeout), place, process) = (self.reach.clone(), self.place.clone(), *process);
        Ok(Arc::new(move || {
            let mut session = PostgresSession::connect(&options, timeout, place.clone())?;
            session.query("SELECT pg_catalog.pg_cancel_backend($1::int4)", &[Value::Int(process)]).map(drop)
        }))
    }
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        // Inside somebody's runtime the socket is only closed.
        if let Some(connection) = self.connection.take()
            && tokio::runtime::Handle::try_current().is_err()
        {
            // Nobody is left to tell if the farewell fails, and the server does not depend on it.
            let _ = self.runtime.block_on(async { tokio::time::timeout(FAREWELL, connection.close()).await });
        }
    }
}

/// The keywords that a statement begins with, at most three: enough to recognise it, and never a value.
fn leading_words(sql: &str) -> String {
    let words: Vec<_> = sql
        .split_whitespace()
        .take(3)
        .take_while(|word| word.bytes().all(|b| b.is_ascii_uppercase()))
        .collect();
    if words.is_empty() { "a statement".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod unit_tests {
    use super::leading_words;

    #[test]
    fn a_statement_is_named_by_its_keywords_only() {
        assert_eq!(leading_words("CREATE TABLE \"a\" (b text)"), "CREATE TABLE");
        assert_eq!(leading_words("INSERT INTO t VALUES ('secret')"), "INSERT INTO");
        assert_eq!(leading_words("select 1"), "a statement");
    }
}
