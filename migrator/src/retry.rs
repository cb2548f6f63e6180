//! What fails for a reason that passes is tried again: a lost connection, a server that starts again, a deadlock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use trimaran_backends::{Database, Retry, Session};
use trimaran_core::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::progress::Progress;

/// Codes of failures that count as passing by their kind, and don't pass while we wait: full disks, too little memory, a
/// file that can't be read. A busy SQLite file is among them because SQLite itself has waited for it, for a minute.
const LASTING: [&str; 11] = [
    "53100",
    "53200",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_NOMEM",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "IO Error",
    "Out of Memory Error",
    "FATAL Error",
    "Connection Error",
];

/// How often a thing is tried, and how long is waited between.
fn waits(retries: usize) -> Retry {
    Retry {
        attempts: retries + 1,
        first_delay: Duration::from_millis(100),
        longest_delay: Duration::from_secs(10),
    }
}

/// Tries again, and counts.
pub struct Retries<'p> {
    progress: &'p Progress,
    retries: usize,
    count: AtomicU64,
}

impl<'p> Retries<'p> {
    /// Each thing is tried up to `retries` times after its first failure.
    pub fn new(retries: usize, progress: &'p Progress) -> Self {
        Self { progress, retries, count: AtomicU64::new(0) }
    }

    /// How often something was tried again so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Does `attempt`, again where that helps; `what` is what people are told it is.
    ///
    /// # Errors
    /// The last attempt's; [`ErrorKind::Interrupted`] on request.
    pub fn run<T>(&self, what: &str, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        let mut delays = waits(self.retries).delays();
        let mut attempts = 1;
        loop {
            let error = match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if !passes(&error) || interrupt::asked() {
                return Err(error);
            }
            let Some(delay) = delays.next() else {
                return Err(if attempts > 1 {
                    error.context(format!("tried {attempts} times"))
                } else {
                    error
                });
            };
            self.count.fetch_add(1, Ordering::Relaxed);
            attempts += 1;
            self.progress.say(format!("{what}: {error}; trying again in {:.1} s", delay.as_secs_f64()));
            interrupt::pause(delay)?;
        }
    }

    /// Another session on `database`.
    ///
    /// # Errors
    /// As [`Retries::run`].
    pub fn session(&self, database: &dyn Database) -> Result<Box<dyn Session>> {
        self.run("connect", || database.session())
    }
}

/// Whether it may succeed in a while without anybody changing anything.
fn passes(error: &Error) -> bool {
    error.is_retryable() && !error.engine_code().is_some_and(|code| LASTING.contains(&code))
}

/// The lock that a run holds while it writes into `schema`.
pub fn lock_name(schema: &str) -> String {
    format!("trimaran migration into {schema}")
}

/// How long a run waits for another to end before it refuses. A process that was killed may have left a session that the
/// server has yet to notice.
const PATIENCE: Duration = Duration::from_secs(3);

/// The session that holds the lock of a run. It is the one that the journal is kept through, and where its connection is
/// lost it takes the lock again or ends the run.
pub struct RunLock {
    target: Arc<dyn Database>,
    name: String,
    session: Box<dyn Session>,
}

impl RunLock {
    /// Takes the lock of runs into `schema`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if another run holds it; else the target's, classified.
    pub fn take(target: &Arc<dyn Database>, schema: &str) -> Result<Self> {
        let name = lock_name(schema);
        let mut session = target.session()?;
        let begun = std::time::Instant::now();
        while !session.try_lock(&name)? {
            if begun.elapsed() >= PATIENCE {
                return Err(Error::new(ErrorKind::Configuration, "begin")
                    .context(format!("another migration into schema {schema} is at work"))
                    .hint("wait for it to end, or choose another --schema"));
            }
            interrupt::pause(Duration::from_millis(100))?;
        }
        Ok(Self { target: Arc::clone(target), name, session })
    }

    /// Does `work`, again where that helps: on a new session that holds the lock. `work` must find out by itself what the
    /// attempt before has done after all.
    ///
    /// # Errors
    /// As [`Retries::run`]; [`ErrorKind::Locked`] if another run has taken the lock meanwhile.
    pub fn run<T>(
        &mut self,
        retries: &Retries<'_>,
        what: &str,
        mut work: impl FnMut(&mut dyn Session) -> Result<T>,
    ) -> Result<T> {
        let mut lost = false;
        retries.run(what, || {
            if lost {
                self.renew()?;
            }
            let done = work(self.session.as_mut());
            lost = done.is_err();
            done
        })
    }

    fn renew(&mut self) -> Result<()> {
        let mut session = self.target.session()?;
        // The lock of the old session is given up first: it may be whole, and then it would be in the way.
        std::mem::swap(&mut self.session, &mut session);
        drop(session);
        if self.session.try_lock(&self.name)? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Locked, "take the lock of the run again")
            .context("another migration, or the lost connection, holds it")
            .hint("see with `migrate status` that no other run is at work, then run the same command again"))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn tried(error: impl Fn() -> Error, failures: u32) -> (Result<()>, u32, u64) {
        let progress = Progress::new(true);
        let (retries, attempts) = (Retries::new(2, &progress), Cell::new(0));
        let done = retries.run("try", || {
            attempts.set(attempts.get() + 1);
            if attempts.get() <= failures { Err(error()) } else { Ok(()) }
        });
        (done, attempts.get(), retries.count())
    }

    #[test]
    fn what_passes_is_tried_again_up_to_the_limit_and_counted() {
        let lost = || Error::new(ErrorKind::Unavailable, "ask");
        let (done, attempts, count) = tried(lost, 2);
        done.unwrap();
        assert_eq!((attempts, count), (3, 2));
        let (done, attempts, _) = tried(lost, 9);
        let error = done.unwrap_err();
        assert_eq!((error.kind(), attempts), (ErrorKind::Unavailable, 3));
        assert!(error.to_string().contains("tried 3 times"), "{error}");
    }

    #[test]
    fn what_lasts_is_not_tried_again() {
        let full = || Error::new(ErrorKind::Unavailable, "write").code("53100");
        assert_eq!(tried(full, 1).1, 1);
        let wrong = || Error::new(ErrorKind::Invalid, "write");
        assert_eq!(tried(wrong, 1).1, 1);
        let deadlock = || Error::new(ErrorKind::Aborted, "write").code("40P01");
        assert_eq!(tried(deadlock, 1).1, 2);
    }
}
