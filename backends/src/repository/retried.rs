//! A call that is made again when it lost against another one.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use trimaran_core::{ErrorKind, Result};

use crate::Executor;

/// How often a call is made at most, and how long it waits before the second time; twice as long before each later one.
const ATTEMPTS: usize = 12;
const FIRST_DELAY: Duration = Duration::from_millis(5);
const LONGEST_DELAY: Duration = Duration::from_millis(200);

/// Makes a call that runs in a transaction of its own, again and again while it loses against others that write the same
/// rows. Within a unit of work it is made once: the unit is lost as a whole.
///
/// # Errors
/// The last attempt's.
pub(crate) async fn retried<T, F>(executor: &Executor, mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(FIRST_DELAY)
        .with_max_delay(LONGEST_DELAY)
        .with_max_times(ATTEMPTS - 1)
        .with_jitter()
        .build();
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // Of any other failure it isn't known that nothing has taken effect.
        let lost = matches!(error.kind(), ErrorKind::Aborted | ErrorKind::Locked);
        let again = lost && matches!(executor, Executor::Connection(_));
        let Some(delay) = delays.next().filter(|_| again) else { return Err(error) };
        tokio::time::sleep(delay).await;
    }
}
