//! Ctrl-C and SIGTERM: the first asks for a clean end, the second ends at once. Either way the journal is whole.

use std::sync::atomic::{AtomicBool, Ordering};

use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens for the signals, once per process.
///
/// # Errors
/// If the system refuses a handler.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        eprintln!("\nstopping after the current batch; once more to stop at once (both can be resumed)");
    })
    .map_err(|e| Error::new(ErrorKind::Unavailable, "listen for Ctrl-C").source(e))
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
    if asked() {
        return Err(Error::new(ErrorKind::Interrupted, "go on")
            .context("stopped on request")
            .hint("run the same command again: it continues where it stopped"));
    }
    Ok(())
}
