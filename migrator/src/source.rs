//! A source, opened: its database, its catalogue and its identity when the work began.

use trimaran_backends::catalog::Table;
use trimaran_backends::{Access, Catalog, Chunk, Database, Identity, Location, OpenOptions, Session};
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::plan::{Plan, TablePlan};
use crate::reach::open;

/// How much memory and how many threads a migration may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes in all.
    pub memory: u64,
    /// Threads that read and write.
    pub jobs: usize,
}

impl Budget {
    /// The engine's share: its own caches. DuckDB's limit leaves out its code, its allocator's slack and the batch being
    /// read, which together were measured to take as much again as a third of the default budget.
    pub fn engine(&self) -> u64 {
        self.memory / 3
    }

    /// The target engine's share. DuckDB builds its indexes in it; the others need little, beside DuckDB as a source above all.
    pub fn target(&self, source: Engine, target: Engine) -> u64 {
        match (source, target) {
            (Engine::Duckdb, Engine::Duckdb) => self.engine() / 2,
            (_, Engine::Duckdb) => self.engine(),
            _ => self.engine() / 4,
        }
    }

    /// What may be on its way from one thread that reads to the one that writes. All of it together is an eighth of the
    /// budget; beyond some megabytes more gains nothing.
    pub fn buffer(&self) -> usize {
        let share = self.memory / 8 / self.jobs.max(1) as u64;
        share.clamp(64 * 1024, 4 * 1024 * 1024) as usize
    }

    /// How large the pieces are that it goes in: several at a time, and each worth handing over.
    pub fn piece(&self) -> usize {
        (self.buffer() / 8).clamp(16 * 1024, 256 * 1024)
    }
}

/// A source.
pub struct Source {
    /// The database.
    pub database: Box<dyn Database>,
    /// What it holds.
    pub catalog: Catalog,
    /// What it was when it was opened.
    pub identity: Identity,
}

impl Source {
    /// Opens the source at `location` for reading.
    ///
    /// # Errors
    /// As [`trimaran_backends::open()`] and the reading of its catalogue.
    pub fn open(location: &Location, budget: Budget) -> Result<Self> {
        let options =
            OpenOptions { access: Access::Source, memory: budget.engine(), sessions: budget.jobs.max(1) };
        let database = open(location, options)?;
        let identity = database.identity()?;
        let catalog = database.catalog(None)?;
        Ok(Self { database, catalog, identity })
    }

    /// The catalogue's table that a planned table comes from.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] if the source no longer has it.
    pub fn table(&self, planned: &TablePlan) -> Result<&Table> {
        let name = planned.source_name();
        self.catalog.tables.iter().find(|t| t.name == name).ok_or_else(|| {
            Error::new(ErrorKind::Changed, "read the source")
                .context(format!("it has no table {name} any more"))
        })
    }

    /// Splits every table of the plan into chunks of about `rows(table)` rows: pairs of the table's place in the plan
    /// and the chunk, in order.
    ///
    /// # Errors
    /// The engine's, classified.
    pub fn chunks(&self, plan: &Plan, rows: impl Fn(usize) -> u64) -> Result<Vec<(usize, Chunk)>> {
        let mut session = self.database.session()?;
        let mut all = Vec::new();
        for (at, planned) in plan.tables.iter().enumerate() {
            all.extend(self.table_chunks(session.as_mut(), planned, rows(at))?.into_iter().map(|c| (at, c)));
        }
        Ok(all)
    }

    fn table_chunks(&self, session: &mut dyn Session, planned: &TablePlan, rows: u64) -> Result<Vec<Chunk>> {
        session.chunks(self.table(planned)?, rows)
    }

    /// Fails if the source is not what it was when it was opened.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`], naming the facts that differ.
    pub fn unchanged(&self) -> Result<()> {
        same(&self.identity, &self.database.identity()?)
    }
}

/// Fails if two identities of one source differ.
///
/// # Errors
/// [`ErrorKind::Changed`], naming the facts that differ.
pub fn same(then: &Identity, now: &Identity) -> Result<()> {
    if then == now {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Changed, "go on with this source")
        .context(format!("it changed since the run began ({})", then.differences(now).join("; ")))
        .hint("stop whatever writes to it and begin again with --restart, which drops what this run has written"))
}
