//! The right to use one of a pool's connections, given in the order of asking.
//!
//! It stands before the driver's pool, so that "all are in use" and "none can be made" are told apart: a pool of sqlx
//! answers both with the same time-out.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trimaran_core::config::PoolSettings;
use trimaran_core::{Error, ErrorKind, Result};

/// The most connections that a pool may be asked to have: the driver makes room for all of them at once.
const MOST: u32 = 10_000;

/// No wait is longer: the driver adds it to the present time, which must not overflow.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// As many slots as the pool may have connections.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    most: u32,
    patience: Duration,
}

/// One of them; dropped, it is free again.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    /// Those of a pool with these settings.
    ///
    /// # Errors
    /// `Configuration` for a pool of no connections, of more than 10,000, or of fewer than it shall keep.
    pub(crate) fn new(settings: &PoolSettings) -> Result<Self> {
        let most = settings.max_connections;
        let wrong = |why: String, hint: &str| {
            Err(Error::new(ErrorKind::Configuration, "make a pool of connections").context(why).hint(hint))
        };
        if !(1..=MOST).contains(&most) {
            return wrong(format!("max_connections is {most}"), "set it to 1 to 10000");
        }
        if settings.min_connections > most {
            let least = settings.min_connections;
            return wrong(
                format!("min_connections is {least}, more than max_connections, {most}"),
                "lower min_connections",
            );
        }
        let free = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(usize::MAX)));
        Ok(Self { free, most, patience: settings.acquire_timeout.min(LONGEST) })
    }

    /// Waits for a free one.
    ///
    /// # Errors
    /// `Timeout` if none is free in time, `Unavailable` after [`close`](Self::close).
    pub(crate) async fn take(&self) -> Result<Slot> {
        match tokio::time::timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(Error::new(ErrorKind::Timeout, "get a connection")
                .context(format!("all {} have been in use for {:?}", self.most, self.patience))
                .hint(
                    "raise max_connections or acquire_timeout of the store; or look for what keeps them: a transaction \
                     or stream that is open for long, or a call outside a transaction by whoever has one open",
                )),
        }
    }

    /// Gives none any more.
    pub(crate) fn close(&self) {
        self.free.close();
    }
}

/// The runtime that a pool is to live in.
///
/// # Errors
/// `Configuration` if the caller is in none.
pub(crate) fn runtime() -> Result<Handle> {
    Handle::try_current().map_err(|error| {
        Error::new(ErrorKind::Configuration, "make a pool of connections")
            .source(error)
            .hint("open it in a tokio runtime with I/O and time enabled, such as #[tokio::main] makes")
    })
}

/// What a call gets whose connection was closed by this program.
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Unavailable, "get a connection")
        .context("this program has closed the store")
        .hint("open it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(max_connections: u32, min_connections: u32) -> Result<Slots> {
        let acquire_timeout = Duration::from_millis(1);
        Slots::new(&PoolSettings {
            max_connections,
            min_connections,
            acquire_timeout,
            ..PoolSettings::default()
        })
    }

    #[test]
    fn a_pool_that_can_not_be_is_refused() {
        for (most, least) in [(0, 0), (10_001, 0), (2, 3)] {
            let error = of(most, least).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.next_step().is_some());
        }
    }

    #[test]
    fn a_pool_outside_a_runtime_is_refused() {
        assert_eq!(runtime().unwrap_err().kind(), ErrorKind::Configuration);
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_told_of_the_settings() {
        let slots = of(1, 0).unwrap();
        let taken = slots.take().await.unwrap();
        let error = slots.take().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.next_step().unwrap().contains("max_connections or acquire_timeout"));
        drop(taken);
        drop(slots.take().await.unwrap());
        slots.close();
        assert_eq!(slots.take().await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
