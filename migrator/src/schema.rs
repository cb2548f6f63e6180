//! The target's tables: what is there already, those that a run creates before the copy, and how they are dropped again.

use std::collections::HashSet;

use trimaran_backends::catalog::{Table, TableName};
use trimaran_backends::dialect::{Statement, TableDefinition};
use trimaran_backends::{Catalog, Database, Dialect, Session};
use trimaran_core::{Engine, Error, ErrorKind, LogicalType, Result, Value};

use crate::finding::Findings;
use crate::hazard::Hazard;
use crate::journal::Journal;
use crate::objects;
use crate::plan::Plan;
use crate::policy::Treatment;
use crate::steps::{Steps, Written};

/// What the target already holds under the plan's names.
pub struct Occupied {
    /// Tables that exist, are empty and have just the planned columns: they are used as they are.
    pub usable: HashSet<TableName>,
    /// The target's catalogue of each schema the plan writes to.
    pub catalogs: Vec<Catalog>,
}

impl Occupied {
    /// The existing table of this name.
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.catalogs.iter().flat_map(|c| &c.tables).find(|t| t.name == *name)
    }
}

/// Looks at what stands in the way on the target: names too long, names that collide, tables that are not empty or are
/// not the planned ones. Reads only.
///
/// # Errors
/// The target's, classified.
pub fn survey(target: &dyn Database, plan: &Plan, findings: &mut Findings) -> Result<Occupied> {
    names(target.dialect(), plan, findings);
    let schemas: HashSet<&str> = plan.tables.iter().map(|t| t.target_schema.as_str()).collect();
    let catalogs = schemas.into_iter().map(|s| target.catalog(Some(s))).collect::<Result<Vec<_>>>()?;
    let mut session = target.session()?;
    let mut occupied = Occupied { usable: HashSet::new(), catalogs };
    let mut usable = HashSet::new();
    for planned in &plan.tables {
        let name = planned.target_name();
        let Some(existing) = occupied.table(&name) else { continue };
        let sql = format!("SELECT 1 FROM {} LIMIT 1", target.dialect().qualify(&name));
        let filled = !session.query(&sql, &[])?.is_empty();
        let detail = if filled {
            Some("it holds rows".to_owned())
        } else {
            different(existing, &planned.definition(plan), plan.target)
        };
        match detail {
            None => {
                usable.insert(name);
            }
            Some(detail) => {
                let finding = findings.add(
                    &planned.source_name().to_string(),
                    None,
                    Hazard::TargetOccupied,
                    Treatment::Rejects,
                    || name.to_string(),
                );
                finding.detail = Some(detail);
            }
        }
    }
    occupied.usable = usable;
    Ok(occupied)
}

/// How an existing table differs from the planned one, if it does.
fn different(existing: &Table, planned: &TableDefinition, engine: Engine) -> Option<String> {
    for column in &planned.columns {
        match existing.column(&column.name) {
            None => return Some(format!("it has no column {}", column.name)),
            Some(there) if there.generated.is_some() && column.generated.is_none() => {
                return Some(format!("its column {} is generated", there.name));
            }
            Some(there)
                if !same_type(there.logical.as_ref(), &column.logical, engine)
                    && !there.declared.eq_ignore_ascii_case(&column.type_on(engine)) =>
            {
                return Some(format!(
                    "its column {} is {}, the plan has {}",
                    there.name,
                    there.declared,
                    column.type_on(engine)
                ));
            }
            Some(_) => {}
        }
    }
    existing
        .columns
        .iter()
        .find(|c| {
            !c.nullable
                && c.default.is_none()
                && c.identity.is_none()
                && c.generated.is_none()
                && !planned.columns.iter().any(|p| p.name == c.name)
        })
        .map(|c| format!("its column {} must have a value, and the plan has none for it", c.name))
}

/// Whether a column that exists is of the planned type. Postgres does not keep how many dimensions an array has.
fn same_type(there: Option<&LogicalType>, planned: &LogicalType, engine: Engine) -> bool {
    match (there, planned) {
        (Some(LogicalType::List(there)), LogicalType::List(planned)) if engine == Engine::Postgres => {
            there.scalar() == planned.scalar()
        }
        (there, planned) => there == Some(planned),
    }
}

fn names(dialect: &dyn Dialect, plan: &Plan, findings: &mut Findings) {
    let limit = dialect.max_name_bytes();
    let mut taken: HashSet<(String, String)> = HashSet::new();
    for table in &plan.tables {
        let label = table.source_name().to_string();
        let mut long = |column: Option<&str>, name: &str| {
            if name.len() > limit {
                let finding =
                    findings.add(&label, column, Hazard::NameTooLong, Treatment::Rejects, || name.to_owned());
                finding.detail = Some(format!("{} bytes, {} keeps {limit}", name.len(), plan.target));
            }
        };
        long(None, &table.target);
        table.columns.iter().for_each(|c| long(Some(&c.name), &c.target));
        let indexes = table.indexes.iter().map(|i| &i.name).chain(table.index_sql.iter().map(|i| &i.name));
        indexes.clone().for_each(|name| long(None, name));
        let mut columns = HashSet::new();
        for column in &table.columns {
            let folded = dialect_fold(plan.target, &column.target);
            if !columns.insert(kept_of(&folded, limit).to_owned()) {
                findings.add(&label, Some(&column.name), Hazard::NameCollision, Treatment::Rejects, || {
                    column.target.clone()
                });
            }
        }
        // A unique constraint of Postgres is an index of its name, among the relations of the schema.
        let constraints =
            table.unique.iter().filter_map(|key| key.name.as_ref()).filter(|_| named(plan.target));
        let relations = [&table.target].into_iter().chain(indexes.clone()).chain(constraints);
        for name in relations {
            let whole = dialect_fold(plan.target, name);
            let kept = kept_of(&whole, limit);
            if !taken.insert((table.target_schema.clone(), kept.to_owned())) {
                let finding =
                    findings.add(&label, None, Hazard::NameCollision, Treatment::Rejects, || name.clone());
                if kept.len() < whole.len() {
                    finding.detail = Some(format!("{} keeps {kept} of it", plan.target));
                }
            }
        }
    }
}

