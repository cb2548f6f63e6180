//! Application data behind storage traits, with Postgres, SQLite and DuckDB as interchangeable engines, and a migrator
//! that moves data between them and proves that nothing was lost.
//!
//! This crate is the façade: it re-exports what the workspace's crates offer.
//!
//! - [`core`]: the logical types and how each engine keeps them, values, canonical row digests, the codec that carries
//!   hostile text, the error type;
//! - [`backends`]: the engines, each one folder with the same file names.
//!
//! Two digests are equal exactly if two tables hold the same rows, in any order:
//!
//! ```
//! use trimaran::core::{Value, digest::{self, Digest}};
//!
//! let row = [Value::Int(1), Value::text("hostile \0 text")];
//! let mut canonical = Vec::new();
//! digest::encode_row(&row, &mut canonical);
//! let mut table = Digest::default();
//! table.add(Digest::of_row(&canonical));
//! assert_ne!(table, Digest::default());
//! ```

pub use trimaran_backends as backends;
pub use trimaran_core as core;
