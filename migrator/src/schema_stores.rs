//! The stores whose schemas a command works on.

use std::path::Path;

use trimaran_backends::Connection;
use trimaran_backends::stores::connect;
use trimaran_backends::tenant::signing::SigningKey;
use trimaran_backends::tenant::signing::TenantSetting;
use trimaran_core::config::{Area, PoolSettings, Settings};
use trimaran_core::{Engine, Error, ErrorKind, Location, Result};

/// What DuckDB may take for a schema's sake, in bytes: backfills spill what is more.
const MEMORY: u64 = 256 << 20;

/// A store, as the owner of its tables reaches it.
#[derive(Debug, Clone)]
pub(crate) struct SchemaStore {
    /// What people call it.
    pub(crate) name: String,
    /// The areas that it keeps.
    pub(crate) areas: Vec<Area>,
    /// Where it is.
    pub(crate) location: Location,
    /// The role that the application connects as, if another than the owner.
    pub(crate) role: Option<String>,
    /// How a server is told whose transaction it is.
    pub(crate) setting: Setting,
}

/// How a server is told whose transaction it is.
#[derive(Debug, Clone)]
pub(crate) enum Setting {
    /// As before.
    AsItIs,
    /// By a setting that is not signed.
    Plain,
    /// By one that is signed with this key.
    Signed(SigningKey),
}

impl Setting {
    /// As the migrations' runner takes it.
    pub(crate) fn wanted(&self) -> TenantSetting<'_> {
        match self {
            Self::AsItIs => TenantSetting::AsItIs,
            Self::Plain => TenantSetting::Plain,
            Self::Signed(key) => TenantSetting::Signed(key),
        }
    }
}

impl SchemaStore {
    /// Whether it is a file that is not there yet.
    pub(crate) fn is_missing(&self) -> bool {
        self.location.path().is_some_and(|path| !path.exists())
    }

    /// Makes the folder of its file, for its owner alone.
    ///
    /// # Errors
    /// `Unavailable` if it can't be made.
    pub(crate) fn make_folder(&self) -> Result<()> {
        let Some(folder) = self.location.path().and_then(Path::parent) else { return Ok(()) };
        if folder.as_os_str().is_empty() || folder.exists() {
            return Ok(());
        }
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(|error| {
            Error::new(ErrorKind::Unavailable, format!("make the folder {}", folder.display())).source(error)
        })
    }

    /// Opens it.
    ///
    /// # Errors
    /// The engine's, classified; `Unsupported` if this build lacks the engine.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        let pool = PoolSettings { max_connections: 2, ..PoolSettings::default() };
        connect(&self.location, &pool, MEMORY).await
    }

    /// Says which store an error is of.
    pub(crate) fn at_fault(&self, error: Error) -> Error {
        error.context(format!("the store is {}", self.name))
    }
}

/// The stores of a configuration that keep one of `areas` (none: all). A folder of tenants' files is as many stores as
/// there are files in it.
///
/// # Errors
/// `Unavailable` if a folder can't be read; `Configuration` for a signing key that is none.
pub(crate) fn configured(settings: &Settings, areas: &[Area]) -> Result<Vec<SchemaStore>> {
    let setting = match &settings.tenants.signing_key {
        Some(key) => Setting::Signed(SigningKey::new(key)?),
        None => Setting::AsItIs,
    };
    let mut stores: Vec<SchemaStore> = Vec::new();
    for (area, store) in &settings.stores {
        let same = |other: &&mut SchemaStore| other.location.to_string() == owner(store).to_string();
        if let Some(shared) = stores.iter_mut().find(same) {
            shared.areas.push(*area);
            shared.name = format!("{}, {area}", shared.name);
            continue;
        }
        stores.push(SchemaStore {
            name: area.to_string(),
            areas: vec![*area],
            location: owner(store).clone(),
            role: application_role(store),
            setting: setting.clone(),
        });
    }
    for (name, store) in &settings.tenants.places {
        let per_tenant = Area::SQL.into_iter().filter(|area| area.is_per_tenant());
        stores.push(SchemaStore {
            name: format!("tenants in {name}"),
            areas: per_tenant.collect(),
            location: owner(store).clone(),
            role: application_role(store),
            setting: setting.clone(),
        });
    }
    stores.retain(|store| areas.is_empty() || store.areas.iter().any(|area| areas.contains(area)));
    let mut expanded = Vec::new();
    for store in stores {
        let tenants = store.areas.iter().any(|area| area.is_per_tenant());
        match store.location.path().filter(|_| tenants) {
            Some(folder) => expanded.extend(files(&store, folder)?),
            None => expanded.push(store),
        }
    }
    Ok(expanded)
}

fn owner(store: &trimaran_core::config::StoreSettings) -> &Location {
    store.owner.as_ref().unwrap_or(&store.location)
}

/// The role that the application connects as, if another owns the tables.
fn application_role(store: &trimaran_core::config::StoreSettings) -> Option<String> {
    let role = store.owner.as_ref().and_then(|_| store.location.server())?.0.username().to_owned();
    Some(role).filter(|role| !role.is_empty())
}

/// The files of tenants in a folder; none if there is no folder yet.
fn files(store: &SchemaStore, folder: &Path) -> Result<Vec<SchemaStore>> {
    let failed = |error| {
        Error::new(ErrorKind::Unavailable, format!("list the tenants' files in {}", folder.display()))
            .source(error)
    };
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let engine: Engine = store.location.engine();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == engine.name()) {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push(SchemaStore {
                name: format!("{}: {file}", store.name),
                location: Location::file(engine, path),
                ..store.clone()
            });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
