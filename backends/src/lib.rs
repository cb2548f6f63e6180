//! How each engine keeps Trimaran's data.
//!
//! Every engine is a folder with the same file names — `connect dialect error catalog read write snapshot` — and offers
//! the same three things: a [`Database`] to open, a [`Session`] to read and write
//! through, and a [`Dialect`] that spells its SQL. A reader who knows one folder knows all three;
//! adding an engine is adding one folder and one arm in [`open`](open()).
//!
//! - [`mod@open`]: from a location to a database, by scheme;
//! - [`catalog`]: what a database holds, in one vocabulary for all engines;
//! - [`bulk`]: the fast way in and out, and the small statements around it;
//! - [`dialect`]: names, types and data definition in each engine's SQL;
//! - [`schema`]: Trimaran's own tables, as migrations for all three engines;
//! - [`files`]: the content area, in a folder, in memory or on S3;
//! - [`import`]: prompts of datasets from files;
//! - [`tenant`]: whose data is where, and who reaches it;
//! - [`cache`]: results that are kept.

pub mod append;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod bind;
pub mod bulk;
pub mod cache;
#[cfg(any(feature = "sqlite", feature = "duckdb"))]
mod carrier;
pub mod catalog;
pub mod connection;
pub mod db_error;
pub mod dialect;
pub mod entity;
pub mod executor;
pub mod fetch;
pub mod files;
mod fixed;
pub mod import;
pub mod open;
pub mod repository;
pub mod schema;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod slots;
pub mod store;
pub mod stores;
pub mod tenant;
pub mod transact;
pub mod transaction;

#[cfg(feature = "duckdb")]
pub mod duckdb;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

pub use bulk::{Access, Chunk, Database, Identity, Interrupter, OpenOptions, Read, Session};
pub use catalog::Catalog;
pub use connection::{Connection, EngineConnection, EngineTransaction};
pub use dialect::Dialect;
pub use executor::Executor;
pub use fetch::Fetched;
pub use files::ContentStore;
pub use open::open;
pub use sea_orm::sea_query;
pub use store::{SqlStore, SqlUnitOfWork};
pub use stores::{Opener, Stores, Tenant, connect};
pub use transact::Retry;
pub use transaction::{Transaction, TransactionHandle};
pub use trimaran_core::{Location, location};

#[cfg(test)]
#[cfg(all(feature = "testing", feature = "sqlite", feature = "duckdb"))]
mod conformance_tests;

#[cfg(test)]
#[cfg(all(feature = "testing", feature = "postgres", feature = "sqlite", feature = "duckdb"))]
mod type_table_tests;

/// The documentation's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/add-an-engine.md")]
struct AddAnEngine;
