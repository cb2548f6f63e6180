//! What the operator chose on the command line; a plan has all of it by column.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// What the operator chose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// Patterns of the tables that move; none means all.
    pub tables: Vec<String>,
    /// Patterns of the tables that don't.
    pub exclude: Vec<String>,
    /// The target's schema.
    pub schema: Option<String>,
    /// What is done with hazards.
    pub on_hazard: Policy,
    /// What becomes of ENUM columns.
    #[serde(default)]
    pub enums: Enums,
    /// What becomes of lists of lists.
    #[serde(default)]
    pub nested: Nested,
}

/// What becomes of ENUM columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Enums {
    /// Text under a check that names the labels.
    #[default]
    Check,
    /// An enum type of Postgres.
    Type,
    /// Text, which may be any.
    Text,
}

/// What becomes of lists of lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Nested {
    /// JSON.
    #[default]
    Json,
    /// Arrays of several dimensions; a value whose lists differ in length is a hazard.
    Arrays,
}

impl fmt::Display for Enums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Enums::Check => "check",
            Enums::Type => "type",
            Enums::Text => "text",
        })
    }
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Nested::Json => "json",
            Nested::Arrays => "arrays",
        })
    }
}
