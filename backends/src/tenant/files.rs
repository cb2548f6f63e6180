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
use super::private;
use super::stores::FileSettings;
use crate::schema::{Book, Runner};
use crate::stores::connect;
use crate::{Connection, Location};

/// A folder with a file per tenant.
#[derive(Debug)]
pub(super) struct TenantFiles {
    pub(super) engine: Engine,
    pub(super) folder: PathBuf,
    areas: Vec<Area>,
    book: Arc<Book>,
    clock: Arc<dyn Clock>,
    open: OpenFiles,
    memory: u64,
    /// How long somebody who uses a file is waited for.
    patience: std::time::Duration,
}

/// Whose a file is and where: a tenant's next file, or the next tenant's in its place, is another one.
type FileKey = (TenantId, PathBuf);

/// The files that are open.
#[derive(Debug)]
enum OpenFiles {
    #[cfg(feature = "duckdb")]
    Duckdb(crate::duckdb::DuckdbFiles),
    Others {
        pool: PoolSettings,
        memory: u64,
        files: Mutex<LruCache<FileKey, Arc<OnceCell<Connection>>>>,
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
        private::make_folder(path, &operation)?;
        Ok(Self {
            engine: folder.engine(),
            folder: path.to_owned(),
            areas,
            book,
            clock,
            memory: settings.memory,
            patience: settings.pool.acquire_timeout,
            open: OpenFiles::new(folder.engine(), open_files, settings),
        })
    }

    /// Where the tenant's file is, or will be.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a record whose place is no name of a file.
    pub(super) fn path(&self, tenant: &TenantRecord) -> Result<PathBuf> {
        if !is_place(&tenant.place) {
            return Err(Error::new(ErrorKind::Invalid, "open a tenant's file")
                .context(format!("tenant {} has a place that is no name of a file", tenant.id))
                .hint("take the record from the catalogue"));
        }
        Ok(self.folder.join(format!("{}.{}", tenant.place, self.engine.name())))
    }

    /// The tenant's file, made and brought up to date if need be.
    pub(super) async fn open(&self, tenant: &TenantRecord) -> Result<Connection> {
        let path = self.path(tenant)?;
        self.check(tenant, &path)?;
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
                    Arc::clone(files.get_or_insert((tenant.id, path.clone()), Arc::default))
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

    /// Lets go of the tenant's file, once nobody in this process uses it.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if somebody uses it for longer than a caller waits for a file.
    pub(super) async fn let_go(&self, tenant: &TenantRecord) -> Result<()> {
        let path = self.path(tenant)?;
        match &self.open {
            #[cfg(feature = "duckdb")]
            OpenFiles::Duckdb(files) => files.let_go(&path).await,
            OpenFiles::Others { files, .. } => {
                let cell = files.lock().unwrap_or_else(PoisonError::into_inner).pop(&(tenant.id, path));
                let Some(connection) = cell.as_ref().and_then(|cell| cell.get()) else { return Ok(()) };
                tokio::time::timeout(self.patience, connection.close()).await.map_err(|_| {
                    Error::new(ErrorKind::Locked, "close a tenant's file")
                        .context(format!("this program has been using it for {:?}", self.patience))
                        .hint("let go of the tenant's repositories, transactions and streams first")
                })
            }
        }
    }

    /// Makes sure that what stands in the tenant's place is a file that may be opened: everything beside it, too, unless it is
    /// open, which costs a call of the system each. Forgets a file that is gone: another may come in its place.
    fn check(&self, tenant: &TenantRecord, path: &Path) -> Result<()> {
        let is_open = match &self.open {
            #[cfg(feature = "duckdb")]
            OpenFiles::Duckdb(files) => files.is_open(path),
            OpenFiles::Others { files, .. } => {
                let files = files.lock().unwrap_or_else(PoisonError::into_inner);
                files.contains(&(tenant.id, path.to_owned()))
            }
        };
        let is_there = if is_open { private::check_one(path)? } else { private::check_file(path)? };
        if let (true, false, OpenFiles::Others { files, .. }) = (is_open, is_there, &self.open) {
            let gone =
                files.lock().unwrap_or_else(PoisonError::into_inner).pop(&(tenant.id, path.to_owned()));
            // Its connections are closed when the last who uses it lets go.
            drop(gone);
        }
        Ok(())
    }

    /// Whether there is something in the file's place, be it sound or not.
    pub(super) fn is_there(&self, tenant: &TenantRecord) -> Result<bool> {
        match std::fs::symlink_metadata(self.path(tenant)?) {
            Ok(_) => Ok(true),
            Err(error) => Ok(error.kind() != std::io::ErrorKind::NotFound),
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

    /// What the tenant's file is, without making or changing anything: its schema's version, if there is a file.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub(super) async fn version(&self, tenant: &TenantRecord) -> Result<Option<String>> {
        let path = self.path(tenant)?;
        if !private::check_file(&path)? {
            return Ok(None);
        }
        let pool = PoolSettings { max_connections: 1, ..PoolSettings::default() };
        let connection = connect(&Location::file(self.engine, &path), &pool, self.memory).await?;
        let looked = async {
            let status =
                Runner::new(&connection, &self.book, &self.areas, self.clock.as_ref()).status().await?;
            mark::check(&connection, &status, tenant.id, &path).await?;
            Ok(status.version().map(str::to_owned))
        };
        let looked = looked.await;
        connection.close().await;
        looked
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
