//! `trimaran config`: what is configured, where each setting comes from, and whether it all makes sense.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use trimaran_core::config::Config;
use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print every setting in effect and where it comes from; secrets are left out.
    Show(Which),
    /// Say whether the configuration makes sense, without opening anything it names.
    Check(Which),
}

/// Which configuration: the same choice that an application makes.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The configuration file [default: trimaran.toml in the working directory, if there].
    #[arg(long, value_name = "FILE", env = "TRIMARAN_CONFIG")]
    config: Option<PathBuf>,
    /// Use [profile.NAME] of the file.
    #[arg(long, value_name = "NAME", env = "TRIMARAN_PROFILE")]
    profile: Option<String>,
    /// Machine-readable JSON.
    #[arg(long)]
    json: bool,
}

impl Which {
    /// Loads it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn load(&self) -> Result<Config> {
        let mut builder = Config::builder();
        if let Some(file) = &self.config {
            builder = builder.file(file);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        builder.load()
    }

    /// Whether JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn run(&self) -> Result<Exit> {
        let (Self::Show(which) | Self::Check(which)) = self;
        let config = which.load()?;
        let out = match self {
            Self::Show(which) if which.json => json(&config)?,
            Self::Show(_) => table(&config),
            Self::Check(which) if which.json => json(&config)?,
            Self::Check(_) => checked(&config),
        };
        // A reader that closed the pipe has seen enough.
        let _ = std::io::stdout().write_all(out.as_bytes());
        Ok(Exit::Complete)
    }

    /// Whether errors are wanted as JSON, too.
    pub(crate) fn json(&self) -> bool {
        let (Self::Show(which) | Self::Check(which)) = self;
        which.json
    }
}

/// Which file and profile were read.
fn sources(config: &Config) -> String {
    let file = config.file().map_or_else(|| "no configuration file".to_owned(), |f| f.display().to_string());
    match config.profile() {
        Some(profile) => format!("{file}, profile {profile}"),
        None => file,
    }
}

fn table(config: &Config) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["setting", "value", "from"]);
    for shown in config.shown() {
        table.add_row([&shown.key, &shown.value, &shown.origin]);
    }
    format!("{}\n\n{table}\n", sources(config))
}

fn checked(config: &Config) -> String {
    let mut out = format!("{}: everything in it makes sense\n", sources(config));
    for (area, store) in &config.settings().stores {
        out.push_str(&format!("  {area}: {} at {}\n", store.location.engine(), store.location));
    }
    out.push_str(&format!("  content: objects in {}\n", config.settings().content.place));
    out.push_str("Nothing was opened: `trimaran schema status` does that.\n");
    out
}

fn json(config: &Config) -> Result<String> {
    let report = serde_json::json!({
        "file": config.file().map(|f| f.display().to_string()),
        "profile": config.profile(),
        "settings": config.shown(),
    });
    serde_json::to_string_pretty(&report)
        .map(|text| text + "\n")
        .map_err(|e| Error::new(ErrorKind::Invalid, "print the configuration").source(e))
}
