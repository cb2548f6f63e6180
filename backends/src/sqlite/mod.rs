//! SQLite: one file, read from one snapshot without leaving a trace, or written by one writer.
//!
//! - [`connect`]: opens a file as a source or as a target;
//! - [`connection`]: the pool that SeaORM's queries run on, with `pool` and `pooled` (its sessions), `transaction`, `append` (many
//!   rows at once), `statement` (what may write), and `reader`, `writer` and `cells` (past SeaORM's driver);
//! - `snapshot`, with `private_copy`: how a source is read without writing anything, and why all its sessions see the
//!   same;
//! - `file`: what is known of a file before SQLite touches it, and what tells one state of it from another;
//! - [`session`]: one connection, with `read` (chunks of rows), `write` (canonical rows) and `lock`;
//! - `catalog`, with `keys`, `defaults` and `ddl`: what the file holds;
//! - [`types`]: what a declared type means; [`storage`], with [`list`]: how each logical type is kept;
//! - [`dialect`]: its SQL; `error`: its result codes.

pub mod connect;
pub mod connection;
pub mod dialect;
pub mod list;
pub mod session;
pub mod storage;
pub mod types;

mod alone;
mod append;
mod at_once;
mod catalog;
mod cells;
mod ddl;
mod defaults;
pub(crate) mod error;
mod file;
mod keys;
mod lock;
mod pool;
mod pooled;
mod private_copy;
mod read;
mod reader;
mod snapshot;
mod statement;
mod transaction;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use alone::Alone;
pub use connect::SqliteDatabase;
pub use connection::SqliteConnection;
pub use dialect::SqliteDialect;
pub use transaction::SqliteTransaction;
