//! A key that nobody configured: made once, and kept in the data directory.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind as Io, Write as _};
use std::path::Path;

use secrecy::SecretString;
use trimaran_core::{Error, ErrorKind, Result, digest};

/// Reads the key in the file at `path`; makes one of 256 random bits if there is none. `purpose` says which key it is, and `setting`
/// what names another one.
pub(super) fn kept(path: &Path, purpose: &str, setting: &str) -> Result<SecretString> {
    let failed = |e: std::io::Error| {
        let kind = match e.kind() {
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Forbidden,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("keep the key {purpose} in {}", path.display()))
            .source(e)
            .hint(format!("name a data_directory that this program may write to, or a {setting}"))
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
    tracing::info!(file = %path.display(), purpose, "made a key; back it up with the data");
    read().map_err(failed)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let first = kept(&path, "of a test", "key_file").unwrap();
        assert_eq!(first.expose_secret().len(), 64);
        assert_eq!(kept(&path, "of a test", "key_file").unwrap().expose_secret(), first.expose_secret());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn where_it_can_t_be_kept_the_error_says_what_to_set() {
        let error = kept(Path::new("/nowhere/at/all/tenant.key"), "of a test", "key_file").unwrap_err();
        let hint = error.next_step().unwrap();
        assert!(hint.contains("data_directory") && hint.contains("key_file"), "{hint}");
    }
}
