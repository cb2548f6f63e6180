//! Postgres by sqlx, a connection for each caller.
//!
//! Not by sqlx's pool: it asks the server about each connection that comes back, which took more than a third of the time of a look-up.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::Statement;
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::PgRow;
use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, PgConnection, Row as _, TypeInfo as _, ValueRef as _,
};

use crate::Result;
use crate::pace::{self, Amount};
use crate::record::{Script, Step};
use crate::schema::TENANT;

#[derive(Clone)]
pub(crate) struct RawPostgres {
    /// Those that nobody uses.
    idle: Arc<Mutex<Vec<PgConnection>>>,
    tenant: bool,
}

impl RawPostgres {
    pub(crate) async fn open(url: &str, tenant: bool, callers: usize) -> Result<Self> {
        let mut idle = Vec::with_capacity(callers);
        for _ in 0..callers {
            idle.push(PgConnection::connect(url).await?);
        }
        Ok(Self { idle: Arc::new(Mutex::new(idle)), tenant })
    }

    pub(crate) async fn close(self) -> Result<()> {
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            connection.close().await?;
        }
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<PgConnection> {
        self.idle().pop().ok_or_else(|| "there are more callers than connections".into())
    }

    pub(crate) async fn rate(
        &self,
        callers: usize,
        amount: Amount,
        scripts: &Arc<Vec<Script>>,
    ) -> Result<f64> {
        if let (Amount::For(_), Some(first)) = (amount, scripts.first()) {
            for _ in 0..callers {
                self.play(first).await?;
            }
        }
        let (raw, scripts) = (self.clone(), Arc::clone(scripts));
        pace::rate(callers, amount, move |number| {
            let (raw, scripts) = (raw.clone(), Arc::clone(&scripts));
            async move { raw.play(&scripts[number % scripts.len()]).await }
        })
        .await
    }

    fn begin(&self, mode: &str) -> String {
        if self.tenant {
            format!("BEGIN{mode}; SET LOCAL trimaran.tenant = '{TENANT}'")
        } else {
            format!("BEGIN{mode}")
        }
    }

    async fn play(&self, script: &Script) -> Result<()> {
        let mut session = self.take()?;
        let mut begun = false;
        for step in script {
            match step {
                Step::On(_) => {}
                Step::Begin { reads } => {
                    let mode = if *reads { " ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "" };
                    text(&mut session, self.begin(mode)).await?;
                    begun = true;
                }
                Step::Run(statement) if begun || !self.tenant => run(&mut session, statement).await?,
                Step::Run(statement) => {
                    text(&mut session, self.begin("")).await?;
                    run(&mut session, statement).await?;
                    text(&mut session, "COMMIT".to_owned()).await?;
                }
                Step::Commit => {
                    text(&mut session, "COMMIT".to_owned()).await?;
                    begun = false;
                }
            }
        }
        // One that failed has ended the bench.
        self.idle().push(session);
        Ok(())
    }
}

async fn text(session: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(session).await?;
    Ok(())
}

async fn run(session: &mut PgConnection, statement: &Statement) -> Result<()> {
    let sql = AssertSqlSafe(statement.sql.clone());
    let rows = match &statement.values {
        Some(values) => sqlx::query_with(sql, SqlxValues(values.clone())).fetch_all(session).await?,
        None => sqlx::query(sql).fetch_all(session).await?,
    };
    rows.iter().try_for_each(read)
}

/// Takes every cell as its type, as an application would.
fn read(row: &PgRow) -> Result<()> {
    for (at, column) in row.columns().iter().enumerate() {
        let cell = row.try_get_raw(at)?;
        if cell.is_null() {
            continue;
        }
        match column.type_info().name() {
            "UUID" => drop(std::hint::black_box(row.try_get::<uuid::Uuid, _>(at)?)),
            "TEXT" | "VARCHAR" => drop(std::hint::black_box(row.try_get::<String, _>(at)?)),
            "BYTEA" => drop(std::hint::black_box(row.try_get::<Vec<u8>, _>(at)?)),
            "INT8" => drop(std::hint::black_box(row.try_get::<i64, _>(at)?)),
            "INT4" => drop(std::hint::black_box(row.try_get::<i32, _>(at)?)),
            "BOOL" => drop(std::hint::black_box(row.try_get::<bool, _>(at)?)),
            "TIMESTAMPTZ" => {
                let _ = std::hint::black_box(row.try_get::<chrono::DateTime<chrono::Utc>, _>(at)?);
            }
            _ => drop(std::hint::black_box(cell.as_bytes().map(<[u8]>::to_vec))),
        }
    }
    Ok(())
}
