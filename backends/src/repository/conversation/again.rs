//! Calls that lost against another one, made again.

use backon::{BackoffBuilder as _, ExponentialBuilder};
use trimaran_core::{ErrorKind, Result};

use crate::{Executor, Retry};

/// Runs `call`, a whole transaction, and runs it again where it lost against another one: as often and as soon as
/// [`Retry::default`] says. Within a unit of work it runs once: who has the unit begins it again.
///
/// `Conflict` counts as lost, too: engines that find a taken key late say so where a second look finds the other's row. One that
/// is no race comes out after the last attempt.
///
/// # Errors
/// The last attempt's. An outcome that nobody knows (`Unavailable`) is not tried again.
pub(super) async fn where_lost<T, F>(executor: &Executor, mut call: impl FnMut() -> F + Send) -> Result<T>
where
    T: Send,
    F: Future<Output = Result<T>> + Send,
{
    if matches!(executor, Executor::Transaction(_)) {
        return call().await;
    }
    let retry = Retry::default();
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(retry.first_delay)
        .with_max_delay(retry.longest_delay)
        .with_max_times(retry.attempts.saturating_sub(1))
        .with_jitter()
        .build();
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let lost = matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Aborted | ErrorKind::Locked);
        let Some(delay) = delays.next().filter(|_| lost) else { return Err(error) };
        tracing::debug!(%error, ?delay, "a call that lost against another one is made again");
        tokio::time::sleep(delay).await;
    }
}
