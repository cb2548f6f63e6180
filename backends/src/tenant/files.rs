//! The files of tenants in one folder, as many of them open as are allowed.
//!
//! DuckDB's are strictly limited, for each takes memory ([`DuckdbFiles`](crate::duckdb::DuckdbFiles)): who wants one more
//! waits until another is out of use. A SQLite file that is pushed out is let go when the last of those who use it has.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use tokio::sync::OnceCell;
use trimaran_core::config::{Area, PoolSettings};
use trimaran_core::{Clock, Engine, Error, ErrorKind, Result, TenantId};

use super::catalogue::TenantRecord;
use super::mark;
use super::naming::is_place;
use super::stores::FileSettings;
use crate::schema::{Book, Runner};
use crate::stores::connect;
use crate::{Connection, Location};

/// A folder with a file per tenant.
#[derive(Debug)]
pub(super) struct TenantFiles {
    engine: Engine,
    folder: PathBuf,
    areas: Vec<Area>,
    book: Arc<Book>,
    clock: Arc<dyn Clock>,
    open: OpenFiles,
}

/// The files that are open.
#[derive(Debug)]
enum OpenFiles {
    #[cfg(feature = "duckdb")]
    Duckdb(crate::duckdb::DuckdbFiles),
    Others {
        pool: PoolSettings,
        memory: u64,
        files: Mutex<LruCache<TenantId, Arc<OnceCell<Connection>>>>,
    },
}

impl OpenFiles {
    fn new(engine: Engine, limit: NonZeroUsize, settings: FileSettings) -> Self {
        let FileSettings { pool, memory, .. } = settings;
        match engine {
            #[cfg(feature = "duckdb")]
            Engine::Duckdb => {
                let settings = crate::duckdb::files::FileSettings { pool, memory };
                Self::Duckdb(crate::duckdb::DuckdbFiles::new(limit.get(), settings))
            }
            _ => Self::Others { pool, memory, files: Mutex::new(LruCache::new(limit)) },
        }
    }
}

impl TenantFiles {
    /// Makes the folder if it is missing, for its owner alone.
    pub(super) fn new(
        folder: &Location,
        areas: Vec<Area>,
        settings: FileSettings,
        book: Arc<Book>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let operation = format!("open the tenants' folder {folder}");
        let wrong = |kind, why: &str| Error::new(kind, operation.clone()).context(why.to_owned());
        let path = folder.path().ok_or_else(|| {
            wrong(ErrorKind::Configuration, "it is no folder").hint("write duckdb:///path/to/folder")
        })?;
        let open_files = NonZeroUsize::new(settings.open_files).ok_or_else(|| {
            wrong(ErrorKind::Configuration, "no file may be open").hint("let open_files be 1 at least")
        })?;
        make_folder(path).map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    ErrorKind::Forbidden
                }
                std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => {
                    ErrorKind::Configuration
                }
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, operation.clone())
                .source(error)
                .hint("name a folder that this program may make or write to")
        })?;
        Ok(Self {
            engine: folder.engine(),
            folder: path.to_owned(),
            areas,
            book,
            clock,
            open: OpenFiles::new(folder.engine(), open_files, settings),
        })
    }

    /// The tenant's file, made and brought up to date if need be.
    pub(super) async fn open(&self, tenant: &TenantRecord) -> Result<Connection> {
        if !is_place(&tenant.place) {
            return Err(Error::new(ErrorKind::Invalid, "open a tenant's file")
                .context(format!("tenant {} has a place that is no name of a file", tenant.id))
                .hint("take the record from the catalogue"));
        }
        let path = self.path(tenant);
        let location = Location::file(self.engine, &path);
        match &self.open {
            #[cfg(feature = "duckdb")]
            OpenFiles::Duckdb(files) => {
                let (tenant, path) = (tenant.id, path.as_path());
                let prepare =
                    |connection: Connection| async move { self.prepare(&connection, tenant, path).await };
                files.get_with(&location, prepare).await
            }
            OpenFiles::Others { pool, memory, files } => {
                let cell = {
                    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(files.get_or_insert(tenant.id, Arc::default))
                };
                // Several callers at once open it once; a failure is tried again by the next.
                let open = async || {
                    let connection = connect(&location, pool, *memory).await?;
                    match self.prepare(&connection, tenant.id, &path).await {
                        Ok(()) => Ok(connection),
                        Err(error) => {
                            connection.close().await;
                            Err(error)
                        }
                    }
                };
                cell.get_or_try_init(open).await.cloned()
            }
        }
    }

    fn path(&self, tenant: &TenantRecord) -> PathBuf {
        self.folder.join(format!("{}.{}", tenant.place, self.engine.name()))
    }

    /// Whether there is something in the file's place, be it sound or not.
    pub(super) fn is_made(&self, tenant: &TenantRecord) -> bool {
        match std::fs::symlink_metadata(self.path(tenant)) {
            Ok(_) => true,
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }

    /// Lets go of all files once they are idle.
    pub(super) async fn close(&self) {
        match &self.open {
            #[cfg(feature = "duckdb")]
            OpenFiles::Duckdb(files) => files.close().await,
            OpenFiles::Others { files, .. } => {
                let open: Vec<_> = {
                    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                    std::iter::from_fn(|| files.pop_lru()).map(|(_, cell)| cell).collect()
                };
                for connection in open.iter().filter_map(|cell| cell.get()) {
                    connection.close().await;
                }
            }
        }
    }

    async fn prepare(&self, connection: &Connection, tenant: TenantId, path: &Path) -> Result<()> {
        let runner = Runner::new(connection, &self.book, &self.areas, self.clock.as_ref());
        let status = runner.status().await?;
        mark::check(connection, &status, tenant, path).await?;
        status.accept()?;
        if !status.is_current() {
            runner.up().await?;
        }
        mark::set(connection, &self.book, &self.areas, tenant, path, self.clock.as_ref()).await
    }
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
        builder.mode(0o700);
        builder.create(path)?;
        let mode = std::fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(folder = %path.display(), mode = format!("{:o}", mode & 0o777),
                "others than its owner may enter the tenants' folder; chmod 700 it");
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(path)
}
