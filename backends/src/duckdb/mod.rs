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
//! - `error`: DuckDB's messages, classified.
//!
//! Nothing here needs an extension other than JSON, which is checked when a file is opened; the ICU extension, which an
//! official library carries and the bundled one does not, makes no difference.

mod catalog;
mod catalog_unmovable;
pub mod connect;
mod declared;
mod decode;
pub mod dialect;
mod encode;
mod error;
mod file;
mod layout;
mod literal;
mod parameter;
mod read;
mod registry;
mod select;
mod session;
pub mod snapshot;
mod sql_text;
mod storage;
mod write;

#[cfg(test)]
mod tests;

pub use connect::DuckdbDatabase;
pub use dialect::DuckdbDialect;
