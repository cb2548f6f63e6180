//! Files that are their owner's alone.
//!
//! A tenants' folder has mode 0700 and every file in it 0600. What is wider is narrowed, with a warning, for nothing that a
//! tenant wrote need be lost over it. What is a link, no file, or somebody else's is refused: whoever put it there reads
//! along, or wants another file to be written.

use std::path::{Path, PathBuf};

use trimaran_core::{Error, ErrorKind, Result};

/// What may stand beside a tenant's file: SQLite's and DuckDB's logs, SQLite's index of its log and its journal.
pub(super) const BESIDE: [&str; 6] = ["-wal", "-shm", "-journal", ".wal", ".wal.checkpoint", ".wal.recovery"];

/// The path of what stands beside `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the folder, if it is missing, and sees to it that nobody but its owner may enter it.
///
/// # Errors
/// [`ErrorKind::Forbidden`] for a folder that others may enter and that is somebody else's; what keeps it from being made.
pub(super) fn make_folder(path: &Path, operation: &str) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Forbidden
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => ErrorKind::Configuration,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, operation).source(error).hint("name a folder that this program may make or write to")
    })?;
    #[cfg(unix)]
    unix::narrow_folder(path, operation)?;
    Ok(())
}

/// Makes sure that what stands at `path`, if anything does, is a tenant's file, and its owner's alone; the same of what stands
/// beside it. Says whether there is one.
///
/// # Errors
/// [`ErrorKind::Forbidden`] for a link, for what is no file, and for a file of somebody else than the folder's owner.
pub(super) fn check_file(path: &Path) -> Result<bool> {
    for suffix in BESIDE {
        check_one(&beside(path, suffix))?;
    }
    check_one(path)
}

/// The same without what stands beside it.
pub(super) fn check_one(path: &Path) -> Result<bool> {
    let refused = |why: &str, hint: &str| {
        Err(Error::new(ErrorKind::Forbidden, format!("open the tenant's file {}", path.display()))
            .context(why.to_owned())
            .hint(hint.to_owned()))
    };
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!("examine the tenant's file {}", path.display()),
            )
            .source(error));
        }
    };
    if metadata.is_symlink() {
        return refused(
            "it is a symbolic link",
            "find out who made it; tenants' files stand in their folder themselves: move the file back",
        );
    }
    if !metadata.is_file() {
        return refused("it is not a file", "find out who made it, and remove it");
    }
    #[cfg(unix)]
    unix::narrow_file(path, &metadata)?;
    Ok(true)
}

/// Makes what was changed in a folder last beyond a failure of power.
///
/// # Errors
/// What the system says.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let failed = |error| {
        Error::new(ErrorKind::Unavailable, format!("sync the tenants' folder {}", path.display()))
            .source(error)
    };
    if cfg!(unix) {
        return std::fs::File::open(path).and_then(|folder| folder.sync_all()).map_err(failed);
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::fs::{Metadata, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use trimaran_core::{Error, ErrorKind, Result};

    /// What others than the owner may.
    const OTHERS: u32 = 0o077;

    pub(super) fn narrow_folder(path: &Path, operation: &str) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Forbidden, operation).source(error).hint(
                "give the folder to the user that this program runs as, with mode 700, or name another one",
            )
        };
        let mode = std::fs::metadata(path).map_err(failed)?.mode();
        if mode & OTHERS != 0 {
            tracing::warn!(folder = %path.display(), mode = format!("{:o}", mode & 0o7777),
                "others than its owner could enter the tenants' folder; its mode is 700 now");
            std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        #[cfg(target_os = "linux")]
        inherit(path);
        Ok(())
    }

    pub(super) fn narrow_file(path: &Path, metadata: &Metadata) -> Result<()> {
        let operation = || format!("open the tenant's file {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let owner = std::fs::metadata(folder)
            .map_err(|error| Error::new(ErrorKind::Unavailable, operation()).source(error))?
            .uid();
        if metadata.uid() != owner {
            return Err(Error::new(ErrorKind::Forbidden, operation())
                .context(format!("it belongs to user {}, and its folder to user {owner}", metadata.uid()))
                .hint(
                    "run every program that opens tenants' files as the folder's owner; chown the file if it is the tenant's",
                ));
        }
        let mode = metadata.mode();
        if mode & OTHERS != 0 {
            tracing::warn!(file = %path.display(), mode = format!("{:o}", mode & 0o7777),
                "others than its owner could read a tenant's file; its mode is 600 now");
            match std::fs::set_permissions(path, Permissions::from_mode(0o600)) {
                // What stands beside a file comes and goes while others use it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                other => {
                    other.map_err(|error| Error::new(ErrorKind::Forbidden, operation()).source(error))?
                }
            }
        }
        Ok(())
    }

    /// Has files that are made in the folder begin with mode 0600 and folders with 0700, whatever the process's umask is: DuckDB
    /// makes logs and temporary files as the umask lets it, and a library must not set that. It is a default access control
    /// list (acl(5)), in the form that Linux keeps it in (`posix_acl_xattr.h`). Where the file system has none, the folder's mode
    /// keeps others out all the same.
    #[cfg(target_os = "linux")]
    fn inherit(path: &Path) {
        const NAME: &str = "system.posix_acl_default";
        const VERSION: u32 = 2;
        const UNDEFINED_ID: u32 = u32::MAX;
        /// The owner (`ACL_USER_OBJ`) may all, its group (`ACL_GROUP_OBJ`) and others (`ACL_OTHER`) nothing.
        const ENTRIES: [(u16, u16); 3] = [(0x01, 0o7), (0x04, 0), (0x20, 0)];
        let mut list = VERSION.to_le_bytes().to_vec();
        for (tag, permissions) in ENTRIES {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(UNDEFINED_ID.to_le_bytes());
        }
        if let Err(error) = rustix::fs::setxattr(path, NAME, &list, rustix::fs::XattrFlags::empty()) {
            tracing::debug!(folder = %path.display(), %error,
                "the file system has no access control lists; new files are kept private by the folder's mode alone");
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn widen(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_wide_folder_and_a_wide_file_are_narrowed() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("tenants");
        make_folder(&folder, "test").unwrap();
        assert_eq!(mode(&folder), 0o700);
        widen(&folder, 0o755);
        make_folder(&folder, "test").unwrap();
        assert_eq!(mode(&folder), 0o700);
        let file = folder.join("a.sqlite");
        for path in [file.clone(), beside(&file, "-wal")] {
            std::fs::write(&path, "x").unwrap();
            widen(&path, 0o644);
        }
        assert!(check_file(&file).unwrap());
        assert_eq!((mode(&file), mode(&beside(&file, "-wal"))), (0o600, 0o600));
        assert!(!check_file(&folder.join("b.sqlite")).unwrap());
    }

    #[test]
    fn links_and_what_is_no_file_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::write(&target, "x").unwrap();
        let file = folder.path().join("a.duckdb");
        for suffix in ["", "-wal", ".wal"] {
            let link = beside(&file, suffix);
            symlink(&target, &link).unwrap();
            let error = check_file(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Forbidden);
            assert!(error.to_string().contains("link") && error.next_step().is_some(), "{error}");
            std::fs::remove_file(&link).unwrap();
        }
        // One that leads nowhere would be written through.
        symlink(folder.path().join("nowhere"), &file).unwrap();
        assert!(check_file(&file).is_err());
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(check_file(&file).is_err());
    }
}
