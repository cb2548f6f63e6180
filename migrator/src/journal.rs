//! The journal: what a run has done, kept in the target beside the data, so that each record is committed together
//! with what it records.
//!
//! Four tables in the target's schema: `_trimaran_runs`, `_trimaran_steps`, `_trimaran_chunks` and
//! `_trimaran_quarantine`.

use std::collections::HashSet;

use trimaran_backends::catalog::TableName;
use trimaran_backends::{Dialect, Identity, Session};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use crate::choices::Choices;

mod chunks;
mod quarantine;
mod restart;

pub use chunks::ChunkRecord;
pub use quarantine::{Batch, Entry};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Tables are being created and filled.
    Writing,
    /// Everything is written; keys stand; nothing is verified yet.
    Written,
    /// Verified.
    Verified,
}

impl State {
    const ALL: [(State, &'static str); 3] =
        [(State::Writing, "writing"), (State::Written, "written"), (State::Verified, "verified")];

    /// Its name, as the journal keeps it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

/// A run, as the journal keeps it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id: the time it began, in milliseconds since 1970, in hexadecimal.
    pub id: String,
    /// The source's URL, without secrets.
    pub source: String,
    /// What the source was when the run began.
    pub identity: Identity,
    /// What the operator chose.
    pub choices: Choices,
    /// The plan, as TOML.
    pub plan: String,
    /// Where it stands.
    pub state: State,
}

/// The journal of one target schema.
#[derive(Clone)]
pub struct Journal {
    dialect: &'static dyn Dialect,
    schema: String,
}

const RUNS: &str = "_trimaran_runs";
const STEPS: &str = "_trimaran_steps";
const CHUNKS: &str = "_trimaran_chunks";
const QUARANTINE: &str = "_trimaran_quarantine";

impl Journal {
    /// The journal in `schema`.
    pub fn new(dialect: &'static dyn Dialect, schema: &str) -> Self {
        Self { dialect, schema: schema.to_owned() }
    }

    fn name(&self, table: &str) -> String {
        self.dialect.qualify(&TableName::new(&self.schema, table))
    }

    /// Creates the schema and the journal's tables where they don't exist.
    ///
    /// # Errors
    /// The target's, classified: above all a lack of rights.
    pub fn create(&self, session: &mut dyn Session) -> Result<()> {
        let kept = |logical: LogicalType| logical.stored_as(self.dialect.engine());
        let (text, count, bytes) =
            (kept(LogicalType::Text), kept(LogicalType::Int64), kept(LogicalType::Bytes));
        if let Some(sql) = self.dialect.create_schema(&self.schema) {
            session.execute(&sql)?;
        }
        let tables = [
            (
                RUNS,
                format!(
                    "run {text} NOT NULL, source {text} NOT NULL, identity {text} NOT NULL, choices {text} NOT NULL, \
                     plan {text} NOT NULL, state {text} NOT NULL, version {text} NOT NULL, recorded {count}, \
                     PRIMARY KEY (run)"
                ),
            ),
            (
                STEPS,
                format!(
                    "run {text} NOT NULL, step {text} NOT NULL, recorded {count}, PRIMARY KEY (run, step)"
                ),
            ),
            (
                CHUNKS,
                format!(
                    "run {text} NOT NULL, source_schema {text} NOT NULL, source_table {text} NOT NULL, \
                     chunk {count} NOT NULL, from_position {count} NOT NULL, to_position {count} NOT NULL, \
                     rows_read {count} NOT NULL, rows_written {count} NOT NULL, rows_quarantined {count} NOT NULL, \
                     bytes {count} NOT NULL, digest {text} NOT NULL, recorded {count}, \
                     PRIMARY KEY (run, source_schema, source_table, chunk)"
                ),
            ),
            (
                QUARANTINE,
                format!(
                    "run {text} NOT NULL, source_schema {text} NOT NULL, source_table {text} NOT NULL, \
                     chunk {count} NOT NULL, entry {count} NOT NULL, row_key {text} NOT NULL, column_name {text} NOT NULL, \
                     reason {text} NOT NULL, row_bytes {bytes} NOT NULL, \
                     PRIMARY KEY (run, source_schema, source_table, chunk, entry)"
                ),
            ),
        ];
        for (table, columns) in tables {
            session.execute(&format!("CREATE TABLE IF NOT EXISTS {} ({columns})", self.name(table)))?;
        }
        self.renew(session)
    }

    /// Adds to a journal that an earlier version made what it lacks: when things were recorded.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn renew(&self, session: &mut dyn Session) -> Result<()> {
        let count = LogicalType::Int64.stored_as(self.dialect.engine());
        for table in [RUNS, STEPS, CHUNKS] {
            let name = self.name(table);
            match session.query(&format!("SELECT recorded FROM {name} LIMIT 0"), &[]) {
                Ok(_) => {}
                Err(error) if error.is_retryable() || error.kind() == ErrorKind::Interrupted => {
                    return Err(error);
                }
                Err(_) => {
                    session.execute(&format!("ALTER TABLE {name} ADD COLUMN recorded {count}"))?;
                }
            }
        }
        Ok(())
    }

    /// Every run, the last first.
    ///
    /// # Errors
    /// The target's, classified; [`ErrorKind::Corrupt`] if a record makes no sense.
    pub fn runs(&self, session: &mut dyn Session) -> Result<Vec<Run>> {
        let sql = format!(
            "SELECT run, identity, choices, plan, state, source FROM {} ORDER BY run DESC",
            self.name(RUNS)
        );
        session.query(&sql, &[])?.iter().map(|row| run(row, &text(row, 5)?)).collect()
    }

    /// The last run from `source`, if there is a journal and it has one.
    ///
    /// # Errors
    /// The target's, classified; [`ErrorKind::Corrupt`] if a record makes no sense.
    pub fn find(&self, session: &mut dyn Session, source: &str) -> Result<Option<Run>> {
        let sql = format!(
            "SELECT run, identity, choices, plan, state FROM {} WHERE source = $1 ORDER BY run DESC LIMIT 1",
            self.name(RUNS)
        );
        let Some(row) = session.query(&sql, &[Value::text(source)])?.into_iter().next() else {
            return Ok(None);
        };
        run(&row, source).map(Some)
    }

    /// Whether the journal's tables exist.
    ///
    /// # Errors
    /// The target's where it could not be asked: that is no answer.
    pub fn exists(&self, session: &mut dyn Session) -> Result<bool> {
        match session.query(&format!("SELECT run FROM {} LIMIT 0", self.name(RUNS)), &[]) {
            Ok(_) => Ok(true),
            Err(error) if error.is_retryable() || error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// The last run from `source`, if there is a journal at all.
    ///
    /// # Errors
    /// As [`Journal::exists`] and [`Journal::find`].
    pub fn earlier(&self, session: &mut dyn Session, source: &str) -> Result<Option<Run>> {
        if self.exists(session)? { self.find(session, source) } else { Ok(None) }
    }

    /// Records a new run.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn begin(&self, session: &mut dyn Session, run: &Run) -> Result<()> {
        let json = |text: serde_json::Result<String>| text.map_err(|e| corrupt("a run").source(e));
        let (identity, choices) =
            (json(serde_json::to_string(&run.identity))?, json(serde_json::to_string(&run.choices))?);
        let sql = format!(
            "INSERT INTO {} (run, source, identity, choices, plan, state, version, recorded) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, {})",
            self.name(RUNS),
            now()
        );
        let values = [
            &run.id,
            &run.source,
            &identity,
            &choices,
            &run.plan,
            run.state.name(),
            env!("CARGO_PKG_VERSION"),
        ];
        session.query(&sql, &values.map(Value::text)).map(drop)
    }

    /// Records where a run stands.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn set_state(&self, session: &mut dyn Session, run: &str, state: State) -> Result<()> {
        let sql = format!("UPDATE {} SET state = $1, recorded = {} WHERE run = $2", self.name(RUNS), now());
        session.query(&sql, &[Value::text(state.name()), Value::text(run)]).map(drop)
    }

    /// The steps that a run has done.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn steps(&self, session: &mut dyn Session, run: &str) -> Result<HashSet<String>> {
        let sql = format!("SELECT step FROM {} WHERE run = $1", self.name(STEPS));
        session.query(&sql, &[Value::text(run)])?.iter().map(|row| text(row, 0)).collect()
    }

