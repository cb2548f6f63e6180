//! What a source remembers of the migration that filled it: its journal, with the plan of that run.
//!
//! A journal lies beside the tables that its run wrote. A migration that reads those tables goes by it: text that was
//! escaped on the way in is read as it was, names and types become those of the origin where the tables go back to its
//! engine, and rows that were put aside are named. See `docs/decisions/0020-undoing-goes-by-the-journal.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trimaran_backends::catalog::{Column, DefaultValue, Table, TableName, Unmovable};
use trimaran_backends::{Database, Dialect, Session};
use trimaran_core::{Engine, LogicalType, Result, Value};

use crate::hazard::Hazard;
use crate::journal::Journal;
use crate::kept;
use crate::mapping::Form;
use crate::plan::{ColumnPlan, Plan, SequencePlan, TablePlan};
use crate::policy::Policy;

/// What is undone of a column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Whether its text was escaped by the run before, and is read so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub escaped: bool,
    /// The type that it had, in its engine's own words, where that is another than `type` makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// How the origin kept its values, where it has no type for them.
    #[serde(default, skip_serializing_if = "Form::is_native")]
    pub form: Form,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A run that wrote tables of the source.
struct Origin {
    id: String,
    from: String,
    plan: Plan,
    /// Rows that it put aside, by table of its own source and reason.
    aside: BTreeMap<TableName, BTreeMap<String, u64>>,
}

impl ColumnPlan {
    /// Whether its text was escaped by a run before.
    pub fn was_escaped(&self) -> bool {
        self.undo.as_ref().is_some_and(|undo| undo.escaped)
    }

    /// How the target keeps its values.
    pub fn kept_form(&self) -> Form {
        self.undo.as_ref().map_or(Form::Native, |undo| undo.form)
    }

    /// The source's column as it is read: as text where it moves as text and was something else, a list above all.
    pub fn reading(&self, there: &Column) -> Column {
        let read_as_text =
            self.logical == LogicalType::Text && matches!(there.logical, Some(LogicalType::List(_)));
        let logical = if read_as_text { Some(LogicalType::Text) } else { there.logical.clone() };
        Column { logical, ..there.clone() }
    }

    /// The type in which its values are handed to the target.
    pub fn carrier(&self, target: Engine) -> LogicalType {
        kept::carrier(target, self.kept_form(), &self.logical)
    }

    /// Whether the type that it had before holds a value.
    ///
    /// # Errors
    /// The hazard, if it does not.
    pub fn fits(&self, target: Engine, value: &Value<'_>) -> Result<(), Hazard> {
        match self.undo.as_ref().and_then(|undo| undo.declared.as_ref()) {
            Some(declared) => kept::accepts(target, declared, self.kept_form(), &self.logical, value),
            None => Ok(()),
        }
    }
}

/// The runs that wrote tables of a source, the last first.
pub struct Origins(Vec<Origin>);

/// Where a column of a source without strict types comes from: its type, and how its values are kept.
pub type Kept = (LogicalType, Form);

impl Origins {
    /// Reads every journal that a source holds.
    ///
    /// # Errors
    /// The source's, classified; [`trimaran_core::ErrorKind::Corrupt`] if a journal makes no sense.
    pub fn read(source: &dyn Database) -> Result<Self> {
        let mut session = source.session()?;
        let mut origins = Vec::new();
        for schema in schemas(source, session.as_mut())? {
            let journal = Journal::new(source.dialect(), &schema);
            if !journal.exists(session.as_mut()) {
                continue;
            }
            for run in journal.runs(session.as_mut())? {
                let plan = Plan::from_toml_unchecked(&run.plan)?;
                let mut aside: BTreeMap<TableName, BTreeMap<String, u64>> = BTreeMap::new();
                for (table, reason, rows) in journal.put_aside(session.as_mut(), &run.id)? {
                    aside.entry(table).or_default().insert(reason, rows);
                }
                origins.push(Origin { id: run.id, from: run.source, plan, aside });
            }
        }
        origins.sort_by(|a, b| b.id.cmp(&a.id));
        Ok(Self(origins))
    }

