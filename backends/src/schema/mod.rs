//! The schema: one list of migrations for three engines, and who runs them.
//!
//! - [`migration`]: what a migration is;
//! - [`book`]: the list of them all, Trimaran's and a consumer's, in order;
//! - [`columns`]: how a logical type is declared on each engine;
//! - [`migrations`]: Trimaran's own.
//!
//! To add a migration: write a file in `migrations/` with the next number, list it in `migrations/mod.rs`, and never change
//! it after a release. What went wrong before is in `migrations/NOTES.md`.

pub mod book;
pub mod columns;
pub mod migration;
pub mod migrations;

pub use book::Book;
pub use migration::{Backfill, Migration};
