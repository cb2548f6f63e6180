//! The program's log, on standard error.

use tracing_subscriber::EnvFilter;
use trimaran_core::{Error, ErrorKind, Result};

/// Says what is logged, as in `info` or `trimaran_backends=debug,warn`
/// (see <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html>).
const VARIABLE: &str = "TRIMARAN_LOG";

/// Begins the log; warnings alone, unless the variable says otherwise.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a variable that says nothing of the kind.
pub(crate) fn begin() -> Result<()> {
    let wrong = || {
        Error::new(ErrorKind::Configuration, format!("read the variable {VARIABLE}"))
            .hint("set it to error, warn, info, debug or trace")
    };
    let filter = match std::env::var(VARIABLE) {
        Err(std::env::VarError::NotPresent) => EnvFilter::new("warn"),
        Err(e) => return Err(wrong().source(e)),
        Ok(text) => EnvFilter::try_new(text).map_err(|e| wrong().source(e))?,
    };
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // Where a program that has a log already calls this one's main, its log is the one.
    let _has_one = log.try_init();
    Ok(())
}
