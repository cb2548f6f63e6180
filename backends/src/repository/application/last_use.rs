//! The time of last use, which is recorded while somebody waits to be let in.

use trimaran_core::{ErrorKind, Result};

use crate::Executor;

/// What came of recording a use.
pub(super) enum Recorded {
    /// It is kept.
    Kept,
    /// The row is gone, or has been revoked since it was read.
    Gone,
    /// Another one, at this very moment, was recorded in its stead.
    Overtaken,
}

/// Judges the outcome of an update. On engines where two writers of one row don't wait for one another, the second fails: then
/// the first has recorded a use of the same moment, which is as good. Within a unit of work it is a failure all the same,
/// for the unit is lost.
pub(super) fn judge(executor: &Executor, changed: Result<u64>) -> Result<Recorded> {
    match changed {
        Ok(0) => Ok(Recorded::Gone),
        Ok(_) => Ok(Recorded::Kept),
        Err(error)
            if matches!(error.kind(), ErrorKind::Aborted | ErrorKind::Conflict)
                && matches!(executor, Executor::Connection(_)) =>
        {
            tracing::debug!(%error, "a use was not recorded: another one was");
            Ok(Recorded::Overtaken)
        }
        Err(error) => Err(error),
    }
}
