//! Loading: the layers in their order.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::value::{Dict, Value};

use super::fault::{configuration, unknown};
use super::layer::Layer;
use super::reference::expanded;
use super::settings::Settings;
use super::{environment, places, shown};
use crate::{Error, ErrorKind, Result};

/// The file that is read if it is there and no other is named.
const FILE: &str = "trimaran.toml";
/// Names the file to read.
const FILE_VARIABLE: &str = "TRIMARAN_CONFIG";
/// Names the profile to use.
const PROFILE_VARIABLE: &str = "TRIMARAN_PROFILE";
/// The table in the file with a table per profile.
const PROFILES: &str = "profile";

/// The configuration in effect: [`Settings`], and where each came from.
#[derive(Debug, Clone)]
pub struct Config {
    settings: Settings,
    shown: Vec<shown::Shown>,
    file: Option<PathBuf>,
    profile: Option<String>,
}

impl Config {
    /// Loads the configuration as programs do: `trimaran.toml` in the working directory (or the file that
    /// `TRIMARAN_CONFIG` names), the profile that `TRIMARAN_PROFILE` names, and the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming key and origin, if anything in it is wrong.
    pub fn load() -> Result<Self> {
        Self::builder().load()
    }

    /// Loads it otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every setting with its origin, secrets left out.
    pub fn shown(&self) -> &[shown::Shown] {
        &self.shown
    }

    /// The file that was read.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The profile in use.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }
}

/// Says where settings come from.
#[derive(Debug, Clone)]
#[must_use]
pub struct Builder {
    file: Option<PathBuf>,
    profile: Option<String>,
    variables: Option<Vec<(String, String)>>,
    code: Layer,
}

impl Default for Builder {
    fn default() -> Self {
        Self { file: None, profile: None, variables: None, code: Layer::new("code", Dict::new()) }
    }
}

impl Builder {
    /// Reads this file, which must exist, instead of `trimaran.toml`.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Uses `[profile.NAME]` of the file.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Takes these as the environment instead of the process's; none, for a configuration that depends on nothing outside.
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables = Some(variables.into_iter().collect());
        self
    }

    /// Sets a dotted key such as `stores.identity.url`, over whatever the other layers say. Numbers, durations and sizes
    /// are written as in the file, in text.
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.code.set(key, value.into());
        self
    }

    /// Loads.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming key and origin, if anything is wrong: an unreadable file, an unknown key, a
    /// value that is none, a URL of no engine, a missing secret file, settings that contradict each other.
    pub fn load(self) -> Result<Config> {
        let variables = self.variables.unwrap_or_else(process_environment);
        let variable = |name: &str| variables.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let path = match (self.file, variable(FILE_VARIABLE)) {
            (Some(path), _) => Some(path),
            (None, Some(path)) => Some(PathBuf::from(path)),
            (None, None) => Some(PathBuf::from(FILE)).filter(|path| path.exists()),
        };
        let profile = self.profile.or_else(|| variable(PROFILE_VARIABLE));
        let (base, overlay) = match &path {
            Some(path) => file_layers(path, profile.as_deref())?,
            None => match &profile {
                Some(name) => return Err(no_profile(name, "there is no configuration file", &[])),
                None => (Layer::new("file", Dict::new()), None),
            },
        };
        let mut figment = Figment::from(defaults()).merge(base);
        if let Some(overlay) = overlay {
            figment = figment.merge(overlay);
        }
        figment = figment.merge(Layer::of_variables(environment::read(variables))).merge(self.code);
        check_keys(&figment)?;
        let settings = Settings::read(&figment)?;
        Ok(Config { shown: shown::all(&figment, &settings), settings, file: path, profile })
    }
}

/// The variables that are text; others can't be settings.
fn process_environment() -> Vec<(String, String)> {
    std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?))).collect()
}

fn defaults() -> Layer {
    let mut layer = Layer::new("default", Dict::new());
    for (key, doc) in expanded(&[]) {
        if !doc.default.is_empty() {
            layer.set(&key, doc.default);
        }
    }
    layer
}

fn file_layers(path: &Path, profile: Option<&str>) -> Result<(Layer, Option<Layer>)> {
    let name = path.display().to_string();
    let failed = || Error::new(ErrorKind::Configuration, format!("read the configuration file {name}"));
    let text = std::fs::read_to_string(path).map_err(|e| failed().source(e))?;
    // Not the parser's own report: it shows the line, which may hold a secret.
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        failed().context(format!("line {line}: {}", e.message()))
    })?;
    let mut profiles = match table.remove(PROFILES) {
        None => toml::Table::new(),
        Some(toml::Value::Table(profiles)) => profiles,
        Some(_) => return Err(failed().context("profile must be a table: write [profile.NAME]")),
    };
    let values = |table: toml::Table| -> Result<Dict> {
        match Value::serialize(table) {
            Ok(Value::Dict(_, values)) => Ok(values),
            Ok(_) | Err(_) => Err(failed().context("it holds a value that is no setting")),
        }
    };
    let names: Vec<String> = profiles.keys().cloned().collect();
    // All are looked at, whichever is in use: a misspelt key should not wait for its day.
    for (profile, table) in &profiles {
        let toml::Value::Table(table) = table else {
            return Err(
                failed().context(format!("profile.{profile} must be a table: write [profile.{profile}]"))
            );
        };
        check_keys(&Figment::from(Layer::new(
            format!("{name} [profile.{profile}]"),
            values(table.clone())?,
        )))?;
    }
    let overlay = match profile {
        None => None,
        Some(wanted) => match profiles.remove(wanted) {
            Some(toml::Value::Table(table)) => {
                Some(Layer::new(format!("{name} [profile.{wanted}]"), values(table)?))
            }
            _ => return Err(no_profile(wanted, &format!("{name} has none of that name"), &names)),
        },
    };
    Ok((Layer::new(name.clone(), values(table)?), overlay))
}

fn no_profile(wanted: &str, why: &str, names: &[String]) -> Error {
    let error = configuration().context(format!("the profile {wanted:?} was asked for: {why}"));
    match names {
        [] => error.hint("add [profile.NAME] to the file, or ask for no profile"),
        names => error.hint(format!("use one of: {}", names.join(", "))),
    }
}

/// Refuses keys that mean nothing.
fn check_keys(figment: &Figment) -> Result<()> {
    let all = figment.extract::<Dict>().map_err(|e| configuration().context(e.kind.to_string()))?;
    let known: Vec<String> = expanded(&places::names(figment)).into_iter().map(|(key, _)| key).collect();
    let mut keys = Vec::new();
    leaves("", &all, &mut keys);
    for (key, value) in keys {
        if known.contains(&key) {
            continue;
        }
        let origin = figment.get_metadata(value.tag()).map_or_else(
            || "default".to_owned(),
            |metadata| metadata.interpolate(figment.profile(), &key.split('.').collect::<Vec<_>>()),
        );
        // A table where a value belongs, or the other way round, is the likelier mistake.
        let inside = format!("{key}.");
        if known.iter().any(|known| known.starts_with(&inside)) {
            return Err(configuration().context(format!("{key} ({origin}): it must be a table")));
        }
        return Err(unknown(&key, &origin, known.iter().map(String::as_str)));
    }
    Ok(())
}

/// Every value that is no table, with its dotted key.
fn leaves(prefix: &str, values: &Dict, out: &mut Vec<(String, Value)>) {
    for (name, value) in values {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => leaves(&key, inner, out),
            other => out.push((key, other.clone())),
        }
    }
}
