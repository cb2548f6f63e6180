//! The settings in effect, read from the layers and checked against one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::value::Value;
use secrecy::{ExposeSecret as _, SecretString};

use super::fault::{configuration, wrong};
use super::{Area, CacheSettings, ContentSettings, PoolSettings, units};
use crate::secret::{SecretKey, strength};
use crate::{Engine, Error, ErrorKind, Location, Result};

/// The least memory that DuckDB works in.
const LEAST_MEMORY: u64 = 64 << 20;

/// All settings, resolved: secrets are read from their files.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the embedded stores are.
    pub data_directory: PathBuf,
    /// Whether opening brings schemas up to date.
    pub migrate: bool,
    /// The areas that databases keep.
    pub stores: BTreeMap<Area, StoreSettings>,
    /// The files.
    pub content: ContentSettings,
    /// The tenants.
    pub tenants: TenantSettings,
    /// The secrets.
    pub secrets: SecretSettings,
    /// What is kept of results. `None`: nothing.
    pub cache: Option<CacheSettings>,
}

/// Where one area is, and how it is reached.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The database; for a per-tenant area on SQLite and DuckDB the folder with a file per tenant.
    pub location: Location,
    /// Postgres: the role that owns the tables, if another.
    pub owner: Option<Location>,
    /// The pool of connections.
    pub pool: PoolSettings,
    /// DuckDB: the most memory of an open file, in bytes.
    pub memory: u64,
    /// Whether the location is the embedded default.
    pub is_default: bool,
}

/// How tenants' files are named and opened.
#[derive(Debug, Clone)]
pub struct TenantSettings {
    /// What file names are derived from. `None`: not given.
    pub key: Option<SecretString>,
    /// Postgres: what tenant settings are signed with. `None`: they are not.
    pub signing_key: Option<SecretString>,
    /// Further places that tenants' data may be in, each with all per-tenant areas, by their names. What is not in one of
    /// them is where `stores` says.
    pub places: BTreeMap<String, StoreSettings>,
    /// Where a new tenant's data goes.
    pub placement: Placement,
    /// The most files open at a time.
    pub open_files: usize,
    /// The most connections open at a time to one file.
    pub max_connections: u32,
    /// DuckDB: the most memory of one open file, in bytes.
    pub memory: u64,
    /// How long a message that was put aside waits at most.
    pub buffer_delay: Duration,
    /// How many bytes of one tenant's messages wait at most, and one message.
    pub buffer_size: u64,
    /// Whether this program may count over all tenants.
    pub administration: bool,
}

/// Where a new tenant's data goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// Where `stores` says.
    Default,
    /// Into the place of this name.
    Named(String),
    /// Where the fewest tenants are, the default among them; the first by name, if several have as few.
    LeastLoaded,
}

/// What secrets are encrypted under.
#[derive(Debug, Clone)]
pub struct SecretSettings {
    /// The key in force. `None`: not given.
    pub key: Option<SecretString>,
    /// The keys of before.
    pub previous: Vec<SecretString>,
}

impl Settings {
    pub(super) fn read(figment: &Figment) -> Result<Self> {
        let reader = Reader { figment };
        let data_directory = PathBuf::from(reader.text("data_directory")?.unwrap_or_default());
        let mut stores = BTreeMap::new();
        for area in Area::SQL {
            stores.insert(area, reader.store(area, &data_directory)?);
        }
        agree(figment, &stores)?;
        let places = super::places::read(&reader, figment, &stores)?;
        Ok(Self {
            migrate: reader.boolean("migrate")?,
            content: super::content::read(&reader, &data_directory)?,
            tenants: reader.tenants(places)?,
            secrets: reader.secrets()?,
            cache: super::cache::read(&reader)?,
            stores,
            data_directory,
        })
    }
}

/// Areas with equal URLs share one store, so that they can't differ in how it is reached.
fn agree(figment: &Figment, stores: &BTreeMap<Area, StoreSettings>) -> Result<()> {
    for (area, store) in stores {
        let first = stores.iter().find(|(_, s)| s.location.to_string() == store.location.to_string());
        if let Some((first, other)) = first
            && reached(other) != reached(store)
        {
            let key = format!("stores.{area}.url");
            return Err(wrong(
                figment,
                &key,
                format!("it is the store of {first}, whose password, owner, pool or memory settings differ"),
            )
            .hint(format!("give stores.{first} and stores.{area} the same settings, or different URLs")));
        }
        // A tenants' folder and a database can't be the same place.
        if let Some((other, _)) = stores.iter().find(|(other, s)| {
            other.is_per_tenant() != area.is_per_tenant()
                && s.location.path().is_some()
                && s.location.path() == store.location.path()
        }) {
            let key = format!("stores.{area}.url");
            return Err(wrong(
                figment,
                &key,
                format!("{other} has the same path; one of them is a file, the other a folder"),
            )
            .hint("give them different paths"));
        }
    }
    Ok(())
}

