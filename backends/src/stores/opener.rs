//! From a configuration to open stores.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, Statement};
use trimaran_core::clock::SystemClock;
use trimaran_core::config::places::DEFAULT;
use trimaran_core::config::{Area, Config, PoolSettings, Settings, StoreSettings};
use trimaran_core::id::RandomIds;
use trimaran_core::secret::{Keyring, PasswordHasher, PasswordParameters};
use trimaran_core::{Clock, Error, ErrorKind, IdSource, Result, Store as _};

use super::buffers::Buffers;
use super::connect::connect;
#[cfg(feature = "postgres")]
use super::signing;
use super::tenant::TenantParts;
use super::{Stores, secrets_key, tenant_key};
use crate::cache::ResultCache;
use crate::db_error::Doing as _;
use crate::schema::{Book, Migration, Runner};
use crate::tenant::administration::Home;
#[cfg(feature = "postgres")]
use crate::tenant::signing::TenantSetting;
use crate::tenant::{FileSettings, NamingKey, TenantCatalogue, TenantStores};
use crate::{Connection, ContentStore, Executor, Location, SqlStore};

/// Opens the stores of a configuration, with what a consumer brings along.
#[derive(Debug, Clone)]
#[must_use]
pub struct Opener {
    settings: Settings,
    migrations: Vec<Migration>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    passwords: PasswordParameters,
    administers: bool,
}

/// A database that is open.
struct Opened {
    areas: Vec<Area>,
    connection: Connection,
    #[cfg(feature = "postgres")]
    server: Option<crate::postgres::PostgresConnection>,
}

