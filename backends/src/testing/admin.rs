//! Statements to a test server, each over a connection of its own: nothing lingers that a test didn't open.

use std::future::Future;
use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection, Row};
use trimaran_core::{Error, ErrorKind, Result};

/// How long one statement may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a future to its end on a thread of its own, so that a caller may itself be inside a runtime.
pub(super) fn block_on<T: Send>(
    operation: &str,
    future: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let unavailable =
        |why: &str| Error::new(ErrorKind::Unavailable, operation.to_owned()).context(why.to_owned());
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|e| unavailable("no runtime").source(e))?;
            runtime.block_on(async {
                tokio::time::timeout(PATIENCE, future)
                    .await
                    .unwrap_or_else(|_| Err(unavailable("no answer in time")))
            })
        });
        worker.join().unwrap_or_else(|_| Err(unavailable("the worker thread panicked")))
    })
}

/// Does something that blocks on a runtime of its own, on a thread of its own, so that a caller may itself be inside a
/// runtime.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Runs one statement: the first value of its first row, in Postgres' text form.
pub(super) fn value(url: &str, sql: &str) -> Result<Option<String>> {
    let failed = |e: sqlx::Error| {
        Error::new(ErrorKind::Unavailable, "run a statement on the test server")
            .context(sql.to_owned())
            .source(e)
    };
    block_on("run a statement on the test server", async {
        let mut connection = PgConnection::connect(url).await.map_err(failed)?;
        // The simple protocol: any statement, any number of them, every value as text.
        let row = connection.fetch_optional(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.map_err(failed)?;
        connection.close().await.map_err(failed)?;
        match row {
            Some(row) if !row.is_empty() => row.try_get_unchecked(0).map_err(failed),
            _ => Ok(None),
        }
    })
}

/// Waits until the server answers.
pub(super) fn await_ready(url: &str, limit: Duration, mut alive: impl FnMut() -> Result<()>) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        match value(url, "SELECT 1") {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => return Err(error.context("it never became ready")),
            Err(_) => alive()?,
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
