//! Files of tenants that get other names, or go.
//!
//! Whatever is done here is done to a file that says that it is the tenant's, and that nobody else has open. It may be
//! interrupted anywhere and done again.

use std::path::{Path, PathBuf};

use trimaran_core::{Engine, Error, ErrorKind, Result};

use super::catalogue::TenantRecord;
use super::files::TenantFiles;
use super::private::{self, BESIDE, beside};

/// A file of a tenant's, or what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Who may do what, on Unix: the lowest nine bits of its mode.
    pub mode: Option<u32>,
}

impl TenantFiles {
    /// The tenant's file and what stands beside it; none if it was never opened.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the system doesn't say.
    pub(super) fn reports(&self, tenant: &TenantRecord) -> Result<Vec<FileReport>> {
        let path = self.path(tenant)?;
        let mut reports = Vec::new();
        for path in std::iter::once(path.clone()).chain(BESIDE.map(|suffix| beside(&path, suffix))) {
            match std::fs::symlink_metadata(&path) {
                Ok(metadata) => {
                    reports.push(FileReport { path, bytes: metadata.len(), mode: mode(&metadata) })
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("examine", &path)(error)),
            }
        }
        Ok(reports)
    }

    /// Makes sure that the tenant's file can be worked on: that it is the tenant's, and that nobody else has it open. Nothing is
    /// changed but for what its engine had still to write into it.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] if it is another's, [`ErrorKind::Locked`] if it is in use; else the engine's.
    pub(super) async fn settle(&self, tenant: &TenantRecord) -> Result<Option<Settled>> {
        let path = self.path(tenant)?;
        if !private::check_file(&path)? {
            return Ok(None);
        }
        // Opening it checks whose it is, and closing it writes its log into it.
        drop(self.open(tenant).await?);
        self.let_go(tenant).await?;
        let engine = self.engine;
        tokio::task::spawn_blocking(move || Settled::take(engine, path))
            .await
            .map_err(|error| Error::new(ErrorKind::Unavailable, "close a tenant's file").source(error))?
            .map(Some)
    }

    /// Makes sure that nothing stands where the tenant's file is to go.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if something does.
    pub(super) fn check_vacant(&self, tenant: &TenantRecord) -> Result<()> {
        let path = self.path(tenant)?;
        for path in std::iter::once(path.clone()).chain(BESIDE.map(|suffix| beside(&path, suffix))) {
            if std::fs::symlink_metadata(&path).is_ok() {
                return Err(occupied(&path));
            }
        }
        Ok(())
    }

    /// Gives the file of `from` the name that `to` has, which are the same tenant before and after. Done again, it does what is
    /// left of it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another file has the name already; else as for [`Self::settle`].
    pub(super) async fn move_file(&self, from: &TenantRecord, to: &TenantRecord) -> Result<()> {
        let (old, new) = (self.path(from)?, self.path(to)?);
        if old == new {
            return Ok(());
        }
        if private::check_file(&old)? && private::check_file(&new)? {
            // A crash came after the new name and before the end of the old one.
            if !same_file(&old, &new)? {
                return Err(occupied(&new));
            }
            remove(&old)?;
        } else if let Some(settled) = self.settle(from).await? {
            self.check_vacant(to)?;
            // Unlike a renaming, this never replaces what stands there.
            std::fs::hard_link(&old, &new).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => occupied(&new),
                _ => failed("rename", &old)(error),
            })?;
            private::sync_folder(&self.folder)?;
            remove(&old)?;
            settled.end();
        }
        private::sync_folder(&self.folder)
    }

    /// Removes the tenant's file and what stands beside it. Done again, it does what is left of it.
    ///
    /// # Errors
    /// As for [`Self::settle`]; [`ErrorKind::Unavailable`] if the system refuses.
    pub(super) async fn remove_file(&self, tenant: &TenantRecord) -> Result<()> {
        let path = self.path(tenant)?;
        let settled = self.settle(tenant).await?;
        // What stands beside it goes first: a log without its database would be taken for that of the next one of this name.
        for suffix in BESIDE {
            remove(&beside(&path, suffix))?;
        }
        let spilled = beside(&path, ".tmp");
        match std::fs::remove_dir_all(&spilled) {
            Err(error) if !is_gone(&error) => return Err(failed("remove", &spilled)(error)),
            _ => {}
        }
        remove(&path)?;
        if let Some(settled) = settled {
            settled.end();
        }
        private::sync_folder(&self.folder)
    }
}

/// A file that nobody has open, as long as this lives.
#[derive(Debug)]
pub(super) struct Settled {
    #[cfg(feature = "sqlite")]
    _alone: Option<crate::sqlite::Alone>,
}

impl Settled {
    /// Lets others open it again.
    pub(super) fn end(self) {}

    fn take(engine: Engine, path: PathBuf) -> Result<Self> {
        // DuckDB opens a file for one process alone, and has just closed this one: its log is in it.
        if engine == Engine::Duckdb {
            for suffix in BESIDE {
                let log = beside(&path, suffix);
                if std::fs::symlink_metadata(&log).is_ok_and(|log| log.len() > 0) {
                    return Err(Error::new(
                        ErrorKind::Locked,
                        format!("close the tenant's file {}", path.display()),
                    )
                    .context(format!(
                        "its log {} was not written into it, or it is in use again",
                        log.display()
                    ))
                    .hint("stop what uses the tenant's data, and try again"));
                }
            }
        }
        #[cfg(feature = "sqlite")]
        return Ok(Self {
            _alone: match engine {
                Engine::Sqlite => Some(crate::sqlite::Alone::with(&path)?),
                _ => None,
            },
        });
        #[cfg(not(feature = "sqlite"))]
        Ok(Self {})
    }
}

fn occupied(path: &Path) -> Error {
    Error::new(ErrorKind::Conflict, "rename a tenant's file")
        .context(format!("{} is there already, and is not the tenant's", path.display()))
        .hint("find out what it is and move it away; it was left alone")
}

fn failed(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let operation = format!("{what} the tenant's file {}", path.display());
    move |error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Forbidden
            }
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, operation).source(error).hint("look at the disk, its mount and the folder's mode")
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if !is_gone(&error) => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

fn same_file(one: &Path, other: &Path) -> Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let place = |path: &Path| {
            std::fs::symlink_metadata(path)
                .map(|metadata| (metadata.dev(), metadata.ino()))
                .map_err(failed("examine", path))
        };
        Ok(place(one)? == place(other)?)
    }
    #[cfg(not(unix))]
    {
        let read = |path: &Path| std::fs::read(path).map_err(failed("examine", path));
        Ok(read(one)? == read(other)?)
    }
}

fn mode(metadata: &std::fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Some(metadata.permissions().mode() & 0o777)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}
