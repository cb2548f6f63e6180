//! What an application keeps for itself.

use std::sync::Arc;
use std::time::Duration;

pub mod api_keys;
pub mod sessions;
pub mod settings;

pub use api_keys::ApiKeys;
pub use sessions::{Sessions, SessionsExt};
pub use settings::{Settings, SettingsExt};

/// Uses of an API key or a session that are no further apart than this leave one trace, that of the first: a client that
/// calls a thousand times a second must not write a thousand times a second.
pub const LAST_USE_GRANULARITY: Duration = Duration::from_secs(60);

/// The repositories of the area, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Application {
    /// API keys.
    pub api_keys: Arc<dyn ApiKeys>,
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Settings.
    pub settings: Arc<dyn Settings>,
}
