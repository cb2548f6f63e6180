//! `trimaran schema`: where the schemas of an application's stores stand, and bringing them up or down.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use secrecy::SecretString;
use trimaran_backends::schema::{Book, Runner};
use trimaran_backends::tenant::signing::SigningKey;
use trimaran_core::clock::SystemClock;
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Location, Result};

use crate::cli::password;
use crate::config_command::Which;
use crate::exit::Exit;
use crate::schema_report::{Report, StoreReport};
use crate::schema_stores::{self, SchemaStore, Setting};

/// What to do with the schemas.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List what was applied and what is pending. Changes nothing.
    Status(Stores),
    /// Apply what is pending; on Postgres, put row-level security in force.
    Up {
        #[command(flatten)]
        stores: Stores,
        /// Have tenant settings signed with the key in this file, on Postgres (with --url; else tenants.signing_key_file says so).
        #[arg(long, value_name = "FILE", requires = "url", conflicts_with = "unsigned")]
        signing_key_file: Option<PathBuf>,
        /// No longer have tenant settings signed, on Postgres. Remove the key from the configuration, too.
        #[arg(long)]
        unsigned: bool,
    },
    /// Undo migrations, the last one first. What is in the tables that they created is lost.
    Down {
        #[command(flatten)]
        stores: Stores,
        /// The migration to go back to, which stays.
        #[arg(long, value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
        to: Option<String>,
        /// Undo everything.
        #[arg(long)]
        all: bool,
        /// Undo it although rows are lost.
        #[arg(long)]
        yes: bool,
    },
}

/// Which stores: those of the configuration, or the one at a URL.
#[derive(Debug, Args)]
pub(crate) struct Stores {
    #[command(flatten)]
    which: Which,
    /// The store at this URL instead of those of the configuration; on Postgres, as the owner of the tables reaches it.
    #[arg(long, value_name = "URL", requires = "area", conflicts_with_all = ["config", "profile"])]
    url: Option<String>,
    /// File that holds the URL's password, and nothing else.
    #[arg(long, value_name = "FILE", requires = "url")]
    password_file: Option<PathBuf>,
    /// The role that the application connects as, on Postgres: it is given its rights.
    #[arg(long, value_name = "ROLE", requires = "url")]
    application_role: Option<String>,
    /// Only these areas; with --url, the areas that the store keeps.
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    area: Vec<AreaName>,
}

/// The areas that databases keep, as they are written on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum AreaName {
    /// Users, roles, groups.
    Identity,
    /// API keys, sessions, settings, the catalogue of tenants.
    Application,
    /// Components and datasets, per tenant.
    Configuration,
    /// Prompts and results, per tenant.
    Conversation,
}

impl AreaName {
    fn area(self) -> Area {
        match self {
            Self::Identity => Area::Identity,
            Self::Application => Area::Application,
            Self::Configuration => Area::Configuration,
            Self::Conversation => Area::Conversation,
        }
    }
}

impl Stores {
    /// The stores chosen.
    fn chosen(&self) -> Result<Vec<SchemaStore>> {
        let areas: Vec<Area> = self.area.iter().map(|area| area.area()).collect();
        let Some(url) = &self.url else {
            return schema_stores::configured(self.which.load()?.settings(), &areas);
        };
        let mut location = Location::parse(url)?;
        if let Some(file) = &self.password_file {
            let secret: SecretString = password(file)?;
            location = location.with_password(secret);
        }
        let role = self.application_role.clone();
        let name = location.to_string();
        Ok(vec![SchemaStore { name, areas, location, role, setting: Setting::AsItIs }])
    }
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What stands in the way; what was done before stays, and the same command goes on.
    pub(crate) fn run(&self) -> Result<Exit> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Unavailable, "start the runtime").source(e))?;
        let (report, exit) = runtime.block_on(self.report())?;
        let text = if self.json() { report.json(exit)? } else { report.text() };
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(exit)
    }

    /// Whether errors are wanted as JSON, too.
    pub(crate) fn json(&self) -> bool {
        let (Self::Status(stores) | Self::Up { stores, .. } | Self::Down { stores, .. }) = self;
        stores.which.json()
    }

    async fn report(&self) -> Result<(Report, Exit)> {
        let book = Book::new();
        match self {
            Self::Status(stores) => status(&stores.chosen()?, &book).await,
            Self::Up { stores, signing_key_file, unsigned } => {
                let mut stores = stores.chosen()?;
                let setting = match signing_key_file {
                    _ if *unsigned => Some(Setting::Plain),
                    Some(file) => Some(Setting::Signed(SigningKey::new(&password(file)?)?)),
                    None => None,
                };
                if let Some(setting) = setting {
                    stores.iter_mut().for_each(|store| store.setting = setting.clone());
                }
                up(&stores, &book).await
            }
            Self::Down { stores, to, yes, .. } => down(&stores.chosen()?, &book, to.as_deref(), *yes).await,
        }
    }
}

