//! Results that are kept: what conversations amount to, labels, classes, figures.
//!
//! Such an answer is computed from many rows and asked for often. It is kept per tenant, in bounded memory, and given again for as long as
//! nothing was written for this tenant since:
//!
//! - **A write makes all that was kept of its tenant worthless.** Each tenant has a version, which is part of what an answer is
//!   found by and changes with every write, *after* it has taken effect and *before* its caller is told so. Whoever asks then asks for
//!   an answer that nobody has computed yet. It is the connection that notices the write, whatever handle of this process it goes
//!   through: repositories, units of work, a consumer's own entities, raw SQL.
//! - **A write of unknown outcome** (its future was dropped, the server went away) puts its tenant in doubt: nothing is kept or given for
//!   it until all that was kept before has outlived its time.
//! - **Many who ask for the same at once** wait for one computation.
//! - **Other processes** don't see these versions. What they write is seen here when the answer has outlived `cache.time_to_live`, at the latest.
//!   With Redis between them versions are common to all, and so are answers.
//!
//! Within a unit of work nothing is kept and nothing kept is given: it sees its own writes.

mod layer;
#[cfg(feature = "redis")]
mod redis;
mod results;
mod shared;
#[cfg(test)]
mod tests;
mod version;
mod watched;

pub(crate) use results::TenantResults;
pub use results::{CacheCounts, ResultCache};
pub(crate) use watched::watched;
