//! Application data behind storage traits, with Postgres, SQLite and DuckDB as interchangeable engines chosen by configuration, and
//! a migrator that moves data between them and proves that nothing was lost.
//!
//! ```
//! # async fn example() -> trimaran::Result<()> {
//! use trimaran::Config;
//! use trimaran::model::NewUser;
//!
//! // Embedded, unless trimaran.toml or the environment say otherwise.
//! let stores = trimaran::open(&Config::load()?).await?;
//! let zoe = stores.identity().users.create(NewUser::named("zoë")).await?;
//! let found = stores.identity().users.find(zoe.id).await?;
//! assert_eq!(found, Some(zoe));
//! # Ok(())
//! # }
//! ```
//!
//! Which engine keeps an area is one line of `trimaran.toml`; nothing in the code changes with it. See [`config`] for every
//! setting, and `trimaran config show` for those in effect.
//!
//! # Where things are
//!
//! - [`open`], [`Opener`], [`Stores`]: from a configuration to open stores;
//! - [`model`]: what is kept, as plain structs; [`repository`]: the traits that keep it;
//! - [`Store`], [`UnitOfWork`], [`Retry`]: several calls that take effect together or not at all;
//! - [`access`]: repositories that know who is calling;
//! - [`schema`], [`Connection`], [`Executor`]: a consumer's own tables and SeaORM entities, on all three engines;
//! - [`core`] and [`backends`]: everything else.
//!
//! # Guarantees
//!
//! - Absence is `None`, an error is an error: nothing that failed looks like an empty result. [`Error::kind`] is there to
//!   branch on, [`Error::is_retryable`] to retry on, and [`Error::report`] says what to do next.
//! - Any `String` comes back as it was, on every engine: U+0000, control characters, megabytes.
//! - A unit of work in which a statement failed takes no effect, on every engine, although they differ underneath.
//! - What belongs to a tenant is reached by [`Stores::tenant`] alone.
//! - One suite of cases ([`core`]'s `conformance`) holds every engine to the same behaviour. `docs/capabilities.md` lists
//!   what is left to differ.
//!
//! # Two tables, one digest
//!
//! The migrator's proof is a digest that is equal exactly if two tables hold the same rows, in any order:
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
pub use trimaran_backends::stores::open;
pub use trimaran_backends::{
    Connection, Executor, Opener, Retry, Stores, Tenant, Transaction, connect, schema,
};
pub use trimaran_core as core;
pub use trimaran_core::config::{Area, Config};
pub use trimaran_core::repository::{ContentExt, Resources};
pub use trimaran_core::{
    Application, Capabilities, Clock, Configuration, Content, Conversation, Engine, Error, ErrorKind,
    IdSource, Identity, Location, Page, PageRequest, Result, Store, TenantId, Timestamp, UnitOfWork, access,
    config, id, model, repository, secret,
};
