//! Settings: what they are, where they come from, what is wrong with them.

pub mod pool;

pub use pool::PoolSettings;

/// The five areas of an application's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Users, roles, permissions, groups, assignments.
    Identity,
    /// API keys, sessions, settings; the catalogue of tenants.
    Application,
    /// Components and datasets, per tenant.
    Configuration,
    /// Prompt pieces, scores, results, per tenant.
    Conversation,
    /// Files.
    Content,
}

impl Area {
    /// All of them, in the documentation's order.
    pub const ALL: [Area; 5] =
        [Area::Identity, Area::Application, Area::Configuration, Area::Conversation, Area::Content];

    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Area::Identity => "identity",
            Area::Application => "application",
            Area::Configuration => "configuration",
            Area::Conversation => "conversation",
            Area::Content => "content",
        }
    }

    /// Whether its rows belong to tenants: on SQLite and DuckDB each tenant has a file of its own, on Postgres row-level
    /// security keeps them apart.
    pub const fn is_per_tenant(self) -> bool {
        matches!(self, Area::Configuration | Area::Conversation)
    }
}
