//! Interrupting a statement whose caller has gone, and only it.
//!
//! DuckDB's interrupt is a flag of the connection, which each call into DuckDB clears as it begins. So an interrupt could hit
//! the next statement, or be cleared before the one it is meant for has started. Both are excluded here: a flag is
//! raised only while the statement it is meant for is the one running, and is raised again until that one has ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use duckdb::InterruptHandle;

use super::registry::lock;

/// One statement on its way: given up once nobody waits for it.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    given_up: AtomicBool,
}

/// Which statement a session is running.
pub(super) struct Running {
    handle: Arc<InterruptHandle>,
    current: Mutex<Option<Arc<Ticket>>>,
}

impl Running {
    pub(super) fn new(handle: Arc<InterruptHandle>) -> Self {
        Self { handle, current: Mutex::new(None) }
    }

    /// Called by the session before it runs a statement: whether anybody still waits for it.
    pub(super) fn begin(&self, ticket: &Arc<Ticket>) -> bool {
        let mut current = lock(&self.current);
        if ticket.given_up.load(Ordering::SeqCst) {
            return false;
        }
        *current = Some(Arc::clone(ticket));
        true
    }

    /// Called by the session after the statement; no interrupt meant for it is raised from now on.
    pub(super) fn end(&self) {
        *lock(&self.current) = None;
    }

    /// Gives a statement up: whether it was running and has been interrupted.
    fn give_up(&self, ticket: &Arc<Ticket>) -> bool {
        ticket.given_up.store(true, Ordering::SeqCst);
        let current = lock(&self.current);
        let running = current.as_ref().is_some_and(|running| Arc::ptr_eq(running, ticket));
        if running {
            self.handle.interrupt();
        }
        running
    }
}

/// Held by whoever waits for a statement. Dropped, it gives the statement up; after its end that does nothing.
pub(super) struct Waiting {
    running: Arc<Running>,
    ticket: Arc<Ticket>,
    /// Whether the statement is to end when this is dropped.
    wanted: bool,
}

impl Waiting {
    pub(super) fn new(running: Arc<Running>, ticket: Arc<Ticket>) -> Self {
        Self { running, ticket, wanted: true }
    }

    /// Goes, and lets the statement run to its end.
    pub(super) fn let_go(mut self) {
        self.wanted = false;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.wanted || !self.running.give_up(&self.ticket) {
            return;
        }
        // The flag may have been cleared by the very call it was meant for, so it is raised again until that has ended.
        let (running, ticket) = (Arc::clone(&self.running), Arc::clone(&self.ticket));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut pause = Duration::from_millis(5);
                loop {
                    tokio::time::sleep(pause).await;
                    if !running.give_up(&ticket) {
                        return;
                    }
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
            });
        }
    }
}