    /// The last run that wrote a table, and its plan for it. A table that lacks one of the plan's columns is another.
    fn of(&self, table: &Table) -> Option<(&Origin, &TablePlan)> {
        self.0.iter().find_map(|origin| {
            let planned = origin.plan.tables.iter().find(|planned| planned.target_name() == table.name)?;
            planned.columns.iter().all(|c| table.column(&c.target).is_some()).then_some((origin, planned))
        })
    }

    /// The type and form that a run wrote a column in, if one did.
    pub fn kept(&self, table: &Table, column: &str) -> Option<Kept> {
        let (_, planned) = self.of(table)?;
        let column = planned.columns.iter().find(|c| c.target == column)?;
        Some((column.logical.clone(), column.kept_form()))
    }

    /// Has a plan undo what the runs before did to its tables.
    pub fn restore(&self, plan: &mut Plan, tables: &[&Table], target: &dyn Dialect, schema: Option<&str>) {
        for table in tables {
            let Some((origin, before)) = self.of(table) else { continue };
            let at = plan.tables.iter().position(|planned| planned.source_name() == table.name);
            let Some(at) = at else { continue };
            let back = origin.plan.source == plan.target;
            if back {
                let home = before.schema == target.default_schema();
                let place = schema.filter(|_| home).unwrap_or(&before.schema);
                plan.tables[at].target_schema = place.to_owned();
                plan.tables[at].target.clone_from(&before.name);
                named_as_before(&mut plan.tables[at], before);
            }
            let mut notes = Vec::new();
            let mut taken = Vec::new();
            for column in &mut plan.tables[at].columns {
                let Some(was) = before.columns.iter().find(|c| c.target == column.name) else { continue };
                let escaped = was.is_escaped() && column.logical.scalar().is_textual();
                let mut undo = Undo { escaped, ..Undo::default() };
                if back {
                    column.target.clone_from(&was.name);
                    match as_before(was, column, plan.target) {
                        Ok(restored) => undo = Undo { escaped, ..restored },
                        Err(reason) => {
                            let name = format!("{}.{}", before.source_name(), was.name);
                            notes.push(Unmovable::new("original type", name, reason));
                        }
                    }
                    taken.extend(counted_as_before(was, column, table, &plan.sequences));
                    if undo.form.is_count() && column.default.take().is_some() {
                        let name = format!("{}.{}", before.source_name(), was.name);
                        let reason = "its moments are kept as numbers; write it anew".to_owned();
                        notes.push(Unmovable::new("default", name, reason));
                    }
                }
                column.undo = (undo != Undo::default()).then_some(undo);
            }
            plan.sequences.retain(|sequence| !taken.iter().any(|t: &TableName| t.name == sequence.target));
            plan.not_moved.extend(notes);
            plan.not_moved.extend(origin.aside_of(before));
        }
        joined_alike(plan);
        if plan.target == Engine::Sqlite {
            text_as_it_is(plan);
        }
    }

    /// Whether a run before took the foreign key on these columns from an engine that declared it, to which it goes back.
    pub fn had_foreign_key(&self, table: &Table, columns: &[String], target: Engine) -> bool {
        let Some((origin, before)) = self.of(table) else { return false };
        let renamed = |name: &String| before.columns.iter().find(|c| c.name == *name).map(|c| &c.target);
        origin.plan.source == target
            && before
                .foreign_keys
                .iter()
                .any(|key| key.columns.iter().map(renamed).eq(columns.iter().map(Some)))
    }
}

impl Origin {
    /// What did not come with a table.
    fn aside_of(&self, before: &TablePlan) -> Option<Unmovable> {
        let reasons = self.aside.get(&before.source_name())?;
        let shown: Vec<String> = reasons.iter().map(|(reason, rows)| format!("{reason} {rows}")).collect();
        let rows: u64 = reasons.values().sum();
        let reason = format!(
            "{rows} row(s) were put aside when the table came from {} ({}); they lie in _trimaran_quarantine: \
             `trimaran migrate quarantine export` or `retry`, before this, brings them",
            self.from,
            shown.join(", ")
        );
        Some(Unmovable::new("quarantined rows", before.source_name().to_string(), reason))
    }
}

