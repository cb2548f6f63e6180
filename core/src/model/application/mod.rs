//! What an application keeps for itself: API keys, sessions, settings.

pub mod api_key;
pub mod session;
pub mod setting;

pub use api_key::{ApiKey, IssuedApiKey, NewApiKey};
pub use session::{IssuedSession, NewSession, Session};
pub use setting::Setting;
