//! What becomes of each row: the one place that decides, used alike by the check and by the copy.

use std::collections::HashSet;
use std::sync::Arc;

use trimaran_backends::catalog::{Column, Table};
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value, digest};

use crate::hazard::{Hazard, Policy, Treatment};
use crate::mapping;
use crate::plan::{Plan, TablePlan};

/// A key's values, hashed: the first 16 bytes of the SHA-256 of their canonical bytes.
pub type KeyHash = u128;

/// The keys that a foreign key refers to and that will not exist on the target.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    /// Keys that the source does not have.
    pub missing: HashSet<KeyHash>,
    /// Keys of rows that are quarantined.
    pub quarantined: HashSet<KeyHash>,
}

impl Gone {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.quarantined.is_empty()
    }
}

/// A foreign key as the mapper follows it.
struct Reference {
    columns: Vec<usize>,
    gone: Arc<Gone>,
}

/// Decides what becomes of each row of one table.
pub struct RowMapper<'p> {
    table: &'p TablePlan,
    target: Engine,
    /// The source's columns in the plan's order, for reading.
    columns: Vec<Column>,
    types: Vec<LogicalType>,
    key: Vec<usize>,
    references: Vec<Reference>,
}

/// A row, decided on.
pub struct Mapped<'v> {
    /// Its values by meaning; a value that has none is as the source gave it.
    pub values: Vec<Value<'v>>,
    /// Each hazard, its column and what becomes of it, notes included.
    pub hazards: Vec<(usize, Hazard, Treatment)>,
}

impl Mapped<'_> {
    /// The hazard that keeps the row from moving, and its column.
    pub fn obstacle(&self) -> Option<(usize, Hazard)> {
        let stays = |treatment: &Treatment| matches!(treatment, Treatment::Quarantines | Treatment::Rejects);
        self.hazards
            .iter()
            .find(|(.., treatment)| stays(treatment))
            .map(|(column, hazard, _)| (*column, *hazard))
    }

    /// Replaces the values of columns under the `escape` policy by what is written for them.
    pub fn escape(&mut self, table: &TablePlan) {
        for (value, column) in self.values.iter_mut().zip(&table.columns) {
            if column.is_escaped()
                && let Some(escaped) = mapping::escaped(value)
            {
                *value = escaped;
            }
        }
    }
}

impl<'p> RowMapper<'p> {
    /// A mapper for `table` of `plan`; `gone` holds, for each of its foreign keys in order, what they must not refer to.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the plan names a column that the source lacks.
    pub fn new(plan: &Plan, table: &'p TablePlan, source: &Table, gone: &[Arc<Gone>]) -> Result<Self> {
        let columns = table
            .columns
            .iter()
            .map(|column| {
                source.column(&column.name).cloned().ok_or_else(|| {
                    Error::new(ErrorKind::Configuration, "use the plan").context(format!(
                        "table {} has no column {}",
                        table.source_name(),
                        column.name
                    ))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let references = table
            .foreign_keys
            .iter()
            .zip(gone)
            .filter(|(_, gone)| !gone.is_empty())
            .filter_map(|(key, gone)| {
                Some(Reference { columns: table.positions(&key.columns)?, gone: Arc::clone(gone) })
            })
            .collect();
        Ok(Self {
            table,
            target: plan.target,
            types: table.columns.iter().map(|c| c.logical.clone()).collect(),
            key: table.positions(&table.primary_key).unwrap_or_default(),
            columns,
            references,
        })
    }

    /// The table.
    pub fn table(&self) -> &'p TablePlan {
        self.table
    }

    /// The columns to read from the source.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The types that are written.
    pub fn types(&self) -> &[LogicalType] {
        &self.types
    }

    /// Decides on one row.
    pub fn map<'v>(&self, row: &'v [Value<'_>]) -> Mapped<'v> {
        let mut values = Vec::with_capacity(row.len());
        let mut hazards = Vec::new();
        for (at, (native, column)) in row.iter().zip(&self.table.columns).enumerate() {
            let converted = mapping::convert(native, &column.logical, column.form);
            let fault = match &converted {
                Ok(Value::Null) if !column.nullable => Some(Hazard::NullInKey),
                Ok(value) => mapping::accepts(self.target, value).err(),
                Err(hazard) => Some(*hazard),
            };
            if let Some(hazard) = fault {
                hazards.push((at, hazard, treatment(hazard, column.on_hazard, column.is_escaped())));
            }
            if let Ok(Value::Json(document)) = &converted
                && trimaran_core::json::has_nul_escape(document)
            {
                hazards.push((at, Hazard::JsonNul, Treatment::Moves));
            }
            values.push(converted.unwrap_or_else(|_| native.borrowed()));
        }
        for reference in &self.references {
            if let Some(key) = key_hash(&values, &reference.columns) {
                let hazard = if reference.gone.quarantined.contains(&key) {
                    Hazard::Parent
                } else if reference.gone.missing.contains(&key) {
                    Hazard::Orphan
                } else {
                    continue;
                };
                let column = reference.columns[0];
                let policy = self.table.columns[column].on_hazard;
                // Where its parent was put aside by that column's policy, the child has to follow whatever its own says.
                let policy = if hazard == Hazard::Parent { Policy::Quarantine } else { policy };
                hazards.push((column, hazard, hazard.treatment(policy)));
            }
        }
        Mapped { values, hazards }
    }

    /// The row's primary key as people read it; without one, the beginning of the row's digest.
    pub fn shown_key(&self, values: &[Value<'_>]) -> String {
        shown_key(&self.key, values)
    }
}

/// The values at `key` as people read them; without a key, the beginning of the row's digest.
pub fn shown_key(key: &[usize], values: &[Value<'_>]) -> String {
    if key.is_empty() {
        let mut canonical = Vec::new();
        digest::encode_row(values, &mut canonical);
        return format!("row {}…", &digest::hex(&digest::sha256(&canonical))[..12]);
    }
    key.iter().map(|at| values[*at].shown(60)).collect::<Vec<_>>().join(", ")
}

fn treatment(hazard: Hazard, policy: Policy, escapes: bool) -> Treatment {
    match hazard.treatment(policy) {
        Treatment::Escapes if !escapes => Treatment::Quarantines,
        other => other,
    }
}

/// The hash of the values at `columns`; `None` if one of them is NULL, for then a foreign key refers to nothing.
pub fn key_hash(values: &[Value<'_>], columns: &[usize]) -> Option<KeyHash> {
    let mut canonical = Vec::with_capacity(columns.len() * 24);
    for at in columns {
        if values[*at].is_null() {
            return None;
        }
        digest::encode(&values[*at], &mut canonical);
    }
    let hash = digest::sha256(&canonical);
    hash.first_chunk::<16>().map(|head| u128::from_be_bytes(*head))
}
