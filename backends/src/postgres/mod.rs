//! Postgres 14 and later, over the network or a local socket.
//!
//! - [`connect`]: from a URL to a proven connection;
//! - [`connection`]: the pool that SeaORM's queries run on, with `pool` (its sessions), `transaction`, and `scoped` (one
//!   tenant's view of it);
//! - `session`: one connection that blocks, its small statements (with `query_values`) and its transaction;
//! - [`dialect`]: how Postgres spells data definition, with `default_sql` and `constraint_names`;
//! - `catalog`: what a database holds, with `catalog_keys`, `catalog_sequences`, `catalog_unmovable` and
//!   `default_sql_reader`;
//! - `read` and `write`: binary COPY out and in, over the pure codecs `copy_encode`, `copy_decode` and `numeric`, which
//!   do no I/O;
//! - `append`: many rows at once within a transaction of the pool;
//! - `snapshot`: one state of the data for all sessions of a source, and what proves that state unchanged;
//! - `error`: SQLSTATEs to kinds of error, without the values that Postgres puts into its messages.
//!
//! The driver is `sqlx`.

pub mod connect;
pub mod connection;
pub mod dialect;

mod append;
mod catalog;
mod catalog_keys;
mod catalog_sequences;
mod catalog_unmovable;
mod constraint_names;
pub(crate) mod copy_decode;
pub(crate) mod copy_encode;
mod default_sql;
mod default_sql_reader;
pub(crate) mod error;
mod idle;
mod numeric;
mod parts;
mod pool;
mod query_values;
mod read;
mod scoped;
mod session;
mod snapshot;
mod transaction;
mod types;
mod write;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

pub use connect::PostgresDatabase;
pub use connection::PostgresConnection;
pub use dialect::PostgresDialect;
pub use transaction::PostgresTransaction;
