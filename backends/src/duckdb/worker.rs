//! A session's thread. It owns the session's connection and its prepared statements, and runs one job after the other, so that
//! no thread of the async runtime ever waits inside DuckDB.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use duckdb::Connection;
use tokio::sync::{oneshot, watch};
use trimaran_core::{Error, ErrorKind, Result};

use super::DuckdbDatabase;
use super::cancel::{Running, Ticket, Waiting};
use super::pool::{Lease, Pool};

/// How many prepared statements a session keeps. An application has some dozens of statements that it runs all the time.
const STATEMENTS: usize = 64;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The handle on a session's thread. Dropped, the thread ends after the jobs it has been given.
#[derive(Clone)]
pub(super) struct Worker {
    pub(super) id: u64,
    jobs: mpsc::Sender<Job>,
    running: Arc<Running>,
    dead: Arc<AtomicBool>,
    pub(super) born: Instant,
}

/// What a session's thread needs to begin.
pub(super) struct Birth {
    pub(super) id: u64,
    pub(super) database: DuckdbDatabase,
    /// Whom to ask before it ends for having been idle.
    pub(super) pool: Weak<Pool>,
    pub(super) idle_timeout: Option<Duration>,
    /// Dropped when the thread has let go of the file.
    pub(super) alive: watch::Receiver<()>,
}

impl Worker {
    /// Opens a session on a thread of its own.
    ///
    /// # Errors
    /// `Unavailable` if the system has no thread for it or DuckDB no connection.
    pub(super) async fn open(birth: Birth) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let (ready, opened) = oneshot::channel();
        let dead = Arc::new(AtomicBool::new(false));
        let (id, ending) = (birth.id, Arc::clone(&dead));
        thread::Builder::new()
            .name(format!("duckdb-{id}"))
            .spawn(move || live(birth, queue, ready, &ending))
            .map_err(|e| no_thread(e, "open a DuckDB session"))?;
        let running = opened.await.map_err(|_| gone("open a DuckDB session"))??;
        Ok(Self { id, jobs, running, dead, born: Instant::now() })
    }

    /// Whether the thread has ended because a job panicked.
    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Gives the thread `work` to do. A `lease` that comes with it is given back when the work is done. What `work` returns
    /// is dropped if nobody waits for it any more.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        lease: Option<Lease>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Pending<T> {
        let ticket = Arc::new(Ticket::default());
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting::new(Arc::clone(&self.running), Arc::clone(&ticket));
        let running = Arc::clone(&self.running);
        let job: Job = Box::new(move |connection| {
            let result = if running.begin(&ticket) {
                let result = work(connection);
                running.end();
                result
            } else {
                Err(Error::new(ErrorKind::Interrupted, "run a DuckDB statement"))
            };
            // Before the answer: whoever gets it finds the session free.
            drop(lease);
            drop(reply.send(result));
        });
        // A thread that has ended drops the job, and with it the sender of the answer.
        drop(self.jobs.send(job));
        Pending { answer, waiting }
    }
}

/// Work under way.
pub(super) struct Pending<T> {
    answer: oneshot::Receiver<Result<T>>,
    waiting: Waiting,
}

impl<T> Pending<T> {
    /// Waits for the work to be done. Dropping this future interrupts it.
    ///
    /// # Errors
    /// What the work returned; `Unavailable` if its thread has died.
    pub(super) async fn done(self) -> Result<T> {
        let answer = self.answer.await;
        drop(self.waiting);
        answer.map_err(|_| gone("run a DuckDB statement"))?
    }

    /// Takes the two apart: dropping [`Waiting`] interrupts the work.
    pub(super) fn into_waiting(self) -> Waiting {
        self.waiting
    }

    /// Waits for work that must not be interrupted once it has begun, such as a commit: dropping this future lets it go on.
    ///
    /// # Errors
    /// As for [`Self::done`].
    pub(super) async fn done_for_certain(self) -> Result<T> {
        let Self { answer, waiting } = self;
        waiting.let_go();
        answer.await.map_err(|_| gone("end a DuckDB transaction"))?
    }
}

fn live(birth: Birth, queue: Receiver<Job>, ready: oneshot::Sender<Result<Arc<Running>>>, dead: &AtomicBool) {
    let Birth { id, database, pool, idle_timeout, alive } = birth;
    let connection = match database.connection() {
        Ok(connection) => connection,
        Err(error) => {
            drop(database);
            drop(alive);
            drop(ready.send(Err(error)));
            return;
        }
    };
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let running = Arc::new(Running::new(connection.interrupt_handle()));
    if ready.send(Ok(Arc::clone(&running))).is_ok() {
        while let Some(job) = next(&queue, idle_timeout, &pool, id) {
            if catch_unwind(AssertUnwindSafe(|| job(&connection))).is_err() {
                dead.store(true, Ordering::SeqCst);
                running.end();
                tracing::error!(session = id, "a job of a DuckDB session panicked; the session is closed");
                break;
            }
        }
    }
    // Jobs that nobody will run may hold leases; these go before the connection does.
    drop(queue);
    // The connection closes before the file is let go, and the pool hears of it last.
    drop(connection);
    drop(database);
    drop(alive);
}

/// The next job; `None` when there will be none.
fn next(queue: &Receiver<Job>, idle_timeout: Option<Duration>, pool: &Weak<Pool>, id: u64) -> Option<Job> {
    loop {
        let Some(timeout) = idle_timeout else { return queue.recv().ok() };
        match queue.recv_timeout(timeout) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                if pool.upgrade().is_none_or(|pool| pool.retire(id)) {
                    return None;
                }
            }
        }
    }
}

/// Runs `work` on a thread of its own.
///
/// # Errors
/// What `work` returns; `Unavailable` if there is no thread for it.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    thread::Builder::new()
        .name("duckdb-open".to_owned())
        .spawn(move || drop(reply.send(work())))
        .map_err(|e| no_thread(e, operation))?;
    answer.await.map_err(|_| gone(operation))?
}

fn no_thread(error: std::io::Error, operation: &str) -> Error {
    Error::new(ErrorKind::Unavailable, operation)
        .context("the system gave no thread for it")
        .hint("allow this process more threads, or lower max_connections")
        .source(error)
}

fn gone(operation: &str) -> Error {
    Error::new(ErrorKind::Unavailable, operation)
        .context("the session's thread has ended")
        .hint("the log says why; the next call gets another session")
}
