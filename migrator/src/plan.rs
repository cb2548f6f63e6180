//! The plan: what will happen to each table and column, readable, editable and checked before use.

use serde::{Deserialize, Serialize};
use trimaran_backends::catalog::{
    Catalog, ForeignKey, Identity, Index, IndexColumn, Key, ReferentialAction, Sequence, TableName, Unmovable,
};
use trimaran_backends::dialect::{ColumnDefinition, Labels, TableDefinition};
use trimaran_core::{Engine, digest};

mod column;
mod generated;
mod objects;
mod policies;
mod text;

pub use column::ColumnPlan;
pub use objects::{CheckPlan, EnumPlan, IndexSqlPlan, ViewPlan};

/// The version of the plan's format.
const VERSION: u32 = 1;

/// The whole plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of this format.
    pub version: u32,
    /// SHA-256 of the source's schema: a plan for another schema is refused.
    pub fingerprint: String,
    /// The engine it moves from.
    pub source: Engine,
    /// The engine it moves to.
    pub target: Engine,
    /// The schema on the target that the source's default schema goes to, and where the journal is kept.
    pub schema: String,
    /// What it will roughly take.
    pub estimate: Estimate,
    /// Sequences that move.
    #[serde(default, rename = "sequence", skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<SequencePlan>,
    /// Tables, in the order in which they are created.
    #[serde(default, rename = "table")]
    pub tables: Vec<TablePlan>,
    /// Views, offered in the source's SQL; they are made on the target where `create` says so.
    #[serde(default, rename = "view", skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<ViewPlan>,
    /// What does not move, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_moved: Vec<Unmovable>,
}

/// What a migration will roughly take.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// Rows.
    pub rows: u64,
    /// Bytes of the source.
    pub bytes: u64,
    /// Seconds, at a rate typical of one small machine.
    pub seconds: u64,
}

/// What happens to a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePlan {
    /// Its schema on the source.
    pub schema: String,
    /// Its name on the source.
    pub name: String,
    /// Its schema on the target.
    pub target_schema: String,
    /// Its name on the target.
    pub target: String,
    /// Rows when the plan was made.
    pub rows: u64,
    /// Columns of its primary key, by their source names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary_key: Vec<String>,
    /// Its columns, in order.
    #[serde(rename = "column")]
    pub columns: Vec<ColumnPlan>,
    /// Its unique constraints.
    #[serde(default, rename = "unique", skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<KeyPlan>,
    /// Its indexes.
    #[serde(default, rename = "index", skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexPlan>,
    /// Its indexes on expressions, by a collation or of some rows.
    #[serde(default, rename = "index_sql", skip_serializing_if = "Vec::is_empty")]
    pub index_sql: Vec<IndexSqlPlan>,
    /// Its CHECK constraints.
    #[serde(default, rename = "check", skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckPlan>,
    /// Its foreign keys.
    #[serde(default, rename = "foreign_key", skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKeyPlan>,
}

/// A unique constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPlan {
    /// Its name on the target; the target chooses one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its columns, by their source names.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexPlan {
    /// Its name on the target.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Its columns, by their source names.
    pub columns: Vec<IndexColumn>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKeyPlan {
    /// Its name on the target; the target chooses one if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The columns that refer, by their source names.
    pub columns: Vec<String>,
    /// The schema, on the source, of the table referred to.
    pub references_schema: String,
    /// The table referred to, on the source.
    pub references: String,
    /// The columns referred to, by their source names.
    pub references_columns: Vec<String>,
    /// What happens on delete.
    pub on_delete: ReferentialAction,
    /// What happens on update.
    pub on_update: ReferentialAction,
    /// Whether it is checked at commit and not before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferred: bool,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequencePlan {
    /// Its schema on the target.
    pub target_schema: String,
    /// Its name on the target.
    pub target: String,
    /// The first value.
    pub start: i64,
    /// The step.
    pub increment: i64,
    /// The least value.
    pub min: i64,
    /// The greatest value.
    pub max: i64,
    /// Whether it starts again at its end.
    pub cycle: bool,
    /// The next value.
    pub next: i64,
}

impl SequencePlan {
    /// As the target's dialect wants it.
    pub fn definition(&self) -> Sequence {
        Sequence {
            name: TableName::new(&self.target_schema, &self.target),
            start: self.start,
            increment: self.increment,
            min: self.min,
            max: self.max,
            cycle: self.cycle,
            next: self.next,
        }
    }
}

impl TablePlan {
    /// Its name on the source.
    pub fn source_name(&self) -> TableName {
        TableName::new(&self.schema, &self.name)
    }

