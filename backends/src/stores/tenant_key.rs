//! The key that tenants' files are named by: configured, or, where nothing is configured, made once and kept.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind as Io, Write as _};
use std::path::Path;

use secrecy::SecretString;
use trimaran_core::config::{Area, Settings};
use trimaran_core::{Error, ErrorKind, Result, digest};

use crate::tenant::NamingKey;

/// Its name in the data directory.
const FILE: &str = "tenant.key";

/// The key in force.
///
/// # Errors
/// [`ErrorKind::Configuration`] if there is none although a per-tenant area has a URL of its own; else what keeps the file
/// from being read or made.
pub(super) fn key(settings: &Settings) -> Result<NamingKey> {
    if let Some(key) = &settings.tenants.key {
        return NamingKey::new(key);
    }
    let configured = Area::SQL.into_iter().find(|area| {
        area.is_per_tenant() && settings.stores.get(area).is_some_and(|store| !store.is_default)
    });
    if let Some(area) = configured {
        return Err(Error::new(ErrorKind::Configuration, "use the configuration")
            .context(format!("stores.{area}.url is set, and tenants.key_file is not"))
            .hint(
                "make a key with `openssl rand -hex 32`, keep it safe, and name its file in tenants.key_file",
            ));
    }
    NamingKey::new(&kept(&settings.data_directory.join(FILE))?)
}

/// Reads the key in the file at `path`; makes one if there is none.
fn kept(path: &Path) -> Result<SecretString> {
    let failed = |e: std::io::Error| {
        let kind = match e.kind() {
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Forbidden,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("keep the tenants' key in {}", path.display()))
            .source(e)
            .hint("name a data_directory that this program may write to, or a tenants.key_file")
    };
    let read = || fs::read_to_string(path).map(|text| SecretString::from(text.trim_end().to_owned()));
    match read() {
        Err(e) if e.kind() == Io::NotFound => {}
        other => return other.map_err(failed),
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| failed(std::io::Error::other(e)))?;
    // Whole or not at all, and by one of several that begin at once: a file of its own, linked to the name.
    let draft = path.with_extension(format!("key.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&draft).map_err(failed)?;
    let written = file
        .write_all(format!("{}\n", digest::hex(&bytes)).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| match fs::hard_link(&draft, path) {
            Err(e) if e.kind() == Io::AlreadyExists => Ok(()),
            other => other,
        });
    fs::remove_file(&draft).map_err(failed)?;
    written.map_err(failed)?;
    tracing::info!(file = %path.display(), "made the key that tenants' files are named by; back it up with the data");
    read().map_err(failed)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let first = kept(&path).unwrap();
        assert_eq!(first.expose_secret().len(), 64);
        assert_eq!(kept(&path).unwrap().expose_secret(), first.expose_secret());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn where_it_can_t_be_kept_the_error_says_what_to_set() {
        let error = kept(Path::new("/nowhere/at/all/tenant.key")).unwrap_err();
        assert!(error.next_step().is_some_and(|hint| hint.contains("data_directory")));
    }
}
