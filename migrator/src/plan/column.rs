//! What happens to a column.

use serde::{Deserialize, Serialize};
use trimaran_backends::catalog::Column;
use trimaran_core::{Engine, LogicalType};

use crate::mapping::Form;
use crate::policy::Policy;
use crate::replacement::Replacement;
use crate::undo::Undo;

/// What happens to a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPlan {
    /// Its name on the source.
    pub name: String,
    /// Its name on the target.
    pub target: String,
    /// Its type on the source, as declared there.
    pub source: String,
    /// Its type on the target.
    #[serde(rename = "type")]
    pub logical: LogicalType,
    /// How the source keeps its moments, where it has no type for them.
    #[serde(default, skip_serializing_if = "Form::is_native")]
    pub form: Form,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Its default, in the target's SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether the target counts it up, and the least next value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<i64>,
    /// The expression that the target computes it by, in its SQL; the source's values are compared with what comes of it.
    /// Without it the values move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
    /// The texts that it may hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The enum type, in the table's schema, that its labels make; without it they are a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enum_type: Option<String>,
    /// What is done with rows whose value here is a hazard.
    pub on_hazard: Policy,
    /// The normalisation of the policy `replace`, which loses something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Replacement>,
    /// What is undone of a migration before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

impl ColumnPlan {
    /// Whether its values go through the text codec.
    #[inline]
    pub fn is_escaped(&self) -> bool {
        self.on_hazard == Policy::Escape && self.logical.scalar().is_textual()
    }

    /// The source's column as it is read: a list that moves as something else as JSON, or as Postgres' own text of it.
    pub fn to_read(&self, source: Engine, column: &Column) -> Column {
        let list = |logical: &LogicalType| matches!(logical, LogicalType::List(_));
        let mut column = column.clone();
        if column.logical.as_ref().is_some_and(list) && !list(&self.logical) {
            let as_text = source == Engine::Postgres && self.logical == LogicalType::Text;
            column.logical = Some(if as_text { LogicalType::Text } else { LogicalType::Json });
        }
        column
    }

    /// The normalisation that its values with a hazard go through; with one, the column loses something.
    pub fn normalisation(&self) -> Option<Replacement> {
        self.replace.filter(|_| self.on_hazard == Policy::Replace)
    }
}
