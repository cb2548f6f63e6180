//! From a source's catalogue to a plan. Pure: it writes nothing, and the same source gives the same plan.

use std::collections::{BTreeMap, HashMap, HashSet};

use globset::{Glob, GlobSet, GlobSetBuilder};
use trimaran_backends::catalog::{Catalog, Column, ForeignKey, Key, Table, TableName, Unmovable};
use trimaran_backends::{Database, Dialect};
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result};

use crate::arrays;
use crate::mapping::Form;
use crate::own_store;
use crate::plan::{ColumnPlan, Estimate, ForeignKeyPlan, IndexPlan, KeyPlan, Plan, SequencePlan, TablePlan};
use crate::policy::Policy;
use crate::profile::{self, Profile};
use crate::undo::Origins;

/// What the operator chose.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Choices {
    /// Patterns of the tables that move; none means all.
    pub tables: Vec<String>,
    /// Patterns of the tables that don't.
    pub exclude: Vec<String>,
    /// The target's schema.
    pub schema: Option<String>,
    /// What is done with hazards.
    pub on_hazard: Policy,
}

/// Source bytes per second that one small machine moves and proves, for estimates: what two cores were measured to do.
const TYPICAL_RATE: u64 = 40_000_000;

/// Makes the plan for moving `source` to an engine with `target`'s dialect.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a bad pattern or one that matches nothing; the source's own errors.
pub fn plan(
    source: &dyn Database,
    catalog: &Catalog,
    target: &dyn Dialect,
    choices: &Choices,
) -> Result<Plan> {
    let schema = choices.schema.clone().unwrap_or_else(|| target.default_schema().to_owned());
    let mut plan = Plan::new(catalog, target.engine(), &schema);
    let chosen = choose(catalog, choices)?;
    let origins = Origins::read(source)?;
    let (types, rows) = types(source, &chosen, &origins, &mut plan.not_moved)?;
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
            foreign_keys: Vec::new(),
        };
        for column in &table.columns {
            if let Some(column) =
                plan_column(table, column, &types, target, choices, &target_schema, &mut plan.not_moved)
            {
                draft.columns.push(column);
            }
        }
        plan_keys(table, &mut draft, &mut plan.not_moved);
        plan.tables.push(draft);
    }
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

fn choose<'a>(catalog: &'a Catalog, choices: &Choices) -> Result<Vec<&'a Table>> {
    let (include, exclude) = (patterns(&choices.tables)?, patterns(&choices.exclude)?);
    let matches = |set: &GlobSet, table: &Table| {
        set.is_match(&table.name.name) || set.is_match(format!("{}.{}", table.name.schema, table.name.name))
    };
    let known = || catalog.tables.iter().map(|t| t.name.to_string()).collect::<Vec<_>>().join(", ");
    for pattern in choices.tables.iter().chain(&choices.exclude) {
        let set = patterns(std::slice::from_ref(pattern))?;
        if !catalog.tables.iter().any(|t| matches(&set, t)) {
            return Err(Error::new(ErrorKind::Configuration, "choose tables")
                .context(format!("no table matches {pattern:?}"))
                .hint(format!("the source has: {}", known())));
        }
    }
    let chosen: Vec<_> = catalog
        .tables
        .iter()
        .filter(|t| choices.tables.is_empty() || matches(&include, t))
        .filter(|t| !matches(&exclude, t))
        .collect();
    if chosen.is_empty() {
        return Err(Error::new(ErrorKind::Configuration, "choose tables")
            .context("there is no table to move")
            .hint("check the path, and --tables and --exclude"));
    }
    Ok(chosen)
}

fn patterns(patterns: &[String]) -> Result<GlobSet> {
    let wrong = |e: globset::Error| Error::new(ErrorKind::Configuration, "read a table pattern").source(e);
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(wrong)?);
    }
    set.build().map_err(wrong)
}

/// A column of a table.
type Place = (TableName, String);
type Types = HashMap<Place, (LogicalType, Form)>;

