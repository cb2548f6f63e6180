//! DuckDB files, through the `duckdb` crate (DuckDB 2.0).
//!
//! - [`connect`]: opening a file, and the rules it is opened under;
//! - [`snapshot`]: why a file opened for reading is one unchanging state;
//! - [`dialect`]: DuckDB's SQL;
//! - `file`, `registry`: what a file is before DuckDB touches it, and the one handle per file in this process;
//! - `session`, `parameter`: statements and transactions;
//! - `catalog`, `declared`, `sql_text`: what a file holds, from DuckDB's own tables of it;
//! - `read`, `select`, `decode`, `literal`, `storage`, `layout`: chunks, Arrow batches, and the plan that bounds their memory;
//! - `write`, `encode`: rows in through Arrow batches and the Appender;
//! - [`files`]: many files, few of them open at a time;
//! - [`connection`], `transaction`, `rows`: DuckDB under SeaORM; `pool`, `worker`, `cancel`: its sessions, each on a thread of its
//!   own; `run`, `bind`, `column`, `row`: one statement, its parameters and its rows; `sql`, `unsupported`: what of Postgres'
//!   SQL must be known or explained;
//! - `append`: many rows at once under SeaORM;
//! - `memory`: how much of it a source has;
//! - `error`: DuckDB's messages, classified.
//!
//! Nothing here needs an extension other than JSON, which is checked when a file is opened; the ICU extension, which an
//! official library carries and the bundled one does not, makes no difference.

mod append;
mod bind;
mod cancel;
mod catalog;
mod catalog_unmovable;
mod column;
pub mod connect;
pub mod connection;
mod declared;
mod decode;
pub mod dialect;
mod encode;
mod error;
mod file;
pub mod files;
mod layout;
mod literal;
mod memory;
mod nested;
mod parameter;
mod pool;
mod read;
mod registry;
mod row;
mod rows;
mod run;
mod select;
mod session;
pub mod snapshot;
mod sql;
mod sql_text;
mod storage;
mod transaction;
mod unsupported;
mod worker;
mod write;

#[cfg(test)]
mod tests;

pub use connect::DuckdbDatabase;
pub use connection::DuckdbConnection;
pub use dialect::DuckdbDialect;
pub use files::DuckdbFiles;
pub use transaction::DuckdbTransaction;
