//! From a source's catalogue to a plan. Pure: it writes nothing, and the same source gives the same plan.

use std::collections::{BTreeMap, HashSet};

use trimaran_backends::catalog::{Catalog, TableName};
use trimaran_backends::{Database, Dialect};
use trimaran_core::{Engine, Result};

use crate::choices::Choices;
use crate::own_store;
use crate::plan::{Estimate, Plan, SequencePlan, TablePlan};
use crate::undo::Origins;

mod choose;
mod columns;
mod enums;
mod keys;
mod objects;
mod types;

use choose::choose;
use columns::{Drafts, plan_column};
use keys::{plan_foreign_key, plan_keys, unsaid_sequences};

/// Source bytes per second that one small machine moves and proves, for estimates: what two cores were measured to do.
const TYPICAL_RATE: u64 = 40_000_000;

/// Makes the plan for moving `source` to an engine with `target`'s dialect, by up to `jobs` threads.
///
/// # Errors
/// [`trimaran_core::ErrorKind::Configuration`] for a bad pattern or one that matches nothing; the source's own errors.
pub fn plan(
    source: &dyn Database,
    catalog: &Catalog,
    target: &dyn Dialect,
    choices: &Choices,
    jobs: usize,
) -> Result<Plan> {
    let schema = choices.schema.clone().unwrap_or_else(|| target.default_schema().to_owned());
    let mut plan = Plan::new(catalog, target.engine(), &schema);
    let chosen = choose(catalog, choices)?;
    let origins = Origins::read(source)?;
    let (types, rows) = types::types(source, &chosen, &origins, jobs, &mut plan.not_moved)?;
    let home = source.dialect().default_schema();
    let target_schema = |source_schema: &str| match target.engine() {
        Engine::Sqlite => target.default_schema().to_owned(),
        _ if source_schema == home => schema.clone(),
        _ => source_schema.to_owned(),
    };
    let mut sequences = HashSet::new();
    for sequence in &catalog.sequences {
        sequences.insert(sequence.name.clone());
        plan.sequences.push(SequencePlan {
            target_schema: target_schema(&sequence.name.schema),
            target: sequence.name.name.clone(),
            start: sequence.start,
            increment: sequence.increment,
            min: sequence.min,
            max: sequence.max,
            cycle: sequence.cycle,
            next: sequence.next,
        });
    }
    for table in &chosen {
        let mut draft = TablePlan {
            schema: table.name.schema.clone(),
            name: table.name.name.clone(),
            target_schema: target_schema(&table.name.schema),
            target: table.name.name.clone(),
            rows: rows.get(&table.name).copied().unwrap_or_default(),
            primary_key: Vec::new(),
            columns: Vec::new(),
            unique: Vec::new(),
            indexes: Vec::new(),
            index_sql: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
        };
        let scope = objects::scope(source, table, &types, target, choices, &catalog.unmovable)?;
        for column in &table.columns {
            let drafts =
                Drafts { types: &types, target, choices, target_schema: &target_schema, scope: &scope };
            if let Some(column) = plan_column(table, column, &drafts, &mut plan.not_moved) {
                draft.columns.push(column);
            }
        }
        plan_keys(table, &mut draft, plan.target, &mut plan.not_moved);
        plan.tables.push(draft);
        objects::plan_checks(&mut plan, &table.name, &scope);
        objects::plan_indexes(&mut plan, &table.name, scope);
    }
    enums::plan_enums(&mut plan, choices.enums);
    objects::plan_views(&mut plan, catalog);
    for (at, table) in chosen.iter().enumerate() {
        for key in &table.foreign_keys {
            let had = origins.had_foreign_key(table, &key.columns, target.engine());
            match plan_foreign_key(table, key, &plan, had) {
                Ok(key) => plan.tables[at].foreign_keys.push(key),
                Err(unmovable) => plan.not_moved.push(unmovable),
            }
        }
    }
    origins.restore(&mut plan, &chosen, target, choices.schema.as_deref());
    own_store::prepare(&mut plan, catalog, target.engine());
    unsaid_sequences(&mut plan, target);
    order(&mut plan.tables);
    let bytes = source.location().path().and_then(|p| std::fs::metadata(p).ok()).map_or(0, |m| m.len());
    let total = plan.tables.iter().map(|t| t.rows).sum();
    plan.estimate = Estimate { rows: total, bytes, seconds: bytes.div_ceil(TYPICAL_RATE) };
    Ok(plan)
}

/// Puts parents before children where there is no cycle; else keeps the order of names.
fn order(tables: &mut Vec<TablePlan>) {
    let mut left: BTreeMap<TableName, TablePlan> = tables.drain(..).map(|t| (t.source_name(), t)).collect();
    while !left.is_empty() {
        let free = left.iter().find(|(name, table)| {
            table.foreign_keys.iter().all(|key| {
                let parent = TableName::new(&key.references_schema, &key.references);
                parent == **name || !left.contains_key(&parent)
            })
        });
        let next = free.or_else(|| left.iter().next()).map(|(name, _)| name.clone());
        if let Some(table) = next.and_then(|name| left.remove(&name)) {
            tables.push(table);
        }
    }
}