/// The type and form of each column, and the rows of each table.
fn types(
    source: &dyn Database,
    tables: &[&Table],
    origins: &Origins,
    not_moved: &mut Vec<Unmovable>,
) -> Result<(Types, HashMap<TableName, u64>)> {
    let mut session = source.session()?;
    let mut types = Types::new();
    let mut rows = HashMap::new();
    let mut profiles: HashMap<(TableName, String), Profile> = HashMap::new();
    let doubtful = source.engine() == Engine::Sqlite;
    let keyed = keyed_columns(tables);
    for table in tables {
        let sql = format!("SELECT count(*) FROM {}", source.dialect().qualify(&table.name));
        let counted = session.query(&sql, &[])?;
        let count = counted.first().and_then(|r| r.first());
        let count = match count {
            Some(trimaran_core::Value::Int(n)) => u64::try_from(*n).unwrap_or_default(),
            _ => 0,
        };
        rows.insert(table.name.clone(), count);
        if doubtful {
            let columns: Vec<Column> = table
                .columns
                .iter()
                .filter(|c| c.generated.is_none())
                .filter(|c| origins.kept(table, &c.name).is_none())
                .filter(|c| profile::is_in_doubt(c) || keyed.contains(&(&table.name, c.name.as_str())))
                .cloned()
                .collect();
            for (column, profile) in columns.iter().zip(profile::profile(session.as_mut(), table, &columns)?)
            {
                profiles.insert((table.name.clone(), column.name.clone()), profile);
            }
        }
        for column in &table.columns {
            let place = (table.name.clone(), column.name.clone());
            let chosen = match profiles.get(&place) {
                Some(profile) => Some(profile.choose(column.logical.as_ref())),
                None => column.logical.clone().map(|logical| (logical, Form::Native)),
            };
            // What a run before has written is of the type that it wrote.
            let chosen = match origins.kept(table, &column.name) {
                Some(kept) if doubtful || column.declared == kept.0.stored_as(source.engine()) => Some(kept),
                _ => chosen,
            };
            types.extend(chosen.map(|chosen| (place, chosen)));
        }
        for (column, report) in arrays::shaped(source, session.as_mut(), table)? {
            types.insert((table.name.clone(), column), (LogicalType::Text, Form::Native));
            not_moved.push(report);
        }
    }
    unify(tables, &mut types, &profiles);
    Ok((types, rows))
}

fn keyed_columns<'a>(tables: &[&'a Table]) -> HashSet<(&'a TableName, &'a str)> {
    let mut keyed = HashSet::new();
    for table in tables {
        for key in &table.foreign_keys {
            keyed.extend(key.columns.iter().map(|c| (&table.name, c.as_str())));
            keyed.extend(key.referenced_columns.iter().map(|c| (&key.referenced, c.as_str())));
        }
    }
    keyed
}

/// Gives columns that a foreign key joins one type, where a change of type can: UUIDs kept in two forms, or declared
/// as UUID on one side only, become `uuid` if every value on every side is one, else text.
fn unify(tables: &[&Table], types: &mut Types, profiles: &HashMap<(TableName, String), Profile>) {
    let mut pairs = Vec::new();
    for table in tables {
        for key in &table.foreign_keys {
            for (column, referenced) in key.columns.iter().zip(&key.referenced_columns) {
                pairs.push((
                    (table.name.clone(), column.clone()),
                    (key.referenced.clone(), referenced.clone()),
                ));
            }
        }
    }
    // A column once found not to be all UUIDs drags its neighbours along, never back: so this ends.
    let mut plain = HashSet::new();
    let mut changed = true;
    while changed {
        changed = false;
        for (child, parent) in &pairs {
            let (Some((a, _)), Some((b, _))) = (types.get(child), types.get(parent)) else { continue };
            let joinable =
                |t: &LogicalType| matches!(t, LogicalType::Uuid | LogicalType::Text | LogicalType::Bytes);
            if a == b || !joinable(a) || !joinable(b) {
                continue;
            }
            let uuids = |p| !plain.contains(p) && profiles.get(p).is_some_and(Profile::is_uuid);
            let common = if uuids(child) && uuids(parent) {
                LogicalType::Uuid
            } else if *a == LogicalType::Bytes || *b == LogicalType::Bytes {
                continue;
            } else {
                plain.extend([child, parent]);
                LogicalType::Text
            };
            for place in [child, parent] {
                let form = match profiles.get(place) {
                    Some(profile) if common == LogicalType::Uuid => profile.uuid_form().unwrap_or_default(),
                    _ => Form::Native,
                };
                types.insert(place.clone(), (common.clone(), form));
            }
            changed = true;
        }
    }
    alike(&pairs, types, profiles);
}

/// Takes a column without values, of UUIDs, to keep them as the column does that a foreign key joins it with.
fn alike(pairs: &[(Place, Place)], types: &mut Types, profiles: &HashMap<Place, Profile>) {
    let is_empty = |place: &Place| profiles.get(place).is_some_and(|profile| profile.uuid_form().is_none());
    let mut changed = true;
    while changed {
        changed = false;
        for (child, parent) in pairs {
            for (empty, other) in [(child, parent), (parent, child)] {
                let form = match types.get(other) {
                    Some((LogicalType::Uuid, form)) if !form.is_native() => *form,
                    _ => continue,
                };
                if let Some((LogicalType::Uuid, kept)) = types.get_mut(empty)
                    && kept.is_native()
                    && is_empty(empty)
                {
                    *kept = form;
                    changed = true;
                }
            }
        }
    }
}

