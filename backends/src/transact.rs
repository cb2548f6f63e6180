//! A unit of work that is begun again where that helps.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::future::BoxFuture;
use trimaran_core::{Result, Store, UnitOfWork};

/// How often and how soon a unit of work is begun again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is begun at most, the first time included; at least 1.
    pub attempts: usize,
    /// How long to wait before the second attempt; twice as long before each later one, plus up to as much again at
    /// random, so that two that met don't meet again.
    pub first_delay: Duration,
    /// No wait is longer, but for its random part.
    pub longest_delay: Duration,
}

impl Default for Retry {
    /// Five attempts, 10 ms before the second, never more than a second.
    fn default() -> Self {
        Self { attempts: 5, first_delay: Duration::from_millis(10), longest_delay: Duration::from_secs(1) }
    }
}

impl Retry {
    /// Runs `work` in a unit of work of `store` and commits it; an error rolls it back. Where the error
    /// [is retryable](trimaran_core::Error::is_retryable), the work's or the commit's, all of it is done again, from a new
    /// unit: `work` must do nothing outside its unit that can't be done twice.
    ///
    /// A commit whose outcome nobody knows (the server went away meanwhile) fails with `Unavailable`, and that is not tried
    /// again: it might take effect twice.
    ///
    /// ```no_run
    /// # async fn example(store: &dyn trimaran_core::Store, user: trimaran_core::id::UserId) -> trimaran_core::Result<()> {
    /// use trimaran_backends::Retry;
    ///
    /// Retry::default()
    ///     .transact(store, |unit| {
    ///         Box::pin(async move {
    ///             unit.application()?.sessions.revoke_all(user).await?;
    ///             unit.identity()?.users.delete(user).await?;
    ///             Ok(())
    ///         })
    ///     })
    ///     .await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn transact<T: Send>(
        &self,
        store: &dyn Store,
        mut work: impl for<'u> FnMut(&'u dyn UnitOfWork) -> BoxFuture<'u, Result<T>> + Send,
    ) -> Result<T> {
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.longest_delay)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build();
        loop {
            let (error, again) = match attempt(store, &mut work).await {
                Ok(done) => return Ok(done),
                Err(Failed::Work(error)) => {
                    let again = error.is_retryable();
                    (error, again)
                }
                Err(Failed::Commit(error)) => {
                    let again = error.is_retryable() && error.kind() != trimaran_core::ErrorKind::Unavailable;
                    (error, again)
                }
            };
            let Some(delay) = delays.next().filter(|_| again) else { return Err(error) };
            tracing::debug!(%error, ?delay, "a unit of work is begun again");
            tokio::time::sleep(delay).await;
        }
    }
}

enum Failed {
    Work(trimaran_core::Error),
    Commit(trimaran_core::Error),
}

async fn attempt<T: Send>(
    store: &dyn Store,
    work: &mut (impl for<'u> FnMut(&'u dyn UnitOfWork) -> BoxFuture<'u, Result<T>> + Send),
) -> Result<T, Failed> {
    let unit = store.begin().await.map_err(Failed::Work)?;
    match work(unit.as_ref()).await {
        Ok(done) => unit.commit().await.map(|()| done).map_err(Failed::Commit),
        Err(error) => {
            if let Err(rollback) = unit.rollback().await {
                tracing::warn!(error = %rollback, "a rollback failed; the connection's end rolls back");
            }
            Err(Failed::Work(error))
        }
    }
}
