//! What a plan says in the target's own SQL: views, and indexes that are more than columns.

use serde::{Deserialize, Serialize};
use trimaran_backends::catalog::TableName;

/// A view, as the operator is offered it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewPlan {
    /// Its name on the source, as people write it.
    pub name: String,
    /// The statement that made it there.
    pub source: String,
    /// The statement that makes it on the target: the same, until somebody edits it.
    pub sql: String,
    /// Whether it is run, once all tables are complete.
    #[serde(default)]
    pub create: bool,
}

/// An index on expressions, by a collation or of some rows, in Postgres's SQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSqlPlan {
    /// Its name on the target.
    pub name: String,
    /// The statement that made it on the source.
    pub source: String,
    /// Whether it is unique.
    pub unique: bool,
    /// What it is on, in the target's SQL.
    pub on: Vec<String>,
    /// Which rows it has, in the target's SQL.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl IndexSqlPlan {
    /// The statement that makes it. `table` and `name` are in quotes already.
    pub fn statement(&self, name: &str, table: &str) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let condition =
            self.condition.as_ref().map_or_else(String::new, |condition| format!(" WHERE {condition}"));
        format!("CREATE {unique}INDEX {name} ON {table} ({}){condition}", self.on.join(", "))
    }
}

/// A CHECK constraint whose condition means the same on Postgres, in its SQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPlan {
    /// Its name on the target; the target chooses one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The statement that would add it on the source.
    pub source: String,
    /// Its condition, in parentheses and the target's SQL.
    pub sql: String,
}

impl CheckPlan {
    /// The statement that adds it. `table` and `name` are in quotes already.
    pub fn statement(&self, name: Option<&str>, table: &str) -> String {
        let name = name.map_or_else(String::new, |name| format!("CONSTRAINT {name} "));
        format!("ALTER TABLE {table} ADD {name}CHECK {}", self.sql)
    }
}

/// An enum type that columns of the plan have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnumPlan {
    /// Its name on the target.
    pub name: TableName,
    /// Its labels, in order.
    pub labels: Vec<String>,
}
