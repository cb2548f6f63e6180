//! What a source remembers of the migration that filled it: its journal, with the plan of that run.
//!
//! A journal lies beside the tables that its run wrote. A migration that reads those tables goes by it: text that was
//! escaped on the way in is read as it was, names and types become those of the origin where the tables go back to its
//! engine, and rows that were put aside are named. See `docs/decisions/0020-undoing-goes-by-the-journal.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trimaran_backends::catalog::{Table, TableName, Unmovable};
use trimaran_backends::{Database, Dialect, Session};
use trimaran_core::{Engine, LogicalType, Result, Value};

use crate::journal::Journal;
use crate::mapping::Form;
use crate::plan::{Plan, TablePlan};

mod columns;
mod forms;

use columns::{as_before, counted_as_before, named_as_before};
use forms::{joined_alike, text_as_it_is};

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
            if !journal.exists(session.as_mut())? {
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
