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
    /// How long to wait before each attempt after the first; it ends with the attempts.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::default()
            .with_min_delay(self.first_delay)
            .with_max_delay(self.longest_delay)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }

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
        let mut delays = self.delays();
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

#[cfg(test)]
#[cfg(all(feature = "testing", feature = "sqlite"))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use trimaran_core::conformance::Fixture as _;
    use trimaran_core::model::NewUser;
    use trimaran_core::{Error, ErrorKind, Location};

    use super::*;
    use crate::testing::StoreFixture;

    const QUICK: Retry =
        Retry { attempts: 3, first_delay: Duration::from_millis(1), longest_delay: Duration::from_millis(2) };

    async fn fixture() -> StoreFixture {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::file(trimaran_core::Engine::Sqlite, folder.path().join("a.db"));
        let connection = crate::connect(&location, &Default::default(), 0).await.unwrap();
        StoreFixture::plain(connection, folder).await.unwrap()
    }

    /// Creates a user, and fails with `kind` in the first `failures` attempts: the outcome, and how many were made.
    async fn run(store: &dyn Store, kind: ErrorKind, failures: usize) -> (Result<()>, usize) {
        let attempts = AtomicUsize::new(0);
        let done = QUICK
            .transact(store, |unit| {
                let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move {
                    unit.identity()?.users.create(NewUser::named("zoë")).await?;
                    if attempt < failures { Err(Error::new(kind, "lose")) } else { Ok(()) }
                })
            })
            .await;
        (done, attempts.into_inner())
    }

    #[tokio::test]
    async fn what_lost_is_done_again_from_the_start_and_takes_effect_once() {
        let fixture = fixture().await;
        let (done, attempts) = run(fixture.store().as_ref(), ErrorKind::Aborted, 2).await;
        done.unwrap();
        assert_eq!(attempts, 3);
        assert!(fixture.store().identity().unwrap().users.find_by_name("zoë").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn after_the_last_attempt_the_error_is_the_caller_s_and_nothing_has_taken_effect() {
        let fixture = fixture().await;
        let (done, attempts) = run(fixture.store().as_ref(), ErrorKind::Locked, usize::MAX).await;
        assert_eq!((done.unwrap_err().kind(), attempts), (ErrorKind::Locked, 3));
        assert!(fixture.store().identity().unwrap().users.find_by_name("zoë").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_would_fail_again_is_not_tried_again() {
        let fixture = fixture().await;
        let (done, attempts) = run(fixture.store().as_ref(), ErrorKind::Invalid, 1).await;
        assert_eq!((done.unwrap_err().kind(), attempts), (ErrorKind::Invalid, 1));
    }

    #[tokio::test]
    async fn a_doomed_unit_fails_although_its_work_went_on() {
        let fixture = fixture().await;
        let store = fixture.store();
        let done = QUICK
            .transact(store.as_ref(), |unit| {
                Box::pin(async move {
                    let users = unit.identity()?.users;
                    users.create(NewUser::named("zoë")).await?;
                    // The second of the same name fails; whoever looks away is told at the commit.
                    assert!(users.create(NewUser::named("zoë")).await.is_err());
                    Ok(())
                })
            })
            .await;
        assert_eq!(done.unwrap_err().kind(), ErrorKind::Aborted);
        assert!(store.identity().unwrap().users.find_by_name("zoë").await.unwrap().is_none());
    }
}