impl Opener {
    /// For the stores that `config` names.
    pub fn new(config: &Config) -> Self {
        Self {
            settings: config.settings().clone(),
            migrations: Vec::new(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            passwords: PasswordParameters::default(),
            administers: false,
        }
    }

    /// Opens the stores for an administrator of tenants: also with no key, and with another one than their files are named by,
    /// which is what [`rekey`](crate::tenant::TenantAdministration::rekey) is for. An application never does.
    pub fn administering(mut self) -> Self {
        self.administers = true;
        self
    }

    /// Adds a consumer's own migrations to the book.
    pub fn migrations(mut self, migrations: impl IntoIterator<Item = Migration>) -> Self {
        self.migrations.extend(migrations);
        self
    }

    /// Takes the time from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes new ids from here.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Makes guessing a password cost so much. Tests set the least.
    pub fn passwords(mut self, passwords: PasswordParameters) -> Self {
        self.passwords = passwords;
        self
    }

    /// Opens every store, and sees to its schema: with `migrate` it is brought up to date, else it has to be. Folders of the
    /// embedded stores are made, for their owner alone. Logs each store's areas, engine, URL and schema version.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for settings that don't fit together, and for a schema that is behind while `migrate` is
    /// off; `Unsupported` for a newer schema and for an engine that this build lacks; else the engine's, naming the store.
    pub async fn open(self) -> Result<Stores> {
        let book = Arc::new(Book::new().with(self.migrations.iter().copied())?);
        let settings = &self.settings;
        if settings.stores.values().any(|store| store.is_default) {
            make_folder(&settings.data_directory)?;
        }
        let content = ContentStore::open(&settings.content, Arc::clone(&self.clock), Arc::clone(&self.ids))?;
        tracing::info!(url = %settings.content.place, "content");
        let naming = tenant_key::present(settings)?;
        let keyring = Arc::new(secrets_key::keyring(settings)?);
        let passwords = PasswordHasher::new(self.passwords)?;

        let mut stores = BTreeMap::new();
        let mut tenants: BTreeMap<String, Home> = BTreeMap::new();
        for (home, areas, store) in all_places(settings) {
            let tenants = tenants.entry(home.to_owned()).or_default();
            if areas.iter().all(|area| area.is_per_tenant()) && store.location.path().is_some() {
                let folder = self.folder(&areas, store, &book)?;
                tenants.extend(areas.iter().map(|area| (*area, folder.clone())));
                continue;
            }
            let opened = self.database(areas, store, &book).await?;
            let (own, per_tenant): (Vec<_>, Vec<_>) =
                opened.areas.iter().copied().partition(|area| !area.is_per_tenant());
            #[cfg(feature = "postgres")]
            if let Some(server) = &opened.server {
                let all = TenantStores::on_server(server.clone(), &per_tenant);
                tenants.extend(per_tenant.iter().map(|area| (*area, all.clone())));
            }
            #[cfg(not(feature = "postgres"))]
            drop(per_tenant);
            let shared = SqlStore::new(
                opened.connection,
                &own,
                Arc::clone(&self.clock),
                Arc::clone(&self.ids),
                passwords.clone(),
            );
            // A further place keeps tenants alone.
            stores.extend(own.iter().map(|area| (*area, shared.clone())));
        }
        let (Some(identity), Some(application)) =
            (stores.get(&Area::Identity), stores.get(&Area::Application))
        else {
            return Err(Error::new(ErrorKind::Configuration, "open the stores")
                .context("identity or application has no database"));
        };
        let executor = Executor::Connection(application.connection().clone());
        let catalogue = self.catalogue(executor, naming).await?;
        Ok(Stores {
            identity: identity.identity()?,
            application: application.application()?,
            stores,
            tenants: TenantParts {
                catalogue,
                homes: Arc::new(tenants),
                clock: self.clock,
                ids: self.ids,
                passwords,
                cache: cache(settings, &keyring)?,
                keyring,
                content: content.clone(),
                buffers: Buffers::new(&self.settings.tenants),
                open_files: self.settings.tenants.open_files,
                administration: self.settings.tenants.administration,
            },
            content,
        })
    }

    /// The catalogue of tenants, whose files are named by the key in use, unless that is what is to be seen to.
    async fn catalogue(&self, executor: Executor, key: Option<NamingKey>) -> Result<TenantCatalogue> {
        let settings = &self.settings;
        let with = |key| {
            let (clock, ids) = (Arc::clone(&self.clock), Arc::clone(&self.ids));
            TenantCatalogue::maybe_with(executor.clone(), clock, ids, key)
                .placing(settings.tenants.placement.clone(), settings.tenants.places.keys().cloned())
        };
        if self.administers {
            return Ok(with(key));
        }
        let key = match key {
            Some(key) => key,
            None => tenant_key::made(settings, &with(None)).await?,
        };
        let catalogue = with(Some(key));
        catalogue.check_key().await?;
        Ok(catalogue)
    }

    /// A folder with a file per tenant; each file's schema is seen to when it is opened.
    fn folder(&self, areas: &[Area], store: &StoreSettings, book: &Arc<Book>) -> Result<TenantStores> {
        let tenants = &self.settings.tenants;
        let settings = FileSettings {
            open_files: tenants.open_files,
            pool: PoolSettings {
                max_connections: tenants.max_connections,
                min_connections: 0,
                ..store.pool.clone()
            },
            memory: tenants.memory,
        };
        let clock = Arc::clone(&self.clock);
        let folder =
            TenantStores::in_folder(&store.location, areas.to_vec(), settings, Arc::clone(book), clock)?;
        tracing::info!(areas = %names(areas), engine = %store.location.engine(), url = %store.location,
            schema = newest(book, areas), "a file per tenant");
        Ok(folder)
    }

    async fn database(&self, areas: Vec<Area>, store: &StoreSettings, book: &Book) -> Result<Opened> {
        let naming = |error: Error| error.context(format!("the store of {}", names(&areas)));
        #[cfg(feature = "postgres")]
        if store.location.engine() == trimaran_core::Engine::Postgres {
            let server = crate::postgres::PostgresConnection::open(&store.location, &store.pool)
                .await
                .map_err(naming)?;
            let connection = Connection::new(server.clone());
            let key = signing::key(&self.settings, &areas, store).map_err(naming)?;
            self.schema(&connection, &areas, store, book).await.map_err(naming)?;
            let clock = Arc::clone(&self.clock);
            let server = signing::signed(server, &areas, key, clock).await.map_err(naming)?;
            return Ok(Opened { areas, connection, server: Some(server) });
        }
        let connection = connect(&store.location, &store.pool, store.memory).await.map_err(naming)?;
        self.schema(&connection, &areas, store, book).await.map_err(naming)?;
        Ok(Opened {
            areas,
            connection,
            #[cfg(feature = "postgres")]
            server: None,
        })
    }

    /// Brings a database's schema up to date, as its owner, or makes sure that it is.
    async fn schema(
        &self,
        connection: &Connection,
        areas: &[Area],
        store: &StoreSettings,
        book: &Book,
    ) -> Result<()> {
        let clock = self.clock.as_ref();
        if self.settings.migrate {
            match &store.owner {
                Some(owner) => {
                    let role = current_role(connection).await?;
                    self.as_owner(owner, store, areas, book, &role).await?;
                }
                None => {
                    Runner::new(connection, book, areas, clock).up().await?;
                }
            }
        }
        let status = Runner::new(connection, book, areas, clock).status().await?;
        status.accept()?;
        if !status.is_current() {
            return Err(Error::new(ErrorKind::Configuration, format!("use {}", store.location))
                .context(format!("its schema is behind: {} not applied", status.pending.join(", ")))
                .hint("run `trimaran schema up`, or set migrate = true"));
        }
        let version = status.applied.last().map_or("none", |applied| applied.name.as_str());
        tracing::info!(areas = %names(areas), engine = %store.location.engine(), url = %store.location,
            schema = version, "opened a store");
        Ok(())
    }

    async fn as_owner(
        &self,
        owner: &Location,
        store: &StoreSettings,
        areas: &[Area],
        book: &Book,
        role: &str,
    ) -> Result<()> {
        // Two: one that migrates, one that waits for a lock meanwhile.
        let pool = PoolSettings { max_connections: 2, min_connections: 0, ..store.pool.clone() };
        let connection = connect(owner, &pool, store.memory).await?;
        let runner = Runner::new(&connection, book, areas, self.clock.as_ref()).for_role(role);
        #[cfg(feature = "postgres")]
        let key = signing::key(&self.settings, areas, store)?;
        #[cfg(feature = "postgres")]
        let runner = match &key {
            Some(key) => runner.tenant_setting(TenantSetting::Signed(key)),
            None => runner,
        };
        let done = runner.up().await.map(drop);
        connection.close().await;
        done
    }
}

fn cache(settings: &Settings, keyring: &Arc<Keyring>) -> Result<Option<ResultCache>> {
    settings.cache.as_ref().map(|cache| ResultCache::new(cache, Arc::clone(keyring))).transpose()
}

/// The places that settings name, each with its areas: areas with equal URLs share one.
fn places(settings: &Settings) -> Vec<(Vec<Area>, &StoreSettings)> {
    let mut places: Vec<(Vec<Area>, &StoreSettings)> = Vec::new();
    for (area, store) in &settings.stores {
        // A tenants' folder and a database have the same URL only on a server: settings are refused otherwise.
        match places.iter_mut().find(|(_, place)| place.location.to_string() == store.location.to_string()) {
            Some((areas, _)) => areas.push(*area),
            None => places.push((vec![*area], store)),
        }
    }
    places
}

/// The same, and the places of tenants besides, each with the name that the catalogue knows it by.
fn all_places(settings: &Settings) -> Vec<(&str, Vec<Area>, &StoreSettings)> {
    let per_tenant: Vec<Area> = Area::SQL.into_iter().filter(|area| area.is_per_tenant()).collect();
    let further = settings.tenants.places.iter();
    let further = further.map(|(name, store)| (name.as_str(), per_tenant.clone(), store));
    places(settings).into_iter().map(|(areas, store)| (DEFAULT, areas, store)).chain(further).collect()
}

fn names(areas: &[Area]) -> String {
    areas.iter().map(|area| area.name()).collect::<Vec<_>>().join(", ")
}

fn newest<'b>(book: &'b Book, areas: &[Area]) -> &'b str {
    book.of(areas).last().map_or("none", |migration| migration.name)
}

/// The role that the application connects as: the URL may leave it to the environment.
async fn current_role(connection: &Connection) -> Result<String> {
    let operation = "ask for the application's role";
    let query =
        Statement::from_string(connection.get_database_backend(), "SELECT current_user::text AS role");
    let row = connection.query_one_raw(query).await.doing(operation)?;
    let row = row.ok_or_else(|| Error::new(ErrorKind::Corrupt, operation))?;
    row.try_get("", "role").doing(operation)
}

/// Makes a folder for its owner alone; one that is there is left as it is.
fn make_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|e| {
        let kind = match e.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Forbidden
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => ErrorKind::Configuration,
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, format!("make the folder {}", path.display()))
            .source(e)
            .hint("name a data_directory that this program may make or write to")
    })
}
