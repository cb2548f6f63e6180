//! The key that tenants' files are named by: configured, or, where nothing is configured, made once and kept.

use std::path::PathBuf;

use trimaran_core::config::{Area, Settings};
use trimaran_core::{Error, ErrorKind, Result};

use super::kept_key;
use crate::tenant::{NamingKey, TenantCatalogue};

/// Its name in the data directory.
const FILE: &str = "tenant.key";

const PURPOSE: &str = "that tenants' files are named by";
const SETTING: &str = "tenants.key_file";

/// The key that is there already; `None` if none is.
///
/// # Errors
/// [`ErrorKind::Configuration`] for one that can't be a key, or if none is configured although a place for tenants is; else
/// what keeps the file from being read.
pub(super) fn present(settings: &Settings) -> Result<Option<NamingKey>> {
    if let Some(key) = &settings.tenants.key {
        return NamingKey::new(key).map(Some);
    }
    let path = kept_in(settings);
    if is_its_own(settings) && path.exists() {
        return NamingKey::new(&kept_key::kept(&path, PURPOSE, SETTING)?).map(Some);
    }
    Ok(None)
}

/// Makes a key for an installation that has none, and keeps it.
///
/// A key is never made for tenants that have one: the file that held it is lost then, or the configuration forgets to name it,
/// and under another key none of them would find their files again.
///
/// # Errors
/// [`ErrorKind::Configuration`] if a place for tenants is configured, or there are tenants; else what keeps the file from being
/// made.
pub(super) async fn made(settings: &Settings, catalogue: &TenantCatalogue) -> Result<NamingKey> {
    let refused = |why: String| Error::new(ErrorKind::Configuration, "use the configuration").context(why);
    if let Some(place) = configured(settings) {
        return Err(refused(format!("{place}.url is set, and {SETTING} is not")).hint(
            "make a key with `openssl rand -hex 32`, keep it safe, and name its file in tenants.key_file",
        ));
    }
    let path = kept_in(settings);
    if !catalogue.is_empty().await? {
        return Err(refused(format!("the key in {} is gone, and there are tenants under it", path.display())).hint(
            "restore it from a backup; or make a new one with `openssl rand -hex 32`, name its file in tenants.key_file, and \
             run `trimaran tenant rekey --new-key-file`",
        ));
    }
    if let Some(file) = first_file(settings) {
        return Err(refused(format!(
            "there is no key in {}, and a tenant's file is in {file}",
            path.display()
        ))
        .hint("restore key and catalogue from a backup, or move the files away if nobody wants them"));
    }
    NamingKey::new(&kept_key::kept(&path, PURPOSE, SETTING)?)
}

/// The first place for tenants that somebody configured.
fn configured(settings: &Settings) -> Option<String> {
    let area = Area::SQL.into_iter().find(|area| {
        area.is_per_tenant() && settings.stores.get(area).is_some_and(|store| !store.is_default)
    });
    let place = || settings.tenants.places.keys().next().map(|name| format!("tenants.places.{name}"));
    area.map(|area| format!("stores.{area}")).or_else(place)
}

/// Whether nothing is configured, so that the key in the data directory counts.
fn is_its_own(settings: &Settings) -> bool {
    configured(settings).is_none()
}

fn kept_in(settings: &Settings) -> PathBuf {
    settings.data_directory.join(FILE)
}

/// A file that some tenant has in the embedded folders.
fn first_file(settings: &Settings) -> Option<String> {
    let folders = settings.stores.iter().filter(|(area, _)| area.is_per_tenant());
    folders.filter_map(|(_, store)| Some((store.location.path()?, store.location.engine()))).find_map(
        |(folder, engine)| {
            let is_file = |name: &str| {
                name.strip_suffix(engine.name())
                    .and_then(|stem| stem.strip_suffix('.'))
                    .is_some_and(crate::tenant::naming::is_place)
            };
            let mut entries = std::fs::read_dir(folder).ok()?.flatten();
            entries
                .any(|entry| entry.file_name().to_str().is_some_and(is_file))
                .then(|| folder.display().to_string())
        },
    )
}
