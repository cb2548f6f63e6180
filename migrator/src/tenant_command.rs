//! `trimaran tenant`: whose data an installation keeps, and what an administrator does to it.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use trimaran_backends::stores::{Opener, Stores};
use trimaran_backends::tenant::{NamingKey, TenantRecord};
use trimaran_core::config::{Area, Config};
use trimaran_core::{Error, ErrorKind, PageRequest, Result, TenantId};
use uuid::Uuid;

use crate::cli::password;
use crate::config_command::Which;
use crate::exit::Exit;
use crate::interrupt;
use crate::migrate::Failure;
use crate::tenant_report::{self, Report, TenantReport, shown};
use crate::tenant_watch::Watch;

/// How many tenants are read in one go.
const PAGE: u32 = 100;

/// What to do with tenants. Renaming, other keys and deletion are finished by the same command after an interruption;
/// until then nobody gets at the tenant's data.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List all tenants: whose they are, where their data is, and what is being done to them. Changes nothing.
    List(Options),
    /// Show one tenant: id, key, place, and its files with their sizes, modes and schema. Changes nothing.
    Show {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        options: Options,
    },
    /// Make a tenant for a user. Applications do so by themselves; this is for choosing the place.
    Create {
        /// The user's name, exactly as the user signs in: nothing is done to it.
        #[arg(value_name = "USER")]
        user: String,
        /// Where its data goes: a place of the configuration, or `default` [default: what tenants.placement says].
        #[arg(long, value_name = "NAME")]
        place: Option<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Change the name of a tenant's user, and with it the names of the tenant's files.
    ///
    /// Stop applications that use the tenant's data, or wait until they let go of it.
    Rename {
        /// The user's name, then the new one; with --id the new one alone.
        #[arg(value_name = "USER", num_args = 1..=2, required = true)]
        names: Vec<String>,
        /// The tenant's id, in place of the user's name.
        #[arg(long, value_name = "ID")]
        id: Option<Uuid>,
        #[command(flatten)]
        options: Options,
    },
    /// Name all tenants' files by a new key. The key of before is not needed.
    ///
    /// Stop all applications first. Afterwards name the new key's file in `tenants.key_file`.
    Rekey {
        /// File that holds the new key, and nothing else: make it with `openssl rand -hex 32`.
        #[arg(long, value_name = "FILE")]
        new_key_file: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// Delete a tenant and all its data, for good: rows, files and their logs, content.
    Delete {
        #[command(flatten)]
        chosen: Chosen,
        /// Do not ask for the user's name to be typed.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        options: Options,
    },
}

/// What every one of these commands takes.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    which: Which,
    /// No progress and no summary, only errors and JSON.
    #[arg(long, short)]
    quiet: bool,
}

/// Which tenant.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The user's name, exactly.
    #[arg(value_name = "USER", required_unless_present = "id", conflicts_with = "id")]
    user: Option<String>,
    /// The tenant's id, in place of the user's name.
    #[arg(long, value_name = "ID")]
    id: Option<Uuid>,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What stands in the way, and how the program is to end.
    pub(crate) fn run(&self) -> Result<Exit, Box<Failure>> {
        let watch = Arc::new(Watch::new(matches!(self, Self::Rekey { .. }) && !self.options().quiet));
        let done = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|e| Error::new(ErrorKind::Unavailable, "start the runtime").source(e))
            .and_then(|runtime| runtime.block_on(self.report(&watch)));
        let text = done.and_then(|report| match self.options() {
            Options { which, .. } if which.json() => report.json(),
            Options { quiet: true, .. } => Ok(String::new()),
            Options { .. } => Ok(report.text()),
        });
        match text {
            Ok(text) => {
                // A reader that closed the pipe has seen enough.
                let _ = std::io::stdout().write_all(text.as_bytes());
                Ok(Exit::Complete)
            }
            Err(error) => {
                Err(Box::new(Failure { exit: exit_of(&error, watch.has_begun()), error, report: None }))
            }
        }
    }

    /// Whether errors are wanted as JSON, too.
    pub(crate) fn json(&self) -> bool {
        self.options().which.json()
    }

    fn options(&self) -> &Options {
        match self {
            Self::List(options)
            | Self::Show { options, .. }
            | Self::Create { options, .. }
            | Self::Rename { options, .. }
            | Self::Rekey { options, .. }
            | Self::Delete { options, .. } => options,
        }
    }

    async fn report(&self, watch: &Arc<Watch>) -> Result<Report> {
        let config = self.options().which.load()?;
        // To ask for tenants must not make an installation.
        if !matches!(self, Self::Create { .. }) && is_new(&config)? {
            return match self {
                Self::List(_) => Ok(Report::Tenants(Vec::new())),
                Self::Rekey { new_key_file, .. } => rekeyed(&config, &new_key(new_key_file)?, 0),
                _ => Err(missing("there is no application store yet")),
            };
        }
        let opener = Opener::new(&config);
        let opener = if matches!(self, Self::Create { .. }) { opener } else { opener.administering() };
        let stores = opener.open().await?;
        let report = self.report_of(&stores, &config, watch).await;
        stores.close().await?;
        report
    }

    async fn report_of(&self, stores: &Stores, config: &Config, watch: &Arc<Watch>) -> Result<Report> {
        let administration = stores.administration().observed(Arc::clone(watch) as _);
        match self {
            Self::List(_) => list(stores).await,
            Self::Show { chosen, .. } => {
                let tenant = chosen.find(stores).await?;
                let stores = administration.show(&tenant).await;
                Ok(Report::Tenant("", Box::new(TenantReport::with(&tenant, stores))))
            }
            Self::Create { user, place, .. } => {
                let tenant = match place {
                    Some(place) => stores.tenants().create_in(user, place).await?,
                    None => stores.tenants().create(user).await?,
                };
                Ok(Report::Tenant("made", Box::new(TenantReport::of(&tenant))))
            }
            Self::Rename { names, id, .. } => {
                interrupt::listen()?;
                let (tenant, new) = renamed(stores, names, *id).await?;
                let tenant = administration.rename(tenant.id, new).await?;
                Ok(Report::Tenant("renamed", Box::new(TenantReport::of(&tenant))))
            }
            Self::Rekey { new_key_file, .. } => {
                interrupt::listen()?;
                let key = new_key(new_key_file)?;
                let changed = administration.rekey(&key).await?;
                rekeyed(config, &key, changed)
            }
            Self::Delete { chosen, yes, .. } => {
                interrupt::listen()?;
                let tenant = chosen.find(stores).await?;
                if !yes {
                    confirm(&tenant)?;
                }
                administration.delete(tenant.id).await?;
                Ok(Report::Tenant("deleted", Box::new(TenantReport::of(&tenant))))
            }
        }
    }
}

