//! Going on with a source whose chunks can't be found again.
//!
//! Files keep their rows where they were, so that a run goes on with the chunks that are missing. A Postgres snapshot ends
//! with its session: the next one may see other rows, and the same rows in other blocks. There a run goes on by tables.
//! One that was copied whole stays, if the source still holds just its rows; any other begins again, and what was
//! written of it is removed in the transaction that forgets its chunks.

use std::collections::HashSet;

use trimaran_backends::catalog::TableName;
use trimaran_backends::dialect::Phase;
use trimaran_backends::{Database, Identity, Session};
use trimaran_core::digest::Digest;
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::journal::{ChunkRecord, Journal, Run};
use crate::plan::{Plan, TablePlan, fingerprint};
use crate::progress::Progress;
use crate::schema;
use crate::sides::{self, Side, Sum};
use crate::source::{self, Budget, Source};

/// The fact of an identity that another session's work changes, whatever it worked on.
const SNAPSHOT: &str = "snapshot";

/// Whether chunks of an engine mean nothing to a later process.
pub fn is_by_tables(engine: Engine) -> bool {
    engine == Engine::Postgres
}

/// Fails if a source is not the one that a run began with. Of a source that is resumed by tables only the place counts:
/// its rows are compared.
///
/// # Errors
/// [`ErrorKind::Changed`], naming the facts that differ.
pub fn same(engine: Engine, then: &Identity, now: &Identity) -> Result<()> {
    if !is_by_tables(engine) {
        return source::same(then, now);
    }
    let place = |identity: &Identity| {
        let mut place = identity.clone();
        place.0.remove(SNAPSHOT);
        place
    };
    source::same(&place(then), &place(now))
}

/// The step that says that a table was copied whole.
fn step(table: &TableName) -> String {
    format!("copied {}.{}", table.schema, table.name)
}

/// The tables of which nothing is left to copy, whatever their chunks are now.
///
/// # Errors
/// The target's, classified.
pub fn finished(
    engine: Engine,
    journal: &Journal,
    session: &mut dyn Session,
    run: &str,
    plan: &Plan,
) -> Result<HashSet<TableName>> {
    if !is_by_tables(engine) {
        return Ok(HashSet::new());
    }
    let steps = journal.steps(session, run)?;
    Ok(plan.tables.iter().map(TablePlan::source_name).filter(|name| steps.contains(&step(name))).collect())
}

/// Records that a table was copied whole.
///
/// # Errors
/// The target's, classified.
pub fn finish(
    engine: Engine,
    journal: &Journal,
    session: &mut dyn Session,
    run: &str,
    table: &TableName,
) -> Result<()> {
    if is_by_tables(engine) { journal.record_step(session, run, &step(table)) } else { Ok(()) }
}

/// What is needed to go on.
pub struct Resume<'a> {
    /// The source, as it is now.
    pub source: &'a Source,
    /// The target.
    pub target: &'a dyn Database,
    /// The plan.
    pub plan: &'a Plan,
    /// The journal.
    pub journal: &'a Journal,
    /// The run, as it was left.
    pub run: &'a Run,
    /// Memory and threads.
    pub budget: Budget,
}

