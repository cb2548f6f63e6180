//! Pages in the order of ids.

use trimaran_core::{Error, ErrorKind, PageRequest, Result};
use uuid::Uuid;

/// The id that the page begins after.
///
/// # Errors
/// [`ErrorKind::Invalid`] if the cursor says no id.
pub(super) fn after(page: &PageRequest) -> Result<Option<Uuid>> {
    let Some(cursor) = page.cursor() else { return Ok(None) };
    Uuid::try_parse(cursor.as_str()).map(Some).map_err(|_| {
        Error::new(ErrorKind::Invalid, "read a page")
            .context("its cursor is not one of this list")
            .hint("hand back the cursor that came with the page before, unchanged")
    })
}

/// How many rows to ask for: one more than wanted, to see whether another page follows.
pub(super) fn one_more(page: &PageRequest) -> u64 {
    u64::from(page.limit()) + 1
}
