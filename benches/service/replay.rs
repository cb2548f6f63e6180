//! The raw drivers, which send the statements that were written down.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Result;
use crate::pace::{Amount, Course};
use crate::record::{Script, Step};
use crate::replay_duckdb::RawDuckdb;
use crate::replay_postgres::RawPostgres;
use crate::replay_sqlite::RawSqlite;

/// Where the statements go.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A server, by the application's URL; each transaction with the tenant set, or statements as they are.
    Postgres { url: String, tenant: bool },
    /// Files of SQLite, by their number in the scripts.
    Sqlite(Vec<PathBuf>),
    /// A file of DuckDB.
    Duckdb(PathBuf),
}

/// A driver that blocks.
pub(crate) trait Blocking: Send + Sized + 'static {
    /// Another session on the same database.
    fn again(&self) -> Result<Self>;
    fn play(&mut self, script: &Script) -> Result<()>;
}

/// The raw driver, open.
pub(crate) enum Raw {
    Postgres(RawPostgres),
    Sqlite(RawSqlite),
    Duckdb(RawDuckdb),
}

impl Raw {
    /// Ready for so many callers, each with a connection of its own.
    pub(crate) async fn open(target: &Target, callers: usize) -> Result<Self> {
        Ok(match target {
            Target::Postgres { url, tenant } => {
                Self::Postgres(RawPostgres::open(url, *tenant, callers).await?)
            }
            Target::Sqlite(files) => Self::Sqlite(RawSqlite::open(files.clone())),
            Target::Duckdb(file) => Self::Duckdb(RawDuckdb::open(file)?),
        })
    }

    /// The rate at which the scripts are done, one after the other and from the first again.
    pub(crate) async fn rate(
        &self,
        callers: usize,
        amount: Amount,
        scripts: &Arc<Vec<Script>>,
    ) -> Result<f64> {
        match self {
            Self::Postgres(raw) => raw.rate(callers, amount, scripts).await,
            Self::Sqlite(raw) => blocking(raw, callers, amount, scripts).await,
            Self::Duckdb(raw) => blocking(raw, callers, amount, scripts).await,
        }
    }

    /// The rate when each script is a turn on a thread for blocking work, as whoever calls such a driver from a task has it; not a number
    /// for a driver that does not block.
    pub(crate) async fn rate_from_a_task(&self, amount: Amount, scripts: &Arc<Vec<Script>>) -> Result<f64> {
        match self {
            Self::Postgres(_) => Ok(f64::NAN),
            Self::Sqlite(raw) => from_a_task(raw, amount, scripts).await,
            Self::Duckdb(raw) => from_a_task(raw, amount, scripts).await,
        }
    }

    pub(crate) async fn close(self) -> Result<()> {
        if let Self::Postgres(raw) = self {
            raw.close().await?;
        }
        Ok(())
    }
}

async fn blocking<B: Blocking>(
    raw: &B,
    callers: usize,
    amount: Amount,
    scripts: &Arc<Vec<Script>>,
) -> Result<f64> {
    let mut sessions = (0..callers).map(|_| raw.again()).collect::<Result<Vec<_>>>()?;
    if let (Amount::For(_), Some(first)) = (amount, scripts.first()) {
        // What is prepared once is prepared before the clock runs.
        for session in &mut sessions {
            session.play(first)?;
        }
    }
    let course = Course::begin(amount);
    let threads: Vec<_> = sessions
        .into_iter()
        .map(|mut session| {
            let (course, scripts) = (Arc::clone(&course), Arc::clone(scripts));
            tokio::task::spawn_blocking(move || {
                while let Some(number) = course.next() {
                    session.play(&scripts[number % scripts.len()])?;
                }
                Result::Ok(())
            })
        })
        .collect();
    for thread in threads {
        thread.await??;
    }
    Ok(course.rate())
}

async fn from_a_task<B: Blocking>(raw: &B, amount: Amount, scripts: &Arc<Vec<Script>>) -> Result<f64> {
    let mut session = raw.again()?;
    if let (Amount::For(_), Some(first)) = (amount, scripts.first()) {
        session.play(first)?;
    }
    let scripts = Arc::clone(scripts);
    let task = tokio::spawn(async move {
        let course = Course::begin(amount);
        while let Some(number) = course.next() {
            let scripts = Arc::clone(&scripts);
            let turn = move || session.play(&scripts[number % scripts.len()]).map(|()| session);
            session = tokio::task::spawn_blocking(turn).await??;
        }
        Result::Ok(course.rate())
    });
    task.await?
}

/// How often each kind of step is in the scripts: statements and transactions of one of them, for the reader.
pub(crate) fn statements(scripts: &[Script]) -> f64 {
    let count = scripts.iter().flatten().filter(|step| matches!(step, Step::Run(_))).count();
    count as f64 / scripts.len().max(1) as f64
}
