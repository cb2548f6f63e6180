//! What objects are for.

use std::fmt;

/// What an object is for. Names are unique within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Namespace {
    /// Configuration files. Their earlier versions are kept.
    Configuration,
    /// Datasets, as they were brought or are to be taken.
    Datasets,
    /// Templates that prompts are made from.
    Templates,
    /// Reports.
    Reports,
}

impl Namespace {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Namespace; 4] =
        [Namespace::Configuration, Namespace::Datasets, Namespace::Templates, Namespace::Reports];

    /// The name in keys and URIs.
    pub const fn name(self) -> &'static str {
        match self {
            Namespace::Configuration => "configuration",
            Namespace::Datasets => "datasets",
            Namespace::Templates => "templates",
            Namespace::Reports => "reports",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|namespace| namespace.name() == name)
    }

    /// Whether earlier versions of its objects are kept.
    pub const fn keeps_versions(self) -> bool {
        matches!(self, Namespace::Configuration)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
