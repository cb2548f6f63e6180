//! Calls that are made again because others were before them.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use trimaran_core::{Error, ErrorKind, Result};

use crate::Executor;

/// How often a call is made at most. Of many that write the same row on DuckDB one at a time succeeds.
const ATTEMPTS: usize = 60;

/// How long to wait before the second attempt; twice as long before each later one, plus up to as much again at random.
const FIRST_DELAY: Duration = Duration::from_millis(1);

/// No wait is longer, but for its random part.
const LONGEST_DELAY: Duration = Duration::from_millis(50);

/// How often a taken key is asked for again. Whoever took it may have done the same (then the next attempt sees it), or DuckDB
/// may have found two that made the same row only at the commit; a key that is taken for good is so the next time, too.
const CONFLICTS: usize = 2;

/// Makes a call that commits by itself, again where another one was before it. Within a unit of work it is made once: the
/// unit is doomed, and whoever began it begins again.
///
/// # Errors
/// The last attempt's. One whose outcome nobody knows (`Unavailable`) is the last: it might take effect twice.
pub(super) async fn repeat<T, F>(executor: &Executor, mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    if matches!(executor, Executor::Transaction(_)) {
        return attempt().await;
    }
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LONGEST_DELAY)
        .with_max_times(ATTEMPTS - 1)
        .with_jitter()
        .build();
    let mut conflicts = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        conflicts += usize::from(error.kind() == ErrorKind::Conflict);
        let Some(delay) = delays.next().filter(|_| is_worth_another(&error, conflicts)) else {
            return Err(error);
        };
        tracing::debug!(%error, ?delay, "a call is made again");
        tokio::time::sleep(delay).await;
    }
}

fn is_worth_another(error: &Error, conflicts: usize) -> bool {
    match error.kind() {
        ErrorKind::Aborted | ErrorKind::Locked => true,
        ErrorKind::Conflict => conflicts <= CONFLICTS,
        _ => false,
    }
}
