//! Faults on request, before or after any one write to the target: what the tests of interruptions are made of. Only in
//! builds with the feature `testing`.
//!
//! `TRIMARAN_FAULT=ACTION:WHEN:N` strikes at the N-th write of the process, counted from 1: WHEN is `before` or `after`, ACTION is
//!
//! - `kill`: the process ends by SIGKILL;
//! - `fail`: an error that lasts;
//! - `drop`: the connection is lost, so that after a COMMIT nobody knows whether it took effect;
//! - an SQLSTATE such as `40P01` (Postgres): the server raises it in the transaction.
//!
//! `TRIMARAN_FAULT_LOG=FILE` gets a line for each write: its number, what it wrote to, and how. `TRIMARAN_CHUNK_ROWS=N` makes chunks of
//! about N rows, so that a small table has several. With several jobs the order of writes is another in each run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use trimaran_backends::catalog::{Table, TableName};
use trimaran_backends::{Catalog, Chunk, Database, Dialect, Identity, Interrupter, Location, Read, Session};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

const FAULT: &str = "TRIMARAN_FAULT";
const LOG: &str = "TRIMARAN_FAULT_LOG";
const CHUNK_ROWS: &str = "TRIMARAN_CHUNK_ROWS";

/// How many rows a chunk is to have, if somebody asks for a number.
pub(crate) fn chunk_rows() -> Option<u64> {
    std::env::var(CHUNK_ROWS).ok()?.parse().ok()
}

/// `target`, with the fault that the environment asks for.
///
/// # Errors
/// [`ErrorKind::Configuration`] if it asks for none that there is.
pub(crate) fn injected(target: Box<dyn Database>) -> Result<Box<dyn Database>> {
    let fault = match std::env::var(FAULT) {
        Ok(text) => Some(Fault::parse(&text).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("read {FAULT}")).context(text.clone())
        })?),
        Err(_) => None,
    };
    let log = std::env::var_os(LOG).map(std::path::PathBuf::from);
    if fault.is_none() && log.is_none() {
        return Ok(target);
    }
    Ok(Box::new(FaultyDatabase {
        target,
        faults: Arc::new(Faults { fault, log, writes: AtomicU64::new(0) }),
    }))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Kill,
    Fail,
    Drop,
    Raise(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
}

#[derive(Debug, Clone)]
struct Fault {
    action: Action,
    when: When,
    write: u64,
}

impl Fault {
    fn parse(text: &str) -> Option<Self> {
        let [action, when, write] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
        let action = match action {
            "kill" => Action::Kill,
            "fail" => Action::Fail,
            "drop" => Action::Drop,
            state if state.len() == 5 => Action::Raise(state.to_owned()),
            _ => return None,
        };
        let when = match when {
            "before" => When::Before,
            "after" => When::After,
            _ => return None,
        };
        Some(Self { action, when, write: write.parse().ok()? })
    }
}

struct Faults {
    fault: Option<Fault>,
    log: Option<std::path::PathBuf>,
    writes: AtomicU64,
}

impl Faults {
    /// Counts a write.
    fn next(&self, subject: &str, verb: &str) -> Result<u64> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(path) = &self.log {
            let failed = |e| Error::new(ErrorKind::Invalid, format!("write {}", path.display())).source(e);
            let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
            writeln!(file, "{write} {subject} {verb}").map_err(failed)?;
        }
        Ok(write)
    }

    fn due(&self, write: u64, when: When) -> Option<&Action> {
        let fault = self.fault.as_ref()?;
        (fault.write == write && fault.when == when).then_some(&fault.action)
    }
}

struct FaultyDatabase {
    target: Box<dyn Database>,
    faults: Arc<Faults>,
}

#[deny(clippy::missing_trait_methods)]
impl Database for FaultyDatabase {
    fn engine(&self) -> trimaran_core::Engine {
        self.target.engine()
    }

    fn dialect(&self) -> &'static dyn Dialect {
        self.target.dialect()
    }

    fn location(&self) -> &Location {
        self.target.location()
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(FaultySession {
            session: Some(self.target.session()?),
            faults: Arc::clone(&self.faults),
        }))
    }

    fn identity(&self) -> Result<Identity> {
        self.target.identity()
    }

    fn catalog(&self, schema: Option<&str>) -> Result<Catalog> {
        self.target.catalog(schema)
    }

    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
        self.target.encode_row(types, row, out)
    }

    fn interrupter(&self) -> Interrupter {
        self.target.interrupter()
    }
}

struct FaultySession {
    /// None once its connection was dropped.
    session: Option<Box<dyn Session>>,
    faults: Arc<Faults>,
}

