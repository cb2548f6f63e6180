//! The five areas of an application's data.

use std::fmt;

/// A part of the application's data that is kept in one place.
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

    /// Those that a database keeps.
    pub const SQL: [Area; 4] = [Area::Identity, Area::Application, Area::Configuration, Area::Conversation];

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

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
