//! What one tenant tries on another: nothing of the other's comes back, and nothing of it changes.

pub mod attempts;
mod belongings;
mod given;
pub mod sql;

use std::fmt::Debug;

use crate::Result;
pub(super) use belongings::MARK;

/// What has made careless programs run what was meant as text.
pub(super) const INJECTIONS: &[&str] = &[
    "' OR '1'='1",
    "') OR 1=1 --",
    "'; DELETE FROM prompt_piece; --",
    "'; SET trimaran.tenant = '00000000-0000-0000-0000-000000000002'; SELECT * FROM prompt_piece; --",
    "' UNION SELECT * FROM prompt_piece --",
    "\" OR \"\"=\"",
    "\\'; UPDATE score SET rationale = 'x'; --",
    "$1) OR true --",
    "%",
    "_",
];

/// Asserts that the outcome shows nothing of the other tenant's.
#[track_caller]
pub(super) fn brings_nothing<T: Debug>(call: &str, outcome: &Result<T>) {
    let shown = match outcome {
        Ok(found) => format!("{found:?}"),
        Err(error) => error.report(),
    };
    assert!(!shown.contains(MARK), "{call} gave something of the other tenant's: {shown}");
}