impl FaultySession {
    fn session(&mut self) -> Result<&mut (dyn Session + 'static)> {
        self.session.as_deref_mut().ok_or_else(lost)
    }

    /// Does a write, and what is to go wrong before or after it.
    fn write_with<T>(
        &mut self,
        subject: &str,
        verb: &str,
        write: impl FnOnce(&mut dyn Session) -> Result<T>,
    ) -> Result<T> {
        let faults = Arc::clone(&self.faults);
        let number = faults.next(subject, verb)?;
        if let Some(action) = faults.due(number, When::Before) {
            self.strike(action)?;
        }
        let done = write(self.session()?)?;
        if let Some(action) = faults.due(number, When::After) {
            self.strike(action)?;
        }
        Ok(done)
    }

    fn strike(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Kill => {
                let killed = std::process::Command::new("kill")
                    .args(["-KILL", &std::process::id().to_string()])
                    .status();
                // The signal is on its way; if it isn't, the process ends all the same, with nothing tidied up.
                std::thread::sleep(std::time::Duration::from_secs(u64::from(killed.is_ok())));
                std::process::abort()
            }
            Action::Fail => Err(Error::new(ErrorKind::Forbidden, "write to the target").context("injected")),
            Action::Drop => {
                self.session = None;
                Err(lost())
            }
            Action::Raise(state) => {
                let raise =
                    format!("DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{state}'; END $$");
                self.session()?.execute(&raise).map(drop)
            }
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Unavailable, "write to the target").context("the connection was lost (injected)")
}

/// What a statement writes to.
fn subject(sql: &str) -> &'static str {
    match () {
        () if sql.contains("_trimaran_quarantine") => "quarantine",
        () if sql.contains("_trimaran_") => "journal",
        () => "target",
    }
}

/// The word that says what a statement does, if it writes.
fn writes(sql: &str) -> Option<&str> {
    let verb = sql.split_whitespace().next()?;
    (!verb.eq_ignore_ascii_case("SELECT")).then_some(verb)
}

#[deny(clippy::missing_trait_methods)]
impl Session for FaultySession {
    fn execute(&mut self, sql: &str) -> Result<u64> {
        match writes(sql) {
            Some(verb) => self.write_with(subject(sql), verb, |session| session.execute(sql)),
            None => self.session()?.execute(sql),
        }
    }

    fn query(&mut self, sql: &str, parameters: &[Value<'_>]) -> Result<Vec<Vec<Value<'static>>>> {
        match writes(sql) {
            Some(verb) => self.write_with(subject(sql), verb, |session| session.query(sql, parameters)),
            None => self.session()?.query(sql, parameters),
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.write_with("transaction", "BEGIN", |session| session.begin())
    }

    fn commit(&mut self) -> Result<()> {
        self.write_with("transaction", "COMMIT", |session| session.commit())
    }

    fn rollback(&mut self) -> Result<()> {
        self.session()?.rollback()
    }

    fn try_lock(&mut self, name: &str) -> Result<bool> {
        self.session()?.try_lock(name)
    }

    fn chunks(&mut self, table: &Table, rows: u64) -> Result<Vec<Chunk>> {
        self.session()?.chunks(table, rows)
    }

    fn read(&mut self, read: &Read<'_>, on_row: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
        self.session()?.read(read, on_row)
    }

    fn write(&mut self, table: &TableName, columns: &[(String, LogicalType)], rows: &[u8]) -> Result<u64> {
        let subject = subject(&table.name);
        self.write_with(subject, "ROWS", |session| session.write(table, columns, rows))
    }

    fn load(
        &mut self,
        table: &TableName,
        columns: &[(String, LogicalType)],
        next: &mut dyn FnMut(&mut Vec<u8>) -> Result<bool>,
    ) -> Result<u64> {
        let subject = subject(&table.name);
        self.write_with(subject, "ROWS", |session| session.load(table, columns, next))
    }

    fn interrupter(&mut self) -> Result<Interrupter> {
        self.session()?.interrupter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_an_action_a_side_and_a_number() {
        let fault = Fault::parse("kill:after:12").unwrap();
        assert_eq!((fault.action, fault.when, fault.write), (Action::Kill, When::After, 12));
        assert_eq!(Fault::parse("40P01:before:1").unwrap().action, Action::Raise("40P01".into()));
        for wrong in ["", "kill", "kill:after", "kill:during:1", "burn:after:1", "kill:after:x"] {
            assert!(Fault::parse(wrong).is_none(), "{wrong}");
        }
    }
}