fn plan_column(
    table: &Table,
    column: &Column,
    types: &Types,
    target: &dyn Dialect,
    choices: &Choices,
    target_schema: &dyn Fn(&str) -> String,
    not_moved: &mut Vec<Unmovable>,
) -> Option<ColumnPlan> {
    let name = format!("{}.{}", table.name, column.name);
    if let Some(expression) = &column.generated {
        let reason = format!("the target is not given it; it was generated as {expression}");
        not_moved.push(Unmovable::new("generated column", name, reason));
        return None;
    }
    let Some((logical, form)) = types.get(&(table.name.clone(), column.name.clone())).cloned() else {
        let reason = format!("type {} has no counterpart on the target yet", column.declared);
        not_moved.push(Unmovable::new("column", name, reason));
        return None;
    };
    let default = column.default.as_ref().and_then(|default| {
        use trimaran_backends::catalog::DefaultValue as D;
        let renamed = match default {
            D::Null => return None,
            D::NextValue(sequence) => {
                D::NextValue(TableName::new(target_schema(&sequence.schema), &sequence.name))
            }
            other => other.clone(),
        };
        let sql = target.default_sql(&renamed, &logical);
        if sql.is_none() {
            let written = match default {
                D::Expression(sql) => sql.clone(),
                other => format!("{other:?}"),
            };
            let reason = format!("{written} has no sure counterpart on the target");
            not_moved.push(Unmovable::new("default", name.clone(), reason));
        }
        sql
    });
    Some(ColumnPlan {
        name: column.name.clone(),
        target: column.name.clone(),
        source: column.declared.clone(),
        logical,
        form,
        nullable: column.nullable && !in_primary_key(table, &column.name),
        default,
        identity: column.identity.as_ref().map(|identity| identity.next.unwrap_or(1)),
        on_hazard: choices.on_hazard,
        replace: None,
        undo: None,
    })
}

fn in_primary_key(table: &Table, column: &str) -> bool {
    table.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|c| c == column))
}

fn plan_keys(table: &Table, draft: &mut TablePlan, not_moved: &mut Vec<Unmovable>) {
    let because = |column: String| format!("its column {column} does not move");
    let mut primary_key = Vec::new();
    let mut unique = Vec::new();
    let mut indexes = Vec::new();
    if let Some(key) = &table.primary_key {
        match missing(draft, key.columns.iter()) {
            None => primary_key = key.columns.clone(),
            Some(column) => {
                not_moved.push(Unmovable::new("primary key", table.name.to_string(), because(column)));
            }
        }
    }
    for key in &table.unique {
        match missing(draft, key.columns.iter()) {
            None => unique.push(KeyPlan { name: key.name.clone(), columns: key.columns.clone() }),
            Some(column) => {
                not_moved.push(Unmovable::new("unique constraint", key_label(table, key), because(column)));
            }
        }
    }
    for index in &table.indexes {
        match missing(draft, index.columns.iter().map(|c| &c.name)) {
            None => indexes.push(IndexPlan {
                name: index.name.clone(),
                unique: index.unique,
                columns: index.columns.clone(),
            }),
            Some(column) => not_moved.push(Unmovable::new("index", index.name.clone(), because(column))),
        }
    }
    // Two keys on the same columns are one key.
    unique.retain(|key| key.columns != primary_key);
    draft.primary_key = primary_key;
    draft.unique = unique;
    draft.indexes = indexes;
}

/// The first of `columns` that does not move.
fn missing<'c>(draft: &TablePlan, mut columns: impl Iterator<Item = &'c String>) -> Option<String> {
    columns.find(|c| draft.position(c).is_none()).cloned()
}

fn key_label(table: &Table, key: &Key) -> String {
    format!("{} ({})", table.name, key.columns.join(", "))
}

/// Reports the sequences that the target has no word for.
fn unsaid_sequences(plan: &mut Plan, target: &dyn Dialect) {
    let (said, unsaid): (Vec<_>, Vec<_>) =
        plan.sequences.drain(..).partition(|s| target.create_sequence(&s.definition()).is_some());
    plan.sequences = said;
    for sequence in unsaid {
        let reason = format!("{} has no sequences; its next value is {}", target.engine(), sequence.next);
        plan.not_moved.push(Unmovable::new("sequence", sequence.target, reason));
    }
}

/// `had`: whether the target, to which the table goes back, had the key itself.
fn plan_foreign_key(
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
    })
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
