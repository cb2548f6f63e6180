//! SQLite by rusqlite, with statements prepared once, in the mode in which Trimaran has it.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use sea_orm::Statement;
use sea_orm::sea_query::Value as Given;

use crate::Result;
use crate::record::{Script, Step};
use crate::replay::Blocking;

pub(crate) struct RawSqlite {
    files: Vec<PathBuf>,
    open: Vec<Option<Connection>>,
}

impl RawSqlite {
    pub(crate) fn open(files: Vec<PathBuf>) -> Self {
        let open = files.iter().map(|_| None).collect();
        Self { files, open }
    }
}

fn connect(file: &PathBuf) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

impl Blocking for RawSqlite {
    fn again(&self) -> Result<Self> {
        Ok(Self::open(self.files.clone()))
    }

    fn play(&mut self, script: &Script) -> Result<()> {
        let mut at = 0;
        for step in script {
            if let Step::On(file) = step {
                at = *file;
                continue;
            }
            let connection = match &mut self.open[at] {
                Some(connection) => connection,
                closed => closed.insert(connect(&self.files[at])?),
            };
            match step {
                Step::On(_) => {}
                Step::Begin { reads: true } => connection.prepare_cached("BEGIN")?.execute([]).map(drop)?,
                Step::Begin { reads: false } => {
                    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)?;
                }
                Step::Commit => connection.prepare_cached("COMMIT")?.execute([]).map(drop)?,
                Step::Run(statement) => run(connection, statement)?,
            }
        }
        Ok(())
    }
}

fn run(connection: &Connection, statement: &Statement) -> Result<()> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let columns = prepared.column_count();
    let given = statement.values.iter().flat_map(|values| values.0.iter());
    let values = given.map(value).collect::<Result<Vec<_>>>()?;
    if columns == 0 {
        prepared.execute(rusqlite::params_from_iter(values))?;
        return Ok(());
    }
    let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            // Texts and bytes are copied, as an application would.
            match row.get_ref(column)? {
                ValueRef::Text(text) => {
                    drop(std::hint::black_box(String::from_utf8(text.to_vec())?));
                }
                ValueRef::Blob(bytes) => drop(std::hint::black_box(bytes.to_vec())),
                other => drop(std::hint::black_box(other)),
            }
        }
    }
    Ok(())
}

/// As SeaORM's driver binds it.
fn value(given: &Given) -> Result<Value> {
    Ok(match given.clone() {
        Given::Bool(v) => v.map_or(Value::Null, |v| Value::Integer(v.into())),
        Given::Int(v) => v.map_or(Value::Null, |v| Value::Integer(v.into())),
        Given::BigInt(v) => v.map_or(Value::Null, Value::Integer),
        Given::BigUnsigned(Some(v)) => Value::Integer(i64::try_from(v)?),
        Given::Double(v) => v.map_or(Value::Null, Value::Real),
        Given::String(v) => v.map_or(Value::Null, Value::Text),
        Given::Bytes(v) => v.map_or(Value::Null, Value::Blob),
        Given::Uuid(v) => v.map_or(Value::Null, |v| Value::Blob(v.as_bytes().to_vec())),
        Given::ChronoDateTimeWithTimeZone(v) => v.map_or(Value::Null, |v| Value::Text(v.to_rfc3339())),
        other => return Err(format!("no way to bind {other:?}").into()),
    })
}
