//! Databases with Trimaran's schema, for both sides.

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use trimaran::backends::postgres::PostgresConnection;
use trimaran::backends::schema::{Book, Runner};
use trimaran::backends::tenant::signing::TenantSetting;
use trimaran::core::clock::SystemClock;
use trimaran::{Area, Connection, Engine, Location, TenantId};
use uuid::Uuid;

use crate::Result;
use crate::arguments::Arguments;

/// Whose rows they are.
pub(crate) const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e4a47));

/// The role that both sides work as on Postgres: it owns nothing, and row-level security binds it.
const ROLE: &str = "trimaran_bench_app";

/// A database.
#[derive(Debug)]
pub(crate) enum Place {
    /// A file of SQLite or DuckDB.
    File(Engine, PathBuf),
    /// A schema of a Postgres database, and the URLs of owner and application.
    Postgres { owner: String, application: String },
}

impl Place {
    /// A new database of that name, with the schema of these areas and no rows.
    pub(crate) async fn empty(
        arguments: &Arguments,
        engine: Engine,
        name: &str,
        areas: &[Area],
    ) -> Result<Self> {
        let place = match engine {
            Engine::Postgres => {
                let owner = arguments.postgres.clone().ok_or("no Postgres is named")?;
                let mut url = url::Url::parse(&owner)?;
                url.set_username(ROLE)
                    .and_then(|()| url.set_password(Some(ROLE)))
                    .map_err(|()| "no such URL")?;
                Self::Postgres { owner, application: url.to_string() }
            }
            engine => Self::File(engine, arguments.folder.join(format!("{name}.{engine}").to_lowercase())),
        };
        place.remove().await?;
        if let Self::Postgres { owner, .. } = &place {
            let mut connection = PgConnection::connect(owner).await?;
            let sql = format!(
                "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
            connection.close().await?;
        }
        let connection = place.owner().await?;
        let (book, clock) = (Book::new(), SystemClock);
        let runner = Runner::new(&connection, &book, areas, &clock);
        match &place {
            Self::Postgres { .. } => runner.for_role(ROLE).up().await?,
            Self::File(..) => runner.up().await?,
        };
        connection.close().await;
        Ok(place)
    }

    /// How Postgres is told whose transaction it is, from now on.
    #[allow(dead_code, reason = "one of the benches that share this file asks for it")]
    pub(crate) async fn set(&self, setting: TenantSetting<'_>, areas: &[Area]) -> Result<()> {
        let connection = self.owner().await?;
        let (book, clock) = (Book::new(), SystemClock);
        Runner::new(&connection, &book, areas, &clock).for_role(ROLE).tenant_setting(setting).up().await?;
        connection.close().await;
        Ok(())
    }

    /// Removes it.
    pub(crate) async fn remove(&self) -> Result<()> {
        match self {
            Self::File(_, path) => {
                for end in ["", "-wal", "-shm", ".wal"] {
                    let mut name = path.clone().into_os_string();
                    name.push(end);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(error.into());
                        }
                        _ => {}
                    }
                }
            }
            Self::Postgres { owner, .. } => {
                let mut connection = PgConnection::connect(owner).await?;
                let sql = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CHECKPOINT";
                sqlx::raw_sql(sql).execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    /// A connection that may make the schema.
    async fn owner(&self) -> Result<Connection> {
        Ok(match self {
            Self::File(..) => self.connect().await?,
            Self::Postgres { owner, .. } => {
                trimaran::connect(&Self::location(owner)?, &Default::default(), 0).await?
            }
        })
    }

    /// A connection as the application has it, for the tenant.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        /// As much as the raw driver may take.
        const MEMORY: u64 = 4 << 30;
        Ok(match self {
            Self::File(engine, path) => {
                trimaran::connect(&Location::file(*engine, path.clone()), &Default::default(), MEMORY).await?
            }
            Self::Postgres { application, .. } => {
                let pool =
                    PostgresConnection::open(&Self::location(application)?, &Default::default()).await?;
                Connection::new(pool.scoped(TENANT))
            }
        })
    }

    fn location(url: &str) -> Result<Location> {
        Ok(Location::parse(url)?)
    }
}
