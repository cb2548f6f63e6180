//! From a tenant to a connection that reaches this tenant's rows, and no other's.

use std::sync::Arc;

use trimaran_core::config::{Area, PoolSettings};
use trimaran_core::{Clock, Engine, Error, ErrorKind, Result};

use super::catalogue::TenantRecord;
use super::files::TenantFiles;
use super::moving::FileReport;
use super::operation::Step;
use crate::cache::watched;
use crate::schema::Book;
use crate::{Connection, Location};

/// How tenants' files are opened.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// The most files kept open, at least 1. The least recently used one is let go, as soon as nobody uses it. On DuckDB
    /// no more than so many are ever open: while all are in use, a further tenant waits for `acquire_timeout` at most.
    pub open_files: usize,
    /// The pool of each file.
    pub pool: PoolSettings,
    /// DuckDB: the most memory of each open file, in bytes.
    pub memory: u64,
}

/// What there is of a tenant's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreReport {
    /// The areas that it keeps.
    pub areas: Vec<Area>,
    /// Its engine.
    pub engine: Engine,
    /// Its files; none on a server, and none before it was first opened.
    pub files: Vec<FileReport>,
    /// The last migration that was applied to it; `None` if there is no file yet.
    pub version: Option<String>,
}

/// The stores of all tenants, for one or several per-tenant areas at one URL. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TenantStores {
    place: Place,
    areas: Arc<[Area]>,
}

#[derive(Debug, Clone)]
enum Place {
    #[cfg(feature = "postgres")]
    Server(crate::postgres::PostgresConnection),
    Files(Arc<TenantFiles>),
}

impl TenantStores {
    /// On a Postgres server, which holds `areas`: all tenants in the same tables. Their schema must be up to date, and
    /// [secured](crate::schema::row_security::secure).
    #[cfg(feature = "postgres")]
    pub fn on_server(connection: crate::postgres::PostgresConnection, areas: &[Area]) -> Self {
        Self { place: Place::Server(connection), areas: areas.into() }
    }

    /// In a folder of SQLite or DuckDB files, one per tenant, which hold `areas`. A missing folder is made with mode 0700;
    /// files are made with mode 0600, and brought up to date with `book`, when they are opened.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for what is no folder, or settings that allow no file; `Forbidden` or `Unavailable` if it
    /// can't be made.
    pub fn in_folder(
        folder: &Location,
        areas: Vec<Area>,
        settings: FileSettings,
        book: Arc<Book>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if let Some(area) = areas.iter().find(|area| !area.is_per_tenant()) {
            return Err(Error::new(ErrorKind::Configuration, format!("open the tenants' folder {folder}"))
                .context(format!("the area {} is not kept per tenant", area.name())));
        }
        let held = Arc::from(areas.as_slice());
        let files = TenantFiles::new(folder, areas, settings, book, clock)?;
        Ok(Self { place: Place::Files(Arc::new(files)), areas: held })
    }

    /// The areas that are kept here.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// The tenant's store. On Postgres, a view of the pool in which every statement runs on this tenant's behalf; on SQLite
    /// and DuckDB, the tenant's file, made when it is first opened.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`], naming both tenants, if the file says that it is another's; it is left untouched. Else as
    /// for [`Runner::up`](crate::schema::Runner::up), and the engine's.
    pub async fn open(&self, tenant: &TenantRecord) -> Result<Connection> {
        let connection = match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(connection) => Connection::new(connection.scoped(tenant.id)),
            Place::Files(files) => files.open(tenant).await?,
        };
        // Also where this installation keeps no results: another one in this process may.
        Ok(watched(connection, tenant.id))
    }

    /// Whether opening the tenant's store makes no file: it is there, or none is needed.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a record that is not the catalogue's.
    pub fn is_there(&self, tenant: &TenantRecord) -> Result<bool> {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(_) => Ok(true),
            Place::Files(files) => files.is_there(tenant),
        }
    }

    /// What there is of the tenant's store. Makes and changes nothing.
    ///
    /// # Errors
    /// As for [`Self::open`]; [`ErrorKind::Locked`] if another program has the file.
    pub async fn report(&self, tenant: &TenantRecord) -> Result<StoreReport> {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(connection) => {
                let connection = Connection::new(connection.clone());
                let clock = trimaran_core::clock::SystemClock;
                let status = crate::schema::Runner::new(&connection, &Book::new(), &self.areas, &clock)
                    .status()
                    .await?;
                let version = status.version().map(str::to_owned);
                Ok(StoreReport {
                    areas: self.areas.to_vec(),
                    engine: connection.engine(),
                    files: vec![],
                    version,
                })
            }
            Place::Files(files) => {
                // Opening a file takes from others what its mode gives them, which is worth knowing.
                let found = files.reports(tenant)?;
                let version = files.version(tenant).await?;
                Ok(StoreReport { areas: self.areas.to_vec(), engine: files.engine, version, files: found })
            }
        }
    }

    /// Makes sure that [`Self::move_to`] and [`Self::remove`] could do what they are for.
    pub(super) async fn check(&self, from: &TenantRecord, to: Option<&TenantRecord>) -> Result<()> {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(_) => Ok(()),
            Place::Files(files) => {
                if let Some(settled) = files.settle(from).await? {
                    settled.end();
                }
                to.map_or(Ok(()), |to| files.check_vacant(to))
            }
        }
    }

    /// Gives the tenant's file the name that `to` has. Rows on a server have none.
    pub(super) async fn move_to(&self, from: &TenantRecord, to: &TenantRecord) -> Result<()> {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(_) => Ok(()),
            Place::Files(files) => files.move_file(from, to).await,
        }
    }

    /// Removes all that the tenant has here, and says what that was.
    pub(super) async fn remove(&self, tenant: &TenantRecord) -> Result<Step> {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(connection) => {
                let scoped = Connection::new(connection.scoped(tenant.id));
                super::rows::remove(&scoped, tenant.id).await.map(|()| Step::Rows)
            }
            Place::Files(files) => files.remove_file(tenant).await.map(|()| Step::Files),
        }
    }

    /// Lets go of all files once they are idle, or of the server.
    pub async fn close(&self) {
        match &self.place {
            #[cfg(feature = "postgres")]
            Place::Server(connection) => crate::EngineConnection::close(connection).await,
            Place::Files(files) => files.close().await,
        }
    }
}
