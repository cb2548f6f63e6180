//! The keys that secrets are encrypted under: configured, or, where nothing is configured, one made once and kept.

use trimaran_core::config::{Area, Settings};
use trimaran_core::secret::{Keyring, SecretKey};
use trimaran_core::{Error, ErrorKind, Result};

use super::kept_key;

/// Its name in the data directory.
const FILE: &str = "secrets.key";

/// The keys in force.
///
/// # Errors
/// [`ErrorKind::Configuration`] if there is none although the area configuration has a URL of its own; else what keeps the
/// file from being read or made.
pub(super) fn keyring(settings: &Settings) -> Result<Keyring> {
    let active = match &settings.secrets.key {
        Some(key) => SecretKey::parse(key)?,
        None if settings.stores.get(&Area::Configuration).is_some_and(|store| !store.is_default) => {
            return Err(Error::new(ErrorKind::Configuration, "use the configuration")
                .context("stores.configuration.url is set, and secrets.key_file is not")
                .hint(
                    "make a key with `openssl rand -hex 32`, keep it safe, and name its file in secrets.key_file",
                ));
        }
        None => {
            let path = settings.data_directory.join(FILE);
            SecretKey::parse(&kept_key::kept(&path, "that secrets are under", "secrets.key_file")?)?
        }
    };
    let previous = settings.secrets.previous.iter().map(SecretKey::parse).collect::<Result<Vec<_>>>()?;
    Ok(Keyring::new(active, previous))
}
