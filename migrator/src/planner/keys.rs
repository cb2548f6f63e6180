//! Keys, indexes and foreign keys.

use trimaran_backends::Dialect;
use trimaran_backends::catalog::{ForeignKey, Key, Table, Unmovable};
use trimaran_core::Engine;

use crate::limits;
use crate::plan::{ForeignKeyPlan, IndexPlan, KeyPlan, Plan, TablePlan};

/// Plans the primary key, the unique constraints and the plain indexes of a table.
pub(super) fn plan_keys(
    table: &Table,
    draft: &mut TablePlan,
    target: Engine,
    not_moved: &mut Vec<Unmovable>,
) {
    let mut primary_key = Vec::new();
    let mut unique = Vec::new();
    let mut indexes = Vec::new();
    if let Some(key) = &table.primary_key {
        match obstacle(draft, target, key.columns.iter()) {
            None => primary_key = key.columns.clone(),
            Some(why) => not_moved.push(Unmovable::new("primary key", table.name.to_string(), why)),
        }
    }
    for key in &table.unique {
        match obstacle(draft, target, key.columns.iter()) {
            None => unique.push(KeyPlan { name: key.name.clone(), columns: key.columns.clone() }),
            Some(why) => not_moved.push(Unmovable::new("unique constraint", key_label(table, key), why)),
        }
    }
    for index in &table.indexes {
        match obstacle(draft, target, index.columns.iter().map(|c| &c.name)) {
            None => indexes.push(IndexPlan {
                name: index.name.clone(),
                unique: index.unique,
                columns: index.columns.clone(),
            }),
            Some(why) => not_moved.push(Unmovable::new("index", index.name.clone(), why)),
        }
    }
    // Two keys on the same columns are one key.
    unique.retain(|key| key.columns != primary_key);
    draft.primary_key = primary_key;
    draft.unique = unique;
    draft.indexes = indexes;
}

/// Why the target can have no key or index of these columns; `None` if it can.
fn obstacle<'c>(
    draft: &TablePlan,
    target: Engine,
    columns: impl Iterator<Item = &'c String>,
) -> Option<String> {
    columns.into_iter().find_map(|name| match draft.position(name).map(|at| &draft.columns[at].logical) {
        None => Some(format!("its column {name} does not move")),
        Some(logical) if !limits::is_indexable(target, logical) => {
            Some(format!("{target} has no index for its column {name}, which is {logical} there"))
        }
        Some(_) => None,
    })
}

fn key_label(table: &Table, key: &Key) -> String {
    format!("{} ({})", table.name, key.columns.join(", "))
}

/// Plans a foreign key; `Err` says why it does not move. `had`: whether the target, to which the table goes back, had the key
/// itself.
pub(super) fn plan_foreign_key(
    table: &Table,
    key: &ForeignKey,
    plan: &Plan,
    had: bool,
) -> Result<ForeignKeyPlan, Unmovable> {
    let label = format!("{} ({}) → {}", table.name, key.columns.join(", "), key.referenced);
    let unmovable = |reason: String| Unmovable::new("foreign key", label.clone(), reason);
    let child = plan
        .table(&table.name.schema, &table.name.name)
        .ok_or_else(|| unmovable("its table does not move".into()))?;
    let parent = plan
        .table(&key.referenced.schema, &key.referenced.name)
        .ok_or_else(|| unmovable("the table it refers to does not move".into()))?;
    let (Some(columns), Some(referenced)) =
        (child.positions(&key.columns), parent.positions(&key.referenced_columns))
    else {
        return Err(unmovable("one of its columns does not move".into()));
    };
    let unique = parent.primary_key == key.referenced_columns
        || parent.unique.iter().any(|k| k.columns == key.referenced_columns)
        || parent
            .indexes
            .iter()
            .any(|i| i.unique && i.columns.iter().map(|c| &c.name).eq(key.referenced_columns.iter()));
    if plan.target == Engine::Duckdb && !had {
        let reason = "DuckDB's foreign keys forbid changing a row that is referred to, and none is declared there; \
                      the rows are as the key has held them";
        return Err(unmovable(reason.into()));
    }
    if !unique {
        return Err(unmovable("the columns it refers to are neither a primary key nor unique".into()));
    }
    for (child_at, parent_at) in columns.iter().zip(&referenced) {
        let (a, b) = (&child.columns[*child_at].logical, &parent.columns[*parent_at].logical);
        if a != b {
            return Err(unmovable(format!("its columns would be of different types, {a} and {b}")));
        }
    }
    Ok(ForeignKeyPlan {
        name: key.name.clone(),
        columns: key.columns.clone(),
        references_schema: key.referenced.schema.clone(),
        references: key.referenced.name.clone(),
        references_columns: key.referenced_columns.clone(),
        on_delete: key.on_delete,
        on_update: key.on_update,
        deferred: key.deferred,
    })
}

/// Reports the sequences that the target has no word for.
pub(super) fn unsaid_sequences(plan: &mut Plan, target: &dyn Dialect) {
    let (said, unsaid): (Vec<_>, Vec<_>) =
        plan.sequences.drain(..).partition(|s| target.create_sequence(&s.definition()).is_some());
    plan.sequences = said;
    for sequence in unsaid {
        let reason = format!("{} has no sequences; its next value is {}", target.engine(), sequence.next);
        plan.not_moved.push(Unmovable::new("sequence", sequence.target, reason));
    }
}