/// Has columns that a foreign key joins kept in one form: a UUID of 32 digits is not the text of 36 characters that it
/// refers to.
fn joined_alike(plan: &mut Plan) {
    loop {
        let mut differing = Vec::new();
        for (child, table) in plan.tables.iter().enumerate() {
            for key in &table.foreign_keys {
                let there = |t: &TablePlan| t.schema == key.references_schema && t.name == key.references;
                let Some(parent) = plan.tables.iter().position(there) else { continue };
                for (column, referenced) in key.columns.iter().zip(&key.references_columns) {
                    let places = (table.position(column), plan.tables[parent].position(referenced));
                    let (Some(a), Some(b)) = places else { continue };
                    let (a_form, b_form) =
                        (table.columns[a].kept_form(), plan.tables[parent].columns[b].kept_form());
                    if a_form != b_form {
                        differing.extend([(child, a), (parent, b)]);
                    }
                }
            }
        }
        if differing.is_empty() {
            return;
        }
        for (table, column) in differing {
            if let Some(undo) = &mut plan.tables[table].columns[column].undo {
                undo.form = Form::Native;
            }
        }
    }
}

/// SQLite keeps every text as it is: there is nothing for the codec to do.
fn text_as_it_is(plan: &mut Plan) {
    for column in plan.tables.iter_mut().flat_map(|table| &mut table.columns) {
        if column.on_hazard == Policy::Escape && column.logical.is_textual() {
            column.on_hazard = Policy::Quarantine;
        }
    }
}

/// The schemas of a source that hold a journal.
fn schemas(source: &dyn Database, session: &mut dyn Session) -> Result<Vec<String>> {
    if source.engine() == Engine::Sqlite {
        return Ok(vec![source.dialect().default_schema().to_owned()]);
    }
    let sql = "SELECT DISTINCT CAST(table_schema AS text) FROM information_schema.tables WHERE table_name = '_trimaran_runs'";
    let rows = session.query(sql, &[])?;
    let name = |row: Vec<Value<'_>>| match row.first() {
        Some(Value::Text(name)) => Some(String::from_utf8_lossy(name).into_owned()),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(name).collect())
}

/// Gives keys the names that they had; those that Postgres has given them go.
fn named_as_before(table: &mut TablePlan, before: &TablePlan) {
    let source_name = |target: &String| {
        before.columns.iter().find(|c| c.name == *target).map_or_else(|| target.clone(), |c| c.target.clone())
    };
    let on = |columns: &[String]| columns.iter().map(source_name).collect::<Vec<_>>();
    for key in &mut table.unique {
        if let Some(was) = before.unique.iter().find(|was| on(&was.columns) == key.columns) {
            key.name.clone_from(&was.name);
        }
    }
    for key in &mut table.foreign_keys {
        if let Some(was) = before.foreign_keys.iter().find(|was| on(&was.columns) == key.columns) {
            key.name.clone_from(&was.name);
        }
    }
}

/// The type and form that a column had; `Err` says why it does not become what it was.
fn as_before(was: &ColumnPlan, column: &ColumnPlan, target: Engine) -> Result<Undo, String> {
    let same = was.logical == column.logical;
    if matches!(was.on_hazard, Policy::AsText | Policy::AsBytes)
        && was.source != column.logical.stored_as(target)
    {
        return Err(format!("it was {}, and moved as {}: so it stays", was.source, was.logical));
    }
    if !same {
        return Err(format!("it was {}, and has been changed to {} since", was.source, column.logical));
    }
    if was.source == column.logical.stored_as(target) && was.form.is_native() {
        return Ok(Undo::default());
    }
    if !kept::is_known(target, &was.source, was.form, &was.logical) {
        return Err(format!("it was {}; it becomes {}", was.source, column.logical.stored_as(target)));
    }
    Ok(Undo { escaped: false, declared: Some(was.source.clone()), form: was.form })
}

/// Has the target count a column again that its origin counted; the sequence that stood in for that is not needed then.
fn counted_as_before(
    was: &ColumnPlan,
    column: &mut ColumnPlan,
    table: &Table,
    sequences: &[SequencePlan],
) -> Option<TableName> {
    let first = was.identity?;
    let default = table.column(&column.name).and_then(|c| c.default.clone());
    match default {
        Some(DefaultValue::NextValue(sequence)) if column.identity.is_none() => {
            let next = sequences.iter().find(|s| s.target == sequence.name).map(|s| s.next);
            column.identity = Some(first.max(next.unwrap_or(first)));
            column.default = None;
            Some(sequence)
        }
        _ => None,
    }
}
