//! Ctrl-C and SIGTERM: the first asks for a clean end and has the statements under way ended, the second ends at once.
//! Either way the journal is whole.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use trimaran_backends::Interrupter;
use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;

static ASKED: AtomicBool = AtomicBool::new(false);
static NEXT: AtomicU64 = AtomicU64::new(0);
static RUNNING: Mutex<Vec<(u64, Interrupter)>> = Mutex::new(Vec::new());

/// How long a clean end may take. What is not back by then waits for a server that does not answer, and nothing is lost
/// by leaving it: a transaction that was not committed is rolled back.
const GRACE: Duration = Duration::from_millis(1_800);
/// How often statements are told to end: one that had not begun yet does not hear it.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a pause lasts before it looks whether somebody asked to stop.
const MOMENT: Duration = Duration::from_millis(50);

/// Listens for the signals, once per process.
///
/// # Errors
/// If the system refuses a handler.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        eprintln!("\nstopping; once more to stop at once (both can be resumed)");
        std::thread::spawn(end_statements);
        std::thread::spawn(end_in_time);
    })
    .map_err(|e| Error::new(ErrorKind::Unavailable, "listen for Ctrl-C").source(e))
}

fn running() -> MutexGuard<'static, Vec<(u64, Interrupter)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session whose statement ends when somebody asks to stop, for as long as this lives.
pub struct Interruptible(u64);

impl Interruptible {
    /// Has `interrupter` called, again and again, once somebody asks to stop.
    pub fn new(interrupter: Interrupter) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        running().push((id, interrupter));
        Self(id)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        running().retain(|(id, _)| *id != self.0);
    }
}

fn end_statements() {
    loop {
        let statements: Vec<Interrupter> =
            running().iter().map(|(_, interrupter)| std::sync::Arc::clone(interrupter)).collect();
        for interrupter in statements {
            if let Err(error) = interrupter() {
                tracing::debug!(%error, "a statement could not be told to end; it is told again");
            }
        }
        std::thread::sleep(AGAIN);
    }
}

fn end_in_time() {
    // Commands that work through no session of this module end by themselves, at the next safe place.
    std::thread::sleep(GRACE);
    if !running().is_empty() {
        eprintln!("stopped without waiting for the last statement; run the same command again: it continues");
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }
}

/// Whether somebody asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Ends the work here if somebody asked to stop.
///
/// # Errors
/// [`ErrorKind::Interrupted`] if so.
pub fn check() -> Result<()> {
    if asked() { Err(stopped()) } else { Ok(()) }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "go on")
        .context("stopped on request")
        .hint("run the same command again: it continues where it stopped")
}

/// What a failure means once somebody asked to stop: the statement that was ended is no fault.
pub fn explained(error: Error) -> Error {
    if asked() && error.operation() != stopped().operation() { stopped().source(error) } else { error }
}

/// Waits, and ends the waiting if somebody asks to stop.
///
/// # Errors
/// As [`check`].
pub fn pause(time: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        check()?;
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(MOMENT));
    }
}
