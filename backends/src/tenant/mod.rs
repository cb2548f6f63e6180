//! Tenants: whose data it is, and where it is kept.
//!
//! The catalogue, in the application store, says which user's data is where. On Postgres all tenants' rows are in the same
//! tables, and row-level security keeps them apart; on SQLite and DuckDB each tenant has a file of its own, which no
//! look at the folder connects with a user: its name is HMAC-SHA-256 of the user's name under a secret key. Inside the file it
//! says whose it is, so that a file that was swapped for another is noticed.
//!
//! - [`catalogue`]: from a user to a tenant, and `changes`: what an operation does to that;
//! - [`administration`]: renaming, other keys, deletion, each in steps ([`operation`]) that are finished after a crash;
//! - [`naming`]: from a user's name to a file's;
//! - [`stores`]: from a tenant to a connection; with `files`, which are `private`, and [`moving`]; and `rows` on a server;
//! - [`signing`]: what proves to a server whose transaction it is;
//! - [`mark`]: whose a file is.

pub mod administration;
pub mod catalogue;
mod changes;
pub mod entity;
mod files;
pub mod mark;
pub mod moving;
pub mod naming;
pub mod operation;
mod private;
#[cfg(feature = "postgres")]
mod rows;
pub mod signing;
pub mod stores;
#[cfg(test)]
#[cfg(all(feature = "sqlite", feature = "duckdb"))]
mod tests;

pub use administration::TenantAdministration;
pub use catalogue::{TenantCatalogue, TenantRecord};
pub use moving::FileReport;
pub use naming::NamingKey;
pub use operation::{Observer, Operation, OperationKind, Step};
pub use stores::{FileSettings, StoreReport, TenantStores};
