//! DuckDB by its own crate, with statements prepared once, in one thread for each query, as Trimaran has it.

use std::path::Path;

use duckdb::types::Value;
use duckdb::{Config, Connection, params_from_iter};
use sea_orm::Statement;
use sea_orm::sea_query::Value as Given;

use crate::Result;
use crate::record::{Script, Step};
use crate::replay::Blocking;

pub(crate) struct RawDuckdb(Connection);

impl RawDuckdb {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self::with(Connection::open_with_flags(path, Config::default().threads(1)?)?))
    }

    fn with(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(64);
        Self(connection)
    }
}

impl Blocking for RawDuckdb {
    fn again(&self) -> Result<Self> {
        Ok(Self::with(self.0.try_clone()?))
    }

    fn play(&mut self, script: &Script) -> Result<()> {
        for step in script {
            match step {
                Step::On(_) => {}
                Step::Begin { .. } => self.0.execute_batch("BEGIN")?,
                Step::Commit => self.0.execute_batch("COMMIT")?,
                Step::Run(statement) => run(&self.0, statement)?,
            }
        }
        Ok(())
    }
}

fn run(connection: &Connection, statement: &Statement) -> Result<()> {
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let given = statement.values.iter().flat_map(|values| values.0.iter());
    let values = given.map(value).collect::<Result<Vec<_>>>()?;
    let mut rows = prepared.query(params_from_iter(values))?;
    let columns = rows.as_ref().map_or(0, duckdb::Statement::column_count);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            drop(std::hint::black_box(row.get::<_, Value>(column)?));
        }
    }
    Ok(())
}

/// The same script with casts where the crate has no type to bind: made before the clock runs.
pub(crate) fn with_casts(script: Script) -> Script {
    let cast = |mut statement: Statement| {
        let values: Vec<_> = statement.values.iter().flat_map(|values| values.0.iter()).collect();
        let mut sql = String::with_capacity(statement.sql.len() + 64);
        let mut rest = statement.sql.as_str();
        while let Some(dollar) = rest.find('$') {
            let digits = rest[dollar + 1..].bytes().take_while(u8::is_ascii_digit).count();
            let end = dollar + 1 + digits;
            sql.push_str(&rest[..end]);
            let number: usize = rest[dollar + 1..end].parse().unwrap_or(0);
            sql.push_str(match number.checked_sub(1).and_then(|at| values.get(at)) {
                Some(Given::Uuid(_)) => "::UUID",
                Some(Given::ChronoDateTimeWithTimeZone(_)) => "::TIMESTAMPTZ",
                Some(Given::Array(sea_orm::sea_query::ArrayType::Uuid, _)) => "::UUID[]",
                _ => "",
            });
            rest = &rest[end..];
        }
        sql.push_str(rest);
        statement.sql = sql;
        statement
    };
    script
        .into_iter()
        .map(|step| match step {
            Step::Run(statement) => Step::Run(cast(statement)),
            other => other,
        })
        .collect()
}

fn value(given: &Given) -> Result<Value> {
    Ok(match given.clone() {
        Given::Bool(v) => v.map_or(Value::Null, Value::Boolean),
        Given::Int(v) => v.map_or(Value::Null, Value::Int),
        Given::BigInt(v) => v.map_or(Value::Null, Value::BigInt),
        Given::BigUnsigned(v) => v.map_or(Value::Null, Value::UBigInt),
        Given::Double(v) => v.map_or(Value::Null, Value::Double),
        Given::String(v) => v.map_or(Value::Null, Value::Text),
        Given::Bytes(v) => v.map_or(Value::Null, Value::Blob),
        Given::Uuid(v) => v.map_or(Value::Null, |v| Value::Text(v.to_string())),
        Given::ChronoDateTimeWithTimeZone(v) => v.map_or(Value::Null, |v| Value::Text(v.to_rfc3339())),
        Given::Array(_, Some(items)) => Value::List(items.iter().map(value).collect::<Result<_>>()?),
        other => return Err(format!("no way to bind {other:?}").into()),
    })
}
