//! What an application keeps for itself.

mod api_keys;
mod last_use;
mod sessions;
mod settings;

pub use api_keys::SqlApiKeys;
pub use sessions::SqlSessions;
pub use settings::SqlSettings;
