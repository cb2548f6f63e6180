//! Settings: what they are, where each came from, and what is wrong with them.
//!
//! Layers, each over the ones before: defaults, `trimaran.toml`, its `[profile.NAME]`, environment variables
//! (`TRIMARAN_STORES__IDENTITY__URL`), code. With none of them everything is embedded: SQLite, DuckDB and a folder in
//! `./trimaran-data`.
//!
//! ```toml
//! [stores.identity]
//! url = "postgres://app@db.example.org/app"
//! password_file = "/run/secrets/app-password"
//! owner_url = "postgres://owner@db.example.org/app"    # runs migrations
//! owner_password_file = "/run/secrets/owner-password"
//! max_connections = 20
//!
//! [stores.conversation]
//! url = "duckdb:///var/lib/app/tenants"                # a folder: each tenant has a file of its own
//!
//! [tenants]
//! key_file = "/run/secrets/tenant-key"
//!
//! [tenants.places.eu]
//! url = "duckdb:///mnt/eu/tenants"                     # some tenants' data is here instead
//!
//! [profile.test.stores.identity]
//! url = "sqlite:test.db"
//! ```
//!
//! A key that means nothing is refused, with the one that was probably meant. Every error names the file or variable
//! that the value came from, and none shows a secret.

mod area;
pub mod cache;
pub mod content;
mod environment;
mod fault;
mod layer;
mod loader;
pub mod places;
pub mod pool;
mod reference;
pub mod settings;
mod shown;
#[cfg(test)]
mod tests;
pub mod units;

pub use area::Area;
pub use cache::CacheSettings;
pub use content::{ContentPlace, ContentSettings, S3Credentials, S3Settings};
pub use loader::{Builder, Config};
pub use pool::PoolSettings;
pub use reference::{KEYS, KeyDoc, Kind, markdown};
pub use settings::{Placement, SecretSettings, Settings, StoreSettings, TenantSettings};
pub use shown::Shown;