    /// Gives a run another plan, and has it verified again: one for which rows are written that were put aside.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn set_plan(&self, session: &mut dyn Session, run: &str, plan: &str) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET plan = $1, state = $2, recorded = {} WHERE run = $3",
            self.name(RUNS),
            now()
        );
        let values = [Value::text(plan), Value::text(State::Written.name()), Value::text(run)];
        session.query(&sql, &values).map(drop)
    }

    /// Records a step, in the transaction that did it.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn record_step(&self, session: &mut dyn Session, run: &str, step: &str) -> Result<()> {
        let sql =
            format!("INSERT INTO {} (run, step, recorded) VALUES ($1, $2, {})", self.name(STEPS), now());
        session.query(&sql, &[Value::text(run), Value::text(step)]).map(drop)
    }

    /// When something was last recorded of a run, in milliseconds since 1970; `None` if an earlier version made the journal.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn last_change(&self, session: &mut dyn Session, run: &str) -> Result<Option<i64>> {
        let mut last = None;
        for table in [RUNS, STEPS, CHUNKS] {
            let name = self.name(table);
            let sql = format!(
                "SELECT recorded FROM {name} WHERE run = $1 ORDER BY recorded IS NULL, recorded DESC LIMIT 1"
            );
            match session.query(&sql, &[Value::text(run)]) {
                Ok(rows) => last = last.max(rows.first().and_then(|row| number(row, 0).ok())),
                Err(error) if error.is_retryable() || error.kind() == ErrorKind::Interrupted => {
                    return Err(error);
                }
                Err(_) => return Ok(None),
            }
        }
        Ok(last)
    }

    /// Forgets a run.
    ///
    /// # Errors
    /// The target's, classified.
    pub fn forget(&self, session: &mut dyn Session, run: &str) -> Result<()> {
        for table in [QUARANTINE, CHUNKS, STEPS, RUNS] {
            session
                .query(&format!("DELETE FROM {} WHERE run = $1", self.name(table)), &[Value::text(run)])?;
        }
        Ok(())
    }
}

