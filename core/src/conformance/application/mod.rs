//! API keys, sessions, settings.

pub mod api_keys;
pub mod sessions;
pub mod settings;
