//! What becomes of each row: the one place that decides, used alike by the check and by the copy.

use std::collections::HashSet;
use std::sync::Arc;

use trimaran_backends::catalog::{Column, Table};
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value, digest};

use crate::hazard::Hazard;
use crate::plan::{Plan, TablePlan};
use crate::policy::{Policy, Treatment};
use crate::{kept, mapping, meaning, unique};

mod heap_tuple;
mod measure;

use heap_tuple::HeapTuple;
use measure::{Indexed, declared_length, indexed};

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

/// The places of a key's columns, and what several rows have there.
pub type Doubled = (Vec<usize>, Arc<HashSet<KeyHash>>);

/// What keeps rows of one table from moving that only a look at others tells.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// For each foreign key of the table, in order, what it must not refer to.
    pub gone: Vec<Arc<Gone>>,
    /// For keys of the table, by the places of their columns: what several rows have.
    pub doubled: Vec<Doubled>,
}

/// A foreign key as the mapper follows it.
struct Reference {
    columns: Vec<usize>,
    gone: Arc<Gone>,
}

/// Decides what becomes of each row of one table.
pub struct RowMapper<'p> {
    table: &'p TablePlan,
    source: Engine,
    target: Engine,
    /// The source's columns in the plan's order, for reading.
    columns: Vec<Column>,
    types: Vec<LogicalType>,
    /// How many characters each column was declared for.
    declared: Vec<Option<usize>>,
    key: Vec<usize>,
    indexed: Vec<Indexed>,
    /// How a row lies on a page of the target, if there can be one that a page does not hold.
    heap_tuple: Option<HeapTuple>,
    references: Vec<Reference>,
    doubled: Vec<Doubled>,
    /// Whether something is written in another form than it has.
    rewrites: bool,
}

/// A row, decided on.
pub struct Mapped<'v> {
    /// Its values by meaning; a value that has none is as the source gave it.
    pub values: Vec<Value<'v>>,
    /// What is written in place of some of them, by their columns' normalisations.
    pub replaced: Vec<(usize, Value<'static>)>,
    /// Each hazard, its column and what becomes of it.
    pub hazards: Vec<(usize, Hazard, Treatment)>,
}

impl<'v> Mapped<'v> {
    /// The hazard that keeps the row from moving, and its column.
    pub fn obstacle(&self) -> Option<(usize, Hazard)> {
        let stays = |treatment: &Treatment| matches!(treatment, Treatment::Quarantines | Treatment::Rejects);
        self.hazards
            .iter()
            .find(|(.., treatment)| stays(treatment))
            .map(|(column, hazard, _)| (*column, *hazard))
    }

    /// The value of a column as it moves, before the codec.
    pub fn moving(&self, at: usize) -> &Value<'v> {
        self.replaced.iter().find(|(column, _)| *column == at).map_or(&self.values[at], |(_, value)| value)
    }

    /// Puts what the normalisations made into the places of what they were made of.
    pub fn replace(&mut self) {
        for (at, value) in self.replaced.drain(..) {
            self.values[at] = value;
        }
    }
}

impl<'p> RowMapper<'p> {
    /// A mapper for `table` of `plan`, whose rows come from `source`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] if the plan names a column that the source lacks.
    pub fn new(plan: &Plan, table: &'p TablePlan, source: &Table, held: &Held) -> Result<Self> {
        let columns = table
            .columns
            .iter()
            .map(|column| {
                let reading = |there| column.to_read(plan.source, there);
                source.column(&column.name).map(reading).ok_or_else(|| {
                    Error::new(ErrorKind::Configuration, "use the plan").context(format!(
                        "table {} has no column {}",
                        table.source_name(),
                        column.name
                    ))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { columns, ..Self::of_values(plan, table, held) })
    }

    /// A mapper for values of `table` that were read already, as a quarantine keeps them.
    pub fn of_values(plan: &Plan, table: &'p TablePlan, held: &Held) -> Self {
        let references = table
            .foreign_keys
            .iter()
            .zip(&held.gone)
            .filter(|(_, gone)| !gone.is_empty())
            .filter_map(|(key, gone)| {
                Some(Reference { columns: table.positions(&key.columns)?, gone: Arc::clone(gone) })
            })
            .collect();
        Self {
            table,
            source: plan.source,
            target: plan.target,
            columns: Vec::new(),
            types: table.written(plan.target).into_iter().map(|(_, logical)| logical).collect(),
            declared: table.columns.iter().map(declared_length).collect(),
            key: table.positions(&table.primary_key).unwrap_or_default(),
            indexed: indexed(plan.target, table),
            heap_tuple: HeapTuple::of(plan.target, table),
            references,
            doubled: held.doubled.clone(),
            rewrites: table.columns.iter().any(|column| {
                column.is_escaped() || !column.kept_form().is_native() || column.generated.is_some()
            }),
        }
    }

    /// The table.
    pub fn table(&self) -> &'p TablePlan {
        self.table
    }

    /// The engine that the rows come from.
    pub fn source(&self) -> Engine {
        self.source
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
        let mut mapped =
            Mapped { values: Vec::with_capacity(row.len()), replaced: Vec::new(), hazards: Vec::new() };
        for (at, (native, column)) in row.iter().zip(&self.table.columns).enumerate() {
            if let Some(value) = meaning::safe(native, column, self.target) {
                mapped.values.push(value);
                continue;
            }
            let meaning = meaning::of(native, column, self.target);
            mapped.hazards.extend(meaning.hazard.map(|(hazard, treatment)| (at, hazard, treatment)));
            mapped.replaced.extend(meaning.replaced.map(|value| (at, value)));
            mapped.values.push(meaning.exact);
        }
        self.measure(&mut mapped);
        if !self.doubled.is_empty() && mapped.obstacle().is_none() {
            for (columns, doubled) in &self.doubled {
                let hash = unique::hash(|at| mapped.moving(at), columns);
                if hash.is_some_and(|hash| doubled.contains(&hash)) {
                    mapped.hazards.push(self.about(columns[0], Hazard::Duplicate));
                }
            }
        }
        for reference in &self.references {
            if let Some(key) = key_hash(&mapped.values, &reference.columns) {
                let column = reference.columns[0];
                if reference.gone.quarantined.contains(&key) {
                    // Its parent was put aside by that column's policy: it has to follow whatever its own says.
                    let treatment = Hazard::Parent.treatment(Policy::Quarantine, false);
                    mapped.hazards.push((column, Hazard::Parent, treatment));
                } else if reference.gone.missing.contains(&key) {
                    mapped.hazards.push(self.about(column, Hazard::Orphan));
                }
            }
        }
        mapped
    }

    /// Makes of a row that moves what is written: values of columns under the `escape` policy as the codec has them, those of
    /// columns that are kept in another form than the usual one in that form, and none for columns that the target computes.
    pub fn write(&self, mapped: &mut Mapped<'_>) {
        if !self.rewrites {
            return;
        }
        for (value, column) in mapped.values.iter_mut().zip(&self.table.columns) {
            if column.is_escaped()
                && let Some(escaped) = mapping::escaped(value)
            {
                *value = escaped;
            }
            if !column.kept_form().is_native()
                && let Ok(carried) = kept::carried(column.kept_form(), &column.logical, value)
            {
                *value = carried.into_owned();
            }
        }
        self.table.leave_out_computed(&mut mapped.values);
    }

    /// A hazard of the row as a whole, under the policy of the column that it is told by.
    fn about(&self, column: usize, hazard: Hazard) -> (usize, Hazard, Treatment) {
        (column, hazard, hazard.treatment(self.table.columns[column].on_hazard, false))
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
