//! The key that tenants' files are named by: configured, or, where nothing is configured, made once and kept.

use trimaran_core::config::{Area, Settings};
use trimaran_core::{Error, ErrorKind, Result};

use super::kept_key;
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
    let path = settings.data_directory.join(FILE);
    NamingKey::new(&kept_key::kept(&path, "that tenants' files are named by", "tenants.key_file")?)
}