/// All that says how a store is reached, its location aside.
fn reached(store: &StoreSettings) -> impl PartialEq + '_ {
    fn password(location: &Location) -> Option<&str> {
        location.server().and_then(|(_, password)| password).map(|password| password.expose_secret())
    }
    let owner = store.owner.as_ref().map(|owner| (owner.to_string(), password(owner)));
    (&store.pool, store.memory, password(&store.location), owner)
}

/// Reads values of their kinds from the merged layers.
pub(super) struct Reader<'a> {
    figment: &'a Figment,
}

impl Reader<'_> {
    pub(super) fn wrong(&self, key: &str, what: impl std::fmt::Display) -> Error {
        wrong(self.figment, key, what)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        match self.figment.find_value(key).ok() {
            None => Ok(None),
            Some(Value::String(_, text)) if text.is_empty() => Err(self.wrong(key, "it is empty")),
            Some(Value::String(_, text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "it must be text, in quotes")),
        }
    }

    fn required<T>(&self, key: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T> {
        let text = self.text(key)?.unwrap_or_default();
        read(&text).map_err(|what| self.wrong(key, what))
    }

    fn boolean(&self, key: &str) -> Result<bool> {
        match self.figment.find_value(key).ok() {
            Some(Value::Bool(_, value)) => Ok(value),
            Some(Value::String(_, text)) if text == "true" => Ok(true),
            Some(Value::String(_, text)) if text == "false" => Ok(false),
            _ => Err(self.wrong(key, "it must be true or false")),
        }
    }

    pub(super) fn number(&self, key: &str, least: u32) -> Result<u32> {
        let number = match self.figment.find_value(key).ok() {
            Some(Value::Num(_, number)) => number.to_i128().and_then(|n| u32::try_from(n).ok()),
            Some(Value::String(_, text)) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if number >= least => Ok(number),
            _ => Err(self.wrong(key, format!("it must be a whole number, at least {least}"))),
        }
    }

    fn memory(&self, key: &str) -> Result<u64> {
        self.required(key, |text| match units::bytes(text)? {
            bytes if bytes < LEAST_MEMORY => Err("it must be at least 64MiB".to_owned()),
            bytes => Ok(bytes),
        })
    }

    /// The text at `key`, or in the file that `key_file` names; both are refused.
    pub(super) fn secret(&self, key: &str) -> Result<Option<SecretString>> {
        let file_key = format!("{key}_file");
        match (self.text(key)?, self.text(&file_key)?) {
            (Some(_), Some(_)) => {
                Err(self.wrong(&file_key, format!("{key} is set, too")).hint("set one of the two"))
            }
            (Some(text), None) => Ok(Some(SecretString::from(text))),
            (None, Some(path)) => self.file(&file_key, Path::new(&path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn file(&self, key: &str, path: &Path) -> Result<SecretString> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| self.wrong(key, format!("{} can't be read", path.display())).source(e))?;
        let line = text.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            return Err(self.wrong(key, format!("{} is empty", path.display())));
        }
        Ok(SecretString::from(line.to_owned()))
    }

    pub(super) fn location(&self, area: Area, url_key: &str, password_key: &str) -> Result<Option<Location>> {
        let password = self.secret(password_key)?;
        let Some(url) = self.secret(url_key)? else {
            if password.is_some() {
                return Err(self.wrong(password_key, format!("there is no {url_key} that it belongs to")));
            }
            return Ok(None);
        };
        let parse = if area.is_per_tenant() { Location::parse_folder } else { Location::parse };
        let location = parse(url.expose_secret()).map_err(|error| {
            let wrong = self.wrong(url_key, &error);
            match error.next_step() {
                Some(hint) => wrong.hint(hint),
                None => wrong,
            }
        })?;
        match password {
            Some(_) if location.engine() != Engine::Postgres => {
                Err(self.wrong(password_key, format!("{} has no password", location.engine())))
            }
            Some(password) => Ok(Some(location.with_password(password))),
            None => Ok(Some(location)),
        }
    }

    fn store(&self, area: Area, data_directory: &Path) -> Result<StoreSettings> {
        let key = |name: &str| format!("stores.{area}.{name}");
        let given = self.location(area, &key("url"), &key("password"))?;
        let owner = self.location(area, &key("owner_url"), &key("owner_password"))?;
        let is_default = given.is_none();
        let location = given.unwrap_or_else(|| embedded(area, data_directory));
        self.owned(owner.as_ref(), &location, &key("owner_url"), &key("url"))?;
        let pool = PoolSettings {
            max_connections: self.number(&key("max_connections"), 1)?,
            min_connections: self.number(&key("min_connections"), 0)?,
            connect_timeout: self.duration(&key("connect_timeout"))?,
            acquire_timeout: self.duration(&key("acquire_timeout"))?,
            idle_timeout: self.required(&key("idle_timeout"), units::duration_or_never)?,
            max_lifetime: self.required(&key("max_lifetime"), units::duration_or_never)?,
        };
        if pool.min_connections > pool.max_connections {
            return Err(
                self.wrong(&key("min_connections"), format!("it is more than {}", key("max_connections")))
            );
        }
        Ok(StoreSettings { location, owner, pool, memory: self.memory(&key("memory"))?, is_default })
    }

    /// Refuses an owner where there can be none.
    pub(super) fn owned(
        &self,
        owner: Option<&Location>,
        location: &Location,
        owner_key: &str,
        url_key: &str,
    ) -> Result<()> {
        match owner {
            Some(owner) if owner.engine() != Engine::Postgres || location.engine() != Engine::Postgres => {
                Err(self
                    .wrong(owner_key, "only Postgres has an owner")
                    .hint(format!("remove it, or give {url_key} a Postgres URL")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn duration(&self, key: &str) -> Result<Duration> {
        self.required(key, |text| match units::duration(text)? {
            Duration::ZERO => Err("it must be more than nothing".to_owned()),
            duration => Ok(duration),
        })
    }

    fn tenants(&self, places: BTreeMap<String, StoreSettings>) -> Result<TenantSettings> {
        let key = self.secret("tenants.key")?;
        if let Some(weakness) = key.as_ref().and_then(|key| strength::weakness(key.expose_secret())) {
            let from = if self.text("tenants.key")?.is_some() { "tenants.key" } else { "tenants.key_file" };
            return Err(self
                .wrong(from, format!("it can't be the key: {weakness}"))
                .hint(
                    "make one with `openssl rand -hex 32`; where tenants have files already, `trimaran tenant rekey` names \
                     them by it",
                ));
        }
        Ok(TenantSettings {
            key,
            signing_key: self.signing_key()?,
            placement: super::places::placement(self, &places)?,
            places,
            open_files: usize::try_from(self.number("tenants.open_files", 1)?)
                .map_err(|e| configuration().source(e))?,
            max_connections: self.number("tenants.max_connections", 1)?,
            memory: self.memory("tenants.memory")?,
            buffer_delay: self.duration("tenants.buffer_delay")?,
            buffer_size: self.required("tenants.buffer_size", units::bytes)?,
            administration: self.boolean("tenants.administration")?,
        })
    }
}

impl Reader<'_> {
    fn signing_key(&self) -> Result<Option<SecretString>> {
        const KEY: &str = "tenants.signing_key";
        let key = self.secret(KEY)?;
        match key.as_ref().and_then(|key| strength::weakness(key.expose_secret())) {
            Some(weakness) => {
                let from = if self.text(KEY)?.is_some() { KEY } else { "tenants.signing_key_file" };
                Err(self
                    .wrong(from, format!("it can't be the key: {weakness}"))
                    .hint("make one with `openssl rand -hex 32`"))
            }
            None => Ok(key),
        }
    }

    fn secrets(&self) -> Result<SecretSettings> {
        const KEY: &str = "secrets.key";
        const PREVIOUS: &str = "secrets.previous_keys_file";
        let wrong = |key: &str, error: &Error| {
            let what = error.to_string();
            self.wrong(key, what).hint(error.next_step().unwrap_or("make one with `openssl rand -hex 32`"))
        };
        let key = self.secret(KEY)?;
        if let Some(text) = &key {
            let from = if self.text(KEY)?.is_some() { KEY } else { "secrets.key_file" };
            SecretKey::parse(text).map_err(|error| wrong(from, &error))?;
        }
        let mut previous = Vec::new();
        if let Some(path) = self.text(PREVIOUS)? {
            let text = self.file(PREVIOUS, Path::new(&path))?;
            for line in text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty()) {
                let key = SecretString::from(line);
                SecretKey::parse(&key).map_err(|error| wrong(PREVIOUS, &error))?;
                previous.push(key);
            }
        }
        Ok(SecretSettings { key, previous })
    }
}

/// Where an area is if nothing says so.
fn embedded(area: Area, data_directory: &Path) -> Location {
    if area.is_per_tenant() {
        Location::file(Engine::Duckdb, data_directory.join("tenants"))
    } else {
        Location::file(Engine::Sqlite, data_directory.join("trimaran.sqlite"))
    }
}

impl Settings {
    /// The settings of an area that a database keeps.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for [`Area::Content`], which no database keeps.
    pub fn store(&self, area: Area) -> Result<&StoreSettings> {
        self.stores.get(&area).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "use the configuration")
                .context(format!("no database keeps {area}"))
        })
    }
}