impl Chosen {
    async fn find(&self, stores: &Stores) -> Result<TenantRecord> {
        let found = match (self.id, &self.user) {
            (Some(id), _) => stores.tenants().find(TenantId(id)).await?,
            (None, Some(user)) => stores.tenants().find_by_user_name(user).await?,
            (None, None) => None,
        };
        found.ok_or_else(|| missing("there is none of this name or id"))
    }
}

fn missing(why: &str) -> Error {
    Error::new(ErrorKind::NotFound, "find the tenant")
        .context(why)
        .hint("`trimaran tenant list` lists all; names are compared byte by byte")
}

/// The tenant that is to be called otherwise, and how.
async fn renamed<'n>(
    stores: &Stores,
    names: &'n [String],
    id: Option<Uuid>,
) -> Result<(TenantRecord, &'n str)> {
    let usage = |why: &str| {
        Error::new(ErrorKind::Invalid, "rename a tenant")
            .context(why.to_owned())
            .hint("write `trimaran tenant rename USER NEW`, or `trimaran tenant rename --id ID NEW`")
    };
    match (id, names) {
        (Some(id), [new]) => {
            let found = stores.tenants().find(TenantId(id)).await?;
            Ok((found.ok_or_else(|| missing("there is none of this id"))?, new))
        }
        (None, [old, new]) => {
            let catalogue = stores.tenants();
            // From the beginning on the catalogue has the new name.
            let found = match catalogue.find_by_user_name(old).await? {
                None => catalogue.find_being_renamed(old).await?,
                found => found,
            };
            let Some(found) = found else {
                return Err(match catalogue.find_by_user_name(new).await? {
                    Some(_) => missing(
                        "there is none of the old name, and one of the new: it may have been renamed already",
                    ),
                    None => missing("there is none of this name"),
                });
            };
            Ok((found, new))
        }
        (Some(_), _) => Err(usage("with --id it takes the new name alone")),
        (None, _) => Err(usage("it takes the name and the new one")),
    }
}

async fn list(stores: &Stores) -> Result<Report> {
    let mut tenants = Vec::new();
    let mut request = PageRequest::first(PAGE)?;
    loop {
        let page = stores.tenants().list(&request).await?;
        tenants.extend(page.items.iter().map(TenantReport::of));
        match page.next {
            Some(next) => request = request.after(next),
            None => return Ok(Report::Tenants(tenants)),
        }
    }
}

fn new_key(file: &Path) -> Result<NamingKey> {
    NamingKey::new(&password(file)?)
}

fn rekeyed(config: &Config, key: &NamingKey, changed: u64) -> Result<Report> {
    let in_use = config.settings().tenants.key.as_ref().map(NamingKey::new).transpose()?;
    let is_configured = in_use.is_some_and(|in_use| in_use.id() == key.id());
    Ok(Report::Rekeyed { changed, key_id: key.id().to_owned(), is_configured })
}

/// Asks for the user's name.
fn confirm(tenant: &TenantRecord) -> Result<()> {
    let refused = || {
        Error::new(ErrorKind::Invalid, "delete a tenant")
            .context("the user's name was not typed; nothing was deleted")
            .hint("type the name exactly as it is shown between the quotes, or say --yes")
    };
    eprint!(
        "All data of the user {} (tenant {}) will be deleted for good.\nType the user's name to go on: ",
        shown(&tenant.user_name),
        tenant.id
    );
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| refused().source(error))?;
    let typed = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if typed == tenant.user_name || typed == tenant_report::bare(&tenant.user_name) {
        return Ok(());
    }
    Err(refused())
}

/// Whether the application store is a file that is not there yet.
fn is_new(config: &Config) -> Result<bool> {
    let store = config.settings().store(Area::Application)?;
    Ok(store.location.path().is_some_and(|path| !path.exists()))
}

/// How the program ends after `error`; `begun`: something was changed, and the same command goes on.
fn exit_of(error: &Error, begun: bool) -> Exit {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Conflict if !begun => Exit::Usage,
        ErrorKind::Conflict => Exit::Interrupted,
        _ => Exit::of(error, begun),
    }
}