/// Whether constraints share their names with tables.
fn named(engine: Engine) -> bool {
    engine == Engine::Postgres
}

/// As much of a name as an engine keeps.
fn kept_of(name: &str, limit: usize) -> &str {
    &name[..name.floor_char_boundary(limit)]
}

/// Names as the engine compares them: Postgres keeps case in quoted names, the other two ignore it.
fn dialect_fold(engine: Engine, name: &str) -> String {
    if engine == Engine::Postgres { name.to_owned() } else { name.to_lowercase() }
}

/// Creates schemas, sequences and tables. A table that exists already is left as it is.
///
/// # Errors
/// The target's, classified, naming the step.
pub fn create(
    target: Written<'_>,
    journal: &Journal,
    run: &str,
    plan: &Plan,
    occupied: &Occupied,
) -> Result<()> {
    let dialect = target.database.dialect();
    let mut steps = Steps::new(target, journal, run)?;
    let schemas: std::collections::BTreeSet<&str> = plan
        .tables
        .iter()
        .map(|t| &t.target_schema)
        .chain(plan.sequences.iter().map(|s| &s.target_schema))
        .map(String::as_str)
        .collect();
    for schema in schemas {
        if let Some(sql) = dialect.create_schema(schema) {
            steps.take(&Statement::new(format!("schema {schema}"), sql))?;
        }
    }
    for sequence in &plan.sequences {
        if let Some(statement) = dialect.create_sequence(&sequence.definition()) {
            steps.take(&statement)?;
        }
    }
    objects::create_enums(dialect, &mut steps, plan)?;
    for table in &plan.tables {
        if !occupied.usable.contains(&table.target_name()) {
            let statement = dialect.create_table(&table.definition(plan));
            steps.take(&Statement::new(created(&table.target_name()), statement.sql))?;
        }
    }
    Ok(())
}

/// The step that creates a table.
pub(crate) fn created(table: &TableName) -> String {
    format!("create table {}.{}", table.schema, table.name)
}

/// Drops what a run created and forgets it. Tables that the run found and filled are not touched.
///
/// # Errors
/// [`ErrorKind::Conflict`] if the run filled a table that it had not created, naming it; else the target's.
pub fn undo(
    target: &dyn Database,
    session: &mut dyn Session,
    journal: &Journal,
    run: &str,
    plan: &Plan,
) -> Result<()> {
    let dialect = target.dialect();
    let done = journal.steps(session, run)?;
    let chunks = journal.chunks(session, run)?;
    let mine: Vec<TableName> =
        plan.tables.iter().map(|t| t.target_name()).filter(|t| done.contains(&created(t))).collect();
    for table in &plan.tables {
        let filled = chunks.iter().any(|c| c.table == table.source_name() && c.written > 0);
        if filled && !mine.contains(&table.target_name()) {
            return Err(Error::new(ErrorKind::Conflict, "begin again")
                .context(format!("table {} existed before the run, which filled it", table.target_name()))
                .hint("empty that table by hand, if its rows may go, then run with --restart again"));
        }
    }
    session.begin()?;
    let undone = (|| {
        objects::drop_views(dialect, session, plan, &|step| done.contains(step))?;
        let names: Vec<String> = mine.iter().rev().map(|t| dialect.qualify(t)).collect();
        if target.engine() == Engine::Postgres && !names.is_empty() {
            // One statement, so that foreign keys among them don't stand in the way.
            session.execute(&format!("DROP TABLE IF EXISTS {}", names.join(", ")))?;
        } else {
            for table in plan.tables.iter().rev().filter(|table| mine.contains(&table.target_name())) {
                for sql in dialect.drop_table(&table.definition(plan)) {
                    session.execute(&sql)?;
                }
            }
        }
        objects::drop_enums(dialect, session, plan, &|step| done.contains(step))?;
        for sequence in &plan.sequences {
            if let Some(statement) = dialect.create_sequence(&sequence.definition())
                && done.contains(&statement.step)
            {
                let name = dialect.qualify(&sequence.definition().name);
                session.execute(&format!("DROP SEQUENCE IF EXISTS {name}"))?;
            }
        }
        journal.forget(session, run)
    })();
    match undone {
        Ok(()) => session.commit(),
        Err(error) => {
            drop(session.rollback());
            Err(error)
        }
    }
}

/// The rows of a table, as its engine counts them.
///
/// # Errors
/// The engine's, classified.
pub fn count(database: &dyn Database, session: &mut dyn Session, table: &TableName) -> Result<u64> {
    let rows = session.query(&format!("SELECT count(*) FROM {}", database.dialect().qualify(table)), &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(n)) => Ok(u64::try_from(*n).unwrap_or_default()),
        _ => Ok(0),
    }
}