async fn status(stores: &[SchemaStore], book: &Book) -> Result<(Report, Exit)> {
    let mut report = Report::default();
    let mut exit = Exit::Complete;
    for store in stores {
        // To look at a store must not make it.
        if store.is_missing() {
            report.stores.push(StoreReport::missing(store, book));
            exit = Exit::Pending;
            continue;
        }
        let connection = store.connect().await?;
        let status = Runner::new(&connection, book, &store.areas, &SystemClock).status().await;
        connection.close().await;
        let status = status.map_err(|error| store.at_fault(error))?;
        status.accept().map_err(|error| store.at_fault(error))?;
        if !status.is_current() {
            exit = Exit::Pending;
        }
        report.stores.push(StoreReport::of(store, &status));
    }
    Ok((report, exit))
}

async fn up(stores: &[SchemaStore], book: &Book) -> Result<(Report, Exit)> {
    let mut report = Report::default();
    for store in stores {
        store.make_folder()?;
        let connection = store.connect().await?;
        let runner =
            Runner::new(&connection, book, &store.areas, &SystemClock).tenant_setting(store.setting.wanted());
        let runner = match &store.role {
            Some(role) => runner.for_role(role),
            None => runner,
        };
        let done = async { Ok((runner.up().await?, runner.status().await?)) }.await;
        connection.close().await;
        let (applied, status) = done.map_err(|error| store.at_fault(error))?;
        report.stores.push(StoreReport::of(store, &status).changed(applied));
    }
    Ok((report, Exit::Complete))
}

async fn down(stores: &[SchemaStore], book: &Book, to: Option<&str>, yes: bool) -> Result<(Report, Exit)> {
    let refused = |why: String| Error::new(ErrorKind::Configuration, "undo migrations").context(why);
    if stores.iter().any(|store| store.areas != stores[0].areas) {
        return Err(refused("several stores are configured, with different areas".to_owned())
            .hint("choose one with --area"));
    }
    let stores: Vec<_> = stores.iter().filter(|store| !store.is_missing()).collect();
    // All stores are looked at before any is changed.
    for store in &stores {
        let connection = store.connect().await?;
        let losses = Runner::new(&connection, book, &store.areas, &SystemClock).losses(to).await;
        connection.close().await;
        let losses = losses.map_err(|error| store.at_fault(error))?;
        let filled: Vec<_> = losses
            .iter()
            .filter(|loss| loss.rows > 0)
            .map(|loss| format!("{} ({} rows)", loss.table, loss.rows))
            .collect();
        if !filled.is_empty() && !yes {
            return Err(refused(format!(
                "{}: these tables would be dropped: {}",
                store.name,
                filled.join(", ")
            ))
            .hint("make a backup, and say --yes; nothing was changed"));
        }
    }
    let mut report = Report::default();
    for store in stores {
        let connection = store.connect().await?;
        let runner = Runner::new(&connection, book, &store.areas, &SystemClock);
        let done = async { Ok((runner.down(to).await?, runner.status().await?)) }.await;
        connection.close().await;
        let (undone, status) = done.map_err(|error| store.at_fault(error))?;
        report.stores.push(StoreReport::of(store, &status).changed(undone));
    }
    Ok((report, Exit::Complete))
}
