//! Opening a DuckDB file.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use duckdb::{AccessMode, Config, Connection};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::dialect::DIALECT;
use super::error::failed;
use super::file::{DatabaseFile, opening};
use super::registry::{Handle, Instance};
use super::session::DuckdbSession;
use super::{catalog, encode, memory, snapshot};
use crate::catalog::Catalog;
use crate::{Access, Database, Dialect, Identity, Interrupter, Location, OpenOptions, Session};

/// What is set on every handle after opening, in this order: the last statement makes all of it final.
///
/// - `arrow_lossless_conversion`: UUIDs come as their 16 bytes, and no type loses a bit;
/// - `enable_external_access`: no statement reads or writes any other file (set after opening, because it forbids
///   changing `temp_directory`);
/// - `lock_configuration`: no statement can undo this. (A source's memory is raised when it must be: see [`memory`].)
const SETTINGS: &str = "SET GLOBAL arrow_lossless_conversion = true;
    SET GLOBAL enable_external_access = false;
    SET GLOBAL lock_configuration = true;";

/// A DuckDB file.
///
/// Opening the same file again in this process shares its handle, with the options of whoever came first. Each
/// session runs its queries on its own thread alone (`threads = 1`): sessions are what works in parallel.
#[derive(Debug, Clone)]
pub struct DuckdbDatabase {
    location: Location,
    instance: Arc<Instance>,
}

impl DuckdbDatabase {
    /// Opens the file at `location`. A source must exist, is opened read-only and is left as it was found (see
    /// [`snapshot`]); a target is created if missing, readable by its owner alone.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Corrupt` if it is a folder, empty or no DuckDB file; `Locked` if another process has
    /// it open, naming that process; `Unsupported` for a file of a newer DuckDB, an encrypted one, or a DuckDB without
    /// JSON; `Unavailable` if `options.memory` is too little.
    pub fn open(location: &Location, options: OpenOptions) -> Result<Self> {
        let path = location.path().ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("open {location}"))
                .context("it names no file")
                .hint("write duckdb:///path/to/file")
        })?;
        let instance = Instance::acquire(path, options, || open_handle(path, options))?;
        Ok(Self { location: location.clone(), instance })
    }
}

impl Database for DuckdbDatabase {
    fn dialect(&self) -> &'static dyn Dialect {
        &DIALECT
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(DuckdbSession::new(self.connection()?, Arc::clone(&self.instance))))
    }

    fn identity(&self) -> Result<Identity> {
        self.instance.with(|handle| handle.file.identity())
    }

    fn catalog(&self, schema: Option<&str>) -> Result<Catalog> {
        let connection = self.connection()?;
        self.instance.with_room(|| catalog::read(&connection, schema))
    }

    fn encode_row(&self, types: &[LogicalType], row: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
        encode::encode_row(types, row, out)
    }

    /// The catalogue is in the file, and read at once.
    fn interrupter(&self) -> Interrupter {
        Arc::new(|| Ok(()))
    }
}

impl DuckdbDatabase {
    /// Another connection on the same handle.
    pub(super) fn connection(&self) -> Result<Connection> {
        self.instance.with(|handle| {
            handle
                .connection
                .try_clone()
                .map_err(|e| failed(format!("open a session on {}", self.location), e))
        })
    }
}

fn open_handle(path: &Path, options: OpenOptions) -> Result<Handle> {
    let exists = options.access == Access::Source || path.exists();
    // Held from before DuckDB opens until after it closes: see the `file` module.
    let known = exists.then(|| DatabaseFile::open(path, options.access)).transpose()?;
    if !exists {
        check_folder(path)?;
    }
    let refused = |e| failed(format!("open the DuckDB file {}", path.display()), e);
    let connection = configuration(options)
        .and_then(|config| Connection::open_with_flags(path, config))
        .map_err(|e| match path.to_str() {
            Some(_) => refused(e),
            None => opening(ErrorKind::Unsupported, path)
                .context("its path is not UTF-8")
                .hint("rename it")
                .source(e),
        })?;
    if !exists {
        restrict(path)?;
    }
    let file = known.map_or_else(|| DatabaseFile::open(path, options.access), Ok)?;
    let mut handle = Handle { connection, file, memory: options.memory };
    in_utc(&handle.connection).map_err(refused)?;
    if options.access == Access::Source {
        handle.memory = memory::begin_with_little(&handle.connection, options.memory).map_err(refused)?;
    }
    handle.connection.execute_batch(SETTINGS).map_err(refused)?;
    handle.connection.execute_batch("SELECT '[1]'::JSON").map_err(|e| {
        opening(ErrorKind::Unsupported, path)
            .context("this build's DuckDB has no JSON")
            .hint("build with the cargo feature `duckdb-bundled`, or link an official libduckdb")
            .source(e)
    })?;
    Ok(handle)
}

fn configuration(options: OpenOptions) -> duckdb::Result<Config> {
    let config = match options.access {
        Access::Source => snapshot::source_config()?,
        Access::Target => Config::default().access_mode(AccessMode::ReadWrite)?,
    };
    config
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?
        .with("allow_community_extensions", "false")?
        .with("memory_limit", format!("{}B", options.memory))?
        .with("threads", "1")?
        .with("preserve_insertion_order", "true")
}

/// Makes casts between timestamps with and without a zone mean UTC. Only where the ICU extension is do they mean anything
/// else, and only there does the setting exist.
fn in_utc(connection: &Connection) -> duckdb::Result<()> {
    let known = "SELECT count(*) FROM duckdb_settings() WHERE name = 'TimeZone'";
    if connection.query_row(known, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(());
    }
    connection.execute_batch("SET GLOBAL TimeZone = 'UTC'")
}

fn check_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    Err(opening(ErrorKind::NotFound, path)
        .context(format!("there is no folder {}", folder.display()))
        .hint("create the folder, or name a file in one that exists"))
}

/// Makes a new file readable and writable by its owner alone, before anything is in it.
fn restrict(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(|e| {
            Error::new(ErrorKind::Forbidden, format!("make {} private", path.display())).source(e)
        })?;
    }
    Ok(())
}
