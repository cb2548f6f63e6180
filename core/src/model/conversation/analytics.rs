//! Figures about conversations: what is counted, by what, and how often.
//!
//! Every number is exact and the same on every engine: integers are counted by the engine, and what is computed from the values of
//! scores is computed here, in one order. Figures of several tenants [merge](Figures::merge) exactly, in any order.

pub mod batch;
pub mod dimension;
pub mod distribution;
pub mod figures;
pub mod outcomes;
pub mod prompts;

pub use dimension::{Dimension, GroupKey, TimeBucket};
pub use distribution::{Distribution, ScaleFigures};
pub use figures::{Figures, FiguresRequest, Group, GroupChoice, GroupedFigures, RankedGroup, Ranking};
pub use outcomes::{GroupedOutcomes, OutcomeGroup, OutcomeRequest, Outcomes};
pub use prompts::{LongPrompt, RepeatedPrompt};

use crate::{Error, ErrorKind, Result};

/// The most groups that one call gives figures of.
pub const MOST_GROUPS: usize = 1_000;

/// The most groups that are ranked.
pub const MOST_RANKED: usize = 100_000;

/// The most prompts that are listed.
pub const MOST_PROMPTS: u32 = 100;

/// How many characters of a prompt are shown.
pub const PREVIEW_CHARS: usize = 200;

/// # Errors
/// `Invalid` unless `asked` is between 1 and `most`.
pub fn check_most(operation: &str, what: &str, asked: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&asked) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, operation)
        .context(format!("{asked} {what} were asked for"))
        .hint(format!("ask for 1 to {most}")))
}