    /// Its name on the target.
    pub fn target_name(&self) -> TableName {
        TableName::new(&self.target_schema, &self.target)
    }

    /// Whether values of it may be changed on their way.
    pub fn is_lossy(&self) -> bool {
        self.columns.iter().any(|column| column.normalisation().is_some())
    }

    /// The place of a column among [`TablePlan::columns`], by its source name.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// The places of several columns; `None` if one of them does not move.
    pub fn positions(&self, columns: &[String]) -> Option<Vec<usize>> {
        columns.iter().map(|c| self.position(c)).collect()
    }

    /// The table to create on the target.
    pub fn definition(&self, plan: &Plan) -> TableDefinition {
        let renamed =
            |columns: &[String]| -> Vec<String> { columns.iter().map(|c| self.target_column(c)).collect() };
        TableDefinition {
            name: self.target_name(),
            columns: self
                .columns
                .iter()
                .map(|column| ColumnDefinition {
                    name: column.target.clone(),
                    logical: column.logical.clone(),
                    nullable: column.nullable,
                    default: column.default.clone(),
                    identity: column.identity,
                    generated: column.generated.clone(),
                    labels: (!column.labels.is_empty()).then(|| Labels {
                        values: column.labels.clone(),
                        enum_type: column
                            .enum_type
                            .as_ref()
                            .map(|name| TableName::new(&self.target_schema, name)),
                    }),
                    declared: column.undo.as_ref().and_then(|undo| undo.declared.clone()),
                })
                .collect(),
            primary_key: (!self.primary_key.is_empty())
                .then(|| Key { name: None, columns: renamed(&self.primary_key) }),
            unique: self
                .unique
                .iter()
                .map(|key| Key { name: key.name.clone(), columns: renamed(&key.columns) })
                .collect(),
            foreign_keys: self
                .foreign_keys
                .iter()
                .filter_map(|key| {
                    let parent = plan.table(&key.references_schema, &key.references)?;
                    Some(ForeignKey {
                        name: key.name.clone(),
                        columns: renamed(&key.columns),
                        referenced: parent.target_name(),
                        referenced_columns: key
                            .references_columns
                            .iter()
                            .map(|c| parent.target_column(c))
                            .collect(),
                        on_delete: key.on_delete,
                        on_update: key.on_update,
                        deferred: key.deferred,
                    })
                })
                .collect(),
            indexes: self
                .indexes
                .iter()
                .map(|index| Index {
                    name: index.name.clone(),
                    unique: index.unique,
                    columns: index
                        .columns
                        .iter()
                        .map(|c| IndexColumn { name: self.target_column(&c.name), descending: c.descending })
                        .collect(),
                })
                .collect(),
        }
    }

    fn target_column(&self, source: &str) -> String {
        self.position(source).map_or_else(|| source.to_owned(), |at| self.columns[at].target.clone())
    }
}

impl Plan {
    /// An empty plan for a source's schema.
    pub fn new(source: &Catalog, target: Engine, schema: &str) -> Self {
        Self {
            version: VERSION,
            fingerprint: fingerprint(source),
            source: source.engine,
            target,
            schema: schema.to_owned(),
            estimate: Estimate::default(),
            sequences: Vec::new(),
            tables: Vec::new(),
            views: Vec::new(),
            not_moved: source.unmovable.clone(),
        }
    }

    /// The enum types that its columns have.
    pub fn enums(&self) -> std::collections::BTreeSet<EnumPlan> {
        let of = |table: &TablePlan| {
            let typed = |column: &ColumnPlan| {
                let name = TableName::new(&table.target_schema, column.enum_type.as_ref()?);
                Some(EnumPlan { name, labels: column.labels.clone() })
            };
            table.columns.iter().filter_map(typed).collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of).collect()
    }

    /// The table of this source name.
    pub fn table(&self, schema: &str, name: &str) -> Option<&TablePlan> {
        self.tables.iter().find(|t| t.schema == schema && t.name == name)
    }
}

/// SHA-256 of all that a plan depends on in a source's schema: tables, columns, keys, indexes; not of rows or counters.
pub fn fingerprint(source: &Catalog) -> String {
    let mut tables = source.tables.clone();
    for table in &mut tables {
        table.estimated_rows = None;
        for column in &mut table.columns {
            column.identity = column.identity.as_ref().map(|_| Identity { next: None });
        }
    }
    let text = format!("{:?} {tables:?}", source.engine);
    format!("sha256:{}", digest::hex(&digest::sha256(text.as_bytes())))
}