/// Milliseconds since 1970.
pub fn now() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// A run from `source`, of which a row tells all else.
fn run(row: &[Value<'_>], source: &str) -> Result<Run> {
    let cell = |at: usize| text(row, at);
    let state = cell(4)?;
    Ok(Run {
        id: cell(0)?,
        source: source.to_owned(),
        identity: serde_json::from_str(&cell(1)?).map_err(|e| corrupt("a source's identity").source(e))?,
        choices: serde_json::from_str(&cell(2)?).map_err(|e| corrupt("a run's choices").source(e))?,
        plan: cell(3)?,
        state: State::ALL
            .iter()
            .find(|(_, name)| *name == state)
            .map(|(state, _)| *state)
            .ok_or_else(|| corrupt("a run's state"))?,
    })
}

fn text(row: &[Value<'_>], at: usize) -> Result<String> {
    match row.get(at) {
        Some(Value::Text(text)) => String::from_utf8(text.to_vec()).map_err(|e| corrupt("a text").source(e)),
        _ => Err(corrupt("a text")),
    }
}

fn number(row: &[Value<'_>], at: usize) -> Result<i64> {
    match row.get(at) {
        Some(Value::Int(number)) => Ok(*number),
        _ => Err(corrupt("a number")),
    }
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, "read the journal").context(format!("{what} in it makes no sense"))
}
