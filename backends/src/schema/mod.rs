//! The schema: one list of migrations for three engines, and who runs them.
//!
//! - [`migration`]: what a migration is;
//! - [`book`]: the list of them all, Trimaran's and a consumer's, in order;
//! - [`columns`]: how a logical type is declared on each engine;
//! - [`migrations`]: Trimaran's own;
//! - [`runner`]: applies them and undoes them;
//! - [`status`]: where a store stands, and whether this build may use it;
//! - [`bookkeeping`]: what a store remembers of its migrations;
//! - `row_security`: keeps tenants apart on Postgres, with `grants` and `signed`; `walk`: whether it does.
//!
//! To add a migration: write a file in `migrations/` with the next number, list it in `migrations/mod.rs`, and never change
//! it after a release. What went wrong before is in `migrations/NOTES.md`.

pub mod book;
pub mod bookkeeping;
pub mod columns;
#[cfg(feature = "postgres")]
mod grants;
mod lock;
pub mod migration;
pub mod migrations;
#[cfg(feature = "postgres")]
pub mod row_security;
pub mod runner;
#[cfg(feature = "postgres")]
pub(crate) mod signed;
pub mod status;
#[cfg(test)]
mod tests;
#[cfg(feature = "postgres")]
pub mod walk;

pub use book::Book;
pub use migration::{Backfill, Migration};
pub use runner::{Loss, Runner};
pub use status::{Applied, Standing, Status};
