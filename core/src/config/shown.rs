//! What is shown of the settings: all of them, each with its origin, no secret.

use figment::Figment;
use figment::value::Value;
use secrecy::{ExposeSecret as _, SecretString};

use super::fault::origin;
use super::reference::{Kind, expanded};
use super::settings::Settings;
use super::{Area, KeyDoc};
use crate::location::redact;

/// A setting as people may see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// The dotted key.
    pub key: String,
    /// The value; `…` in place of a secret.
    pub value: String,
    /// The file, variable or layer that set it.
    pub origin: String,
}

/// What stands for a secret.
const HIDDEN: &str = "…";

pub(super) fn all(figment: &Figment, settings: &Settings) -> Vec<Shown> {
    expanded(&super::places::names(figment))
        .into_iter()
        .filter_map(|(key, doc)| one(figment, settings, &key, doc))
        .collect()
}

fn one(figment: &Figment, settings: &Settings, key: &str, doc: &KeyDoc) -> Option<Shown> {
    let shown = |value: String, origin: String| Some(Shown { key: key.to_owned(), value, origin });
    let Ok(value) = figment.find_value(key) else {
        return shown(embedded(settings, key)?, "default".to_owned());
    };
    let text = match value {
        Value::String(_, text) => text,
        Value::Bool(_, value) => value.to_string(),
        Value::Num(_, number) => number.to_i128().map(|n| n.to_string()).unwrap_or_default(),
        _ => return None,
    };
    let text = match doc.kind {
        Kind::Secret => HIDDEN.to_owned(),
        Kind::Url => url(&text),
        _ => text,
    };
    shown(text, origin(figment, key))
}

/// A URL without its password, in whatever part of it that stands.
fn url(text: &str) -> String {
    let secret = SecretString::from(text.to_owned());
    crate::Location::parse_folder(secret.expose_secret())
        .map_or_else(|_| redact(secret.expose_secret()), |location| location.to_string())
}

/// The location of an area that has no URL: not set by a layer, but by where the data directory is.
fn embedded(settings: &Settings, key: &str) -> Option<String> {
    let area = key.strip_prefix("stores.")?.strip_suffix(".url")?;
    if area == Area::Content.name() {
        return Some(settings.content.place.to_string());
    }
    let (_, store) = settings.stores.iter().find(|(known, _)| known.name() == area)?;
    // Given by `url_file`, it is a secret of that file.
    store.is_default.then(|| store.location.to_string())
}