impl Resume<'_> {
    /// Takes back what was written of tables that begin again. Does nothing for a source that is resumed by chunks.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] if the source's tables are not those of the plan; [`ErrorKind::Conflict`] if a table that
    /// begins again holds rows of somebody else; else the engines', classified.
    pub fn by_tables(&self, session: &mut dyn Session, progress: &Progress) -> Result<()> {
        if !is_by_tables(self.source.database.engine()) {
            return Ok(());
        }
        if fingerprint(&self.source.catalog) != self.plan.fingerprint {
            return Err(Error::new(ErrorKind::Changed, "go on with this source")
                .context("its tables are not those that the run began with")
                .hint("begin again with --restart, which drops what this run has written"));
        }
        let run = &self.run.id;
        let finished = finished(self.source.database.engine(), self.journal, session, run, self.plan)?;
        let chunks = self.journal.chunks(session, run)?;
        let moved_on = self.run.identity != self.source.identity;
        for planned in &self.plan.tables {
            let name = planned.source_name();
            let records: Vec<&ChunkRecord> = chunks.iter().filter(|c| c.table == name).collect();
            let stays = finished.contains(&name) && (!moved_on || self.is_as_copied(planned, &records)?);
            if !stays && !records.is_empty() {
                progress.say(format!("resume: {name} begins again"));
                self.take_back(session, planned, &records)?;
            }
        }
        self.journal.set_identity(session, run, &self.source.identity)
    }

    /// Whether the source holds just the rows that were copied.
    fn is_as_copied(&self, planned: &TablePlan, records: &[&ChunkRecord]) -> Result<bool> {
        let aside = match planned.is_lossy() {
            true => sides::aside(self.target, self.journal, &self.run.id, planned)?,
            false => sides::Aside::new(),
        };
        let mut session = self.source.database.session()?;
        let side = Side::source(self.source, session.as_mut(), planned, self.plan.target, aside)?;
        let mut copied = Sum { rows: 0, digest: Digest::default() };
        for record in records {
            copied.rows += record.read;
            copied.digest.add(record.digest);
        }
        Ok(side.sum(self.budget, |_, _| {})? == copied)
    }

    /// Empties a table; the steps that are to be done again for it.
    ///
    /// On DuckDB a table that the run created is dropped, and created again: what is deleted there keeps its place in the file,
    /// and row ids would begin behind it.
    fn empty(&self, session: &mut dyn Session, planned: &TablePlan) -> Result<Vec<String>> {
        let dialect = self.target.dialect();
        let definition = planned.definition(self.plan);
        let mut steps = vec![step(&planned.source_name())];
        let created = schema::created(&definition.name);
        if dialect.engine() != Engine::Duckdb
            || !self.journal.steps(session, &self.run.id)?.contains(&created)
        {
            session.execute(&format!("DELETE FROM {}", dialect.qualify(&definition.name)))?;
            return Ok(steps);
        }
        for sql in dialect.drop_table(&definition) {
            session.execute(&sql)?;
        }
        let later = Phase::ALL.into_iter().flat_map(|phase| dialect.complete(&definition, phase));
        steps.extend(later.map(|statement| statement.step));
        steps.push(created);
        Ok(steps)
    }

    fn take_back(
        &self,
        session: &mut dyn Session,
        planned: &TablePlan,
        records: &[&ChunkRecord],
    ) -> Result<()> {
        let (table, source) = (planned.target_name(), planned.source_name());
        let written: u64 = records.iter().map(|record| record.written).sum();
        session.begin()?;
        let taken = (|| {
            let there = schema::count(self.target, session, &table)?;
            if there != written {
                return Err(Error::new(ErrorKind::Conflict, "go on with this source")
                    .context(format!("table {table} holds {there} row(s), of which the run wrote {written}"))
                    .hint(
                        "take the other rows out of it, or begin again with --restart into another schema",
                    ));
            }
            let steps = self.empty(session, planned)?;
            self.journal.forget_table(session, &self.run.id, &source, &steps)
        })();
        match taken {
            Ok(()) => session.commit(),
            Err(error) => {
                // The first error is the one that matters.
                drop(session.rollback());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_snapshot_of_one_database_is_the_same_source() {
        let identity = |database: &str, snapshot: &str| {
            let facts = [("database", database), (SNAPSHOT, snapshot)];
            Identity(facts.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        let (then, now) = (identity("a", "1:1:"), identity("a", "2:2:"));
        assert!(same(Engine::Postgres, &then, &now).is_ok());
        assert_eq!(same(Engine::Sqlite, &then, &now).unwrap_err().kind(), ErrorKind::Changed);
        assert!(same(Engine::Postgres, &then, &identity("b", "1:1:")).is_err());
    }
}
